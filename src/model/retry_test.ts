import { assertEquals } from "@std/assert";
import type { EndEvidence } from "./end_reason.ts";
import { overBudget, RetryPolicy, RetryRule, retryRuleFor, ruleText } from "./retry.ts";

const evidence: EndEvidence = {
  error: { name: "vendor.down", code: "E503", classes: ["VendorDown", "HttpError", "Error"] },
  exitCode: 75,
};

/** Number of the rule that fits; null where none does. */
function fitting(rules: unknown[], some: { evidence?: EndEvidence } = {}): number | null {
  const policy = RetryPolicy.parse({ rules });
  return retryRuleFor(policy, "task_error", some.evidence ?? evidence)?.number ?? null;
}

Deno.test("retryRuleFor() goes by the error's name, its class, and those that it extends", () => {
  const by = (error: string) => fitting([{ error, action: "fail" }]);
  assertEquals(["vendor.down", "VendorDown", "HttpError", "Error"].map(by), [1, 1, 1, 1]);
  assertEquals([by("Vendor"), by("vendordown")], [null, null]);
  assertEquals(fitting([{ error: "Error", action: "fail" }], { evidence: {} }), null);
});

Deno.test("retryRuleFor() wants all that a rule names, and takes the first that fits", () => {
  const rules = [
    { error: "VendorDown", code: "E404", action: "fail" },
    { endReason: "timeout", action: "fail" },
    { exitCode: 1, action: "fail" },
    { code: "E503", exitCode: 75, endReason: "task_error", action: "retry" },
    { action: "default" },
  ];
  assertEquals(fitting(rules), 4);
  assertEquals(fitting(rules, { evidence: {} }), 5);
  assertEquals(fitting([]), null);
});

Deno.test("ruleText() says what a rule goes by", () => {
  const rule = RetryRule.parse({ error: "VendorDown", exitCode: 2, action: "fail" });
  assertEquals(ruleText(rule, 2), "retry rule 2 (error VendorDown, exit code 2)");
  assertEquals(ruleText(RetryRule.parse({ action: "fail" }), 1), "retry rule 1 (any failure)");
});

Deno.test("overBudget() says which budget is used up", () => {
  const use = { inRun: 2, inHour: 10 };
  assertEquals(overBudget({ perRun: 3, perHour: 11 }, use), null);
  assertEquals(overBudget({ perRun: null, perHour: null }, use), null);
  assertEquals(
    overBudget({ perRun: 2, perHour: 1 }, use),
    "Not tried again: the run has used up its retry budget of 2",
  );
  assertEquals(
    overBudget({ perRun: null, perHour: 10 }, use),
    "Not tried again: the DAG has used up its retry budget of 10 an hour",
  );
});
