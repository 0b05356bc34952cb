/** @module Task instances counted by task and state: what a grid shows of runs of any width. */
import type { TaskState } from "../model/task_state.ts";
import type { Sql } from "./database.ts";

/** How many instances of one task of one run are in one state, and when they ran. */
export interface TaskCountRow {
  dagRunId: string;
  taskId: string;
  state: TaskState;
  count: number;
  isMapped: boolean;
  startDate: Date | null;
  endDate: Date | null;
}

/** Counts of these runs' task instances, by run and task. */
export async function countTaskInstances(
  sql: Sql,
  dagRunIds: readonly string[],
): Promise<TaskCountRow[]> {
  if (dagRunIds.length === 0) return [];
  return await sql<TaskCountRow[]>`
    select dag_run_id, task_id, state, count(*)::int as count,
      bool_or(map_index >= 0) as is_mapped,
      min(start_date) as start_date, max(end_date) as end_date
    from task_instance where dag_run_id = any(${[...dagRunIds]}::uuid[])
    group by dag_run_id, task_id, state
    order by dag_run_id, task_id, state`;
}
