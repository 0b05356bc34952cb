import { assertEquals } from "@std/assert";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";

/** Ids of the tasks that start now. */
async function starting(world: SchedulerWorld): Promise<string[]> {
  await world.settle();
  return (await world.claim()).map(({ task }) => task.taskId);
}

Deno.test("maxActiveTisPerDagrun limits the instances of a task at work in one run", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { mapped: { over: 5, maxActiveTisPerDagrun: 2 }, other: {} });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const claimed = await world.claim();
  assertEquals(claimed.map(({ task }) => task.taskId).toSorted(), ["mapped", "mapped", "other"]);
  for (const each of claimed) await world.end(each, "succeed");
  assertEquals(await starting(world), ["mapped", "mapped"]);
  assertEquals(await world.runState(run), "running");
});

Deno.test("maxActiveTisPerDag limits the instances of a task at work over all runs", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { one: { maxActiveTisPerDag: 1 }, other: {} });
  world.addDag(spec);
  await world.trigger(spec);
  await world.trigger(spec);
  await world.settle();
  const claimed = await world.claim();
  assertEquals(claimed.map(({ task }) => task.taskId).toSorted(), ["one", "other", "other"]);
  await world.end(claimed.find(({ task }) => task.taskId === "one")!, "fail");
  assertEquals(await starting(world), ["one"]);
});

Deno.test("a task's limits count what a run has at work when it is read anew", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { mapped: { over: 3, maxActiveTisPerDag: 2 } });
  world.addDag(spec);
  const run = await world.trigger(spec);
  assertEquals((await starting(world)).length, 2);
  await world.clear(run, spec, () => false);
  assertEquals(await starting(world), []);
});
