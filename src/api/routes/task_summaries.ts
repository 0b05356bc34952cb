/** @module Routes that count instead of listing: a run's tasks by state, and a DAG's grid. */
import { z } from "zod";
import { listRuns, runOrders } from "../../store/dag_run_query.ts";
import { countTaskInstances } from "../../store/task_counts.ts";
import { pageOf, requireDag, requireRun, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { Name, paging, queryInt } from "../shapes/basic.ts";
import { GridResponse, TaskSummaryCollection } from "../shapes/task_summary.ts";
import { dagRunView } from "../views/dag_run.ts";
import { taskSummaries } from "../views/task_summary.ts";

const tag = "Task instances";
const DagPath = z.object({ dag_id: Name });

/** Runs in one page of a grid: each may have ten thousand tasks. */
const GRID_RUNS_MAX = 100;

/** Add them. */
export function addTaskSummaryRoutes(book: RouteBook, rest: Rest): void {
  const { sql } = rest;

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskSummaries",
    permission: "tasks.read",
    tag,
    summary: "Count the task instances of a run by task and state",
    params: DagPath.extend({ dag_run_id: Name }),
    returns: TaskSummaryCollection,
  }, async ({ params }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    const task_instances = taskSummaries(await countTaskInstances(sql, [run.id]));
    return { ...params, task_instances };
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/grid",
    permission: "tasks.read",
    tag,
    summary: "Runs of a DAG, newest first, each with its task instances by task and state",
    params: DagPath,
    query: z.object({
      ...paging(runOrders, "-run_after"),
      limit: queryInt({ min: 1, max: GRID_RUNS_MAX }).default(25)
        .meta({ doc: `Runs of a page; at most ${GRID_RUNS_MAX}` }),
    }),
    returns: GridResponse,
  }, async ({ params, query }) => {
    await requireDag(rest, params.dag_id);
    const { items, total } = await listRuns(sql, { dagIds: [params.dag_id] }, pageOf(query));
    const counts = await countTaskInstances(sql, items.map((run) => run.id));
    const byRun = Map.groupBy(counts, (row) => row.dagRunId);
    return {
      dag_runs: items.map((run) => ({
        ...dagRunView(run),
        task_instances: taskSummaries(byRun.get(run.id) ?? []),
      })),
      total_entries: total,
    };
  });
}
