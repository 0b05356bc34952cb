import { assertEquals, assertThrows } from "@std/assert";
import { dag, task } from "./mod.ts";

const one = () => 1;

Deno.test("failFast and maxConsecutiveFailedDagRuns are in the description only where given", () => {
  const { spec } = dag(
    {
      id: "d",
      schedule: null,
      failFast: true,
      maxConsecutiveFailedDagRuns: 3,
      rerunWithLatestVersion: false,
    },
    () => task({ id: "a", teardown: {} }, one),
  );
  assertEquals([spec.failFast, spec.maxConsecutiveFailedDagRuns], [true, 3]);
  assertEquals(spec.rerunWithLatestVersion, false);
  const { spec: plain } = dag({ id: "d", schedule: null }, () => task({ id: "a" }, one));
  assertEquals(JSON.parse(JSON.stringify(plain)).failFast, undefined);
});

Deno.test("failFast is refused with trigger rules that wait for a failure", () => {
  assertThrows(
    () =>
      dag({ id: "d", schedule: null, failFast: true }, () => {
        const a = task({ id: "a" }, one);
        task({ id: "b", after: a, triggerRule: "one_failed" }, one);
      }),
    Error,
    'it has failFast, and task "b" the trigger rule one_failed',
  );
});

Deno.test("maxConsecutiveFailedDagRuns is at least one", () => {
  const declare = () =>
    dag({ id: "d", schedule: null, maxConsecutiveFailedDagRuns: 0 }, () => task({ id: "a" }, one));
  assertThrows(declare, Error, "maxConsecutiveFailedDagRuns");
});
