/** @module Backfills as pages and lists see them: tables backfill, backfill_dag_run. */
import type { BackfillEnd, BackfillException, ReprocessBehavior } from "../model/backfill.ts";
import type { RunState } from "../model/run_state.ts";
import type { AnySql, Sql } from "./database.ts";
import { type Listed, orderBy, type Page, where } from "./page.ts";

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
  /** On their own also where they ran on another version of the product, or another image. */
  force: boolean;
  triggeringUserName: string | null;
  createdAt: Date;
  updatedAt: Date;
  completedAt: Date | null;
  endReason: BackfillEnd | null;
  share: number;
  cascadeId: number | null;
  kind: "dates" | "events";
  /** Nothing of it has begun, and another backfill of its cascade goes on. */
  isWaiting: boolean;
  planned: number;
  /** Dates that have no run yet. */
  pending: number;
  leftOut: Partial<Record<BackfillException, number>>;
  queued: number;
  running: number;
  success: number;
  failed: number;
}

const counted = (sql: Sql) =>
  sql`
  select b.*, c.*, x.*,
    exists (select from backfill_upstream u join backfill up on up.id = u.upstream_id
      where u.backfill_id = b.id and up.completed_at is null)
      and not exists (select from backfill_dag_run e
        where e.backfill_id = b.id and e.dag_run_id is not null) as is_waiting
  from backfill b
  cross join lateral (
    select coalesce(jsonb_object_agg(l.exception_reason, l.dates), '{}') as left_out from (
      select e.exception_reason, count(*) as dates from backfill_dag_run e
      where e.backfill_id = b.id and e.exception_reason is not null group by 1) l) x
  cross join lateral (
    select count(*) as planned,
      count(*) filter (where e.exception_reason is null and e.dag_run_id is null) as pending,
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

/** The backfills of a cascade. */
export async function findBackfillsOf(sql: Sql, cascadeId: number): Promise<BackfillRow[]> {
  return [
    ...await sql<BackfillRow[]>`${counted(sql)} where b.cascade_id = ${cascadeId} order by b.id`,
  ];
}

/** One backfill, or null. */
export async function findBackfill(sql: Sql, id: number): Promise<BackfillRow | null> {
  const [found] = await sql<BackfillRow[]>`${counted(sql)} where b.id = ${id}`;
  return found ?? null;
}

/** A run is about to be deleted: its date has none from then on, and is not to get another. */
export async function forgetRun(sql: AnySql, dagRunId: string): Promise<void> {
  await sql`
    update backfill_dag_run set exception_reason = 'unknown'
    where dag_run_id = ${dagRunId} and exception_reason is null`;
}

/** The run of a date. */
export interface RunOfDate {
  id: string;
  state: RunState;
  logicalDate: Date;
  dagVersionId: string;
  backfillId: number | null;
  productVersion: string | null;
  image: string | null;
}

/** The runs of these dates, by the date's milliseconds: what a backfill has to go by. */
export async function findRunsByDate(
  sql: Sql,
  { dagId, dates }: { dagId: string; dates: readonly Date[] },
): Promise<Map<number, RunOfDate>> {
  const found = await sql<RunOfDate[]>`
    select id, state, logical_date, dag_version_id, backfill_id, product_version, image
    from dag_run
    where dag_id = ${dagId} and logical_date = any(${
    dates.map((date) => date.toISOString())
  }::timestamptz[])`;
  return new Map(found.map((run) => [run.logicalDate.getTime(), run]));
}

/** One date of a backfill with its run as it is now. */
export interface BackfillDateRow {
  /** Null: it is a partition. */
  logicalDate: Date | null;
  partitionKey: string | null;
  sortOrdinal: number;
  exceptionReason: BackfillException | null;
  dagRunId: string | null;
  runId: string | null;
  state: RunState | null;
}

/** A page of a backfill's dates, in the order of their runs. */
export async function listBackfillDates(
  sql: Sql,
  { id, states }: { id: number; states?: readonly string[] },
  page: Pick<Page, "limit" | "offset">,
): Promise<Listed<BackfillDateRow>> {
  const condition = where(sql, [
    sql`e.backfill_id = ${id}`,
    states === undefined ? null : sql`coalesce(e.exception_reason, r.state, 'planned') = any(${[
      ...states,
    ]})`,
  ]);
  const from = sql`from backfill_dag_run e left join dag_run r on r.id = e.dag_run_id ${condition}`;
  const [items, [{ total }]] = await Promise.all([
    sql<BackfillDateRow[]>`
      select e.logical_date, e.partition_key, e.sort_ordinal, e.exception_reason, r.id as dag_run_id, r.run_id, r.state
      ${from} order by e.sort_ordinal limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total ${from}`,
  ]);
  return { items, total };
}

/** What a DAG's newest runs tell of the next ones. */
export interface RunHistory {
  /** Runs that succeeded, as far as they were looked at. */
  runs: number;
  /** Half of them took no longer, in seconds. */
  medianSeconds: number | null;
}

/** Runs looked at for an estimate. */
const HISTORY_RUNS = 50;

/** How long the newest successful runs of a DAG took. */
export async function runHistory(sql: Sql, dagId: string): Promise<RunHistory> {
  const [found] = await sql<RunHistory[]>`
    select count(*) as runs, percentile_cont(0.5) within group (order by seconds) as median_seconds
    from (
      select extract(epoch from r.end_date - r.start_date)::float8 as seconds from dag_run r
      where r.dag_id = ${dagId} and r.state = 'success' and r.start_date is not null
      order by r.run_after desc, r.id desc limit ${HISTORY_RUNS}) newest`;
  return found;
}

/** Requests that tasks of a DAG sent to their sources, as their attempts counted them. */
export interface RequestHistory {
  taskId: string;
  /** Runs in which the task counted its requests. */
  runs: number;
  /** Half of those sent no more, all attempts together. */
  medianRequests: number;
}

/** How many requests the newest successful runs sent, by task. */
export async function requestHistory(
  sql: Sql,
  dagId: string,
  taskIds: readonly string[],
): Promise<RequestHistory[]> {
  return [
    ...await sql<RequestHistory[]>`
      with newest as (
        select r.id from dag_run r where r.dag_id = ${dagId} and r.state = 'success'
        order by r.run_after desc, r.id desc limit ${HISTORY_RUNS}
      ), counted as (
        select t.task_id, t.dag_run_id, sum((a.metrics ->> 'requests')::float8) as requests
        from newest n join task_instance t on t.dag_run_id = n.id
        join attempt a on a.task_instance_id = t.id
        where t.task_id = any(${[...taskIds]}) and a.metrics ? 'requests'
        group by 1, 2
      )
      select task_id, count(*) as runs,
        percentile_cont(0.5) within group (order by requests) as median_requests
      from counted group by 1 order by 1`,
  ];
}

/** Dates of live backfills of a DAG that have no run yet, by their milliseconds. */
export async function findPlannedDates(sql: Sql, dagId: string): Promise<Set<number>> {
  const found = await sql<{ logicalDate: Date }[]>`
    select e.logical_date from backfill b join backfill_dag_run e on e.backfill_id = b.id
    where b.dag_id = ${dagId} and b.completed_at is null and e.logical_date is not null
      and e.dag_run_id is null and e.exception_reason is null`;
  return new Set(found.map((entry) => entry.logicalDate.getTime()));
}
