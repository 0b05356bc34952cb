/** @module States that people give to task instances: which instances that means, and doing it. */
import { AppError } from "../model/errors.ts";
import { type HandState, isFinished } from "../model/task_state.ts";
import type { ChosenInstance } from "../store/chosen_query.ts";
import type { DagRunRow } from "../store/dag_run_query.ts";
import type { RunClear } from "../store/port_by_hand.ts";
import { chosenRows, failedStates, withTheirSetups } from "./clear.ts";
import { downstreamOf, type TaskIndexes, type TaskSelection, tasksOf } from "./reach.ts";
import type { Rest } from "./rest.ts";

/** Instances that are to have another state. */
export interface SetPlan {
  to: HandState;
  /** Chosen, whatever their state. */
  chosen: ChosenInstance[];
  /** Those of them whose state changes. */
  rows: ChosenInstance[];
  /** What failed only because of them, to run again. */
  clears: RunClear[];
}

/** What it means to give tasks of these runs of one DAG a state. */
export async function planSet(
  rest: Rest,
  runs: readonly DagRunRow[],
  selection: TaskSelection,
  to: HandState,
): Promise<SetPlan> {
  const versions = await rest.versions.load(new Set(runs.map((run) => run.dagVersionId)));
  const wanted = new Map(
    [...versions].map(([id, { spec }]) => [id, { tasks: tasksOf(spec, selection) }]),
  );
  const byRun = await chosenRows(rest, runs, {
    wanted,
    versionOf: (run) => run.dagVersionId,
    states: null,
  });
  const chosen = runs.flatMap((run) => byRun.get(run.id) ?? []);
  const clears = to === "failed" ? [] : await clearsAfter(rest, runs, {
    chosen: new Set(chosen.map((row) => row.id)),
    below: ({ dagVersionId: id }) => downstreamOf(versions.get(id)!.spec, wanted.get(id)!.tasks),
  });
  const rows = chosen.filter(({ state }) => state !== to && state !== "removed");
  return { to, chosen, rows, clears };
}

/** As in Airflow: tasks below that failed get another chance, since what held them up is gone. */
async function clearsAfter(
  rest: Rest,
  runs: readonly DagRunRow[],
  { chosen, below }: { chosen: ReadonlySet<string>; below: (run: DagRunRow) => TaskIndexes },
): Promise<RunClear[]> {
  const clears: RunClear[] = [];
  for (const [dagVersionId, same] of Map.groupBy(runs, (run) => run.dagVersionId)) {
    const { spec } = await rest.versions.get(dagVersionId);
    const failed = await chosenRows(rest, same, {
      wanted: new Map([[dagVersionId, { tasks: below(same[0]) }]]),
      versionOf: (run) => run.dagVersionId,
      states: failedStates,
    });
    const found = await withTheirSetups(rest, failed, () => spec);
    for (const [dagRunId, rows] of found) {
      const ids = rows.map((row) => row.id).filter((id) => !chosen.has(id));
      if (ids.length > 0) clears.push({ dagRunId, ids, spec });
    }
  }
  return clears;
}

/** Do it, with a note on each instance that says who did. */
export async function applySet(
  rest: Rest,
  { to, rows, clears }: SetPlan,
  { by, note }: { by: string; note?: string | null },
): Promise<void> {
  if (rows.length === 0) return;
  const mark = `Set to ${to} by ${by}`;
  await rest.store.setTasks({
    ids: rows.map((row) => row.id),
    to,
    by,
    note: (note ? `${mark}: ${note}` : mark).slice(0, 1000),
    clears,
  }, rest.clock.now());
}

/** Throws CONFLICT where one of them has begun: what is to be left out must not have. */
export function requireWaiting({ chosen }: SetPlan, run: Pick<DagRunRow, "runId">): void {
  const begun = chosen.find(({ state }) =>
    state === "running" || state === "cancelling" || isFinished(state) && state !== "skipped"
  );
  if (!begun) return;
  throw new AppError(
    "CONFLICT",
    `Cannot skip task "${begun.taskId}" of run "${run.runId}" before it starts: it is ` +
      `${begun.state}; leave only_waiting out to set it to skipped all the same`,
  );
}
