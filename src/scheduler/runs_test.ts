import { assertEquals } from "@std/assert";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";
import type { DagSpec } from "../model/dag_spec.ts";

const hourly = { kind: "cron", cron: "0 * * * *", timezone: "UTC" } as const;

/** A DAG of one task that is due each hour. */
function hourlySpec(some: Partial<DagSpec> = {}): DagSpec {
  return specOf("d", { a: {} }, { schedule: hourly, ...some });
}

/** Logical hours and states of all runs, oldest first. */
function runsOf(world: SchedulerWorld): string[] {
  return world.store.runs().map((run) =>
    `${run.logicalDate?.toISOString().slice(5, 13) ?? run.runId} ${run.state}`
  );
}

const HOUR = 3_600_000;

Deno.test("a run is created and started at the end of its interval, not before", async () => {
  const world = new SchedulerWorld();
  world.addDag(hourlySpec({ start: "2030-01-01T00:00:00Z" }));
  await world.settle();
  await world.advance(HOUR - 1);
  assertEquals(runsOf(world), []);
  await world.advance(1);
  assertEquals(runsOf(world), ["01-01T00 running"]);
  const [run] = world.store.runs();
  assertEquals(run.runId, "scheduled__2030-01-01T00:00:00+00:00");
  assertEquals(run.dataIntervalEnd, new Date("2030-01-01T01:00:00Z"));
  assertEquals((await world.claim()).map(({ task }) => task.taskId), ["a"]);
});

Deno.test("catchup creates each missing run, as many at a time as may be active", async () => {
  const world = new SchedulerWorld();
  world.addDag(hourlySpec({
    catchup: true,
    start: "2029-12-31T19:00:00Z",
    maxActiveRuns: 2,
  }));
  await world.settle();
  assertEquals(runsOf(world), ["12-31T19 running", "12-31T20 running"]);
  await world.work();
  assertEquals(runsOf(world), [19, 20, 21, 22, 23].map((hour) => `12-31T${hour} success`));
});

Deno.test("without catchup only the latest complete interval runs, also after a long pause", async () => {
  const world = new SchedulerWorld();
  world.addDag(hourlySpec({ start: "2029-01-01T00:00:00Z" }));
  await world.work();
  assertEquals(runsOf(world), ["12-31T23 success"]);
  world.store.setPaused("d", true);
  await world.advance(10 * HOUR);
  world.store.setPaused("d", false);
  await world.work();
  assertEquals(runsOf(world), ["12-31T23 success", "01-01T09 success"]);
});

Deno.test("where a run with the logical date exists the schedule goes on after it", async () => {
  const world = new SchedulerWorld();
  const spec = hourlySpec({ start: "2030-01-01T00:00:00Z", catchup: true });
  world.addDag(spec);
  await world.trigger(spec, { runId: "mine", logicalDate: new Date("2030-01-01T00:00:00Z") });
  await world.work();
  await world.advance(2 * HOUR);
  await world.work();
  assertEquals(world.store.runs().map((run) => run.runId), [
    "mine",
    "scheduled__2030-01-01T01:00:00+00:00",
  ]);
  const [dag] = await world.store.loadDags();
  assertEquals(dag.nextRunAt, new Date("2030-01-01T03:00:00Z"));
});

Deno.test("a DAG whose file is gone gets no new runs, and those it has go on", async () => {
  const world = new SchedulerWorld();
  const spec = hourlySpec({ start: "2030-01-01T00:00:00Z" });
  world.addDag(spec, { isStale: true } as { isPaused?: boolean });
  const run = await world.trigger(spec);
  await world.advance(2 * HOUR);
  await world.work();
  assertEquals(world.store.runs().length, 1);
  assertEquals(await world.runState(run), "success");
});

Deno.test("manual runs start in order as far as the limit of active runs allows", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} }, { maxActiveRuns: 1 });
  world.addDag(spec);
  const later = await world.trigger(spec, { runAfter: new Date("2030-01-01T02:00:00Z") });
  const second = await world.trigger(spec, { runAfter: new Date("2029-12-31T02:00:00Z") });
  const first = await world.trigger(spec, { runAfter: new Date("2029-12-31T01:00:00Z") });
  await world.settle();
  assertEquals(await Promise.all([first, second, later].map((id) => world.runState(id))), [
    "running",
    "queued",
    "queued",
  ]);
  await world.work();
  assertEquals(await world.runState(second), "success");
  assertEquals(await world.runState(later), "queued");
  await world.advance(2 * HOUR);
  await world.work();
  assertEquals(await world.runState(later), "success");
});

Deno.test("a backfill has its own limit and pause, beside the DAG's runs", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} }, { maxActiveRuns: 1 });
  world.addDag(spec);
  world.store.setBackfill({ id: "7", maxActiveRuns: 2, isPaused: false, share: 1 });
  const live = await world.trigger(spec);
  const backfill: string[] = [];
  for (let i = 0; i < 3; i++) {
    backfill.push(await world.trigger(spec, { runType: "backfill", backfillId: "7" }));
  }
  await world.settle();
  const states = () => Promise.all([live, ...backfill].map((id) => world.runState(id)));
  assertEquals(await states(), ["running", "running", "running", "queued"]);
  world.store.setBackfill({ id: "7", maxActiveRuns: 2, isPaused: true, share: 1 });
  await world.advance(5_000);
  await world.work();
  assertEquals(await states(), ["success", "success", "success", "queued"]);
  world.store.setBackfill({ id: "7", maxActiveRuns: 2, isPaused: false, share: 1 });
  await world.advance(5_000);
  await world.work();
  assertEquals(await states(), ["success", "success", "success", "success"]);
});

Deno.test("a DAG that cannot be scheduled leaves the others alone", async () => {
  const world = new SchedulerWorld();
  world.addDag(specOf("bad", { a: {} }, { schedule: { ...hourly, timezone: "Nowhere/Land" } }));
  const spec = specOf("good", { a: {} });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work();
  assertEquals(await world.runState(run), "success");
  assertEquals(
    world.logged.includes(
      "Could not decide on the runs of a DAG; its schedule is left out",
    ),
    true,
  );
});

Deno.test("a run does not start in the place of one whose end the store refuses", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"] } }, { maxActiveRuns: 1 });
  world.addDag(spec);
  const [first, second] = [await world.trigger(spec), await world.trigger(spec)];
  await world.settle();
  const [claimed] = await world.claim();
  const { applyTick } = world.store;
  const seen: string[] = [];
  world.store.applyTick = async (epoch, writes, now) => {
    const isEnd = writes.runMoves.some(({ id }) => id === first);
    // The end rests on a move of b, which is cancelled this very moment.
    if (isEnd && seen.length === 0) await world.store.cancelRun(first, { now, by: "someone" });
    const result = await applyTick(epoch, writes, now);
    seen.push(`${await world.runState(first)} ${await world.runState(second)}`);
    return result;
  };
  await world.end(claimed, "skip");
  await world.settle();
  assertEquals(seen[0], "running queued");
  assertEquals(seen.at(-1), "failed running");
});

Deno.test("a release whose date becomes known late runs when it is known, and a moved one once", async () => {
  const world = new SchedulerWorld();
  world.addDag(specOf("d", { a: {} }, {
    schedule: {
      ...{ kind: "releases", id: "x", offsetMs: 0, until: null },
      releases: [
        { at: "2030-01-01T02:00:00Z", announced: "2030-01-01T05:00:00Z" },
        {
          at: "2030-01-01T09:00:00Z",
          changes: [{ announced: "2030-01-01T06:00:00Z", at: "2030-01-01T07:00:00Z" }],
        },
      ],
    },
    start: "2030-01-01T00:00:00Z",
    catchup: true,
  }));
  await world.settle();
  const wakes: string[] = [];
  for (let hour = 1; hour <= 10; hour++) {
    await world.advance(HOUR);
    await world.work();
    wakes.push(`${hour}: ${world.store.runs().length}`);
  }
  assertEquals(runsOf(world), ["01-01T05 success", "01-01T07 success"]);
  assertEquals(wakes.slice(3, 8), ["4: 0", "5: 1", "6: 1", "7: 2", "8: 2"]);
});
