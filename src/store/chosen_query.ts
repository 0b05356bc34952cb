/** @module Task instances that somebody chose, without all that pages show: there can be many. */
import type { TaskState } from "../model/task_state.ts";
import type { Sql } from "./database.ts";
import { oneOf, where } from "./page.ts";

/** Enough of an instance to choose it by. */
export interface ChosenInstance {
  id: string;
  dagRunId: string;
  taskId: string;
  mapIndex: number;
  state: TaskState;
}

/** Instances of these runs and tasks in these states, by run, task and map index. */
export async function listChosen(
  sql: Sql,
  { dagRunIds, taskIds, states }: {
    dagRunIds: readonly string[];
    taskIds: readonly string[];
    /** null: in any. */
    states: readonly TaskState[] | null;
  },
): Promise<ChosenInstance[]> {
  const condition = where(sql, [
    sql`t.dag_run_id = any(${[...dagRunIds]}::uuid[])`,
    sql`t.task_id = any(${[...taskIds]})`,
    oneOf(sql, sql`t.state`, states),
  ]);
  return [
    ...await sql<ChosenInstance[]>`
      select t.id, t.dag_run_id, t.task_id, t.map_index, t.state from task_instance t ${condition}
      order by t.dag_run_id, t.task_id, t.map_index`,
  ];
}

/** The tasks that each of these runs has instances of. */
export async function listTasksOfRuns(
  sql: Sql,
  dagRunIds: readonly string[],
): Promise<Map<string, Set<string>>> {
  const found = await sql<{ dagRunId: string; taskIds: string[] }[]>`
    select dag_run_id, array_agg(distinct task_id) as task_ids from task_instance
    where dag_run_id = any(${[...dagRunIds]}::uuid[]) group by dag_run_id`;
  return new Map(found.map(({ dagRunId, taskIds }) => [dagRunId, new Set(taskIds)]));
}
