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

/** Task → its map indexes; null: all of them. */
function tasksOf(spec: DagSpec, selection: ClearSelection): Map<string, Set<number> | null> {
  const wanted = new Map<string, Set<number> | null>();
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
  if (selection.includeUpstream) reach(start, upstream, wanted);
  if (selection.includeDownstream) reach(start, downstream, wanted);
  for (const id of clearedAlong(spec.tasks, { ...selection, tasks: start })) {
    if (!wanted.has(id)) wanted.set(id, null);
  }
  return wanted;
}

function reach(
  start: readonly string[],
  edges: ReadonlyMap<string, readonly string[]>,
  into: Map<string, Set<number> | null>,
) {
  const queue = [...start];
  const seen = new Set(start);
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const next of edges.get(id) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      into.set(next, null);
      queue.push(next);
    }
  }
}

function statesOf({ onlyFailed, onlyRunning }: ClearSelection): ReadonlySet<TaskState> | null {
  if (!onlyFailed && !onlyRunning) return null;
  return new Set<TaskState>([
    ...(onlyFailed ? ["failed", "cancelled", "upstream_failed"] as const : []),
    ...(onlyRunning ? ["running", "cancelling"] as const : []),
  ]);
}
