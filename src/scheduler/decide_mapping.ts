/** @module How many instances a mapped task has, and how it gets them. */
import type { Ids } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import { productLength } from "../model/mapping.ts";
import type { TaskState } from "../model/task_state.ts";
import type { TaskExpansion } from "../store/port.ts";
import { instanceRow } from "./decide_runs.ts";
import type { Instance, Run, RunTask } from "./instance.ts";
import type { LengthSource } from "./plan.ts";
import type { EngineState } from "./state.ts";

/** What {@link decideMapping} found. */
export type Mapping =
  /** The instances are there; those that are idle may start. */
  | { kind: "ready"; expansion: TaskExpansion | null }
  /** More instances follow in later passes. Those in `ready` may start; the first waits for them. */
  | { kind: "expanding"; expansion: TaskExpansion | null; ready: Instance[] }
  /** The source has not ended yet. */
  | { kind: "wait" }
  /** It cannot be mapped: all idle instances end in `state`. */
  | { kind: "end"; state: "skipped" | "failed" | "upstream_failed"; reason?: string };

/** How many more instances a pass may make, and whose turn it is in the next one. */
export class ExpansionRoom {
  left: number = limits.expandBatch;
  readonly #waiting = new Set<RunTask>();
  readonly #served = new Set<RunTask>();
  readonly #runs = new Set<Run>();

  /** A task needs more instances than there was room for. */
  needMore(task: RunTask, got: number): void {
    (got > 0 ? this.#served : this.#waiting).add(task);
    this.#runs.add(task.run);
  }

  /** Does a task of this run wait for more instances? */
  isShort(run: Run): boolean {
    return this.#runs.has(run);
  }

  /** Tasks to go on with: those that had none first. */
  get next(): RunTask[] {
    return [...this.#waiting.difference(this.#served), ...this.#served];
  }
}

/**
 * Give a mapped task that may start its instances. One that was expanded before (it was cleared and
 * its source ran again) gets more, or the surplus becomes `removed`.
 */
export function decideMapping(
  state: EngineState,
  task: RunTask,
  growth: { ids: Ids; room: ExpansionRoom },
): Mapping {
  const found = lengthOf(task, task.plan.lengthFrom!);
  if (typeof found !== "number") return found;
  if (found > limits.mapLength) {
    return {
      kind: "end",
      state: "failed",
      reason: `Cannot map task "${task.plan.spec.taskId}" over ${found} items: ` +
        `the limit is ${limits.mapLength}`,
    };
  }
  if (found > 0) return fitInstances(state, task, found, growth);
  if (hasIndexes(task)) removeSurplus(state, task, 1);
  return { kind: "end", state: "skipped" };
}

/** Length of the mapped input, or what to do where there is none. */
function lengthOf(task: RunTask, from: LengthSource): number | Mapping {
  if (from.kind === "literal") return from.length;
  if (from.kind === "product") {
    const lengths = from.of.map((each) => lengthOf(task, each));
    const numbers = lengths.filter((each) => typeof each === "number");
    if (numbers.length === lengths.length) return productLength(numbers);
    const rest = lengths.filter((each) => typeof each !== "number");
    return rest.find(({ kind }) => kind === "wait") ??
      rest.find((each) => each.kind === "end" && each.state !== "skipped") ?? rest[0];
  }
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

/** Is any instance's index known, be it that others are still to come? */
function hasIndexes(task: RunTask): boolean {
  return task.isExpanded || task.instances.length > 1;
}

function fitInstances(
  state: EngineState,
  task: RunTask,
  length: number,
  { ids, room }: { ids: Ids; room: ExpansionRoom },
): Mapping {
  if (hasIndexes(task)) removeSurplus(state, task, length);
  const firstIndex = task.instances.length;
  const first = task.instances.find((instance) => instance.mapIndex <= 0)!;
  const from = first.mapIndex as -1 | 0;
  const missing = Math.max(length - firstIndex, 0);
  if (from === 0 && missing === 0) return { kind: "ready", expansion: null };
  const count = Math.min(missing, room.left);
  room.left -= count;
  const isShort = count < missing;
  if (isShort) room.needMore(task, count);
  else first.mapIndex = 0;
  const mapIndex = { from, to: first.mapIndex as -1 | 0 };
  const added = addInstances(state, task, { firstIndex, count, ids });
  const { id } = first;
  const { row: run } = task.run;
  const { taskId, retry } = task.plan.spec;
  const expansion: TaskExpansion | null = isShort && count === 0 ? null : {
    ...{ id, mapIndex, dagRunId: run.id, taskId, maxTries: retry.retries },
    ...{ ids: added, firstIndex },
  };
  if (!isShort) return { kind: "ready", expansion };
  // Where the first has its index already, some idle one must hold the run open until all are there.
  const ready = from === 0 ? [] : [...task.idle].filter((instance) => instance !== first);
  return { kind: "expanding", expansion, ready };
}

function addInstances(
  state: EngineState,
  { run, plan: { spec } }: RunTask,
  { firstIndex, count, ids }: { firstIndex: number; count: number; ids: Ids },
): string[] {
  const added = Array.from({ length: count }, () => ids.uuid());
  const common = { taskId: spec.taskId, maxTries: spec.retry.retries };
  added.forEach((id, i) => {
    const row = instanceRow(run.row.id, { ...common, id, mapIndex: firstIndex + i });
    state.addInstance(run, row);
  });
  return added;
}

const inHand: ReadonlySet<TaskState> = new Set(["queued", "running", "cancelling", "removed"]);

/** What runs now is left to end as it ends. */
function removeSurplus(state: EngineState, task: RunTask, length: number) {
  if (task.instances.length <= length && task.counts.of("removed") === 0) return;
  for (const instance of task.instances) {
    if (instance.mapIndex >= length && !inHand.has(instance.state)) state.move(instance, "removed");
    // Removed by a shorter run before, and wanted again now.
    if (instance.mapIndex < length && instance.state === "removed") state.move(instance, "none");
  }
}
