/** @module Ten million task instances in the database (`HISTORY_TASKS` for another number). */
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { makeHistory } from "../support/history.ts";
import { apiWorld } from "../support/api.ts";
import { sharedServer } from "../support/server.ts";

const TASKS = Number(Deno.env.get("HISTORY_TASKS") ?? 10_000_000);
const TASKS_PER_RUN = 50;
/** Of the median; a list that reads the whole table takes seconds. */
const LIST_MS_MAX = 500;
const SCHEDULER_MS_MAX = 100;

Deno.test(`${TASKS} task instances of the past slow down neither lists nor the scheduler`, async () => {
  await using w = await apiWorld();
  const names = Array.from({ length: TASKS_PER_RUN }, (_, i) => `t${i}`);
  await w.addDag("many", names.map((taskId) => ({ taskId })));
  const run = await w.trigger("many");
  for (const work of await w.start("many", run, names)) await w.end(work);
  await w.moveRun("many", run, "success");
  const made = await makeHistory(w.parts.sql, {
    dagId: "many",
    runs: TASKS / TASKS_PER_RUN,
    // A server that nobody asks for ends after ten minutes.
    onBatch: sharedServer,
  });
  assertEquals(made, TASKS);
  for (
    const path of [
      "/api/v2/dags/many/dagRuns?limit=50&order_by=-run_after",
      "/api/v2/dags/~/dagRuns?limit=50&order_by=-run_after",
      `/api/v2/dags/many/dagRuns/${run}/taskInstances`,
      "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50",
      "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50&state=failed",
      "/api/v2/dags/many/grid",
    ]
  ) {
    const tookMs = await median(async () => assertEquals((await w.call("GET", path)).status, 200));
    console.log(`${Math.round(tookMs)} ms  ${path}`);
    assert(tookMs < LIST_MS_MAX, `${path} takes ${tookMs} ms`);
  }
  const next = await w.trigger("many");
  const queueing = names[Symbol.iterator]();
  const tookMs = await median(async () => {
    const [work] = await w.start("many", next, [queueing.next().value!]);
    await w.end(work);
  });
  console.log(`${Math.round(tookMs)} ms  to queue, claim and end a task`);
  assert(tookMs < SCHEDULER_MS_MAX, `a task takes ${tookMs} ms`);
});

/** Of some rounds; the first ones warm up. */
async function median(round: () => Promise<void>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < 9; i++) {
    const startedMs = systemClock.monotonicMs();
    await round();
    if (i > 1) took.push(systemClock.monotonicMs() - startedMs);
  }
  return took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)];
}
