/** @module How the tasks before a task stand: all of their instances, or those of one map index. */
import type { TaskState } from "../model/task_state.ts";
import type { Run, RunTask } from "./instance.ts";
import type { UpstreamCounts } from "./trigger_rule.ts";

/** Nothing before it. */
export function noCounts(): UpstreamCounts {
  return {
    expected: 0,
    done: 0,
    success: 0,
    skipped: 0,
    failed: 0,
    upstreamFailed: 0,
    removed: 0,
    setups: { expected: 0, success: 0, skipped: 0 },
  };
}

/** All instances of these tasks of a run. */
export function countInstances(run: Run, indexes: readonly number[]): UpstreamCounts {
  const sum = noCounts();
  for (const up of indexes) {
    const { counts, isExpanded, plan } = run.tasks[up];
    // What a shorter re-run left over is no longer part of a mapped task.
    const surplus = isExpanded ? counts.of("removed") : 0;
    const expected = Math.max(counts.total - surplus, 1);
    sum.expected += expected;
    sum.done += counts.finished - surplus;
    sum.success += counts.of("success");
    sum.skipped += counts.of("skipped");
    sum.failed += counts.of("failed") + counts.of("cancelled");
    sum.upstreamFailed += counts.of("upstream_failed");
    sum.removed += counts.of("removed") - surplus;
    if (!plan.spec.isSetup) continue;
    sum.setups.expected += expected;
    sum.setups.success += counts.of("success");
    sum.setups.skipped += counts.of("skipped");
  }
  return sum;
}

/** Add to `outer` the instances of these tasks at one map index; `outer` stays as it is. */
export function countAt(
  outer: UpstreamCounts,
  run: Run,
  indexes: readonly number[],
  mapIndex: number,
): UpstreamCounts {
  const sum = { ...outer, setups: { ...outer.setups } };
  for (const up of indexes) {
    const task = run.tasks[up];
    const state = stateAt(task, mapIndex);
    sum.expected++;
    if (state !== null) addState(sum, state);
    if (!task.plan.spec.isSetup) continue;
    sum.setups.expected++;
    if (state === "success") sum.setups.success++;
    if (state === "skipped") sum.setups.skipped++;
  }
  return sum;
}

function addState(sum: UpstreamCounts, state: TaskState) {
  switch (state) {
    case "success":
      sum.success++;
      break;
    case "skipped":
      sum.skipped++;
      break;
    case "failed":
    case "cancelled":
      sum.failed++;
      break;
    case "upstream_failed":
      sum.upstreamFailed++;
      break;
    case "removed":
      sum.removed++;
      break;
    default:
      return;
  }
  sum.done++;
}

/** The state at a map index; of a task that ended before it was expanded, that. Null: none yet. */
function stateAt(task: RunTask, mapIndex: number): TaskState | null {
  return (task.at(mapIndex) ?? task.unexpanded)?.state ?? null;
}
