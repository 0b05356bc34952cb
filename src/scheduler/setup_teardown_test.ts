import { assertEquals } from "@std/assert";
import {
  SchedulerWorld,
  type ShortTask,
  specOf,
  type Told,
} from "../../tests/support/scheduler_world.ts";

const teardown: ShortTask = { isTeardown: true, triggerRule: "all_done_setup_success" };

/** `up → load → check → down`, where `down` also waits for `up`. */
const cluster: Record<string, ShortTask> = {
  up: { isSetup: true },
  load: { upstream: ["up"] },
  check: { upstream: ["load"] },
  down: { upstream: ["up", "check"], ...teardown },
};

async function ran(
  tasks: Record<string, ShortTask>,
  ends: Record<string, Told>,
): Promise<Record<string, string>> {
  const world = new SchedulerWorld();
  const spec = specOf("d", tasks);
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(({ taskId }) => ends[taskId] ?? "succeed");
  return { ...await world.states(run), run: await world.runState(run) };
}

Deno.test("a teardown runs after failed and skipped tasks, and the run ends as those say", async () => {
  assertEquals(await ran(cluster, { load: "fail" }), {
    up: "success",
    load: "failed",
    check: "upstream_failed",
    down: "success",
    run: "failed",
  });
  assertEquals(await ran(cluster, { load: "skip" }), {
    up: "success",
    load: "skipped",
    check: "skipped",
    down: "success",
    run: "success",
  });
});

Deno.test("a teardown's own failure fails the run only where it is told to", async () => {
  assertEquals((await ran(cluster, { down: "fail" })).run, "success");
  const strict = { ...cluster, down: { ...cluster.down, onFailureFailDagRun: true } };
  assertEquals((await ran(strict, { down: "fail" })).run, "failed");
});

Deno.test("without a setup that succeeded there is nothing to tear down", async () => {
  const failed = await ran(cluster, { up: "fail" });
  assertEquals([failed.down, failed.run], ["upstream_failed", "failed"]);
  const skipped = await ran(cluster, { up: "skip" });
  assertEquals([skipped.down, skipped.run], ["skipped", "success"]);
});

Deno.test("one of several setups is enough for a teardown", async () => {
  const two = {
    also: { isSetup: true },
    ...cluster,
    down: { ...teardown, upstream: ["up", "also", "check"] },
  };
  const ends = await ran(two, { also: "fail" });
  // Nothing but a teardown comes after the failed one, so it decides how the run ends.
  assertEquals([ends.down, ends.run], ["success", "failed"]);
});

Deno.test("a setup further up must have succeeded, whatever a task's own rule says", async () => {
  const tasks = (rule: ShortTask["triggerRule"]) => ({
    ...cluster,
    check: { upstream: ["load"], triggerRule: rule },
  });
  const failed = await ran(tasks("all_done"), { up: "fail" });
  assertEquals(failed.check, "upstream_failed");
  assertEquals((await ran(tasks("all_done"), { up: "skip" })).check, "skipped");
  assertEquals((await ran(tasks("always"), { up: "fail" })).check, "success");
  assertEquals((await ran(tasks("all_done"), { load: "fail" })).check, "success");
});

Deno.test("a task waits for a setup further up that is not above its own upstreams", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    up: { isSetup: true },
    near: { upstream: ["up"], triggerRule: "always" },
    far: { upstream: ["near"], triggerRule: "one_done" },
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const first = await world.claim();
  const near = first.find(({ task }) => task.taskId === "near")!;
  await world.end(near, "succeed");
  await world.settle();
  assertEquals((await world.states(run)).far, "none");
  await world.end(first.find(({ task }) => task.taskId === "up")!, "succeed");
  await world.settle();
  assertEquals((await world.states(run)).far, "queued");
});

Deno.test("a mapped setup serves as a whole: one failed instance fails what needs it", async () => {
  const tasks = { ...cluster, up: { isSetup: true, over: 2 } };
  const world = new SchedulerWorld();
  const spec = specOf("d", tasks);
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(({ taskId, mapIndex }) =>
    taskId === "up" && mapIndex === 1 ? "fail" : "succeed"
  );
  const { load, down } = await world.states(run);
  assertEquals([load, down], ["upstream_failed", "success"]);
});

Deno.test("neither a branch nor a short circuit leaves a teardown out", async () => {
  const branched = {
    ...cluster,
    load: { upstream: ["up"], isBranch: true },
    down: { ...teardown, upstream: ["up", "load", "check"] },
  };
  const left = await ran(branched, { load: { chosen: [] } });
  assertEquals([left.check, left.down], ["skipped", "success"]);
  const gated = { ...branched, load: { ...branched.load, ignoreDownstreamTriggerRules: true } };
  assertEquals((await ran(gated, { load: { chosen: [] } })).down, "success");
});

Deno.test("a cancelled run cleans up what was set up, and ends then", async () => {
  const { world, run, claimed } = await cancelledAtLoad();
  assertEquals(await world.states(run), {
    up: "success",
    load: "cancelling",
    check: "cancelled",
    down: "none",
  });
  await world.end(claimed, "fail");
  assertEquals(await world.work(), ["down"]);
  assertEquals((await world.states(run)).down, "success");
  assertEquals(await world.runState(run), "failed");
});

Deno.test("cancelling a run a second time ends its teardowns too", async () => {
  const { world, run, claimed } = await cancelledAtLoad();
  await world.store.cancelRun(run, { now: world.clock.now(), by: "someone", spared: ["down"] });
  await world.end(claimed, "fail");
  assertEquals(await world.work(), []);
  assertEquals((await world.states(run)).down, "cancelled");
  assertEquals(await world.runState(run), "failed");
});

async function cancelledAtLoad() {
  const world = new SchedulerWorld();
  const spec = specOf("d", cluster);
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  for (const each of await world.claim()) await world.end(each, "succeed");
  await world.settle();
  const [claimed] = await world.claim();
  await world.store.cancelRun(run, { now: world.clock.now(), by: "someone", spared: ["down"] });
  await world.settle();
  return { world, run, claimed };
}

Deno.test("a run that is cancelled before it starts has nothing to clean up", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", cluster);
  world.addDag(spec, { isPaused: true });
  const run = await world.trigger(spec);
  await world.settle();
  await world.store.cancelRun(run, { now: world.clock.now(), by: "someone", spared: ["down"] });
  await world.settle();
  assertEquals((await world.states(run)).down, "cancelled");
  assertEquals(await world.runState(run), "failed");
});
