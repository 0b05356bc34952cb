/** @module How a backfill and all that is downstream of it is shown: a tree, before and while it runs. */
import { type Output, printTable, seconds } from "../print.ts";
import type { VerbContext } from "../verb.ts";
import { type BackfillShape, percent } from "./backfill_shape.ts";

interface Upstream {
  dag_id: string;
  datasets: string[];
}

/** One DAG below, in a dry run. */
export interface CascadePreviewShape {
  dag_id: string;
  depth: number;
  kind: string;
  why: string | null;
  upstream: Upstream[];
  dates: number;
  partitions: string[];
  waits_for: string | null;
  new: number;
  again: number;
  first_date: string | null;
  last_date: string | null;
}

interface CascadeShape {
  id: number;
  state: string;
  runs: { planned: number; done: number; failed: number };
  backfills: { depth: number; upstream: Upstream[]; backfill: BackfillShape }[];
}

const LOOK_MS = 500;

/** Print what is downstream of a dry run. */
export function printBelow(
  output: Output,
  below: readonly CascadePreviewShape[],
  totalSeconds: number | null,
): void {
  output.out("\nDownstream, in order:\n");
  printTable(output, below, below, {
    dag: (one) => indented(one.depth, one.dag_id),
    reads: (one) => readsOf(one.upstream),
    runs: (one) => one.why ?? runsOf(one),
    "waits for": (one) => one.waits_for,
    new: (one) => one.new,
    again: (one) => one.again,
    from: (one) => one.first_date,
    to: (one) => one.last_date,
  });
  output.out(
    `time of all  ${totalSeconds === null ? "unknown" : `about ${seconds(totalSeconds)}`}\n`,
  );
}

/** Show a cascade, until its end when asked to. Code 1: it ended otherwise than completed. */
export async function shownCascade(
  { api, output, sleep }: Pick<VerbContext, "api" | "output" | "sleep">,
  id: number,
  isWatched: boolean,
): Promise<number> {
  let drawn = 0;
  let last = "";
  for (;;) {
    const cascade = await api.get<CascadeShape>(`/api/v2/backfills/${id}/cascade`);
    const text = treeText(output, cascade);
    if (text !== last) {
      if (drawn > 0 && output.isTerminal) output.out(`\x1b[${drawn}A\x1b[J`);
      output.out(text);
      drawn = text.split("\n").length - 1;
      last = text;
    }
    if (!isWatched) return 0;
    if (!["running", "paused"].includes(cascade.state)) {
      return cascade.state === "completed" ? 0 : 1;
    }
    await sleep(LOOK_MS);
  }
}

function treeText(output: Output, { id, state, runs, backfills }: CascadeShape): string {
  let text = "";
  const failed = runs.failed > 0 ? `, ${runs.failed} failed` : "";
  const into = { ...output, out: (part: string) => void (text += part) };
  into.out(`cascade ${id}  ${state}  ${runs.done} of ${runs.planned} runs${failed}\n`);
  printTable(into, backfills, backfills, {
    dag: (one) => indented(one.depth, one.backfill.dag_id),
    backfill: (one) => one.backfill.id,
    reads: (one) => readsOf(one.upstream),
    state: (one) => one.backfill.state,
    runs: (one) => one.backfill.runs.planned,
    done: (one) => one.backfill.state === "waiting" ? "-" : percent(one.backfill),
    failed: (one) => one.backfill.runs.failed,
  });
  return text;
}

function runsOf({ kind, dates, partitions, waits_for }: CascadePreviewShape): string {
  if (kind === "dates") return `${dates}`;
  return waits_for === "all above" ? "1, by its datasets" : `${partitions.length}, by its datasets`;
}

function indented(depth: number, dagId: string): string {
  return depth === 0 ? dagId : `${"  ".repeat(depth - 1)}└ ${dagId}`;
}

function readsOf(upstream: readonly Upstream[]): string {
  return upstream.map(({ dag_id, datasets }) => `${datasets.join(", ")} of ${dag_id}`).join("; ");
}
