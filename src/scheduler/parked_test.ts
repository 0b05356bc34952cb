import { assertEquals } from "@std/assert";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";
import type { TriggerSpec } from "../model/trigger.ts";

const trigger: TriggerSpec = { kind: "dataset", dataset: "x", partition: null };
const question = { subject: "Go on?", options: ["Yes", "No"] };

/** A running run whose task "a" has just been claimed. */
async function started(
  tasks: Parameters<typeof specOf>[1] = { a: {}, b: { upstream: ["a"] } },
  some: Parameters<typeof specOf>[2] = {},
) {
  const world = new SchedulerWorld();
  const spec = specOf("d", tasks, some);
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const [a] = await world.claim(1);
  return { world, run, spec, a };
}

/** What the triggers service does. */
async function fire(world: SchedulerWorld, taskInstanceId: string, attemptId: string) {
  await world.store.joinTriggers("t", world.clock.now());
  await world.store.claimTriggers("t", 10);
  await world.store.fireTriggers("t", [{ taskInstanceId, attemptId, event: null }]);
  await world.settle();
}

Deno.test("a deferred task holds up its run without a slot, and goes on when its trigger fires", async () => {
  const { world, run, a } = await started();
  await world.end(a, { defer: trigger });
  await world.settle();
  assertEquals(await world.states(run), { a: "deferred", b: "none" });
  assertEquals(await world.runState(run), "running", "no deadlock");
  assertEquals(world.scheduler.health().detail?.readyTasks, 0);
  await world.advance(3_600_000);
  assertEquals((await world.states(run)).a, "deferred");
  await fire(world, a.task.id, a.attempt.id);
  assertEquals(await world.work(), ["a", "b"]);
  assertEquals(await world.runState(run), "success");
  assertEquals((await world.task(run, "a")).tryNumber, 1);
});

Deno.test("a parked task goes on at its deadline, and not before", async () => {
  for (const told of [{ defer: trigger }, { ask: question }]) {
    const { world, run, a } = await started();
    await world.end(a, { ...told, timeoutMs: 60_000 });
    await world.settle();
    await world.advance(59_999);
    const parked = "defer" in told ? "deferred" : "awaiting_input";
    assertEquals((await world.states(run)).a, parked);
    await world.advance(1);
    assertEquals((await world.states(run)).a, "queued");
    const [again] = await world.claim(1);
    assertEquals(again.resumption?.timedOut, true);
  }
});

Deno.test("a new leader minds the deadlines of what was parked before it", async () => {
  const { world, run, a } = await started();
  await world.end(a, { ask: question, timeoutMs: 60_000 });
  const successor = world.successor();
  await world.scheduler.stop();
  world.clock.advance(61_000);
  while (!(await world.states(run)).a.includes("queued")) {
    await successor.runOnce();
    world.clock.advance(2_000);
  }
});

Deno.test("an answer lets a task go on that awaits input", async () => {
  const { world, run, a } = await started();
  await world.end(a, { ask: question });
  await world.settle();
  const reply = { chosenOptions: ["Yes"], paramsInput: {}, by: "ann" };
  const answer = { taskInstanceId: a.task.id, reply };
  assertEquals(await world.store.answerQuestion(answer, world.clock.now()), "ok");
  assertEquals(await world.work(), ["a", "b"]);
  assertEquals(await world.runState(run), "success");
});

Deno.test("cancelling a run ends what is parked in it", async () => {
  const { world, run, a } = await started();
  await world.end(a, { defer: trigger });
  await world.settle();
  await world.store.cancelRun(run, { now: world.clock.now(), by: "me" });
  await world.settle();
  assertEquals(await world.states(run), { a: "cancelled", b: "cancelled" });
  assertEquals(await world.runState(run), "failed");
});

Deno.test("clearing a parked task has it begin anew", async () => {
  const { world, run, spec, a } = await started();
  await world.end(a, { ask: question });
  await world.settle();
  await world.clear(run, spec, (name) => name === "a");
  await world.settle();
  const [again] = await world.claim(1);
  assertEquals([again.task.taskId, again.resumption], ["a", null]);
});

Deno.test("a failure elsewhere skips what is parked in a run that fails fast", async () => {
  const { world, run, a } = await started({ a: {}, c: {} }, { failFast: true });
  await world.end(a, { defer: trigger });
  await world.settle();
  await world.end((await world.claim(1))[0], "fail");
  await world.settle();
  assertEquals((await world.states(run)).a, "skipped");
  assertEquals(await world.runState(run), "failed");
});

Deno.test("a pool counts what is deferred only if it says so", async () => {
  for (const includeDeferred of [false, true]) {
    const { world, run, a } = await started({ a: { pool: "p" }, c: { pool: "p" } });
    assertEquals(a, undefined, "there is no such pool yet");
    world.store.setPool({ name: "p", slots: 1, includeDeferred });
    await world.advance(6_000);
    const [first] = await world.claim(2);
    await world.end(first, { defer: trigger });
    await world.settle();
    const other = first.task.taskId === "a" ? "c" : "a";
    const wanted = includeDeferred ? ["none", "scheduled"] : ["queued"];
    const is = (await world.states(run))[other];
    assertEquals(wanted.includes(is), true, `${other} is ${is}`);
    if (!includeDeferred) continue;
    await fire(world, first.task.id, first.attempt.id);
    assertEquals((await world.claim(2)).length, 1, "its slot is free while it waits for its turn");
  }
});
