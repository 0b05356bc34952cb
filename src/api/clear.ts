/** @module Running again: which task instances a clear means, and doing it. */
import { AppError } from "../model/errors.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { clearedAlong } from "../model/setup_teardown.ts";
import type { TaskState } from "../model/task_state.ts";
import type { DagRunRow } from "../store/dag_run_query.ts";
import { listTaskInstances, type TaskInstanceRow } from "../store/task_instance_query.ts";
import { requireDag, type Rest } from "./rest.ts";

/** Which instances of a run. */
export interface ClearSelection {
  /** null: all tasks. With a map index only that instance. */
  tasks: readonly { taskId: string; mapIndex: number | null }[] | null;
  includeUpstream: boolean;
  includeDownstream: boolean;
  onlyFailed: boolean;
  onlyRunning: boolean;
}

/** Instances of one run that a clear means. */
export interface ClearPlan {
  run: DagRunRow;
  rows: TaskInstanceRow[];
  /** Version to run on; the run's own unless it changes. */
  dagVersionId: string;
  spec: DagSpec;
  /** Tasks of that version that the run does not have yet. */
  newTasks: string[];
}

/** Task instances of one run at most; a run has no more. */
const INSTANCES_MAX = 1_000_000;

/** What a clear of this run means, without doing it. */
export async function planClear(
  rest: Rest,
  run: DagRunRow,
  selection: ClearSelection,
  { onLatest }: { onLatest: boolean },
): Promise<ClearPlan> {
  const dagVersionId = onLatest ? (await requireDag(rest, run.dagId)).versionId : run.dagVersionId;
  const { spec } = await rest.versions.get(dagVersionId);
  const { items } = await listTaskInstances(
    rest.sql,
    { dagIds: [run.dagId], dagRunIds: [run.id] },
    { limit: INSTANCES_MAX, offset: 0, orderBy: [] },
  );
  const wanted = tasksOf(spec, selection);
  const states = statesOf(selection);
  const rows = items.filter((row) => {
    if (states && !states.has(row.state)) return false;
    const indexes = wanted.get(row.taskId);
    return indexes !== undefined && (indexes === null || indexes.has(row.mapIndex));
  });
  const have = new Set(items.map((row) => row.taskId));
  const newTasks = spec.tasks.map((task) => task.taskId).filter((id) => !have.has(id));
  return { run, rows, dagVersionId, spec, newTasks };
}

/** Do it. Throws CONFLICT where a task runs and `preventRunning` forbids that. */
export async function applyClear(
  rest: Rest,
  { run, rows, dagVersionId, spec, newTasks }: ClearPlan,
  { preventRunning = false }: { preventRunning?: boolean } = {},
): Promise<void> {
  const running = rows.find((row) => row.state === "running");
  if (preventRunning && running) {
    throw new AppError(
      "CONFLICT",
      `Cannot clear task "${running.taskId}" of run "${run.runId}": it is running, and ` +
        "prevent_running_task was set",
    );
  }
  const isNewVersion = dagVersionId !== run.dagVersionId;
  if (rows.length === 0 && !(isNewVersion && newTasks.length > 0)) return;
  await rest.store.clearTasks(
    run.id,
    rows.map((row) => row.id),
    { spec, ...(isNewVersion ? { dagVersionId } : {}) },
    rest.clock.now(),
  );
}

/** The tasks that are meant. */
function tasksOf(spec: DagSpec, selection: ClearSelection): Wanted {
  const wanted: Wanted = new Map();
  const given = selection.tasks ?? spec.tasks.map(({ taskId }) => ({ taskId, mapIndex: null }));
  for (const { taskId, mapIndex } of given) {
    const indexes = wanted.get(taskId);
    if (mapIndex === null || indexes === null) wanted.set(taskId, null);
    else wanted.set(taskId, (indexes ?? new Set()).add(mapIndex));
  }
  const upstream = new Map(spec.tasks.map((task) => [task.taskId, task.upstream]));
  const downstream = new Map<string, string[]>();
  for (const task of spec.tasks) {
    for (const above of task.upstream) {
      downstream.set(above, [...downstream.get(above) ?? [], task.taskId]);
    }
  }
  const start = [...wanted.keys()];
  const groups = new Map(spec.tasks.map((task) => [task.taskId, task.mappedGroup]));
  if (selection.includeUpstream) reach(start, { edges: upstream, groups }, wanted);
  if (selection.includeDownstream) reach(start, { edges: downstream, groups }, wanted);
  for (const id of clearedAlong(spec.tasks, { ...selection, tasks: start })) {
    if (!wanted.has(id)) wanted.set(id, indexesOfGroup(groups.get(id), groups, wanted));
  }
  return wanted;
}

/** Task → its map indexes; null: all of them. */
type Wanted = Map<string, Set<number> | null>;
/** Task → the mapped group that it is in. */
type Groups = ReadonlyMap<string, string | undefined>;

/** From one task of a mapped group to the next the indexes stay the same; elsewhere all are meant. */
function reach(
  start: readonly string[],
  { edges, groups }: { edges: ReadonlyMap<string, readonly string[]>; groups: Groups },
  into: Wanted,
) {
  const given = new Set(start);
  const queue = [...start];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const group = groups.get(id);
    for (const next of edges.get(id) ?? []) {
      if (given.has(next)) continue;
      const isSame = group !== undefined && groups.get(next) === group;
      if (widen(into, next, isSame ? into.get(id)! : null)) queue.push(next);
    }
  }
}

/** True when the task means more instances than before. */
function widen(into: Wanted, id: string, indexes: ReadonlySet<number> | null): boolean {
  const known = into.get(id);
  if (known === null) return false;
  const all = indexes === null ? null : new Set([...known ?? [], ...indexes]);
  into.set(id, all);
  return known === undefined || all === null || all.size > known.size;
}

/** What is cleared of a mapped group; null: all of it, or the task is in none. */
function indexesOfGroup(
  group: string | undefined,
  groups: Groups,
  wanted: Wanted,
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

function statesOf({ onlyFailed, onlyRunning }: ClearSelection): ReadonlySet<TaskState> | null {
  if (!onlyFailed && !onlyRunning) return null;
  return new Set<TaskState>([
    ...(onlyFailed ? ["failed", "cancelled", "upstream_failed"] as const : []),
    ...(onlyRunning ? ["running", "cancelling"] as const : []),
  ]);
}
