/**
 * @module A picture of runs: a row a day, a bar from the start to the end of each run at its time of
 * the day, and before it, thin, the time that it waited.
 */
import type { RehearsedRun, Stretch } from "../scheduler/rehearsal.ts";

const DAY = 86_400_000;
const ROW = 8;
const LEFT = 90;
const TOP = 40;
const WIDTH = 960;
/** Days that a picture shows; later ones are left out, and it says so. */
const DAYS_MAX = 3_700;
/** Narrowest bar. */
const BAR_MIN = 2;

const colours = { run: "#0f766e", catchup: "#d97706", wait: "#dc2626" };

/** An SVG document; times are UTC. */
export function timelineSvg(runs: readonly RehearsedRun[], { from, to }: Stretch): string {
  const firstDay = Math.floor(from.getTime() / DAY);
  const lastDay = Math.min(Math.floor(to.getTime() / DAY), firstDay + DAYS_MAX - 1);
  const height = TOP + (lastDay - firstDay + 1) * ROW + 10;
  const days = { firstDay, lastDay };
  const bars = runs.flatMap(({ runAfter, startedAt, endedAt, isCatchup }) => {
    const dueMs = Math.max(runAfter.getTime(), from.getTime());
    const startMs = startedAt?.getTime() ?? to.getTime();
    const waits = startMs > dueMs
      ? span(dueMs, startMs, { ...days, thin: true, fill: colours.wait })
      : [];
    if (startedAt === null) return waits;
    const fill = isCatchup ? colours.catchup : colours.run;
    return [
      ...waits,
      ...span(startMs, endedAt?.getTime() ?? to.getTime(), { ...days, thin: false, fill }),
    ];
  });
  const names = [...new Set(runs.map(({ dagId }) => dagId))].map(escaped).join(", ");
  const cut = to.getTime() / DAY > lastDay + 1 ? `; the first ${DAYS_MAX} days` : "";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 20}" height="${height}" ` +
    `font-family="sans-serif" font-size="10">`,
    `<text x="8" y="16" font-size="13">${names}: ${runs.length} runs, UTC; orange catches up, ` +
    `red waits${cut}</text>`,
    ...hours(height),
    ...months(firstDay, lastDay),
    ...bars,
    "</svg>\n",
  ].join("\n");
}

interface Bar {
  firstDay: number;
  lastDay: number;
  thin: boolean;
  fill: string;
}

/** A bar for each day that the span lies in. */
function span(fromMs: number, toMs: number, { firstDay, lastDay, thin, fill }: Bar): string[] {
  const bars: string[] = [];
  for (
    let day = Math.floor(fromMs / DAY);
    day <= lastDay && (day * DAY < toMs || bars.length === 0);
    day++
  ) {
    if (day < firstDay) continue;
    const left = (Math.max(fromMs, day * DAY) - day * DAY) / DAY * WIDTH;
    const right = (Math.min(toMs, (day + 1) * DAY) - day * DAY) / DAY * WIDTH;
    const y = TOP + (day - firstDay) * ROW + (thin ? ROW / 2 - 2 : 0);
    bars.push(
      `<rect x="${(LEFT + left).toFixed(1)}" y="${y}" width="${
        Math.max(right - left, BAR_MIN).toFixed(1)
      }" height="${thin ? 2 : ROW - 2}" fill="${fill}"/>`,
    );
  }
  return bars;
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

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
