/** @module Backfills: tables backfill, backfill_dag_run. */
import type { RunState } from "../model/run_state.ts";
import type { AnySql, Sql } from "./database.ts";
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
  /** Runs that run again do so on the DAG's newest version. */
  runOnLatestVersion: boolean;
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
 * Record a backfill with its dates, unless the DAG has one that is not completed: then null. The
 * DAG's row is locked, so that of two at once one is made.
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
    | "runOnLatestVersion"
    | "triggeringUserName"
  >,
  dates: readonly Date[],
  now: Date,
): Promise<number | null> {
  return await sql.begin(async (tx) => {
    await tx`select 1 from dag where dag_id = ${backfill.dagId} for update`;
    const active = await tx`
      select 1 from backfill where dag_id = ${backfill.dagId} and completed_at is null`;
    if (active.length > 0) return null;
    const [{ id }] = await tx<{ id: number }[]>`
      insert into backfill (dag_id, from_date, to_date, dag_run_conf, is_paused,
        reprocess_behavior, max_active_runs, run_backwards, run_on_latest_version,
        triggering_user_name, created_at, updated_at)
      values (${backfill.dagId}, ${backfill.fromDate}, ${backfill.toDate},
        ${JSON.stringify(backfill.dagRunConf)}::text::jsonb, false, ${backfill.reprocessBehavior},
        ${backfill.maxActiveRuns}, ${backfill.runBackwards}, ${backfill.runOnLatestVersion},
        ${backfill.triggeringUserName}, ${now}, ${now})
      returning id`;
    await tx`
      insert into backfill_dag_run (backfill_id, logical_date, sort_ordinal)
      select ${id}, at::timestamptz, ordinal
      from unnest(${dates.map((date) => date.toISOString())}::text[]) with ordinality
        d(at, ordinal)`;
    return id;
  });
}

/** A date of a backfill whose run is not made yet. */
export interface PendingDate {
  entryId: number;
  backfillId: number;
  logicalDate: Date;
  sortOrdinal: number;
}

/** Dates without a run, of one backfill or of all that are under way, in their order. */
export async function findPendingDates(
  sql: Sql,
  { backfillId, limit }: { backfillId?: number; limit: number },
): Promise<PendingDate[]> {
  const only = backfillId === undefined ? sql`` : sql`and b.id = ${backfillId}`;
  return [
    ...await sql<PendingDate[]>`
      select e.id as entry_id, e.backfill_id, e.logical_date, e.sort_ordinal
      from backfill_dag_run e join backfill b on b.id = e.backfill_id
      where b.completed_at is null and e.dag_run_id is null and e.exception_reason is null ${only}
      order by e.backfill_id, e.sort_ordinal limit ${limit}`,
  ];
}

/** Record what became of one date. */
export async function settleDate(
  sql: AnySql,
  { entryId, dagRunId, exceptionReason }: {
    entryId: number;
    dagRunId: string | null;
    exceptionReason: BackfillException | null;
  },
): Promise<void> {
  await sql`
    update backfill_dag_run set dag_run_id = ${dagRunId}, exception_reason = ${exceptionReason}
    where id = ${entryId}`;
}

/** A run is about to be deleted: its date has none from then on, and is not to get another. */
export async function forgetRun(sql: AnySql, dagRunId: string): Promise<void> {
  await sql`
    update backfill_dag_run set exception_reason = 'unknown'
    where dag_run_id = ${dagRunId} and exception_reason is null`;
}

/** Give a run that exists to a backfill; its conf is replaced where one is given. */
export async function adoptRun(
  sql: AnySql,
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

/** The run of a date. */
export interface RunOfDate {
  id: string;
  state: RunState;
  logicalDate: Date;
  dagVersionId: string;
  backfillId: number | null;
}

/** The runs of these dates, by the date's milliseconds: what a backfill has to go by. */
export async function findRunsByDate(
  sql: Sql,
  { dagId, dates }: { dagId: string; dates: readonly Date[] },
): Promise<Map<number, RunOfDate>> {
  const found = await sql<RunOfDate[]>`
    select id, state, logical_date, dag_version_id, backfill_id from dag_run
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

/** Mark backfills all of whose dates are settled and whose runs ended; how many there were. */
export async function completeFinishedBackfills(
  sql: AnySql,
  { now }: { now: Date },
): Promise<number> {
  const ended = await sql`
    update backfill b set completed_at = ${now}, updated_at = ${now}
    where b.completed_at is null
      and not exists (select from backfill_dag_run e
        where e.backfill_id = b.id and e.dag_run_id is null and e.exception_reason is null)
      and not exists (select from dag_run r
        where r.backfill_id = b.id and r.state in ('queued', 'running'))
    returning 1`;
  return ended.length;
}
