import { assertEquals } from "@std/assert";
import { dag, task } from "./mod.ts";

Deno.test("dependsOnPast and its kin are a DAG's default and a task's own", () => {
  const made = dag({ id: "d", schedule: null, defaults: { dependsOnPast: true } }, () => {
    task({ id: "a" }, () => 1);
    task({ id: "b", dependsOnPast: false, waitForDownstream: true }, () => 1);
    task({ id: "c", waitForPastDependsBeforeSkipping: true }, () => 1);
  });
  assertEquals(
    made.spec.tasks.map((each) => [
      each.dependsOnPast,
      each.waitForDownstream,
      each.waitForPastDependsBeforeSkipping,
    ]),
    [[true, false, false], [false, true, false], [true, false, true]],
  );
});
