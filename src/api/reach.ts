/** @module Which tasks, and which of their instances, a selection of some of them means. */
import type { DagSpec } from "../model/dag_spec.ts";
import { clearedAlong } from "../model/setup_teardown.ts";

/** Tasks of a run, with their surroundings. */
export interface TaskSelection {
  /** null: all tasks. With a map index only that instance. */
  tasks: readonly { taskId: string; mapIndex: number | null }[] | null;
  includeUpstream: boolean;
  includeDownstream: boolean;
}

/** Task → its map indexes; null: all of them. */
export type TaskIndexes = Map<string, Set<number> | null>;

/** Task → the mapped group that it is in. */
type Groups = ReadonlyMap<string, string | undefined>;
type Edges = ReadonlyMap<string, readonly string[]>;

/** The tasks that a selection means. */
export function tasksOf(spec: DagSpec, selection: TaskSelection): TaskIndexes {
  const wanted: TaskIndexes = new Map();
  const given = selection.tasks ?? spec.tasks.map(({ taskId }) => ({ taskId, mapIndex: null }));
  for (const { taskId, mapIndex } of given) {
    const indexes = wanted.get(taskId);
    if (mapIndex === null || indexes === null) wanted.set(taskId, null);
    else wanted.set(taskId, (indexes ?? new Set()).add(mapIndex));
  }
  const start = new Map(wanted);
  if (selection.includeUpstream) {
    const upstream = new Map(spec.tasks.map((task) => [task.taskId, task.upstream]));
    for (const [id, indexes] of reach(spec, start, upstream)) wanted.set(id, indexes);
  }
  if (selection.includeDownstream) {
    for (const [id, indexes] of downstreamOf(spec, start)) widen(wanted, id, indexes);
  }
  return wanted;
}

/** With the setups and teardowns that must run again with them. */
export function withSetups(
  spec: DagSpec,
  selection: TaskSelection,
  wanted: TaskIndexes,
): TaskIndexes {
  const start = selection.tasks?.map(({ taskId }) => taskId) ??
    spec.tasks.map(({ taskId }) => taskId);
  const groups = groupsOf(spec);
  for (const id of clearedAlong(spec.tasks, { ...selection, tasks: start })) {
    if (!wanted.has(id)) wanted.set(id, indexesOfGroup(groups.get(id), groups, wanted));
  }
  return wanted;
}

/** All tasks after these, without them. */
export function downstreamOf(spec: DagSpec, start: TaskIndexes): TaskIndexes {
  const downstream = new Map<string, string[]>();
  for (const task of spec.tasks) {
    for (const above of task.upstream) {
      const below = downstream.get(above);
      if (below) below.push(task.taskId);
      else downstream.set(above, [task.taskId]);
    }
  }
  return reach(spec, start, downstream);
}

function groupsOf(spec: DagSpec): Groups {
  return new Map(spec.tasks.map((task) => [task.taskId, task.mappedGroup]));
}

/** From one task of a mapped group to the next the indexes stay the same; elsewhere all are meant. */
function reach(spec: DagSpec, start: TaskIndexes, edges: Edges): TaskIndexes {
  const groups = groupsOf(spec);
  const found: TaskIndexes = new Map();
  const queue = [...start.keys()];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const group = groups.get(id);
    const indexes = start.get(id) ?? found.get(id) ?? null;
    for (const next of edges.get(id) ?? []) {
      if (start.has(next)) continue;
      const isSame = group !== undefined && groups.get(next) === group;
      if (widen(found, next, isSame ? indexes : null)) queue.push(next);
    }
  }
  return found;
}

/** True when the task means more instances than before. */
function widen(into: TaskIndexes, id: string, indexes: ReadonlySet<number> | null): boolean {
  const known = into.get(id);
  if (known === null) return false;
  const all = indexes === null ? null : new Set([...known ?? [], ...indexes]);
  into.set(id, all);
  return known === undefined || all === null || all.size > known.size;
}

/** What is wanted of a mapped group; null: all of it, or the task is in none. */
function indexesOfGroup(
  group: string | undefined,
  groups: Groups,
  wanted: TaskIndexes,
): Set<number> | null {
  if (group === undefined) return null;
  const all = new Set<number>();
  for (const [id, indexes] of wanted) {
    if (groups.get(id) !== group) continue;
    if (indexes === null) return null;
    for (const index of indexes) all.add(index);
  }
  return all.size > 0 ? all : null;
}
