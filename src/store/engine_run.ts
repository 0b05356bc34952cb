/** @module Runs made, cancelled and cleared from outside the scheduler. */
import type { Sql, TransactionSql } from "postgres";
import type { DagSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import type { DagRun } from "../model/rows.ts";
import { cancel } from "./engine_cancel.ts";
import { runColumns } from "./engine_rows.ts";
import { insertRuns } from "./engine_tick.ts";
import { dropTriggersOf } from "./engine_triggers.ts";
import type { NewRun } from "./port.ts";

/** Create one run; CONFLICT where its run id or logical date is taken. */
export async function createRun(sql: Sql, run: NewRun, now: Date): Promise<DagRun> {
  return await sql.begin(async (tx) => {
    const [id] = await insertRuns(
      tx,
      [run],
      now,
      run.runType === "backfill" ? "backfill" : "rest_api",
    );
    if (id === undefined) throw await conflict(tx, run);
    const [made] = await tx<DagRun[]>`
      select ${runColumns(sql)} from dag_run r where r.id = ${run.id}`;
    return made;
  });
}

async function conflict(tx: TransactionSql, run: NewRun) {
  const [other] = await tx<{ runId: string }[]>`
    select run_id as "runId" from dag_run
    where dag_id = ${run.dagId} and (run_id = ${run.runId} or logical_date = ${run.logicalDate})
    limit 1`;
  const why = other?.runId === run.runId
    ? "a run of that id exists"
    : `run "${other?.runId}" has the logical date ${run.logicalDate?.toISOString()}`;
  return new AppError(
    "CONFLICT",
    `Cannot create run "${run.runId}" of DAG "${run.dagId}": ${why}`,
    {
      detail: { dagId: run.dagId, runId: run.runId },
    },
  );
}

/** Ask unfinished instances of a run to end; returns attempts that workers must stop. */
export async function cancelRun(
  sql: Sql,
  dagRunId: string,
  { now, by, spared = [] }: { now: Date; by: string; spared?: readonly string[] },
) {
  return await sql.begin(async (tx) => {
    const [run] = await tx<{ isFirst: boolean }[]>`
      select state = 'running' and cancel_requested_at is null as "isFirst"
      from dag_run where id = ${dagRunId} for no key update`;
    await tx`
      update dag_run set cancel_requested_at = ${now}
      where id = ${dagRunId} and state in ('queued', 'running')`;
    const open = await tx<{ id: string }[]>`
      select id from task_instance
      where dag_run_id = ${dagRunId} and task_id <> all(${run?.isFirst ? [...spared] : []})
        and state not in ('success', 'failed', 'cancelled', 'skipped', 'upstream_failed', 'removed',
          'cancelling')`;
    return await cancel(tx, open.map((row) => row.id), now, by, false);
  });
}

/**
 * The same of many runs, as part of a transaction. Teardowns of those that are under way, and that
 * nobody has asked before, are left alone.
 */
export async function cancelRunsIn(
  tx: TransactionSql,
  dagRunIds: readonly string[],
  { now, by }: { now: Date; by: string },
) {
  const found = await tx<{ id: string; isFirst: boolean }[]>`
    select id, state = 'running' and cancel_requested_at is null as "isFirst" from dag_run
    where id = any(${[...dagRunIds]}::uuid[]) and state in ('queued', 'running')
    order by id for no key update`;
  const ids = found.map((run) => run.id);
  const first = found.filter((run) => run.isFirst).map((run) => run.id);
  await tx`
    update dag_run set cancel_requested_at = ${now} where id = any(${ids}::uuid[])`;
  const open = await tx<{ id: string }[]>`
    with spared as (
      select r.id as run, s.task ->> 'taskId' as task_id
      from dag_run r join dag_version v on v.id = r.dag_version_id,
        jsonb_array_elements(v.spec -> 'tasks') s(task)
      where r.id = any(${first}::uuid[]) and (s.task ->> 'isTeardown')::boolean
    )
    select t.id from task_instance t
    where t.dag_run_id = any(${ids}::uuid[]) and t.state not in
        ('success', 'failed', 'cancelled', 'skipped', 'upstream_failed', 'removed', 'cancelling')
      and not exists (
        select from spared s where s.run = t.dag_run_id and s.task_id = t.task_id)`;
  return await cancel(tx, open.map((row) => row.id), now, by, false);
}

/** Ask these instances to end; returns attempts that workers must stop, and their runs. */
export async function cancelTasks(sql: Sql, ids: string[], now: Date, by: string) {
  return await sql.begin(async (tx) => await cancel(tx, ids, now, by, false));
}

/**
 * Give instances a fresh start with a new budget of tries: finished → none, running → cancelling
 * and then none. The run is queued again. Returns attempts that workers must stop.
 */
export async function clearTasks(
  sql: Sql,
  dagRunId: string,
  ids: string[],
  { dagVersionId, spec }: { dagVersionId?: string; spec: DagSpec },
  now: Date,
) {
  return await sql.begin(async (tx) => {
    // The run before its instances, as a scheduler's pass locks them.
    await tx`select 1 from dag_run where id = ${dagRunId} for no key update`;
    // Then all of them, in order: a queued one may be on its way to a worker this very moment.
    const locked = await tx<{ id: string; state: string }[]>`
      select id, state from task_instance
      where id = any(${ids}::uuid[]) and dag_run_id = ${dagRunId}
      order by id for update`;
    const running = locked.filter((row) => row.state === "running").map((row) => row.id);
    const { stop } = await cancel(tx, running, now, "clear", true);
    await tx`
      update task_instance set clear_requested = true
      where id = any(${ids}::uuid[]) and state = 'cancelling'`;
    await tx`
      update attempt a set state = 'ended', end_reason = 'cleared', end_date = ${now}
      from task_instance t
      where t.id = any(${ids}::uuid[]) and t.dag_run_id = ${dagRunId} and t.state = 'queued'
        and a.id = t.attempt_id and a.state = 'queued'`;
    const retries = JSON.stringify(
      Object.fromEntries(spec.tasks.map((task) => [task.taskId, task.retry.retries])),
    );
    await tx`
      update task_instance t set
        state = 'none', end_date = null, start_date = null, queued_at = null, next_try_at = null,
        infra_losses = 0, output_length = null, chosen = null, resumption = null,
        max_tries = t.try_number + coalesce((${retries}::text::jsonb ->> t.task_id)::int, 0)
      where t.id = any(${ids}::uuid[]) and t.dag_run_id = ${dagRunId} and t.state <> 'cancelling'`;
    await tx`
      update task_instance t set
        max_tries = t.try_number + coalesce((${retries}::text::jsonb ->> t.task_id)::int, 0)
      where t.id = any(${ids}::uuid[]) and t.state = 'cancelling'`;
    await dropTriggersOf(tx, ids);
    await tx`
      delete from task_output where task_instance_id = any(${ids}::uuid[])`;
    await tx`
      update dag_run set state = 'queued', queued_at = ${now}, start_date = null, end_date = null,
        cancel_requested_at = null, clear_number = clear_number + 1,
        dag_version_id = coalesce(${dagVersionId ?? null}::uuid, dag_version_id)
      where id = ${dagRunId}`;
    await tx`
      insert into task_instance (id, dag_run_id, dag_id, task_id, state, max_tries)
      select gen_random_uuid(), ${dagRunId}, r.dag_id, s.key, 'none', s.value::int
      from dag_run r, jsonb_each_text(${retries}::text::jsonb) s
      where r.id = ${dagRunId} and not exists (
        select from task_instance t where t.dag_run_id = ${dagRunId} and t.task_id = s.key)`;
    return { stop };
  });
}
