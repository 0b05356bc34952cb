import { assertEquals, assertMatch } from "@std/assert";
import { SchedulerWorld, type ShortTask, specOf } from "../../tests/support/scheduler_world.ts";

const teardown: ShortTask = { isTeardown: true, triggerRule: "all_done_setup_success" };

/** `a`, `slow` and `queued` side by side, `b` after `a`, and a pair around `slow`. */
const tasks: Record<string, ShortTask> = {
  up: { isSetup: true },
  a: { upstream: ["up"], retry: { retries: 1 } },
  b: { upstream: ["a"] },
  slow: { upstream: ["up"] },
  later: { upstream: ["slow"] },
  waits: { upstream: ["up"], maxActiveTisPerDagrun: 1, over: 2 },
  down: { upstream: ["up", "b", "later", "waits"], ...teardown },
};

async function started(some: { failFast?: boolean } = { failFast: true }) {
  const world = new SchedulerWorld();
  const spec = specOf("d", tasks, some);
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  await world.end((await world.claim())[0], "succeed");
  await world.settle();
  const claimed = await world.claim(2);
  const of = (taskId: string) => claimed.find(({ task }) => task.taskId === taskId)!;
  return { world, run, spec, a: of("a"), slow: of("slow") };
}

Deno.test("a failure for good ends the run: waiting tasks are skipped, running and queued ones cancelled", async () => {
  const { world, run, a, slow } = await started();
  assertEquals((await world.states(run))["waits[0]"], "queued");
  await world.end(a, "fail");
  await world.settle();
  assertEquals(await world.states(run), {
    up: "success",
    a: "failed",
    b: "upstream_failed",
    slow: "cancelling",
    later: "skipped",
    "waits[0]": "cancelled",
    "waits[1]": "skipped",
    down: "none",
  });
  assertEquals(await world.store.heartbeat([slow.attempt.id]), ["cancelling"]);
  const [stopped] = world.store.attempts().filter(({ id }) => id === slow.attempt.id);
  assertMatch(stopped.evidence.by!, /fail-fast: task "a" failed/);
  await world.end(slow, "fail");
  assertEquals(await world.work(), ["down"]);
  assertEquals(await world.runState(run), "failed");
});

Deno.test("a failure that is tried again ends nothing", async () => {
  const { world, run, a } = await started();
  await world.end(a, { retryInMs: 1000 });
  await world.settle();
  const { slow, later } = await world.states(run);
  assertEquals([slow, later], ["running", "none"]);
});

Deno.test("without fail-fast a failure ends only what comes after it", async () => {
  const { world, run, a } = await started({});
  await world.end(a, "fail");
  await world.settle();
  const { slow, later } = await world.states(run);
  assertEquals([slow, later], ["running", "none"]);
});

Deno.test("a run that failed fast is failed, also where all its last tasks were skipped", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, gate: { isBranch: true }, b: { upstream: ["a", "gate"] } }, {
    failFast: true,
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const [a, gate] = (await world.claim()).toSorted((x, y) =>
    x.task.taskId < y.task.taskId ? -1 : 1
  );
  await world.end(gate, { chosen: [] });
  await world.settle();
  await world.end(a, "fail");
  await world.settle();
  assertEquals((await world.states(run)).b, "skipped");
  assertEquals(await world.runState(run), "failed");
});

Deno.test("a teardown's failure ends a run fast only where it fails the run", async () => {
  const ends = async (onFailureFailDagRun: boolean) => {
    const world = new SchedulerWorld();
    const spec = specOf("d", {
      down: { ...teardown, onFailureFailDagRun },
      a: {},
      b: { upstream: ["a"] },
    }, { failFast: true });
    world.addDag(spec);
    const run = await world.trigger(spec);
    await world.settle();
    const claimed = await world.claim();
    await world.end(claimed.find(({ task }) => task.taskId === "down")!, "fail");
    await world.settle();
    const { b } = await world.states(run);
    return b;
  };
  assertEquals([await ends(false), await ends(true)], ["none", "skipped"]);
});

Deno.test("a decision to end a run fast does not stop what was cleared meanwhile", async () => {
  const { world, run, spec, a, slow } = await started();
  const { applyTick } = world.store;
  world.store.applyTick = async (epoch, writes, now) => {
    world.store.applyTick = applyTick;
    world.clock.advance(1);
    await world.clear(run, spec, (name) => name === "a");
    return await applyTick(epoch, writes, now);
  };
  await world.end(a, "fail");
  await world.settle();
  assertEquals(await world.store.heartbeat([slow.attempt.id]), ["running"]);
});
