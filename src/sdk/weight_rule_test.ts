import { assertEquals } from "@std/assert";
import { chain, dag, group, task } from "./mod.ts";
import type { TaskDefaults } from "./mod.ts";

/** Weights of a chain of three tasks of 1, 10 and 100. */
function weights(weightRule: TaskDefaults["weightRule"], own: TaskDefaults = {}): number[] {
  const made = dag({ id: "d", schedule: null, defaults: { weightRule } }, () => {
    const a = task({ id: "a", priority: 1 }, () => 1);
    const b = task({ id: "b", priority: 10, ...own }, () => 1);
    const c = task({ id: "c", priority: 100 }, () => 1);
    chain(a, b, c);
  });
  return made.spec.tasks.map((each) => each.priorityWeight);
}

Deno.test("weightRule adds the weights downstream, upstream or none", () => {
  assertEquals(weights(undefined), [111, 110, 100]);
  assertEquals(weights("downstream"), [111, 110, 100]);
  assertEquals(weights("upstream"), [1, 11, 111]);
  assertEquals(weights("absolute"), [1, 10, 100]);
});

Deno.test("weightRule is each task's own, and a group's for those in it", () => {
  assertEquals(weights("absolute", { weightRule: "upstream" }), [1, 11, 100]);
  const made = dag({ id: "d", schedule: null }, () => {
    group({ id: "g", defaults: { weightRule: "absolute" } }, () => {
      task({ id: "a", priority: 7 }, () => 1).before(task({ id: "b" }, () => 1));
    });
  });
  assertEquals(made.spec.tasks.map((each) => each.priorityWeight), [7, 1]);
});
