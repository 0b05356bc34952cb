import { assertEquals } from "@std/assert";
import { endingOf, SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";
import type { DagSpec } from "../model/dag_spec.ts";

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
async function publish(world: SchedulerWorld, dataset: string): Promise<void> {
  await world.trigger(publishing);
  await world.settle();
  const claimed = await world.claim();
  const now = world.clock.now();
  const one = claimed.find(({ run }) => run.dagId === "publishes")!;
  const intent = {
    ...{ dataset, partition: "2030-01-01", kind: "table" as const, schema: null, rows: 1 },
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
