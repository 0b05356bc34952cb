/** @module May a task start, given how its direct upstreams stand? Airflow's thirteen rules. */
import type { TriggerRule } from "../model/dag_spec.ts";

/** How the direct upstream instances of a task stand. Those without use are left out of all. */
export interface UpstreamCounts {
  /** Instances that are expected; each index of a mapped upstream counts. */
  expected: number;
  /** Those that have ended: the sum of the five below. */
  done: number;
  success: number;
  skipped: number;
  /** `failed` and `cancelled`. */
  failed: number;
  upstreamFailed: number;
  removed: number;
  /** Of those, the instances of setups. */
  setups: { expected: number; success: number; skipped: number };
}

/** `run`: it may start; `wait`: not yet known; else how it ends without running. */
export type Verdict = "run" | "wait" | "skip" | "upstream_fail" | "remove";

/**
 * The verdict for one instance: the first way to end without running that applies, else `run`, else
 * `wait`. `mapIndex` is -1 for an instance that is not mapped.
 */
export function decideTrigger(
  rule: TriggerRule,
  counts: UpstreamCounts,
  mapIndex: number,
): Verdict {
  if (counts.expected === 0) return "run";
  return endsWithoutRunning(rule, counts, mapIndex) ??
    (mayRun(rule, counts, mapIndex) ? "run" : "wait");
}

/**
 * What the setups further up say of a task that they serve, given how they stand: `run` leaves it to
 * the task's own rule; with `wait` that rule can still end it, but not start it.
 */
export function decideSetups(counts: UpstreamCounts, mapIndex: number): Verdict {
  return decideTrigger("all_success", counts, mapIndex);
}

function endsWithoutRunning(
  rule: TriggerRule,
  counts: UpstreamCounts,
  mapIndex: number,
): Verdict | null {
  const { expected, success, skipped } = counts;
  const anyFailed = counts.failed > 0 || counts.upstreamFailed > 0;
  const allDone = counts.done >= expected;
  switch (rule) {
    case "all_success":
      if (anyFailed) return "upstream_fail";
      if (skipped > 0) return "skip";
      // Only once all have ended: until then the successes still grow.
      return allDone && counts.removed > 0 && success > 0 && mapIndex >= success ? "remove" : null;
    case "all_failed":
      return success > 0 || skipped > 0 ? "skip" : null;
    case "one_success":
      if (!allDone) return null;
      if (skipped === counts.done) return "skip";
      return success === 0 ? "upstream_fail" : null;
    case "one_failed":
      return allDone && !anyFailed ? "skip" : null;
    case "one_done":
      return allDone && success === 0 && counts.failed === 0 ? "skip" : null;
    case "none_failed":
      return anyFailed ? "upstream_fail" : null;
    case "none_failed_min_one_success":
      if (anyFailed) return "upstream_fail";
      return skipped === expected ? "skip" : null;
    case "none_skipped":
      return skipped > 0 ? "skip" : null;
    case "all_skipped":
      return success > 0 || anyFailed ? "skip" : null;
    case "all_done_min_one_success":
      if (skipped > 0) return "skip";
      return allDone && success === 0 ? "upstream_fail" : null;
    case "all_done_setup_success": {
      const { setups } = counts;
      if (!allDone || setups.expected === 0) return null;
      if (setups.skipped >= setups.expected) return "skip";
      return setups.success === 0 ? "upstream_fail" : null;
    }
    case "all_done":
    case "always":
      return null;
  }
}

function mayRun(rule: TriggerRule, counts: UpstreamCounts, mapIndex: number): boolean {
  const { expected, success, skipped, failed, upstreamFailed } = counts;
  const forgiven = mapIndex >= 0 ? counts.removed : 0;
  const allDone = counts.done >= expected;
  switch (rule) {
    case "all_success":
      return success + forgiven >= expected;
    case "all_failed":
      return failed + upstreamFailed + forgiven >= expected;
    case "all_done":
    case "all_done_setup_success":
      return allDone;
    case "one_success":
      return success > 0;
    case "one_failed":
      return failed > 0 || upstreamFailed > 0;
    case "one_done":
      return success + failed > 0;
    case "none_failed":
    case "none_failed_min_one_success":
      return success + skipped >= expected;
    case "none_skipped":
      return allDone && skipped === 0;
    case "all_skipped":
      return skipped >= expected;
    case "all_done_min_one_success":
      return allDone && skipped === 0 && success > 0;
    case "always":
      return true;
  }
}
