/** @module What the leader stops of its own accord: tasks of a run that fails fast, DAGs that keep failing. */
import type { Sql, TransactionSql } from "postgres";
import { appendAudit } from "./audit_log.ts";
import { cancel } from "./engine_cancel.ts";
import { rows } from "./engine_rows.ts";
import type { RunMove, TaskCancel, TickWrites } from "./port.ts";

/** Attempts that workers must stop, and instances that changed by it. */
export interface Stopped {
  cancels: string[];
  dagRunIds: string[];
  stop: string[];
}

/** Cancel instances whose attempt and run are as the pass saw them. */
export async function cancelAttempts(
  tx: TransactionSql,
  { cancels = [], fences: given }: TickWrites,
  now: Date,
): Promise<Stopped> {
  const found = await tx<{ id: string; by: string }[]>`
    with ${fences(tx, given ?? [])}
    select t.id, c.by from task_instance t
    join jsonb_to_recordset(${rows(cancels)}::text::jsonb) as c(id uuid, "attemptId" uuid, by text)
      on t.id = c.id and t.attempt_id = c."attemptId"
    where t.state in ('queued', 'running') ${inFenced(tx)}
    order by t.id for update of t`;
  const stopped: Stopped = { cancels: [], dagRunIds: [], stop: [] };
  for (const [by, ids] of byReason(found)) {
    const done = await cancel(tx, ids, now, by, false);
    stopped.cancels.push(...done.taskInstanceIds);
    stopped.dagRunIds.push(...done.dagRunIds);
    stopped.stop.push(...done.stop);
  }
  return stopped;
}

function byReason(found: readonly Pick<TaskCancel, "id" | "by">[]): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  for (const { id, by } of found) reasons.set(by, [...reasons.get(by) ?? [], id]);
  return reasons;
}

/** Runs that nobody has cleared or cancelled since they were read, nor can until all is written. */
export function fences(sql: Sql | TransactionSql, given: NonNullable<TickWrites["fences"]>) {
  return sql`
    fenced as (
      select r.id from dag_run r
      join jsonb_to_recordset(${rows(given)}::text::jsonb)
        as f(id uuid, "queuedAt" timestamptz, "cancelRequestedAt" timestamptz)
        on r.id = f.id and r.queued_at = f."queuedAt"
          and r.cancel_requested_at is not distinct from f."cancelRequestedAt"
      for share of r
    )`;
}

/**
 * Of an instance `t`: its run is one of them. Written so that no index serves: a planner that knows
 * the table from when it was small would read all instances of a run of 100,000 for each statement.
 */
export function inFenced(sql: Sql | TransactionSql) {
  return sql`and (t.dag_run_id = any(array(select id from fenced))) is true`;
}

/** What {@link pauseFailing} says of a DAG that it pauses. */
export function pauseReason(runs: number): string {
  return runs === 1 ? "its last run failed" : `its last ${runs} runs failed`;
}

/**
 * Pause the DAGs whose newest ended runs have all failed, as many as these runs' moves name. Newest by
 * logical date, so a backfill of the past says nothing; runs that a person cancelled do not count.
 */
export async function pauseFailing(
  tx: TransactionSql,
  ended: readonly RunMove[],
  now: Date,
): Promise<string[]> {
  const paused: string[] = [];
  for (const { id, pauseAfter = 0 } of ended) {
    const [dag] = await tx<{ dagId: string; runId: string }[]>`
      with ended as (select dag_id, run_id from dag_run where id = ${id}),
      newest as (
        select r.state from dag_run r join ended on ended.dag_id = r.dag_id
        where r.state = 'success' or r.state = 'failed' and r.cancel_requested_at is null
        order by coalesce(r.logical_date, r.run_after) desc, r.id desc
        limit ${pauseAfter}
      )
      update dag d set is_paused = true, paused_by_all = false,
        pause_reason = ${pauseReason(pauseAfter)}
      from ended
      where d.dag_id = ended.dag_id and (not d.is_paused or d.paused_by_all)
        and (select count(*) from newest where state = 'failed') = ${pauseAfter}
      returning d.dag_id as "dagId", ended.run_id as "runId"`;
    if (!dag) continue;
    paused.push(dag.dagId);
    const extra = { reason: pauseReason(pauseAfter) };
    await appendAudit(tx, {
      event: { event: "dag.pause", actor: "scheduler", ...dag, extra },
      now,
    });
  }
  return paused;
}
