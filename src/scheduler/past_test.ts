import { assertEquals } from "@std/assert";
import type { TaskInstance } from "../model/rows.ts";
import { SchedulerWorld, type ShortTask, specOf } from "../../tests/support/scheduler_world.ts";

/** Two days of a DAG, the second created first. */
async function twoDays(tasks: Record<string, ShortTask>) {
  const world = new SchedulerWorld();
  const spec = specOf("d", tasks);
  world.addDag(spec);
  const day = (date: string) => world.trigger(spec, { logicalDate: new Date(date) });
  const second = await day("2029-01-02");
  const first = await day("2029-01-01");
  return { world, spec, first, second };
}

/** Fails the named task of a run, all else succeeds. */
const failing = (dagRunId: string, taskId: string) => (task: TaskInstance) =>
  task.dagRunId === dagRunId && task.taskId === taskId ? "fail" : "succeed";

Deno.test("dependsOnPast lets a task wait for itself in the run of the date before", async () => {
  const { world, first, second } = await twoDays({ a: { dependsOnPast: true }, b: {} });
  await world.settle();
  assertEquals(await world.states(second), { a: "none", b: "queued" });
  assertEquals(await world.states(first), { a: "queued", b: "queued" });
  await world.work();
  assertEquals([await world.runState(first), await world.runState(second)], ["success", "success"]);
});

Deno.test("dependsOnPast waits for a failed task until that is cleared and succeeds", async () => {
  const { world, spec, first, second } = await twoDays({ a: { dependsOnPast: true } });
  await world.work(failing(first, "a"));
  assertEquals([await world.runState(first), await world.runState(second)], ["failed", "running"]);
  assertEquals(await world.states(second), { a: "none" });
  await world.clear(first, spec, () => true);
  await world.work();
  assertEquals([await world.runState(first), await world.runState(second)], ["success", "success"]);
});

Deno.test("dependsOnPast is content with a task that was skipped, and with a run of its own", async () => {
  const { world, spec, first, second } = await twoDays({ a: { dependsOnPast: true } });
  await world.work((task) => task.dagRunId === first ? "skip" : "succeed");
  assertEquals(await world.runState(second), "success");
  const dateless = await world.trigger(spec);
  await world.work();
  assertEquals(await world.runState(dateless), "success");
});

Deno.test("a run of a date between two others goes in front of the later one", async () => {
  const { world, spec, second } = await twoDays({ a: { dependsOnPast: true } });
  await world.settle();
  const between = await world.trigger(spec, { logicalDate: new Date("2029-01-01T12:00:00Z") });
  await world.work(failing(between, "a"));
  assertEquals(await world.runState(between), "failed");
  assertEquals(await world.states(second), { a: "none" });
});

Deno.test("waitForDownstream waits for the tasks right after it as well", async () => {
  const { world, first, second } = await twoDays({
    a: { waitForDownstream: true },
    b: { upstream: ["a"] },
    c: { upstream: ["b"] },
  });
  await world.settle();
  await world.end((await world.claim())[0], "succeed");
  await world.settle();
  assertEquals(await world.states(second), { a: "none", b: "none", c: "none" });
  await world.end((await world.claim())[0], "succeed");
  await world.settle();
  assertEquals(await world.states(second), { a: "queued", b: "none", c: "none" });
  assertEquals(await world.states(first), { a: "success", b: "success", c: "queued" });
});

Deno.test("waitForPastDependsBeforeSkipping keeps a skip waiting, without it a skip is at once", async () => {
  const { world, first, second } = await twoDays({
    up: {},
    at_once: { upstream: ["up"], dependsOnPast: true },
    in_order: { upstream: ["up"], dependsOnPast: true, waitForPastDependsBeforeSkipping: true },
  });
  await world.settle();
  const ups = await world.claim();
  await world.end(ups.find(({ run }) => run.id === second)!, "skip");
  await world.settle();
  assertEquals(await world.states(second), { up: "skipped", at_once: "skipped", in_order: "none" });
  await world.end(ups.find(({ run }) => run.id === first)!, "succeed");
  await world.work();
  assertEquals((await world.states(second)).in_order, "skipped");
});
