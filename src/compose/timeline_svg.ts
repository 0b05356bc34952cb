/** @module A picture of runs: a row a day, a mark at the time of the day at which each is due. */
import type { DagSpec } from "../model/dag_spec.ts";
import type { ExpandedRun } from "../timetable/mod.ts";

const DAY = 86_400_000;
const ROW = 8;
const LEFT = 90;
const TOP = 40;
const WIDTH = 960;
/** Days that a picture shows; later ones are left out, and it says so. */
const DAYS_MAX = 3_700;

/** An SVG document; times are UTC. */
export function timelineSvg(
  { dagId }: DagSpec,
  runs: readonly ExpandedRun[],
  { from, to }: { from: Date; to: Date },
): string {
  const firstDay = Math.floor(from.getTime() / DAY);
  const lastDay = Math.min(Math.floor(to.getTime() / DAY), firstDay + DAYS_MAX - 1);
  const height = TOP + (lastDay - firstDay + 1) * ROW + 10;
  const marks = runs.map(({ runAfter, isCatchup }) => {
    const at = Math.max(runAfter.getTime(), from.getTime());
    const day = Math.floor(at / DAY);
    if (day > lastDay) return "";
    const x = LEFT + (at % DAY) / DAY * WIDTH;
    const y = TOP + (day - firstDay) * ROW;
    return `<rect x="${x.toFixed(1)}" y="${y}" width="3" height="${ROW - 2}" fill="${
      isCatchup ? "#d97706" : "#0f766e"
    }"/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 20}" height="${height}" ` +
    `font-family="sans-serif" font-size="10">`,
    `<text x="8" y="16" font-size="13">${dagId}: ${runs.length} runs, UTC; orange catches up${
      to.getTime() / DAY > lastDay + 1 ? `; the first ${DAYS_MAX} days` : ""
    }</text>`,
    ...hours(height),
    ...months(firstDay, lastDay),
    ...marks,
    "</svg>\n",
  ].join("\n");
}

function hours(height: number): string[] {
  return Array.from({ length: 9 }, (_, i) => {
    const x = LEFT + i * WIDTH / 8;
    return `<path d="M${x} ${TOP - 4}V${height - 10}" stroke="#ddd"/>` +
      `<text x="${x - 6}" y="${TOP - 8}">${i * 3}h</text>`;
  });
}

function months(firstDay: number, lastDay: number): string[] {
  const out: string[] = [];
  for (let day = firstDay; day <= lastDay; day++) {
    const date = new Date(day * DAY).toISOString().slice(0, 10);
    if (day !== firstDay && !date.endsWith("-01")) continue;
    out.push(`<text x="8" y="${TOP + (day - firstDay + 1) * ROW}">${date}</text>`);
  }
  return out;
}
