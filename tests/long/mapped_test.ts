/** @module A task mapped over a hundred thousand items (`MAPPED_TASKS` for another number). */
import { assert } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { startProduct } from "../support/product.ts";
import { runWide, wideDag } from "../support/wide_run.ts";

const WIDTH = Number(Deno.env.get("MAPPED_TASKS") ?? 100_000);
/** Of the median; a page reads its own rows. */
const LIST_MS_MAX = 200;
/** Counting reads every instance. */
const COUNT_MS_MAX = 500;
/** Of the process that is API, scheduler and worker in one. */
const RSS_MIB_MAX = 800;

Deno.test(`${WIDTH} mapped tasks end, and lists stay quick`, async () => {
  await using product = await startProduct({
    dags: { "wide.ts": wideDag(WIDTH, { again: false }) },
  });
  const startedMs = systemClock.monotonicMs();
  const run = await runWide(product, WIDTH, { again: false, withinMs: 1_200_000 });
  const tookS = (systemClock.monotonicMs() - startedMs) / 1000;
  console.log(`${WIDTH} mapped tasks in ${tookS.toFixed(0)} s: ${(WIDTH / tookS).toFixed(0)}/s`);
  const status = await Deno.readTextFile(`/proc/${product.pid}/status`);
  const peakMiB = Number(status.match(/^VmHWM:\s+(\d+) kB/m)![1]) / 1024;
  console.log(`${peakMiB.toFixed(0)} MiB at most`);
  assert(peakMiB < RSS_MIB_MAX, `the service took ${peakMiB} MiB`);
  const of = `/api/v2/dags/wide/dagRuns/${run.dag_run_id}`;
  const pages: [string, number][] = [
    [`${of}/taskInstances?limit=100`, LIST_MS_MAX],
    [`${of}/taskInstances?limit=100&offset=${WIDTH - 100}`, LIST_MS_MAX],
    [`${of}/taskInstances/each/listMapped?limit=100&order_by=-map_index`, LIST_MS_MAX],
    [`${of}/taskSummaries`, COUNT_MS_MAX],
    ["/api/v2/dags/wide/grid", COUNT_MS_MAX],
  ];
  for (const [path, msMax] of pages) {
    const tookMs = await median(() => product.api.get(path));
    console.log(`${Math.round(tookMs)} ms  ${path}`);
    assert(tookMs < msMax, `${path} takes ${tookMs} ms`);
  }
});

async function median(round: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < 7; i++) {
    const startedMs = systemClock.monotonicMs();
    await round();
    took.push(systemClock.monotonicMs() - startedMs);
  }
  return took.toSorted((a, b) => a - b)[3];
}
