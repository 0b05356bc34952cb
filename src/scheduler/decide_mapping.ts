/** @module How many instances a mapped task has, and how it gets them. */
import type { Ids } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import type { TaskState } from "../model/task_state.ts";
import type { TaskExpansion } from "../store/port.ts";
import { instanceRow } from "./decide_runs.ts";
import type { RunTask } from "./instance.ts";
import type { EngineState } from "./state.ts";

/** What {@link decideMapping} found. */
export type Mapping =
  /** The instances are there; those that are idle may start. */
  | { kind: "ready"; expansion: TaskExpansion | null }
  /** The source has not ended yet. */
  | { kind: "wait" }
  /** It cannot be mapped: all idle instances end in `state`. */
  | { kind: "end"; state: "skipped" | "failed" | "upstream_failed"; reason?: string };

/**
 * Give a mapped task that may start its instances. One that was expanded before (it was cleared and
 * its source ran again) gets more, or the surplus becomes `removed`.
 */
export function decideMapping(state: EngineState, task: RunTask, ids: Ids): Mapping {
  const found = lengthOf(task);
  if (typeof found !== "number") return found;
  if (found > limits.mapLength) {
    return {
      kind: "end",
      state: "failed",
      reason: `Cannot map task "${task.plan.spec.taskId}" over ${found} items: ` +
        `the limit is ${limits.mapLength}`,
    };
  }
  if (found > 0) return { kind: "ready", expansion: fitInstances(state, task, found, ids) };
  if (task.isExpanded) removeSurplus(state, task, 1);
  return { kind: "end", state: "skipped" };
}

/** Length of the mapped input, or what to do where there is none. */
function lengthOf(task: RunTask): number | Mapping {
  const from = task.plan.lengthFrom!;
  if (from.kind === "literal") return from.length;
  const source = task.run.tasks[from.index];
  if (source.counts.unfinished > 0) return { kind: "wait" };
  if (source.isExpanded) return source.counts.total - source.counts.of("removed");
  const instance = source.instances[0];
  if (instance?.state === "skipped") return { kind: "end", state: "skipped" };
  if (instance?.state !== "success") return { kind: "end", state: "upstream_failed" };
  return instance.row.outputLength ?? {
    kind: "end",
    state: "failed",
    reason: `Cannot map task "${task.plan.spec.taskId}" over the output of ` +
      `"${source.plan.spec.taskId}": it is not an array`,
  };
}

function fitInstances(
  state: EngineState,
  task: RunTask,
  length: number,
  ids: Ids,
): TaskExpansion | null {
  if (task.isExpanded) removeSurplus(state, task, length);
  const had = task.isExpanded ? task.instances.length : 1;
  const first = task.instances.find((instance) => instance.mapIndex <= 0)!;
  const isNew = first.mapIndex === -1;
  if (!isNew && had >= length) return null;
  first.mapIndex = 0;
  const { run, plan } = task;
  const maxTries = plan.spec.retry.retries;
  const added = Array.from({ length: Math.max(length - had, 0) }, () => ids.uuid());
  added.forEach((id, i) =>
    state.addInstance(
      run,
      instanceRow(run.row.id, { id, taskId: plan.spec.taskId, mapIndex: had + i, maxTries }),
    )
  );
  return {
    id: first.id,
    dagRunId: run.row.id,
    taskId: plan.spec.taskId,
    maxTries,
    ids: added,
    ...(isNew ? {} : { firstIndex: had }),
  };
}

const inHand: ReadonlySet<TaskState> = new Set(["queued", "running", "cancelling", "removed"]);

/** What runs now is left to end as it ends. */
function removeSurplus(state: EngineState, task: RunTask, length: number) {
  for (const instance of task.instances) {
    if (instance.mapIndex >= length && !inHand.has(instance.state)) state.move(instance, "removed");
    // Removed by a shorter run before, and wanted again now.
    if (instance.mapIndex < length && instance.state === "removed") state.move(instance, "none");
  }
}
