/** @module Runs made and cancelled from outside the scheduler. */
import type { Sql, TransactionSql } from "postgres";
import { AppError } from "../model/errors.ts";
import type { DagRun } from "../model/rows.ts";
import { cancel } from "./engine_cancel.ts";
import { runColumns } from "./engine_rows.ts";
import { insertRuns } from "./engine_tick.ts";
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
