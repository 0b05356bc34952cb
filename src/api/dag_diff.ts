/** @module What of a DAG differs between two of its versions: fields, tasks, and fields of tasks. */
import { canonicalJson } from "../base/hash.ts";
import type { DagSpec } from "../model/dag_spec.ts";

/** One field's value on both sides; null where it is not set. */
export interface FieldChange {
  field: string;
  old: unknown;
  new: unknown;
}

/** What differs, by name. */
export interface DagDiff {
  /** Fields of the DAG itself: schedule, paramsDefault, tags and all others but its tasks. */
  fields: FieldChange[];
  tasksAdded: string[];
  tasksRemoved: string[];
  tasksChanged: { taskId: string; fields: FieldChange[] }[];
}

/** Compare two versions of a DAG. The order of tasks counts only as far as `upstream` tells it. */
export function diffDags(before: DagSpec, after: DagSpec): DagDiff {
  const { tasks: oldTasks, ...oldDag } = before;
  const { tasks: newTasks, ...newDag } = after;
  const old = new Map(oldTasks.map((task) => [task.taskId, task]));
  const present = new Set(newTasks.map(({ taskId }) => taskId));
  return {
    fields: changesOf(oldDag, newDag),
    tasksAdded: newTasks.map(({ taskId }) => taskId).filter((id) => !old.has(id)),
    tasksRemoved: oldTasks.map(({ taskId }) => taskId).filter((id) => !present.has(id)),
    tasksChanged: newTasks.flatMap((task) => {
      const was = old.get(task.taskId);
      const fields = was ? changesOf(was, task) : [];
      return fields.length > 0 ? [{ taskId: task.taskId, fields }] : [];
    }),
  };
}

function changesOf(before: object, after: object): FieldChange[] {
  const [a, b] = [before, after] as Record<string, unknown>[];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
    .map((field) => ({ field, old: a[field] ?? null, new: b[field] ?? null }))
    .filter((change) => canonicalJson(change.old) !== canonicalJson(change.new));
}
