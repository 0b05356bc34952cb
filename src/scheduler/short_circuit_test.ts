import { assertEquals } from "@std/assert";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";

/** `gate → next → report` and `other → report`, the report run by all_done. */
async function stopped(ignoreDownstreamTriggerRules: boolean, isStop = true) {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    gate: { isBranch: true, ignoreDownstreamTriggerRules },
    other: {},
    next: { upstream: ["gate"] },
    report: { upstream: ["next", "other"], triggerRule: "all_done" },
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.work(({ taskId }) => taskId === "gate" && isStop ? { chosen: [] } : "succeed");
  return { world, spec, run };
}

Deno.test("a short circuit that stops skips all that comes after it, whatever its trigger rule", async () => {
  const { world, run } = await stopped(true);
  assertEquals(await world.states(run), {
    gate: "success",
    other: "success",
    next: "skipped",
    report: "skipped",
  });
  assertEquals(await world.runState(run), "success");
});

Deno.test("a short circuit can leave tasks further down to their trigger rules", async () => {
  const { world, run } = await stopped(false);
  assertEquals((await world.states(run)).report, "success");
});

Deno.test("a short circuit that goes on skips nothing", async () => {
  const { world, run } = await stopped(true, false);
  assertEquals(new Set(Object.values(await world.states(run))), new Set(["success"]));
});

Deno.test("what a short circuit skipped is skipped again when it alone is cleared", async () => {
  const { world, spec, run } = await stopped(true);
  await world.clear(run, spec, (name) => name === "report" || name === "next");
  await world.work();
  const { next, report } = await world.states(run);
  assertEquals([next, report], ["skipped", "skipped"]);
});
