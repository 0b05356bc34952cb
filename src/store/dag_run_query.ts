/** @module DAG runs as pages and lists see them: table dag_run. */
import { AppError } from "../model/errors.ts";
import type { DagRun } from "../model/rows.ts";
import type { AnySql, Sql } from "./database.ts";
import { missedDeadlines } from "./deadline_query.ts";
import {
  type Bounds,
  type Fragment,
  type Listed,
  matches,
  oneOf,
  orderBy,
  type Page,
  startsWith,
  where,
  within,
} from "./page.ts";

/** A run with what only people care for. */
export interface DagRunRow extends Omit<DagRun, "backfillId"> {
  backfillId: number | null;
  triggeredBy: string;
  triggeringUserName: string | null;
  note: string | null;
  clearNumber: number;
  versionNumber: number;
  versionCreatedAt: Date;
  bundleHash: string;
  /** Deadlines that it missed. */
  missedDeadlines: number;
  /** What it ran on when it last started; null: it has not, or that was not noted. */
  productVersion: string | null;
  image: string | null;
}

/** Filters of {@link listRuns}. */
export interface RunFilter {
  /** null: of all DAGs. */
  dagIds: readonly string[] | null;
  states?: readonly string[] | null;
  runTypes?: readonly string[] | null;
  versionNumbers?: readonly number[] | null;
  bundleVersion?: string;
  runId?: { pattern?: string; prefix?: string };
  dagId?: { pattern?: string; prefix?: string };
  userName?: { pattern?: string; prefix?: string };
  runAfter?: Bounds;
  logicalDate?: Bounds;
  startDate?: Bounds;
  endDate?: Bounds;
}

const columns = (sql: Sql) =>
  sql`
  r.id, r.dag_id, r.run_id, r.run_type, r.state, r.partition_key, r.logical_date, r.data_interval_start,
  r.data_interval_end, r.run_after, r.queued_at, r.start_date, r.end_date, r.conf,
  r.dag_version_id, r.backfill_id, r.cancel_requested_at, r.trace_parent, r.triggered_by,
  r.triggering_user_name, r.note, r.clear_number, r.product_version, r.image,
  ${
    missedDeadlines(sql)
  } as missed_deadlines, v.version_number, v.created_at as version_created_at, v.bundle_hash`;

/** Fields that a list may be ordered by. */
export const runOrders = [
  "id",
  "dag_id",
  "dag_run_id",
  "run_id",
  "state",
  "run_type",
  "run_after",
  "logical_date",
  "start_date",
  "end_date",
  "queued_at",
  "data_interval_start",
  "data_interval_end",
  "duration",
  "conf",
] as const;

/** A page of runs. */
export async function listRuns(
  sql: Sql,
  filter: RunFilter,
  page: Page,
): Promise<Listed<DagRunRow>> {
  const needsVersion = filter.versionNumbers || filter.bundleVersion !== undefined;
  const join = needsVersion ? sql`join dag_version v on v.id = r.dag_version_id` : sql``;
  const condition = where(sql, conditionsOf(sql, filter));
  const order = orderBy(sql, page.orderBy, {
    id: sql`r.id`,
    dag_id: sql`r.dag_id`,
    dag_run_id: sql`r.run_id`,
    run_id: sql`r.run_id`,
    state: sql`r.state`,
    run_type: sql`r.run_type`,
    run_after: sql`r.run_after`,
    logical_date: { nullable: sql`r.logical_date` },
    start_date: { nullable: sql`r.start_date` },
    end_date: { nullable: sql`r.end_date` },
    queued_at: sql`r.queued_at`,
    data_interval_start: { nullable: sql`r.data_interval_start` },
    data_interval_end: { nullable: sql`r.data_interval_end` },
    duration: { nullable: sql`r.end_date - r.start_date` },
    conf: sql`r.conf`,
  }, page.orderBy[0]?.startsWith("-") ? sql`r.id desc` : sql`r.id`);
  const [items, [{ total }]] = await Promise.all([
    sql<DagRunRow[]>`
      select ${columns(sql)} from (
        select r.id from dag_run r ${join} ${condition} ${order}
        limit ${page.limit} offset ${page.offset}) page
      join dag_run r on r.id = page.id join dag_version v on v.id = r.dag_version_id ${order}`,
    sql<{ total: number }[]>`select count(*) as total from dag_run r ${join} ${condition}`,
  ]);
  return { items, total };
}

/** Conditions on `dag_run r`; those on versions are on `dag_version v`. */
export function conditionsOf(sql: Sql, filter: RunFilter): (Fragment | null)[] {
  return [
    oneOf(sql, sql`r.dag_id`, filter.dagIds),
    oneOf(sql, sql`r.state`, filter.states),
    oneOf(sql, sql`r.run_type`, filter.runTypes),
    filter.versionNumbers ? sql`v.version_number = any(${[...filter.versionNumbers]})` : null,
    filter.bundleVersion === undefined ? null : sql`v.bundle_hash = ${filter.bundleVersion}`,
    ...textConditions(sql, sql`r.run_id`, filter.runId),
    ...textConditions(sql, sql`r.dag_id`, filter.dagId),
    ...textConditions(sql, sql`r.triggering_user_name`, filter.userName),
    ...within(sql, sql`r.run_after`, filter.runAfter),
    ...within(sql, sql`r.logical_date`, filter.logicalDate),
    ...within(sql, sql`r.start_date`, filter.startDate),
    ...within(sql, sql`r.end_date`, filter.endDate),
  ];
}

function textConditions(
  sql: Sql,
  column: Fragment,
  text: { pattern?: string; prefix?: string } | undefined,
) {
  return text ? [matches(sql, column, text.pattern), startsWith(sql, column, text.prefix)] : [];
}

/** One run by its DAG and name, or null. */
export async function findRun(
  sql: Sql,
  { dagId, runId }: { dagId: string; runId: string },
): Promise<DagRunRow | null> {
  const [run] = await sql<DagRunRow[]>`
    select ${columns(sql)} from dag_run r join dag_version v on v.id = r.dag_version_id
    where r.dag_id = ${dagId} and r.run_id = ${runId}`;
  return run ?? null;
}

/** One run by its own id, or null. */
export async function findRunById(sql: Sql, id: string): Promise<DagRunRow | null> {
  const [run] = await sql<DagRunRow[]>`
    select ${columns(sql)} from dag_run r join dag_version v on v.id = r.dag_version_id
    where r.id = ${id}`;
  return run ?? null;
}

/** What people say of a run: a note, and who started it. */
export async function annotateRun(
  sql: AnySql,
  { id, note, userName }: { id: string; note?: string | null; userName?: string },
): Promise<void> {
  await sql`
    update dag_run set
      note = case when ${note !== undefined} then ${note ?? null} else note end,
      triggering_user_name = coalesce(${userName ?? null}, triggering_user_name)
    where id = ${id}`;
}

/**
 * Remove a finished run with all that belongs to it. Throws CONFLICT where it is not finished, and
 * where it published: its attempts and refused rows say where a version came from.
 */
export async function deleteRun(
  sql: AnySql,
  { id, runId }: { id: string; runId: string },
): Promise<void> {
  const gone = await sql`
    delete from dag_run r where r.id = ${id} and r.state in ('success', 'failed')
      and not exists (select from dataset_version v where v.dag_run_id = r.id) returning 1`;
  if (gone.length > 0) return;
  const [run] = await sql<{ state: string; published: string | null }[]>`
    select r.state, (
      select v.dataset || '[' || v.partition || '] version ' || v.version from dataset_version v
      where v.dag_run_id = r.id order by v.known_at desc limit 1) as published
    from dag_run r where r.id = ${id}`;
  if (!run) return;
  const isOver = run.state === "success" || run.state === "failed";
  throw new AppError(
    "CONFLICT",
    `Cannot delete run "${runId}": ` +
      (isOver
        ? `it published ${run.published}, whose lineage and refused rows go with it`
        : `it is ${run.state}; cancel it and wait for its end first`),
  );
}

/** Runs of the DAG with a logical date in these bounds, oldest first. */
export async function findRunsBetween(
  sql: Sql,
  { dagId, logicalDate, limit }: { dagId: string; logicalDate: Bounds; limit: number },
): Promise<DagRunRow[]> {
  const condition = where(sql, [
    sql`r.dag_id = ${dagId}`,
    ...within(sql, sql`r.logical_date`, logicalDate),
  ]);
  return [
    ...await sql<DagRunRow[]>`
      select ${columns(sql)} from dag_run r join dag_version v on v.id = r.dag_version_id
      ${condition} order by r.logical_date nulls last, r.id limit ${limit}`,
  ];
}
