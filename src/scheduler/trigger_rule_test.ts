import { assertEquals } from "@std/assert";
import { type TriggerRule, triggerRules } from "../model/dag_spec.ts";
import { decideSetups, decideTrigger, type UpstreamCounts } from "./trigger_rule.ts";

type State = "open" | "success" | "skipped" | "failed" | "upstream_failed" | "removed";
const states: State[] = ["open", "success", "skipped", "failed", "upstream_failed", "removed"];

/** Every combination of up to three upstreams. */
function* combinations(): Generator<State[]> {
  for (const a of states) {
    yield [a];
    for (const b of states) {
      yield [a, b];
      for (const c of states) yield [a, b, c];
    }
  }
}

/** `isSetup`: which of the upstreams are setups; none by default. */
function countsOf(ups: readonly State[], isSetup: readonly boolean[] = []): UpstreamCounts {
  const count = (state: State) => ups.filter((up) => up === state).length;
  const setups = ups.filter((_, i) => isSetup[i]);
  return {
    expected: ups.length,
    done: ups.length - count("open"),
    success: count("success"),
    skipped: count("skipped"),
    failed: count("failed"),
    upstreamFailed: count("upstream_failed"),
    removed: count("removed"),
    setups: {
      expected: setups.length,
      success: setups.filter((up) => up === "success").length,
      skipped: setups.filter((up) => up === "skipped").length,
    },
  };
}

/**
 * The rules in words, from the list of upstream states. Each line: when it ends without running,
 * first match wins, and when it runs.
 */
function oracle(
  rule: TriggerRule,
  ups: readonly State[],
  mapIndex: number,
  setups: readonly State[] = [],
): string {
  const any = (...which: State[]) => ups.some((up) => which.includes(up));
  const all = (...which: State[]) => ups.every((up) => which.includes(up));
  const allEnded = !any("open");
  const successes = ups.filter((up) => up === "success").length;
  const forgiven: State[] = mapIndex >= 0 ? ["removed"] : [];
  const first = (...cases: [boolean, string][]) =>
    cases.find(([applies]) => applies)?.[1] ?? "wait";
  switch (rule) {
    case "all_success":
      return first(
        [any("failed", "upstream_failed"), "upstream_fail"],
        [any("skipped"), "skip"],
        [allEnded && any("removed") && successes > 0 && mapIndex >= successes, "remove"],
        [all("success", ...forgiven), "run"],
      );
    case "all_failed":
      return first(
        [any("success", "skipped"), "skip"],
        [all("failed", "upstream_failed", ...forgiven), "run"],
      );
    case "all_done":
      return first([allEnded, "run"]);
    case "all_done_setup_success":
      return first(
        [!allEnded, "wait"],
        [setups.length === 0, "run"],
        [setups.every((each) => each === "skipped"), "skip"],
        [!setups.includes("success"), "upstream_fail"],
        [true, "run"],
      );
    case "one_success":
      return first(
        [all("skipped"), "skip"],
        [allEnded && !any("success"), "upstream_fail"],
        [any("success"), "run"],
      );
    case "one_failed":
      return first(
        [allEnded && !any("failed", "upstream_failed"), "skip"],
        [any("failed", "upstream_failed"), "run"],
      );
    case "one_done":
      return first(
        [allEnded && !any("success", "failed"), "skip"],
        [any("success", "failed"), "run"],
      );
    case "none_failed":
      return first([any("failed", "upstream_failed"), "upstream_fail"], [
        all("success", "skipped"),
        "run",
      ]);
    case "none_failed_min_one_success":
      return first(
        [any("failed", "upstream_failed"), "upstream_fail"],
        [all("skipped"), "skip"],
        [all("success", "skipped"), "run"],
      );
    case "none_skipped":
      return first([any("skipped"), "skip"], [allEnded, "run"]);
    case "all_skipped":
      return first([any("success", "failed", "upstream_failed"), "skip"], [all("skipped"), "run"]);
    case "all_done_min_one_success":
      return first(
        [any("skipped"), "skip"],
        [allEnded && !any("success"), "upstream_fail"],
        [allEnded, "run"],
      );
    case "always":
      return "run";
  }
}

for (const rule of triggerRules) {
  Deno.test(`decideTrigger() by ${rule} agrees with the rule in words`, () => {
    for (const ups of combinations()) {
      for (const mapIndex of [-1, 0, 1, 2]) {
        assertEquals(
          decideTrigger(rule, countsOf(ups), mapIndex),
          oracle(rule, ups, mapIndex),
          `${rule} over ${ups.join(", ")} at index ${mapIndex}`,
        );
      }
    }
  });
}

Deno.test("decideTrigger() lets a task without upstreams run by every rule", () => {
  for (const rule of triggerRules) assertEquals(decideTrigger(rule, countsOf([]), -1), "run");
});

Deno.test("decideTrigger() lets a teardown run once all ended, if one of its setups succeeded", () => {
  const rule = "all_done_setup_success";
  for (const ups of combinations()) {
    for (let bits = 0; bits < 2 ** ups.length; bits++) {
      const isSetup = ups.map((_, i) => (bits >> i & 1) === 1);
      assertEquals(
        decideTrigger(rule, countsOf(ups, isSetup), -1),
        oracle(rule, ups, -1, ups.filter((_, i) => isSetup[i])),
        `${rule} over ${ups.join(", ")}, setups ${isSetup.join(", ")}`,
      );
    }
  }
});

Deno.test("decideSetups() asks for the success of all setups further up", () => {
  for (const ups of combinations()) {
    const wanted = ups.some((up) => up === "failed" || up === "upstream_failed")
      ? "upstream_fail"
      : ups.includes("skipped")
      ? "skip"
      : ups.every((up) => up === "success")
      ? "run"
      : "wait";
    assertEquals(decideSetups(countsOf(ups), -1), wanted, ups.join(", "));
  }
});
