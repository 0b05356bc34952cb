import { assertEquals } from "@std/assert";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";

const limitsOf = (id: string, some: object = {}) => ({
  ...{ id, maxActiveRuns: 100, isPaused: false, share: 1 },
  ...some,
});

async function backfilled(
  world: SchedulerWorld,
  spec: ReturnType<typeof specOf>,
  backfillId: string,
  ordinals: number[],
) {
  const runs: string[] = [];
  for (const backfillOrdinal of ordinals) {
    const some = { runType: "backfill", backfillId, backfillOrdinal } as const;
    runs.push(await world.trigger(spec, some));
  }
  return runs;
}

Deno.test("the runs of a backfill start in its order, whatever they are due at", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} });
  world.addDag(spec);
  world.store.setBackfill(limitsOf("7", { maxActiveRuns: 1 }));
  const [third, first, second] = await backfilled(world, spec, "7", [3, 1, 2]);
  const started: string[] = [];
  await world.settle();
  for (let claimed = await world.claim(); claimed.length > 0; claimed = await world.claim()) {
    started.push(...claimed.map((each) => each.run.id));
    for (const each of claimed) await world.end(each, "succeed");
    await world.settle();
  }
  assertEquals(started, [first, second, third]);
});

Deno.test("a backfill takes its share of a pool's slots, and the rest is there for live runs", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: { pool: "vendor" } }, { maxActiveTasks: 100, maxActiveRuns: 100 });
  world.addDag(spec);
  world.store.setPool({ name: "vendor", slots: 8 });
  world.store.setBackfill(limitsOf("7", { share: 0.25 }));
  await backfilled(world, spec, "7", [1, 2, 3, 4, 5, 6]);
  await world.settle();
  assertEquals((await world.claim()).length, 2);
  for (let i = 0; i < 6; i++) await world.trigger(spec);
  await world.settle();
  const live = await world.claim();
  assertEquals(live.map((each) => each.run.backfillId), Array(6).fill(null));
});

Deno.test("a share is of slots, of which a large task has its own to itself", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: { pool: "vendor", poolSlots: 3 } }, { maxActiveTasks: 100 });
  world.addDag(spec);
  world.store.setPool({ name: "vendor", slots: 10 });
  world.store.setBackfill(limitsOf("7", { share: 0.5 }));
  await backfilled(world, spec, "7", [1, 2, 3]);
  await world.settle();
  const [claimed, ...more] = await world.claim();
  assertEquals(more.length, 0);
  await world.end(claimed, "succeed");
  await world.settle();
  assertEquals((await world.claim()).length, 1);
});

Deno.test("a backfill takes its share of the DAG's tasks too, and one at least", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} }, { maxActiveTasks: 4 });
  world.addDag(spec);
  world.store.setBackfill(limitsOf("7", { share: 0.1 }));
  await backfilled(world, spec, "7", [1, 2, 3]);
  await world.settle();
  assertEquals((await world.claim()).length, 1);
});

Deno.test("a larger share takes effect while tasks wait for it", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} }, { maxActiveTasks: 8 });
  world.addDag(spec);
  world.store.setBackfill(limitsOf("7", { share: 0.25 }));
  await backfilled(world, spec, "7", [1, 2, 3, 4, 5, 6]);
  await world.settle();
  assertEquals((await world.claim()).length, 2);
  world.store.setBackfill(limitsOf("7", { share: 0.75 }));
  world.store.setPaused("d", false);
  await world.settle();
  assertEquals((await world.claim()).length, 4);
});

Deno.test("a backfill gets its turns however many live runs there are (apache/airflow 58554)", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} }, { maxActiveTasks: 2, maxActiveRuns: 1000 });
  world.addDag(spec);
  world.store.setBackfill(limitsOf("7"));
  for (let i = 0; i < 100; i++) await world.trigger(spec);
  await backfilled(world, spec, "7", [1, 2, 3]);
  await world.settle();
  const firstTwelve: (string | null)[] = [];
  while (firstTwelve.length < 12) {
    for (const each of await world.claim()) {
      firstTwelve.push(each.run.backfillId);
      await world.end(each, "succeed");
    }
    await world.settle();
  }
  assertEquals(firstTwelve.filter((id) => id === "7").length, 3);
});

Deno.test("a run that is cleared starts, though its backfill was paused when it was done", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} });
  world.addDag(spec);
  world.store.setBackfill(limitsOf("7"));
  const [run] = await backfilled(world, spec, "7", [1]);
  await world.settle();
  const [claimed] = await world.claim();
  world.store.setBackfill(limitsOf("7", { isPaused: true }), "d");
  await world.settle();
  await world.end(claimed, "fail");
  await world.settle();
  assertEquals(await world.runState(run), "failed");
  // It is completed, and holds nothing back: nobody tells the scheduler.
  world.store.setBackfill(limitsOf("7"));
  await world.clear(run, spec, () => true);
  await world.work();
  assertEquals(await world.runState(run), "success");
});
