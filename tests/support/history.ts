/** @module Years of ended runs, made by the database itself. */
import type { Sql } from "../../src/store/database.ts";

/** How much history to make: copies of the newest ended run of a DAG. */
export interface History {
  dagId: string;
  runs: number;
  /** Called between two statements: they take many minutes together. */
  onBatch?: () => Promise<unknown>;
}

/** Runs written by one statement, so that none is large. */
const BATCH = 2_000;

/**
 * Copy a DAG's newest ended run with its task instances and attempts, a minute apart into the past.
 * Returns how many task instances were made.
 */
export async function makeHistory(sql: Sql, { dagId, runs, onBatch }: History): Promise<number> {
  const [template] = await sql<{ id: string }[]>`
    select id from dag_run where dag_id = ${dagId} and state = 'success'
    order by run_after desc limit 1`;
  if (!template) throw new Error(`Cannot make history of "${dagId}": no run of it has ended`);
  let made = 0;
  for (let first = 1; first <= runs; first += BATCH) {
    const last = Math.min(first + BATCH - 1, runs);
    const [{ count }] = await sql<{ count: number }[]>`
      with run as (
        insert into dag_run (id, dag_id, run_id, run_type, state, run_after, queued_at, start_date,
          end_date, conf, dag_version_id)
        select gen_random_uuid(), dag_id, 'history_' || g, run_type, state,
          run_after - g * interval '1 minute', queued_at - g * interval '1 minute',
          start_date - g * interval '1 minute', end_date - g * interval '1 minute', conf,
          dag_version_id
        from dag_run, generate_series(${first}::int, ${last}::int) g where id = ${template.id}
        returning id, end_date
      ), task as (
        insert into task_instance (id, dag_run_id, dag_id, task_id, map_index, state, attempt_id,
          max_tries, try_number, queue, pool, pool_slots, priority_weight, queued_at, start_date,
          end_date)
        select gen_random_uuid(), run.id, t.dag_id, t.task_id, t.map_index, t.state,
          gen_random_uuid(), t.max_tries, 1, t.queue, t.pool, t.pool_slots, t.priority_weight,
          run.end_date, run.end_date, run.end_date
        from run, task_instance t where t.dag_run_id = ${template.id}
        returning id, attempt_id, dag_run_id, end_date
      ), attempt as (
        insert into attempt (id, task_instance_id, dag_run_id, try_number, state, end_reason,
          queued_at, start_date, end_date)
        select attempt_id, id, dag_run_id, 1, 'ended', 'success', end_date, end_date, end_date
        from task
      )
      select count(*)::int as count from task`;
    made += count;
    await onBatch?.();
  }
  await sql`vacuum analyze dag_run, task_instance, attempt`;
  return made;
}
