/** @module Running again: which task instances a clear means, and doing it. */
import { AppError } from "../model/errors.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { isRunFinished } from "../model/run_state.ts";
import { isOtherProduct, whyOtherProduct } from "../model/product.ts";
import { isFinished, type TaskState, taskStates } from "../model/task_state.ts";
import type { DagRunRow } from "../store/dag_run_query.ts";
import { type ChosenInstance, listChosen, listTasksOfRuns } from "../store/chosen_query.ts";
import { inputTasks } from "./execution/inputs.ts";
import { type TaskIndexes, type TaskSelection, tasksOf, withSetups } from "./reach.ts";
import { productOf, requireDag, type Rest } from "./rest.ts";

/** Which instances of a run to run again. */
export interface ClearSelection extends TaskSelection {
  onlyFailed: boolean;
  onlyRunning: boolean;
}

/** All instances of a run. */
export const everything: ClearSelection = {
  tasks: null,
  includeUpstream: false,
  includeDownstream: false,
  onlyFailed: false,
  onlyRunning: false,
};

/** Instances of one run that a clear means. */
export interface ClearPlan {
  run: DagRunRow;
  rows: ChosenInstance[];
  /** Version to run on; the run's own unless it changes. */
  dagVersionId: string;
  spec: DagSpec;
  /** Tasks of that version that the run does not have yet; known where the version changes. */
  newTasks: string[];
}

/** How to clear. */
export interface ClearOptions {
  /** Refuse where one of them runs. */
  preventRunning?: boolean;
  /** Refuse where a run has ended, since its state would have to change. */
  keepRunStates?: boolean;
  /** Also where a run ran on another version of the product, though it is to run as it was. */
  force?: boolean;
  /** They start without a look at what comes before them, with the outputs that are stored. */
  ignoreDependencies?: boolean;
}

/** What a clear of this run means, without doing it. */
export async function planClear(
  rest: Rest,
  run: DagRunRow,
  selection: ClearSelection,
  options: { onLatest: boolean },
): Promise<ClearPlan> {
  return (await planClears(rest, [run], selection, options))[0];
}

/** What a clear of these runs of one DAG means, in their order. */
export async function planClears(
  rest: Rest,
  runs: readonly DagRunRow[],
  selection: ClearSelection,
  { onLatest }: { onLatest: boolean },
): Promise<ClearPlan[]> {
  if (runs.length === 0) return [];
  const latest = onLatest ? (await requireDag(rest, runs[0].dagId)).versionId : null;
  const versionOf = (run: DagRunRow) => latest ?? run.dagVersionId;
  const byId = new Map(runs.map((run) => [run.id, run]));
  const wanted = new Map<string, Wanted>();
  const versions = await rest.versions.load(new Set(runs.map(versionOf)));
  requireTasks(runs[0].dagId, [...versions.values()].map(({ spec }) => spec), selection);
  for (const [id, { spec }] of versions) {
    wanted.set(id, { spec, tasks: withSetups(spec, selection, tasksOf(spec, selection)) });
  }
  const states = statesOf(selection);
  const [rows, have] = await Promise.all([
    chosenRows(rest, runs, { wanted, versionOf, states }).then((chosen) =>
      states === null ? chosen : withTheirSetups(rest, chosen, specOf)
    ),
    onLatest ? listTasksOfRuns(rest.sql, runs.map(({ id }) => id)) : null,
  ]);
  function specOf(dagRunId: string): DagSpec {
    return wanted.get(versionOf(byId.get(dagRunId)!))!.spec;
  }

  return runs.map((run) => {
    const dagVersionId = versionOf(run);
    const { spec } = wanted.get(dagVersionId)!;
    const known = dagVersionId === run.dagVersionId ? undefined : have?.get(run.id);
    const newTasks = known
      ? spec.tasks.map(({ taskId }) => taskId).filter((id) => !known.has(id))
      : [];
    return { run, rows: rows.get(run.id) ?? [], dagVersionId, spec, newTasks };
  });
}

/** A name that none of the versions knows is a slip: clearing nothing would hide it. */
function requireTasks(dagId: string, specs: readonly DagSpec[], { tasks }: ClearSelection): void {
  const known = new Set(specs.flatMap((spec) => spec.tasks.map(({ taskId }) => taskId)));
  for (const { taskId } of tasks ?? []) {
    if (known.has(taskId)) continue;
    const some = [...known].slice(0, 10).join(", ") + (known.size > 10 ? "…" : "");
    throw new AppError(
      "NOT_FOUND",
      `Cannot clear task "${taskId}" of DAG "${dagId}": it has no such task, but ${some}`,
    );
  }
}

interface Wanted {
  spec: DagSpec;
  tasks: TaskIndexes;
}

/** Of each run the wanted instances, read in one go. */
export async function chosenRows(
  rest: Rest,
  runs: readonly DagRunRow[],
  { wanted, versionOf, states }: {
    wanted: ReadonlyMap<string, Pick<Wanted, "tasks">>;
    versionOf: (run: DagRunRow) => string;
    states: readonly TaskState[] | null;
  },
): Promise<Map<string, ChosenInstance[]>> {
  const taskIds = new Set([...wanted.values()].flatMap(({ tasks }) => [...tasks.keys()]));
  const items = await listChosen(rest.sql, {
    dagRunIds: runs.map(({ id }) => id),
    taskIds: [...taskIds],
    states,
  });
  const tasksOfRun = new Map(runs.map((run) => [run.id, wanted.get(versionOf(run))!.tasks]));
  return Map.groupBy(
    items.filter(({ dagRunId, taskId, mapIndex }) => {
      const indexes = tasksOfRun.get(dagRunId)!.get(taskId);
      return indexes !== undefined && (indexes === null || indexes.has(mapIndex));
    }),
    ({ dagRunId }) => dagRunId,
  );
}

/**
 * With the setups that what runs again needs, and their teardowns, though these have succeeded: what was
 * set up is torn down by now.
 */
export async function withTheirSetups(
  rest: Rest,
  chosen: ReadonlyMap<string, readonly ChosenInstance[]>,
  specOf: (dagRunId: string) => DagSpec,
): Promise<Map<string, ChosenInstance[]>> {
  const along = new Map<string, TaskIndexes>();
  for (const [dagRunId, rows] of chosen) {
    const spec = specOf(dagRunId);
    if (!spec.tasks.some((task) => task.isSetup || task.isTeardown)) continue;
    const tasks = rows.map(({ taskId, mapIndex }) => ({ taskId, mapIndex }));
    const selection = { tasks, includeUpstream: false, includeDownstream: false };
    const own = tasksOf(spec, selection);
    const all = withSetups(spec, selection, new Map(own));
    const added = new Map([...all].filter(([taskId]) => !own.has(taskId)));
    if (added.size > 0) along.set(dagRunId, added);
  }
  const all = new Map([...chosen].map(([id, rows]) => [id, [...rows]]));
  if (along.size === 0) return all;
  const found = await listChosen(rest.sql, {
    dagRunIds: [...along.keys()],
    taskIds: [...new Set([...along.values()].flatMap((tasks) => [...tasks.keys()]))],
    states: taskStates.filter(isFinished),
  });
  for (const row of found) {
    const tasks = along.get(row.dagRunId)!;
    const indexes = tasks.get(row.taskId);
    if (!tasks.has(row.taskId) || indexes && !indexes.has(row.mapIndex)) continue;
    all.get(row.dagRunId)!.push(row);
  }
  return all;
}

/** Do it. Throws CONFLICT where a task runs and `preventRunning` forbids that. */
export async function applyClear(
  rest: Rest,
  plan: ClearPlan,
  options: ClearOptions = {},
): Promise<void> {
  await applyClears(rest, [plan], options);
}

/** Clear all of the runs in one transaction. Throws CONFLICT as the options say. */
export async function applyClears(
  rest: Rest,
  plans: readonly ClearPlan[],
  options: ClearOptions = {},
): Promise<void> {
  const isNewVersion = ({ run, dagVersionId }: ClearPlan) => dagVersionId !== run.dagVersionId;
  const todo = plans.filter((plan) =>
    plan.rows.length > 0 || isNewVersion(plan) && plan.newTasks.length > 0
  );
  for (const plan of todo) check(plan, options);
  if (!options.force) { for (const plan of todo) requireSameProduct(rest, plan); }
  if (options.ignoreDependencies) { for (const plan of todo) await checkInputs(rest, plan); }
  if (todo.length === 0) return;
  await rest.store.clearRuns(
    todo.map((plan) => ({
      dagRunId: plan.run.id,
      ids: plan.rows.map((row) => row.id),
      spec: plan.spec,
      force: options.ignoreDependencies,
      ...(isNewVersion(plan) ? { dagVersionId: plan.dagVersionId } : {}),
    })),
    rest.clock.now(),
  );
}

function check({ run, rows }: ClearPlan, { preventRunning, keepRunStates }: ClearOptions) {
  const running = rows.find(({ state }) => state === "running" || state === "cancelling");
  if (preventRunning && running) {
    throw new AppError(
      "CONFLICT",
      `Cannot clear task "${running.taskId}" of run "${run.runId}": it is running, and ` +
        "prevent_running_task was set",
    );
  }
  if (keepRunStates && isRunFinished(run.state)) {
    throw new AppError(
      "INVALID",
      `Cannot clear tasks of run "${run.runId}" without reset_dag_runs: it is ${run.state}, and a ` +
        "run whose tasks are to run again must be queued again",
    );
  }
}

/** "As it was" is the code of the run and the product that ran it; on another one it is a guess. */
function requireSameProduct(rest: Rest, { run, dagVersionId }: ClearPlan) {
  const now = productOf(rest);
  if (dagVersionId !== run.dagVersionId || !isOtherProduct(run, now)) return;
  throw new AppError(
    "CONFLICT",
    `Cannot re-run "${run.runId}" as it was: ${whyOtherProduct(run, now)}; clear it with ` +
      "run_on_latest_version for the DAG's newest version, or with force to run its own version here",
    { detail: { dag_id: run.dagId, dag_run_id: run.runId } },
  );
}

/** What starts whatever came before it must find its inputs all the same. */
async function checkInputs(rest: Rest, { run, rows, spec }: ClearPlan) {
  const tasks = new Map(spec.tasks.map((task) => [task.taskId, task]));
  const chosen = new Map(rows.map((row) => [row.taskId, row]));
  const refuse = (taskId: string, why: string) =>
    new AppError("CONFLICT", `Cannot run task "${taskId}" of run "${run.runId}" alone: ${why}`);
  const needed = new Map<string, string>();
  for (const [taskId, { mapIndex }] of chosen) {
    const task = tasks.get(taskId)!;
    if (task.mappedOver !== null && mapIndex < 0) {
      throw refuse(taskId, "it is mapped and has no instances yet; run what it is mapped over");
    }
    for (const source of inputTasks(task)) needed.set(source, taskId);
  }
  const sources = await listChosen(rest.sql, {
    dagRunIds: [run.id],
    taskIds: [...needed.keys()],
    states: null,
  });
  const bad = sources.find(({ state }) => !["success", "skipped", "removed"].includes(state));
  if (!bad) return;
  const state = bad.state === "none" ? "waiting" : bad.state;
  throw refuse(
    needed.get(bad.taskId)!,
    `it is given the output of "${bad.taskId}", which is ${state}, not success`,
  );
}

function statesOf({ onlyFailed, onlyRunning }: ClearSelection): TaskState[] | null {
  if (!onlyFailed && !onlyRunning) return null;
  return [
    ...(onlyFailed ? failedStates : []),
    ...(onlyRunning ? ["running", "cancelling"] as const : []),
  ];
}

/** Ends that only-failed means. */
export const failedStates: readonly TaskState[] = ["failed", "cancelled", "upstream_failed"];
