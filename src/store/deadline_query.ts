/** @module Deadlines as pages and lists see them: table deadline. */
import type { Sql } from "./database.ts";

/** A deadline of a run. */
export interface DeadlineRow {
  id: string;
  name: string;
  taskId: string | null;
  deadlineTime: Date | null;
  missed: boolean;
  settledAt: Date | null;
  createdAt: Date;
}

/** Of a run `r`: how many of its deadlines were missed. */
export const missedDeadlines = (sql: Sql) =>
  sql`(select count(*)::int from deadline d where d.dag_run_id = r.id and d.missed)`;

/** Deadlines of a run, in their order; those that its success has ended are gone. */
export async function listDeadlines(sql: Sql, dagRunId: string): Promise<DeadlineRow[]> {
  return [
    ...await sql<DeadlineRow[]>`
      select id, name, task_id, deadline_time, missed, settled_at, created_at from deadline
      where dag_run_id = ${dagRunId} order by deadline_time nulls last, id`,
  ];
}
