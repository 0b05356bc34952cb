import { assertEquals } from "@std/assert";
import { endingOf, SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";
import { limits } from "../base/limits.ts";
import { seededRandom } from "../base/random.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { PartitionSpec } from "../model/schedule_spec.ts";
import { schedulerService } from "./loop.ts";

/** Due when prices and one of two sources of rates are there. */
const waiting = specOf("waits", { a: {} }, {
  schedule: {
    kind: "datasets",
    datasets: ["fx.ecb", "fx.fed", "prices"],
    anyOf: [["fx.ecb", "prices"], ["fx.fed", "prices"]],
  },
  maxActiveRuns: 1,
});

const publishing = specOf("publishes", { p: {} }, { schedule: { kind: "none" } });

/** Let a run of the publishing DAG publish a version. */
async function publish(
  world: SchedulerWorld,
  dataset: string,
  partition = "2030-01-01",
): Promise<void> {
  await world.trigger(publishing);
  await world.settle();
  const claimed = await world.claim();
  const now = world.clock.now();
  const one = claimed.find(({ run }) => run.dagId === "publishes")!;
  const intent = {
    ...{ dataset, partition, kind: "table" as const, schema: null, rows: 1 },
    ...{ files: [], lineageFiles: [], inputs: [], columns: [], metrics: {} },
  };
  const ending = { ...endingOf(one.attempt.id, "succeed", now), effects: { publish: [intent] } };
  await world.store.endAttempts([ending], now);
  await world.settle();
}

function worldWith(...specs: DagSpec[]): SchedulerWorld {
  const world = new SchedulerWorld();
  for (const spec of [publishing, ...specs]) world.addDag(spec);
  return world;
}

const runsOf = (world: SchedulerWorld) =>
  world.store.runs().filter(({ dagId }) => dagId === "waits");

async function takenBy(world: SchedulerWorld, index: number): Promise<string[]> {
  const events = await world.store.loadDatasetEvents(runsOf(world)[index].id);
  return events.map(({ dataset }) => dataset);
}

Deno.test("a run begins once all that it needs is published, and takes every event", async () => {
  const world = worldWith(waiting);
  await publish(world, "prices");
  await publish(world, "prices");
  assertEquals(runsOf(world), []);

  await publish(world, "fx.fed");

  const [run] = runsOf(world);
  assertEquals([run.runType, run.state, run.logicalDate], ["asset_triggered", "running", null]);
  assertEquals(await takenBy(world, 0), ["prices", "prices", "fx.fed"]);
});

Deno.test("what is published while a run may not begin waits for the next one", async () => {
  const world = worldWith(waiting);
  await publish(world, "prices");
  await publish(world, "fx.ecb");
  await publish(world, "prices");
  await publish(world, "fx.ecb");
  assertEquals(runsOf(world).length, 1);

  const [first] = await world.store.loadRuns([runsOf(world)[0].id]);
  const attemptId = first.tasks[0].attemptId!;
  await world.store.endAttempts(
    [endingOf(attemptId, "succeed", world.clock.now())],
    world.clock.now(),
  );
  await world.settle();

  assertEquals(runsOf(world).map(({ state }) => state), ["success", "running"]);
  assertEquals(await takenBy(world, 1), ["prices", "fx.ecb"]);
});

Deno.test("a paused DAG's events wait for it", async () => {
  const world = worldWith(waiting);
  world.store.setPaused("waits", true);
  await publish(world, "prices");
  await publish(world, "fx.ecb");
  assertEquals(runsOf(world), []);

  world.store.setPaused("waits", false);
  await world.settle();

  assertEquals(runsOf(world).length, 1);
});

/** A DAG that waits for partitions of prices, and of the listed others. */
function byPartition(partition: PartitionSpec, ...others: string[]): DagSpec {
  const datasets = ["prices", ...others].sort();
  return specOf("waits", { a: {} }, {
    schedule: { kind: "datasets", datasets, anyOf: [datasets], partition },
    timezone: "America/New_York",
  });
}

const shown = (world: SchedulerWorld) =>
  runsOf(world).map(({ partitionKey, dataIntervalStart }) => [
    partitionKey,
    dataIntervalStart?.toISOString() ?? null,
  ]);

Deno.test("each partition starts a run of its own, with its day as data interval", async () => {
  const world = worldWith(byPartition({ kind: "each" }));
  for (const day of ["2030-01-02", "2030-01-03", "IBM"]) await publish(world, "prices", day);
  assertEquals(shown(world), [
    ["2030-01-02", "2030-01-02T05:00:00.000Z"],
    ["2030-01-03", "2030-01-03T05:00:00.000Z"],
    ["IBM", null],
  ]);
  assertEquals(runsOf(world).map(({ logicalDate }) => logicalDate), [null, null, null]);
});

Deno.test("a partition waits for all of the datasets; a correction of one runs it again", async () => {
  const world = worldWith(byPartition({ kind: "each" }, "fx"));
  await publish(world, "prices", "2030-01-02");
  await publish(world, "fx", "2030-01-03");
  assertEquals(shown(world), []);

  await publish(world, "fx", "2030-01-02");
  assertEquals(runsOf(world).map(({ partitionKey }) => partitionKey), ["2030-01-02"]);
  await publish(world, "prices", "2030-01-02");
  assertEquals(runsOf(world).length, 2);
  assertEquals(await takenBy(world, 1), ["prices"]);
});

Deno.test("an event that comes between two looks of a pass is taken by the run that it completes", async () => {
  const world = worldWith(byPartition({ kind: "groups", groups: { europe: ["XETR", "XPAR"] } }));
  const event = (partition: string) => ({
    ...{ dataset: "prices", partition, key: partition, extra: {} },
  });
  await world.settle();
  const find = world.store.findPartitions;
  world.store.findPartitions = async (asked) => {
    world.store.findPartitions = find;
    await world.store.recordEvents([event("XPAR")], world.clock.now());
    return await find(asked);
  };
  await world.store.recordEvents([event("XETR")], world.clock.now());
  await world.settle();
  await world.settle();

  assertEquals(runsOf(world).map(({ partitionKey }) => partitionKey), ["europe"]);
  assertEquals(await takenBy(world, 0), ["prices", "prices"]);
});

/** Publish days of January 2030 in New York; holidays are the 1st and the 21st. */
async function publishDays(world: SchedulerWorld, from: number, to: number) {
  for (let day = from; day <= to; day++) {
    const date = `2030-01-${String(day).padStart(2, "0")}`;
    const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
    if (weekday > 0 && weekday < 6 && day !== 1 && day !== 21) {
      await publish(world, "prices", date);
    }
  }
}

const january: PartitionSpec = { kind: "rollup", over: "month", sessions: "XNYS" };

Deno.test("a roll-up runs once its last session is there, in whatever order they come", async () => {
  const world = worldWith(byPartition(january));
  await publishDays(world, 16, 31);
  await publishDays(world, 1, 14);
  assertEquals(shown(world), []);
  await publish(world, "prices", "2030-01-15");
  assertEquals(shown(world), [["2030-01", "2030-01-01T05:00:00.000Z"]]);
  assertEquals((await takenBy(world, 0)).length, 21);
});

Deno.test("a roll-up runs again, once, for corrections that came while it could not", async () => {
  const world = worldWith({ ...byPartition(january), maxActiveRuns: 1 });
  await publishDays(world, 1, 31);
  await publish(world, "prices", "2030-01-07");
  await publish(world, "prices", "2030-01-08");
  assertEquals(runsOf(world).length, 1);
  const [first] = await world.store.loadRuns([runsOf(world)[0].id]);
  const ending = endingOf(first.tasks[0].attemptId!, "succeed", world.clock.now());
  await world.store.endAttempts([ending], world.clock.now());
  await world.settle();
  assertEquals(runsOf(world).map(({ partitionKey }) => partitionKey), ["2030-01", "2030-01"]);
  assertEquals((await takenBy(world, 1)).length, 2);
});

Deno.test("a new leader knows the sessions that were there before", async () => {
  const world = worldWith(byPartition(january));
  await publishDays(world, 1, 31);
  await world.work();
  const other = worldOn(world);
  await world.scheduler.stop();
  await world.store.releaseLease((await world.store.readLease())!);
  await world.store.recordEvents(
    [{ dataset: "prices", partition: "2030-01-09", key: null, extra: {} }],
    world.clock.now(),
  );
  while (await other.runOnce());
  assertEquals(runsOf(world).length, 2);
});

function worldOn({ store, clock, ids, log }: SchedulerWorld) {
  return schedulerService({ store, clock, ids, random: seededRandom(3), log, holder: "other" });
}

Deno.test("a run of a time waits for the datasets, and no longer than orAt", async () => {
  const at = {
    time: { kind: "cron" as const, cron: "0 18 * * *", timezone: "UTC" },
    orAt: "21:00",
    timezone: "UTC",
  };
  const world = worldWith(specOf("waits", { a: {} }, {
    schedule: { kind: "datasets", datasets: ["prices"], anyOf: [["prices"]], at },
    start: "2029-12-31T18:00:00.000Z",
    catchup: true,
  }));
  const hours = (n: number) => world.advance(n * 3_600_000);
  await publish(world, "prices");
  assertEquals(runsOf(world), [], "not before 18:00");
  await hours(18);
  assertEquals(runsOf(world).map(({ runType, runId }) => [runType, runId]), [
    ["scheduled", "scheduled__2029-12-31T18:00:00+00:00"],
  ]);
  assertEquals(await takenBy(world, 0), ["prices"]);
  await hours(26);
  assertEquals(runsOf(world).length, 1, "2 January at 20:00, nothing was published");
  await hours(1);
  assertEquals(runsOf(world).length, 2);
  await hours(22);
  await publish(world, "prices");
  assertEquals(await takenBy(world, 2), ["prices"], "3 January at 19:00");
});

Deno.test("a schedule of time or datasets does both, and time takes nothing", async () => {
  const time = { kind: "interval" as const, everyMs: 3_600_000 };
  const world = worldWith(specOf("waits", { a: {} }, {
    schedule: { kind: "datasets", datasets: ["prices"], anyOf: [["prices"]], or: time },
    start: "2030-01-01T00:00:00.000Z",
  }));
  await publish(world, "prices");
  await world.advance(3_600_000);
  assertEquals(runsOf(world).map(({ runType }) => runType), ["asset_triggered", "scheduled"]);
  assertEquals([await takenBy(world, 0), await takenBy(world, 1)], [["prices"], []]);
});

Deno.test("an event whose hint was lost is found by the next sweep", async () => {
  const world = worldWith(waiting);
  await world.settle();
  const deaf = schedulerService({
    ...{ clock: world.clock, ids: world.ids, log: world.log, random: seededRandom(3) },
    store: { ...world.store, listen: () => Promise.resolve({ stop: () => Promise.resolve() }) },
    holder: "deaf",
  });
  await world.scheduler.stop();
  await world.store.releaseLease((await world.store.readLease())!);
  while (await deaf.runOnce());
  const event = { partition: null, key: null, extra: {} };
  await world.store.recordEvents(
    ["prices", "fx.ecb"].map((dataset) => ({ ...event, dataset })),
    world.clock.now(),
  );
  while (await deaf.runOnce());
  assertEquals(runsOf(world), []);
  world.clock.advance(limits.sweepMs);
  while (await deaf.runOnce());
  assertEquals(runsOf(world).length, 1);
});

const following = specOf("waits", { a: {} }, {
  schedule: {
    ...{ kind: "datasets", datasets: ["run:publishes"], anyOf: [["run:publishes"]] },
    partition: { kind: "each" },
    watch: { kind: "run", dagId: "publishes", states: ["success"] },
  },
});

Deno.test("afterRun: a run's success starts one for its interval; its failure none; a clear another", async () => {
  const world = worldWith(following);
  const interval = {
    dataIntervalStart: new Date("2030-01-01T00:00:00Z"),
    dataIntervalEnd: new Date("2030-01-02T00:00:00Z"),
  };
  const first = await world.trigger(publishing, interval);
  await world.trigger(publishing);
  let told = 0;
  await world.work((task) => (task.dagRunId === first || ++told > 1 ? "succeed" : "fail"));

  const [run, ...more] = runsOf(world);
  assertEquals(more, []);
  assertEquals([run.dataIntervalStart, run.dataIntervalEnd], Object.values(interval));
  assertEquals(run.partitionKey, "2030-01-01T00:00:00.000Z/2030-01-02T00:00:00.000Z");
  const [{ extra }] = await world.store.loadDatasetEvents(run.id);
  assertEquals([extra.dagId, extra.state], ["publishes", "success"]);

  world.clock.advance(1_000);
  await world.clear(first, publishing, () => true);
  await world.work();
  assertEquals(runsOf(world).length, 2);
});

Deno.test("a session's run waits for its own partition, past its time; late and corrected ones run at once", async () => {
  const at = {
    time: {
      ...{ kind: "sessions" as const, calendars: ["XNYS"], open: "all" as const },
      ...{ edge: "close" as const, offsetMs: 0, everyMs: null, nth: null },
      interval: "session" as const,
    },
    orAt: "20:00",
    timezone: "America/New_York",
  };
  const world = worldWith(specOf("waits", { a: {} }, {
    schedule: {
      ...{ kind: "datasets", datasets: ["fx", "prices"], anyOf: [["fx", "prices"]], at },
      partition: { kind: "each" },
    },
    timezone: "America/New_York",
    start: "2030-01-02T00:00:00.000Z",
    catchup: true,
  }));
  const at2 = (text: string) => world.advance(Date.parse(text) - world.clock.now().getTime());
  const shownRuns = () =>
    runsOf(world).map((run) => [run.partitionKey, run.runType, run.logicalDate !== null]);
  await at2("2030-01-02T20:00:00Z");
  for (const day of ["2030-01-02", "2030-01-03"]) await publish(world, "prices", day);
  await publish(world, "fx", "2030-01-02");
  assertEquals(shownRuns(), [], "the session is under way");
  await at2("2030-01-02T21:00:00Z");
  assertEquals(shownRuns(), [["2030-01-02", "scheduled", true]]);
  assertEquals((await takenBy(world, 0)).sort(), ["fx", "prices"]);

  await at2("2030-01-03T21:00:00Z");
  assertEquals(runsOf(world).length, 1, "fx of the 3rd is missing");
  await at2("2030-01-04T01:00:00Z");
  assertEquals(shownRuns()[1], ["2030-01-03", "scheduled", true]);

  await publish(world, "fx", "2030-01-03");
  await publish(world, "prices", "2030-01-02");
  assertEquals(shownRuns().slice(2), [
    ["2030-01-03", "asset_triggered", false],
    ["2030-01-02", "asset_triggered", false],
  ]);
});

Deno.test("a run of a time finds partitions that were published before the DAG came", async () => {
  const world = worldWith();
  await publish(world, "prices", "2030-01-01");
  const time = { kind: "cron" as const, cron: "0 0 * * *", timezone: "UTC" };
  world.addDag(specOf("waits", { a: {} }, {
    schedule: {
      ...{
        kind: "datasets",
        datasets: ["prices"],
        anyOf: [["prices"]],
        partition: { kind: "each" },
      },
      at: { time, orAt: null, timezone: "UTC" },
    },
    start: "2030-01-01T00:00:00.000Z",
    catchup: true,
  }));
  await world.settle();
  await world.advance(86_400_000);
  assertEquals(runsOf(world).map(({ partitionKey }) => partitionKey), ["2030-01-01"]);
});
