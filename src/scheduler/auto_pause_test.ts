import { assertEquals } from "@std/assert";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";

const spec = specOf("d", { a: {} }, { maxConsecutiveFailedDagRuns: 2 });

/** Runs of dates in this order, each with its end; says after which of them the DAG was paused. */
async function pausedAfter(runs: [date: string, end: "succeed" | "fail" | "cancel"][]) {
  const world = new SchedulerWorld();
  world.addDag(spec);
  const paused: boolean[] = [];
  for (const [date, end] of runs) {
    const logicalDate = new Date(date);
    const run = await world.trigger(spec, { logicalDate, runAfter: logicalDate, runId: date });
    await world.settle();
    if (end === "cancel") await world.store.cancelRun(run, { now: world.clock.now(), by: "ann" });
    await world.work(() => end === "succeed" ? "succeed" : "fail");
    paused.push((await world.store.loadDags(["d"]))[0].isPaused);
    world.store.setPaused("d", false);
  }
  return paused;
}

Deno.test("a DAG is paused when its newest runs have all failed, as many as it says", async () => {
  assertEquals(
    await pausedAfter([["2029-01-01", "fail"], ["2029-01-02", "fail"], ["2029-01-03", "fail"]]),
    [false, true, true],
  );
});

Deno.test("a success in between starts the count anew", async () => {
  assertEquals(
    await pausedAfter([
      ["2029-01-01", "fail"],
      ["2029-01-02", "succeed"],
      ["2029-01-03", "fail"],
      ["2029-01-04", "fail"],
    ]),
    [false, false, false, true],
  );
});

Deno.test("failed runs of the past do not pause a DAG whose newest run is good", async () => {
  assertEquals(
    await pausedAfter([["2029-01-09", "succeed"], ["2020-01-01", "fail"], ["2020-01-02", "fail"]]),
    [false, false, false],
  );
});

Deno.test("a run that somebody cancelled neither counts nor breaks the row", async () => {
  assertEquals(
    await pausedAfter([["2029-01-01", "fail"], ["2029-01-02", "cancel"], ["2029-01-03", "fail"]]),
    [false, false, true],
  );
});
