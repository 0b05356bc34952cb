import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { limits } from "../base/limits.ts";
import type { TaskInstance } from "../model/rows.ts";
import { SchedulerWorld, specOf, type Told } from "../../tests/support/scheduler_world.ts";

/** Tells tasks by their id how to end. */
const by = (told: Record<string, Told>) => (task: TaskInstance): Told =>
  told[task.taskId] ?? "succeed";

Deno.test("a run succeeds when its tasks do, each after its upstreams", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    a: {},
    b: { upstream: ["a"] },
    c: { upstream: ["a"] },
    d: { upstream: ["b", "c"] },
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  assertEquals(await world.work(), ["a", "b", "c", "d"]);
  assertEquals(await world.runState(run), "success");
});

Deno.test("a failure spreads to everything after it in one pass and fails the run", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    a: {},
    b: { upstream: ["a"] },
    c: { upstream: ["b"] },
    other: {},
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const claimed = await world.claim();
  await world.end(claimed.find(({ task }) => task.taskId === "a")!, "fail");
  await world.scheduler.runOnce();
  assertEquals(await world.states(run), {
    a: "failed",
    b: "upstream_failed",
    c: "upstream_failed",
    other: "running",
  });
  assertEquals(await world.runState(run), "running");
  await world.end(claimed.find(({ task }) => task.taskId === "other")!, "succeed");
  await world.settle();
  assertEquals(await world.runState(run), "failed");
});

Deno.test("a run whose leaves succeed is a success although a task before them failed", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"], triggerRule: "all_done" } });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(by({ a: "fail" }));
  assertEquals(await world.runState(run), "success");
});

Deno.test("a run without tasks is a success at once", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {});
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  assertEquals(await world.runState(run), "success");
});

Deno.test("a run whose last tasks can never run has failed", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"] } });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const [claimed] = await world.claim();
  const lease = await world.store.readLease();
  // As if a later version had dropped the upstream while b still waits for it.
  await world.store.applyTick(lease!.epoch, {
    newRuns: [],
    runMoves: [],
    expansions: [],
    nextRuns: [],
    taskMoves: [{ id: claimed.task.id, from: "running", to: "removed" }],
  }, world.clock.now());
  await world.clear(run, spec, () => false);
  await world.settle();
  assertEquals(await world.runState(run), "failed");
});

Deno.test("a skip passes over a task that takes no notice of it", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    a: {},
    b: { upstream: ["a"] },
    c: { upstream: ["b"], triggerRule: "none_failed" },
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(by({ a: "skip" }));
  assertEquals(await world.states(run), { a: "skipped", b: "skipped", c: "success" });
});

Deno.test("a branch skips what it did not choose, unless a chosen task leads there", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    slow: {},
    branch: { isBranch: true },
    left: { upstream: ["branch"] },
    right: { upstream: ["branch"] },
    any: { upstream: ["branch", "slow"], triggerRule: "all_done" },
    after: { upstream: ["right"] },
    join: { upstream: ["branch", "left"] },
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const claimed = await world.claim();
  await world.end(claimed.find(({ task }) => task.taskId === "branch")!, { chosen: ["left"] });
  await world.settle();
  const decided = {
    slow: "running",
    branch: "success",
    left: "queued",
    right: "skipped",
    any: "skipped",
    after: "skipped",
    join: "none",
  };
  assertEquals(await world.states(run), decided);
  await world.clear(run, spec, (taskId) => taskId === "right");
  await world.settle();
  assertEquals(await world.states(run), decided);
});

Deno.test("a failed attempt is tried again when its delay is over", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: { retry: { retries: 1 } } });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(() => ({ retryInMs: 60_000 }));
  assertEquals(await world.states(run), { a: "up_for_retry" });
  await world.advance(59_999);
  assertEquals(await world.states(run), { a: "up_for_retry" });
  await world.advance(1);
  const [claimed] = await world.claim();
  assertEquals(claimed.attempt.tryNumber, 2);
  await world.end(claimed, { retryInMs: 60_000 });
  await world.settle();
  assertEquals(await world.runState(run), "failed");
});

Deno.test("a reschedule and a loss keep their try", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  await world.end((await world.claim())[0], { rescheduleInMs: 1_000 });
  await world.advance(1_000);
  await world.end((await world.claim())[0], "lose");
  await world.settle();
  const [claimed] = await world.claim();
  assertEquals(claimed.attempt.tryNumber, 1);
  await world.end(claimed, "succeed");
  await world.settle();
  assertEquals(await world.runState(run), "success");
});

Deno.test("a mapped task has one instance for each item, and its downstream waits for all", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    list: {},
    each: { upstream: ["list"], over: "list" },
    again: { upstream: ["each"], over: "each" },
    fixed: { over: 2 },
    sum: { upstream: ["again", "fixed"] },
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  const order = await world.work(by({ list: { length: 3 } }));
  assertEquals(order.filter((name) => name.startsWith("again")), [
    "again[0]",
    "again[1]",
    "again[2]",
  ]);
  assertEquals(order.filter((name) => name.startsWith("fixed")), ["fixed[0]", "fixed[1]"]);
  assertEquals(order.at(-1), "sum");
  assertEquals(await world.runState(run), "success");
});

Deno.test("an empty list skips the mapped task and what needs it", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    list: {},
    each: { upstream: ["list"], over: "list" },
    sum: { upstream: ["each"] },
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(by({ list: { length: 0 } }));
  assertEquals(await world.states(run), { list: "success", each: "skipped", sum: "skipped" });
});

Deno.test("a task cannot be mapped over more than the limit, nor over what is no array", async () => {
  for (
    const [told, said] of [
      [{ length: limits.mapLength + 1 }, `over ${limits.mapLength + 1} items`],
      ["succeed", "it is not an array"],
    ] as [Told, string][]
  ) {
    const world = new SchedulerWorld();
    const spec = specOf("d", { list: {}, each: { upstream: ["list"], over: "list" } });
    world.addDag(spec);
    const run = await world.trigger(spec);
    await world.work(by({ list: told }));
    assertEquals(await world.states(run), { list: "success", each: "failed" });
    assertEquals(await world.runState(run), "failed");
    assertStringIncludes(world.logged.join("\n"), said);
  }
});

Deno.test("a re-run over a shorter, then a longer list removes and adds instances", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    list: {},
    each: { upstream: ["list"], over: "list" },
    sum: { upstream: ["each"] },
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(by({ list: { length: 3 } }));
  const rerun = async (length: number) => {
    await world.clear(run, spec, () => true);
    await world.work(by({ list: { length } }));
    assertEquals(await world.runState(run), "success");
    const states = Object.entries(await world.states(run));
    return states.filter(([name, state]) => name.startsWith("each") && state === "success")
      .map(([name]) => name);
  };
  assertEquals(await rerun(1), ["each[0]"]);
  assertEquals((await world.states(run))["each[2]"], "removed");
  assertEquals(await rerun(4), ["each[0]", "each[1]", "each[2]", "each[3]"]);
  assertEquals(await rerun(0), []);
  assertEquals((await world.states(run))["sum"], "skipped");
});

Deno.test("a re-run on a version without a task removes that task's instance", async () => {
  const world = new SchedulerWorld();
  world.addDag(specOf("d", { a: {}, old: {} }));
  const run = await world.trigger(specOf("d", { a: {}, old: {} }));
  await world.work();
  const spec = specOf("d", { a: {}, fresh: { upstream: ["a"] } });
  world.addDag(spec);
  await world.clear(run, spec, (taskId) => taskId === "a");
  await world.work();
  assertEquals(await world.states(run), { a: "success", old: "removed", fresh: "success" });
  assertEquals(await world.runState(run), "success");
});

Deno.test("a cancelled run starts nothing more and fails when what ran is gone", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"] } });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const [claimed] = await world.claim();
  await world.store.cancelRun(run, { now: world.clock.now(), by: "someone" });
  await world.settle();
  assertEquals(await world.states(run), { a: "cancelling", b: "cancelled" });
  assertEquals(await world.runState(run), "running");
  await world.end(claimed, "succeed");
  await world.settle();
  assertEquals(await world.states(run), { a: "cancelled", b: "cancelled" });
  assertEquals(await world.runState(run), "failed");
});

Deno.test("a run that is cancelled before it starts fails", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {} });
  world.addDag(spec, { isPaused: true });
  const run = await world.trigger(spec);
  await world.settle();
  assertEquals(await world.runState(run), "queued");
  await world.store.cancelRun(run, { now: world.clock.now(), by: "someone" });
  await world.settle();
  assertEquals(await world.runState(run), "failed");
});

Deno.test("clearing a finished run's task runs it and what follows again", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"] } });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(by({ a: "fail" }));
  assertEquals(await world.runState(run), "failed");
  await world.clear(run, spec, () => true);
  assertEquals(await world.work(), ["a", "b"]);
  assertEquals(await world.runState(run), "success");
});

Deno.test("a pause stops new tasks; those that run may end, and the run goes on after it", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"] } });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const [claimed] = await world.claim();
  world.store.setPaused("d", true);
  await world.end(claimed, "succeed");
  assertEquals(await world.work(), []);
  world.store.setPaused("d", false);
  assertEquals(await world.work(), ["b"]);
  assertEquals(await world.runState(run), "success");
});

Deno.test("pools and a DAG's limit hold back what is ready, in scheduled", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    each: { over: 5, pool: "small" },
    big: { pool: "small", poolSlots: 9 },
    lost: { pool: "nowhere" },
  }, { maxActiveTasks: 16 });
  world.store.setPool({ name: "small", slots: 2 });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const states = await world.states(run);
  assertEquals(Object.values(states).filter((state) => state === "queued").length, 2);
  assertEquals(Object.values(states).filter((state) => state === "scheduled").length, 5);
  const { detail } = world.scheduler.health();
  assertEquals(detail?.oversizedTasks, 1);
  assertEquals(detail?.unknownPools, ["nowhere"]);
  await world.work();
  assertEquals((await world.states(run))["each[4]"], "success");
  world.store.setPool({ name: "nowhere", slots: -1 });
  world.store.setPool({ name: "small", slots: 9 });
  await world.advance(limits.sweepMs);
  await world.work();
  assertEquals(await world.runState(run), "success");
});

Deno.test("a wide mapped task is queued in batches, all of them in the end", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { each: { over: 2_000 }, sum: { upstream: ["each"] } }, {
    maxActiveTasks: 5_000,
  });
  world.store.setPool({ name: "default_pool", slots: -1 });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.scheduler.runOnce();
  const queued =
    Object.values(await world.states(run)).filter((state) => state === "queued").length;
  assertEquals(queued, limits.queueBatch);
  const order = await world.work();
  assert(order.length === 2_001 && order.at(-1) === "sum");
  assertEquals(await world.runState(run), "success");
});

Deno.test("what somebody asked for alone starts whatever came before it, retries included", async () => {
  const w = new SchedulerWorld();
  const spec = specOf("d", {
    a: {},
    b: { upstream: ["a"], retry: { retries: 1 } },
    c: { upstream: ["b"] },
  });
  w.addDag(spec);
  const run = await w.trigger(spec);
  await w.work(() => "fail");
  assertEquals(await w.states(run), { a: "failed", b: "upstream_failed", c: "upstream_failed" });
  const { id } = await w.task(run, "b");
  await w.store.clearTasks(run, [id], { spec, force: true }, w.clock.now());
  assertEquals(await w.work(() => ({ retryInMs: 1_000 })), ["b"]);
  w.clock.advance(1_000);
  assertEquals(await w.work(), ["b"]);
  assertEquals(await w.states(run), { a: "failed", b: "success", c: "upstream_failed" });
  assertEquals(await w.runState(run), "failed");
  await w.store.clearTasks(run, [id], { spec }, w.clock.now());
  assertEquals(await w.work(), [], "the next clear goes by the rules again");
});

Deno.test("a run whose tasks were all set by hand ends as they say, also while its DAG is paused", async () => {
  const w = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"] } });
  w.addDag(spec);
  const run = await w.trigger(spec);
  await w.work(() => "fail");
  assertEquals(await w.runState(run), "failed");
  w.store.setPaused("d", true);
  const ids = [(await w.task(run, "a")).id, (await w.task(run, "b")).id];
  const set = (to: "success" | "failed", which = ids) =>
    w.store.setTasks({ ids: which, to, by: "ann" }, w.clock.now());
  await set("success");
  await w.settle();
  assertEquals(await w.runState(run), "success");
  await set("failed", [ids[1]]);
  await w.settle();
  assertEquals(await w.runState(run), "failed");
});

Deno.test("a task set to success by hand lets those after it run; one skipped skips them", async () => {
  const w = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"] }, c: {}, d: { upstream: ["c"] } });
  w.addDag(spec);
  const run = await w.trigger(spec);
  await w.settle();
  const ids = async (...names: string[]) =>
    await Promise.all(names.map(async (name) => (await w.task(run, name)).id));
  await w.store.setTasks({ ids: await ids("a"), to: "success", by: "ann" }, w.clock.now());
  await w.store.setTasks({ ids: await ids("c"), to: "skipped", by: "ann" }, w.clock.now());
  assertEquals(await w.work(), ["b"]);
  assertEquals(await w.states(run), { a: "success", b: "success", c: "skipped", d: "skipped" });
  assertEquals(await w.runState(run), "success");
});

Deno.test("nothing starts while somebody drains, and all of it goes on when it is over", async () => {
  const w = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: { upstream: ["a"] }, c: {} });
  w.addDag(spec);
  const run = await w.trigger(spec);
  await w.settle();
  const [first] = await w.claim(1);
  await w.store.setDrain({ at: w.clock.now(), by: "ann", note: null });
  await w.end(first, "succeed");
  assertEquals(await w.work(), []);
  assertEquals(w.scheduler.health().detail?.draining, true);
  const states = Object.values(await w.states(run)).toSorted();
  assertEquals(states, ["queued", "scheduled", "success"]);
  await w.store.setDrain(null);
  assertEquals((await w.work()).length, 2);
  assertEquals(await w.runState(run), "success");
});
