import { assert, assertEquals } from "@std/assert";
import { limits } from "../base/limits.ts";
import { seededRandom } from "../base/random.ts";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";
import { schedulerService } from "./loop.ts";

const wide = limits.expandBatch * 2 + 500;

/** A world with room for everything, and a run over `length` items for each length. */
async function worldOf(...lengths: number[]) {
  const world = new SchedulerWorld();
  world.store.setPool({ name: "default_pool", slots: -1 });
  const runs: string[] = [];
  for (const length of lengths) {
    const spec = specOf(
      `d${runs.length}`,
      { each: { over: length }, sum: { upstream: ["each"] } },
      { maxActiveTasks: 100_000 },
    );
    world.addDag(spec);
    runs.push(await world.trigger(spec));
  }
  const count = async (run: string) => Object.keys(await world.states(run)).length - 1;
  return { world, runs, count };
}

Deno.test("a wide mapped task grows by a part each pass, and its first instances run meanwhile", async () => {
  const { world, runs: [run], count } = await worldOf(wide);
  await world.scheduler.runOnce();
  assertEquals(await count(run), limits.expandBatch + 1);
  const early = await world.claim();
  assertEquals(early.length, limits.queueBatch);
  for (const each of early) await world.end(each, "succeed");
  const order = await world.work();
  assertEquals([order.length, order.at(-1)], [wide + 1 - early.length, "sum"]);
  assertEquals(await count(run), wide);
  assertEquals(await world.runState(run), "success");
});

Deno.test("mapped tasks of several runs take turns in growing, and none that waits is a deadlock", async () => {
  const { world, runs: [first, second, small], count } = await worldOf(wide, wide, 10);
  for (let pass = 0; pass < 3; pass++) await world.scheduler.runOnce();
  assertEquals(await world.runState(small), "running");
  assertEquals(await count(small), 10);
  assert(await count(second) > 1 && await count(first) < wide);
  await world.work();
  for (const run of [first, second, small]) assertEquals(await world.runState(run), "success");
});

Deno.test("a new leader goes on with a mapped task that the old one left half grown", async () => {
  const { world, runs: [run], count } = await worldOf(wide);
  await world.scheduler.runOnce();
  await world.store.releaseLease((await world.store.readLease())!);
  const { store, clock, ids, log } = world;
  const parts = { store, clock, ids, log, random: seededRandom(3), holder: "other" };
  const other = schedulerService(parts);
  while (await other.runOnce());
  assertEquals(await count(run), wide);
  const indexes = new Set(Object.keys(await world.states(run)));
  assertEquals([indexes.has("each"), indexes.has(`each[${wide - 1}]`)], [false, true]);
});

Deno.test("a re-run over a much longer list starts when all of its instances are there", async () => {
  const world = new SchedulerWorld();
  world.store.setPool({ name: "default_pool", slots: -1 });
  const spec = specOf("d", { list: {}, each: { upstream: ["list"], over: "list" } }, {
    maxActiveTasks: 100_000,
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(({ taskId }) => taskId === "list" ? { length: 2 } : "succeed");
  await world.clear(run, spec, () => true);
  const order = await world.work(({ taskId }) => taskId === "list" ? { length: wide } : "succeed");
  assertEquals(order.length, wide + 1);
  assertEquals(new Set(order).size, wide + 1);
  assertEquals(await world.runState(run), "success");
});

Deno.test("a product has an instance for each combination, and waits for all of its lists", async () => {
  const spec = specOf("d", { a: {}, b: {}, each: { upstream: ["a", "b"] } });
  const each = spec.tasks.find(({ taskId }) => taskId === "each")!;
  each.inputs = { a: { kind: "item", taskId: "a" }, b: { kind: "item", taskId: "b" } };
  each.mappedOver = "a";
  each.mapProduct = ["a", "b"];
  const world = new SchedulerWorld();
  world.addDag(spec);
  const run = await world.trigger(spec);
  const lengths: Record<string, number> = { a: 2, b: 3 };
  await world.work(({ taskId }) => lengths[taskId] ? { length: lengths[taskId] } : "succeed");
  const states = await world.states(run);
  assertEquals(Object.keys(states).filter((name) => name.startsWith("each")).length, 6);
  assertEquals(await world.runState(run), "success");

  lengths.b = 0;
  await world.clear(run, spec, () => true);
  await world.work(({ taskId }) => taskId in lengths ? { length: lengths[taskId] } : "succeed");
  const after = await world.states(run);
  assertEquals([after["each[0]"], after["each[5]"]], ["skipped", "removed"]);
});
