/**
 * @module Tasks of a mapped group: each index goes through the group by itself, whatever the others do.
 *
 * A pass looks at the indexes that something has changed for, so the end of one task costs the same in
 * a group of any width. What goes for all indexes is kept as a mark; all are looked at when it differs.
 */
import type { TaskState } from "../model/task_state.ts";
import type { Mapping } from "./decide_mapping.ts";
import type { Instance, RunTask } from "./instance.ts";
import { isLeftOutAt, isLeftOutFromOutside } from "./left_out.ts";
import { decideSetups, decideTrigger, type UpstreamCounts, type Verdict } from "./trigger_rule.ts";
import { countAt, countInstances } from "./upstream_counts.ts";

/** What goes for the whole task. */
export interface GroupFacts {
  mapping: Exclude<Mapping, { kind: "end" }>;
  /** It waits for the run before; may it be skipped all the same? */
  mayGoOn: boolean;
  maySkip: boolean;
  /** The run is being ended for a failure, and the task is no teardown. */
  isEnding: boolean;
}

/** Instances that may start, and those that end without running. */
export interface GroupDecision {
  ready: Instance[];
  ends: { instance: Instance; to: TaskState }[];
}

/** Decide on the instances of an expanded task that something has changed for. */
export function decideGroup(task: RunTask, facts: GroupFacts): GroupDecision {
  const { run, plan } = task;
  const outer = countInstances(run, plan.outside.upstream);
  const setups = countInstances(run, plan.outside.setups);
  const isLeftOut = isLeftOutFromOutside(task);
  const mark = [
    ...[facts.mapping.kind, facts.mayGoOn, facts.maySkip, facts.isEnding, isLeftOut],
    ...[markOf(outer), markOf(setups)],
  ].join(" ");
  const touched = task.takeTouched(mark);
  const decision: GroupDecision = { ready: [], ends: [] };
  const growing = facts.mapping.kind === "expanding" ? new Set(facts.mapping.ready) : null;
  for (const instance of touched) {
    if (!task.idle.has(instance)) continue;
    // Until all instances are there, those that hold the run open are left alone.
    if (growing && !growing.has(instance)) continue;
    const verdict = isLeftOut || isLeftOutAt(task, instance.mapIndex)
      ? "skip"
      : verdictAt(task, instance.mapIndex, { outer, setups });
    if (verdict === "wait" || verdict === "skip" && !facts.maySkip) continue;
    if (verdict !== "run") decision.ends.push({ instance, to: endOf[verdict] });
    else if (facts.mapping.kind !== "wait" && facts.mayGoOn && !facts.isEnding) {
      decision.ready.push(instance);
    }
  }
  return decision;
}

/** How an instance ends that does not run. */
export const endOf: Readonly<Record<Exclude<Verdict, "run" | "wait">, TaskState>> = {
  skip: "skipped",
  upstream_fail: "upstream_failed",
  remove: "removed",
};

/** Verdicts differ only where this does: rules ask whether all have ended, and whether any did so. */
function markOf(counts: UpstreamCounts): string {
  const { expected, done, success, skipped, failed, upstreamFailed, removed } = counts;
  const some = [success, skipped, failed, upstreamFailed, removed].map((n) => Math.min(n, 1));
  const [given, ready] = [counts.setups.expected, counts.setups.success];
  return `${expected} ${done >= expected} ${
    some.join("")
  } ${given} ${ready} ${counts.setups.skipped}`;
}

/** By the setups that serve it, then by its rule. */
function verdictAt(
  { run, plan }: RunTask,
  mapIndex: number,
  { outer, setups }: { outer: UpstreamCounts; setups: UpstreamCounts },
): Verdict {
  const { triggerRule } = plan.spec;
  const own = () =>
    decideTrigger(triggerRule, countAt(outer, run, plan.inside.upstream, mapIndex), mapIndex);
  if (plan.setups.length === 0 || plan.upstream.length === 0 || triggerRule === "always") {
    return own();
  }
  const bySetups = decideSetups(countAt(setups, run, plan.inside.setups, mapIndex), mapIndex);
  if (bySetups === "run") return own();
  if (bySetups !== "wait") return bySetups;
  const verdict = own();
  return verdict === "run" ? "wait" : verdict;
}
