/** @module Routes of the deadlines of a run. */
import { z } from "zod";
import { type DeadlineRow, listDeadlines } from "../../store/deadline_query.ts";
import { requireRun, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { At, Name } from "../shapes/basic.ts";

/** A deadline, with the fields of Airflow's. */
const DeadlineShape = z.object({
  id: z.uuid(),
  deadline_time: At.nullable().meta({ doc: "Null: counted from the run's start" }),
  missed: z.boolean(),
  created_at: At,
  alert_name: z.string().meta({ doc: "Its name in the DAG" }),
  dag_id: z.string(),
  dag_run_id: z.string(),
  task_id: z.string().nullable().meta({ doc: "Null: of the run" }),
  settled_at: At.nullable().meta({ doc: "When it was found missed, or kept by its task" }),
}).meta({ id: "DeadlineResponse" });

const DeadlineCollection = z.object({
  deadlines: z.array(DeadlineShape),
  total_entries: z.int(),
}).meta({ id: "DeadlineCollectionResponse" });

/** Add them. */
export function addDeadlineRoutes(book: RouteBook, rest: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/deadlines",
    permission: "runs.read",
    tag: "DAG runs",
    summary: "List the deadlines of a run; a success ends those that were still to come",
    params: z.object({ dag_id: Name, dag_run_id: Name }),
    returns: DeadlineCollection,
  }, async ({ params }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    const rows = await listDeadlines(rest.sql, run.id);
    const view = (row: DeadlineRow): z.input<typeof DeadlineShape> => ({
      id: row.id,
      deadline_time: row.deadlineTime?.toISOString() ?? null,
      missed: row.missed,
      created_at: row.createdAt.toISOString(),
      alert_name: row.name,
      dag_id: run.dagId,
      dag_run_id: run.runId,
      task_id: row.taskId,
      settled_at: row.settledAt?.toISOString() ?? null,
    });
    return { deadlines: rows.map(view), total_entries: rows.length };
  });
}
