/** @module Columns of the engine's tables as the engine's nouns; one place for the names. */
import type { Sql, TransactionSql } from "postgres";

/** Columns of `dag_run r` as a {@link ../model/rows.ts#DagRun}. */
export const runColumns = (sql: Sql | TransactionSql) =>
  sql`
  r.id, r.dag_id as "dagId", r.run_id as "runId", r.run_type as "runType", r.state,
  r.partition_key as "partitionKey",
  r.logical_date as "logicalDate", r.data_interval_start as "dataIntervalStart",
  r.data_interval_end as "dataIntervalEnd", r.run_after as "runAfter", r.queued_at as "queuedAt",
  r.start_date as "startDate", r.end_date as "endDate", r.conf,
  r.dag_version_id as "dagVersionId", r.backfill_id::text as "backfillId",
  r.backfill_ordinal as "backfillOrdinal",
  r.cancel_requested_at as "cancelRequestedAt", r.trace_parent as "traceParent"`;

/** Columns of `task_instance t` as a {@link ../model/rows.ts#TaskInstance}. */
export const taskColumns = (sql: Sql | TransactionSql) =>
  sql`
  t.id, t.dag_run_id as "dagRunId", t.task_id as "taskId", t.map_index as "mapIndex", t.state,
  t.attempt_id as "attemptId", t.try_number as "tryNumber", t.max_tries as "maxTries",
  t.infra_losses as "infraLosses", t.next_try_at as "nextTryAt",
  t.output_length as "outputLength", t.chosen, t.queued_at as "queuedAt",
  t.start_date as "startDate", t.end_date as "endDate",
  t.is_forced as "isForced"`;

/** Columns of `attempt a` as an {@link ../model/rows.ts#Attempt}. */
export const attemptColumns = (sql: Sql | TransactionSql) =>
  sql`
  a.id, a.task_instance_id as "taskInstanceId", a.try_number as "tryNumber", a.state,
  a.end_reason as "endReason", a.evidence, a.worker_id as "workerId", a.hostname, a.pid,
  a.queued_at as "queuedAt", a.start_date as "startDate", a.end_date as "endDate"`;

/**
 * A list of rows as one parameter: cheaper to send than an array a column. Use it as
 * `jsonb_to_recordset(${rows(list)}::text::jsonb)`: the detour over text keeps the driver from
 * quoting the JSON a second time.
 */
export function rows(list: readonly unknown[]): string {
  return JSON.stringify(list);
}
