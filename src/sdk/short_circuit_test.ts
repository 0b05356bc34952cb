import { assertEquals, assertThrows } from "@std/assert";
import { dag, shortCircuit, task } from "./mod.ts";
import { gateOutcome } from "./returned.ts";

Deno.test("shortCircuit() declares a task that can stop all that comes after it", () => {
  const made = dag({ id: "d", schedule: null }, () => {
    const open = shortCircuit({ id: "open" }, () => true);
    const near = shortCircuit({ id: "near", ignoreDownstreamTriggerRules: false }, () => false);
    task({ id: "load", after: [open, near] }, () => 1);
  });
  const flags = made.spec.tasks.map((each) => [
    each.taskId,
    each.isBranch,
    each.ignoreDownstreamTriggerRules,
  ]);
  assertEquals(flags, [["near", true, false], ["open", true, true], ["load", false, false]]);
});

Deno.test("a short circuit goes on at true, stops at false, and takes nothing else", () => {
  assertEquals(gateOutcome(true), { kind: "done", output: true });
  assertEquals(gateOutcome(false), { kind: "done", output: false, chosen: [] });
  assertThrows(() => gateOutcome(undefined), Error, "answer true to go on, or false");
});
