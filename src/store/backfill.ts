/** @module Backfills: tables backfill, backfill_dag_run. */
import type { RunState } from "../model/run_state.ts";
import type { AnySql, Sql, TransactionSql } from "./database.ts";
import { type Listed, orderBy, type Page, where } from "./page.ts";

/** What to do with dates whose run is finished. */
export type ReprocessBehavior = "none" | "failed" | "completed";

/** A backfill with its runs counted. */
export interface BackfillRow {
  id: number;
  dagId: string;
  fromDate: Date;
  toDate: Date;
  dagRunConf: Record<string, unknown>;
  isPaused: boolean;
  reprocessBehavior: ReprocessBehavior;
  maxActiveRuns: number;
  runBackwards: boolean;
  triggeringUserName: string | null;
  createdAt: Date;
  updatedAt: Date;
  completedAt: Date | null;
  planned: number;
  leftOut: number;
  queued: number;
  running: number;
  success: number;
  failed: number;
}

/** Why a date of a backfill got no run. */
export type BackfillException = "in flight" | "already exists" | "unknown";

const counted = (sql: Sql) =>
  sql`
  select b.*, c.* from backfill b cross join lateral (
    select count(*) as planned,
      count(*) filter (where e.exception_reason is not null) as left_out,
      count(*) filter (where e.exception_reason is null and r.state = 'queued') as queued,
      count(*) filter (where e.exception_reason is null and r.state = 'running') as running,
      count(*) filter (where e.exception_reason is null and r.state = 'success') as success,
      count(*) filter (where e.exception_reason is null and r.state = 'failed') as failed
    from backfill_dag_run e left join dag_run r on r.id = e.dag_run_id
    where e.backfill_id = b.id) c`;

/** Fields that a list may be ordered by. */
export const backfillOrders = [
  "id",
  "created_at",
  "completed_at",
  "from_date",
  "to_date",
  "dag_id",
] as const;

/** A page of backfills. */
export async function listBackfills(
  sql: Sql,
  { dagId, isActive }: { dagId: string | null; isActive?: boolean },
  page: Page,
): Promise<Listed<BackfillRow>> {
  const condition = where(sql, [
    dagId === null ? null : sql`b.dag_id = ${dagId}`,
    isActive === undefined ? null : sql`(b.completed_at is null) = ${isActive}`,
  ]);
  const order = orderBy(sql, page.orderBy, {
    id: sql`b.id`,
    created_at: sql`b.created_at`,
    completed_at: { nullable: sql`b.completed_at` },
    from_date: sql`b.from_date`,
    to_date: sql`b.to_date`,
    dag_id: sql`b.dag_id`,
  }, sql`b.id`);
  const [items, [{ total }]] = await Promise.all([
    sql<BackfillRow[]>`
      ${counted(sql)} ${condition} ${order} limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from backfill b ${condition}`,
  ]);
  return { items, total };
}

/** One backfill, or null. */
export async function findBackfill(sql: Sql, id: number): Promise<BackfillRow | null> {
  const [found] = await sql<BackfillRow[]>`${counted(sql)} where b.id = ${id}`;
  return found ?? null;
}

/**
 * Record a backfill, unless the DAG has one that is not completed: then null. The DAG's row is
 * locked, so that of two at once one is made.
 */
export async function createBackfill(
  sql: Sql,
  backfill: Pick<
    BackfillRow,
    | "dagId"
    | "fromDate"
    | "toDate"
    | "dagRunConf"
    | "reprocessBehavior"
    | "maxActiveRuns"
    | "runBackwards"
    | "triggeringUserName"
  >,
  now: Date,
): Promise<number | null> {
  return await sql.begin(async (tx) => {
    await tx`select 1 from dag where dag_id = ${backfill.dagId} for update`;
    const active = await tx`
      select 1 from backfill where dag_id = ${backfill.dagId} and completed_at is null`;
    if (active.length > 0) return null;
    const [{ id }] = await tx<{ id: number }[]>`
      insert into backfill (dag_id, from_date, to_date, dag_run_conf, is_paused,
        reprocess_behavior, max_active_runs, run_backwards, triggering_user_name, created_at,
        updated_at)
      values (${backfill.dagId}, ${backfill.fromDate}, ${backfill.toDate},
        ${JSON.stringify(backfill.dagRunConf)}::text::jsonb, false, ${backfill.reprocessBehavior},
        ${backfill.maxActiveRuns}, ${backfill.runBackwards}, ${backfill.triggeringUserName}, ${now},
        ${now})
      returning id`;
    return id;
  });
}

/** Record what became of one date. */
export async function addBackfillRun(
  sql: AnySql,
  entry: {
    backfillId: number;
    dagRunId: string | null;
    exceptionReason: BackfillException | null;
    logicalDate: Date;
    sortOrdinal: number;
  },
): Promise<void> {
  await sql`
    insert into backfill_dag_run ${
    sql(
      entry,
      "backfillId",
      "dagRunId",
      "exceptionReason",
      "logicalDate",
      "sortOrdinal",
    )
  }
    on conflict (backfill_id, logical_date) do nothing`;
}

/** Give a run that exists to a backfill; its conf is replaced where one is given. */
export async function adoptRun(
  sql: AnySql | TransactionSql,
  { dagRunId, backfillId, conf }: {
    dagRunId: string;
    backfillId: number;
    conf: Record<string, unknown> | null;
  },
): Promise<void> {
  await sql`
    update dag_run set run_type = 'backfill', triggered_by = 'backfill',
      backfill_id = ${backfillId},
      conf = coalesce(${conf ? JSON.stringify(conf) : null}::text::jsonb, conf)
    where id = ${dagRunId}`;
}

/** The newest run of each of these dates: what a backfill has to go by. */
export async function findRunsByDate(
  sql: Sql,
  { dagId, dates }: { dagId: string; dates: readonly Date[] },
): Promise<Map<number, { id: string; state: RunState }>> {
  const found = await sql<{ id: string; state: RunState; logicalDate: Date }[]>`
    select id, state, logical_date from dag_run
    where dag_id = ${dagId} and logical_date = any(${
    dates.map((date) => date.toISOString())
  }::timestamptz[])`;
  return new Map(found.map((run) => [run.logicalDate.getTime(), run]));
}

/** Pause or unpause; false where it is completed or missing. */
export async function setBackfillPaused(
  sql: AnySql,
  { id, isPaused, now }: { id: number; isPaused: boolean; now: Date },
): Promise<boolean> {
  const changed = await sql`
    update backfill set is_paused = ${isPaused}, updated_at = ${now}
    where id = ${id} and completed_at is null returning 1`;
  return changed.length > 0;
}

/**
 * End a backfill: what is queued of it is given back with its ids, so that it can be cancelled.
 * Null where it is completed or missing. It stays unpaused, so that a run of it that is cleared
 * later is not held for ever.
 */
export async function completeBackfill(
  sql: Sql,
  { id, now }: { id: number; now: Date },
): Promise<string[] | null> {
  return await sql.begin(async (tx) => {
    const ended = await tx`
      update backfill set completed_at = ${now}, updated_at = ${now}, is_paused = false
      where id = ${id} and completed_at is null returning 1`;
    if (ended.length === 0) return null;
    const queued = await tx<{ id: string }[]>`
      select id from dag_run where backfill_id = ${id} and state = 'queued'`;
    return queued.map((run) => run.id);
  });
}

/** Mark backfills without unfinished runs as completed; how many there were. */
export async function completeFinishedBackfills(
  sql: AnySql,
  { now, settledBefore }: { now: Date; settledBefore: Date },
): Promise<number> {
  const ended = await sql`
    update backfill b set completed_at = ${now}, updated_at = ${now}
    where b.completed_at is null and b.created_at < ${settledBefore} and not exists (
      select from dag_run r where r.backfill_id = b.id and r.state in ('queued', 'running'))
    returning 1`;
  return ended.length;
}
