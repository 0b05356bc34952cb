import { assertEquals, assertThrows } from "@std/assert";
import { dag, type RetryRuleOption, task } from "./mod.ts";

class VendorDown extends Error {}

function specOf(retryPolicy: readonly RetryRuleOption[]) {
  return dag({ id: "d", schedule: null, retryBudget: { perRun: 5 } }, () => {
    task({ id: "a", retries: 3, retryPolicy }, () => 1);
  }).spec;
}

Deno.test("retryPolicy becomes rules, with classes by their names", () => {
  const { tasks: [{ retry }], retryBudget } = specOf([
    { error: VendorDown, action: "retry", delay: { minutes: 10 }, reason: "maintenance" },
    { code: "E404", endReason: "task_error", action: "fail" },
    { exitCode: 75, action: "default" },
  ]);
  assertEquals(retry.rules, [
    { error: "VendorDown", action: "retry", delayMs: 600_000, reason: "maintenance" },
    { code: "E404", endReason: "task_error", action: "fail" },
    { exitCode: 75, action: "default" },
  ]);
  assertEquals(retryBudget, { perRun: 5, perHour: null });
});

Deno.test("a DAG without rules or a budget is described as before there were any", () => {
  const { spec } = dag({ id: "d", schedule: null }, () => task({ id: "a" }, () => 1));
  const { tasks: [{ retry }], ...rest } = JSON.parse(JSON.stringify(spec));
  assertEquals([retry.rules, rest.retryBudget], [undefined, undefined]);
});

Deno.test("rules that cannot be are refused, saying what would be right", () => {
  const problems: [unknown, string][] = [
    [{ action: "again" }, 'retryPolicy[0].action is "again"; give one of retry, fail, default'],
    [{ action: "fail", delay: 1 }, "has a delay, but its action is fail"],
    [{ action: "retry", when: 1 }, 'retryPolicy[0] has no part "when"'],
    [{ action: "fail", endReason: "worker_lost" }, "give one of task_error"],
    [{ action: "fail", error: (() => class extends Error {})() }, "has no name"],
    [{ action: "fail", error: "" }, "has no name"],
  ];
  for (const [rule, problem] of problems) {
    assertThrows(() => specOf([rule as RetryRuleOption]), Error, problem);
  }
  assertThrows(() => specOf({ action: "fail" } as never), Error, "give an array of rules");
});

Deno.test("a budget with a part that does not exist is refused", () => {
  const declare = () =>
    dag({ id: "d", schedule: null, retryBudget: { perDay: 1 } as never }, () => {
      task({ id: "a" }, () => 1);
    });
  assertThrows(declare, Error, "perDay");
});
