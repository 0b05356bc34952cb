/** @module Bulk jobs: tables bulk_job, bulk_item. */
import { limits } from "../base/limits.ts";
import { AppError } from "../model/errors.ts";
import type { Sql, TransactionSql } from "./database.ts";
import { rows } from "./engine_rows.ts";
import { conditionsOf, type RunFilter } from "./dag_run_query.ts";
import { type Listed, matches, oneOf, type Page, where } from "./page.ts";

/** What a job does. */
export const bulkActions = ["trigger", "cancel", "clear", "pause", "unpause"] as const;
/** One of {@link bulkActions}. */
export type BulkAction = (typeof bulkActions)[number];

/** What a run is made from. */
export interface BulkRunPlan {
  runId: string;
  logicalDate: Date | null;
  interval: { start: Date; end: Date } | null;
  runAfter: Date;
  conf: Record<string, unknown>;
  note: string | null;
}

/** DAGs by filter. */
export interface BulkDagFilter {
  dagIds?: readonly string[];
  pattern?: string;
  tags?: readonly string[];
}

/** What a job is about. */
export type BulkTarget =
  | { kind: "plans"; dagId: string; plans: readonly BulkRunPlan[] }
  | { kind: "runs"; filter: RunFilter }
  | { kind: "dags"; filter: BulkDagFilter; isPaused: boolean };

/** A job to make. */
export interface NewBulkJob {
  key: string | null;
  requestHash: string;
  action: BulkAction;
  /** Kept as it was asked, for people to see. */
  request: Record<string, unknown>;
  dagVersionId: string | null;
  triggeringUserName: string;
  target: BulkTarget;
}

/** A job with its items counted. */
export interface BulkJobRow {
  id: number;
  key: string | null;
  requestHash: string;
  action: BulkAction;
  request: Record<string, unknown>;
  triggeringUserName: string | null;
  isCancelled: boolean;
  createdAt: Date;
  updatedAt: Date;
  completedAt: Date | null;
  total: number;
  planned: number;
  done: number;
  refused: number;
  cancelled: number;
}

/** One thing that a job is about. */
export interface BulkItemRow {
  ordinal: number;
  dagId: string;
  runId: string | null;
  state: "planned" | "done" | "refused" | "cancelled";
  reason: string | null;
}

const counted = (sql: Sql) =>
  sql`
  select b.*, c.* from bulk_job b cross join lateral (
    select count(*) as total, count(*) filter (where state = 'planned') as planned,
      count(*) filter (where state = 'done') as done,
      count(*) filter (where state = 'refused') as refused,
      count(*) filter (where state = 'cancelled') as cancelled
    from bulk_item i where i.bulk_id = b.id) c`;

/** Runs or DAGs that a filter means now: how many, and the first of them. */
export async function previewBulk(
  sql: Sql,
  target: Exclude<BulkTarget, { kind: "plans" }>,
): Promise<{ total: number; first: { dagId: string; runId: string | null }[] }> {
  const from = chosen(sql, target);
  const [[{ total }], first] = await Promise.all([
    sql<{ total: number }[]>`select count(*) as total from (${from}) c`,
    sql<{ dagId: string; runId: string | null }[]>`
      select dag_id, run_id from (${from}) c order by run_after, dag_id, run_id limit 100`,
  ]);
  return { total, first };
}

/** Make a job with all of its items. One of its key is given back as it is; CONFLICT if it differs. */
export async function createBulk(sql: Sql, job: NewBulkJob, now: Date): Promise<number> {
  return await sql.begin(async (tx) => {
    const [made] = await tx<{ id: number }[]>`
      insert into bulk_job (key, request_hash, action, request, dag_version_id,
        triggering_user_name, created_at, updated_at)
      values (${job.key}, ${job.requestHash}, ${job.action},
        ${JSON.stringify(job.request)}::text::jsonb, ${job.dagVersionId},
        ${job.triggeringUserName}, ${now}, ${now})
      on conflict (key) do nothing returning id`;
    if (!made) return await knownBulk(tx, job);
    const count = job.target.kind === "plans"
      ? await insertPlans(tx, made.id, job.target)
      : (await tx`
          insert into bulk_item (bulk_id, ordinal, dag_id, run_id, dag_run_id)
          select ${made.id}, row_number() over (order by run_after, dag_id, run_id), dag_id, run_id,
            dag_run_id
          from (${chosen(sql, job.target)}) c`).count;
    if (count > limits.bulkItems) {
      throw new AppError(
        "INVALID",
        `Cannot ${job.action} ${count} at once: ${limits.bulkItems} are the most; narrow the filter`,
      );
    }
    if (count === 0) await tx`update bulk_job set completed_at = ${now} where id = ${made.id}`;
    return made.id;
  });
}

async function knownBulk(tx: TransactionSql, job: NewBulkJob): Promise<number> {
  const [known] = await tx<{ id: number; requestHash: string }[]>`
    select id, request_hash from bulk_job where key = ${job.key}`;
  if (known.requestHash === job.requestHash) return known.id;
  throw new AppError(
    "CONFLICT",
    `Cannot ${job.action} under the key "${job.key}": the bulk job ${known.id} has it, for another ` +
      "request",
    { detail: { id: known.id } },
  );
}

async function insertPlans(
  tx: TransactionSql,
  id: number,
  { dagId, plans }: Extract<BulkTarget, { kind: "plans" }>,
): Promise<number> {
  const given = plans.map((plan, i) => ({ ordinal: i + 1, run: plan.runId, plan }));
  const { count } = await tx`
    insert into bulk_item (bulk_id, ordinal, dag_id, run_id, plan)
    select ${id}, ordinal, ${dagId}, run, plan
    from jsonb_to_recordset(${rows(given)}::text::jsonb) as x(ordinal int, run text, plan jsonb)`;
  return count;
}

/** What a filter means now, as `dag_id, run_id, dag_run_id, run_after`. */
function chosen(sql: Sql, target: Exclude<BulkTarget, { kind: "plans" }>) {
  if (target.kind === "runs") {
    return sql`
      select r.dag_id, r.run_id, r.id as dag_run_id, r.run_after from dag_run r
      ${where(sql, conditionsOf(sql, target.filter))}`;
  }
  const { dagIds, pattern, tags } = target.filter;
  const condition = where(sql, [
    oneOf(sql, sql`d.dag_id`, dagIds),
    matches(sql, sql`d.dag_id`, pattern),
    tags ? sql`(v.spec -> 'tags') ?| ${[...tags]}::text[]` : null,
    sql`d.is_paused <> ${target.isPaused}`,
  ]);
  return sql`
    select d.dag_id, null::text as run_id, null::uuid as dag_run_id, null::timestamptz as run_after
    from dag d join dag_version v on v.id = d.dag_version_id ${condition}`;
}

/** One job, or null. */
export async function findBulk(sql: Sql, id: number): Promise<BulkJobRow | null> {
  const [found] = await sql<BulkJobRow[]>`${counted(sql)} where b.id = ${id}`;
  return found ?? null;
}

/** A page of jobs, newest first. */
export async function listBulk(
  sql: Sql,
  page: Pick<Page, "limit" | "offset">,
): Promise<Listed<BulkJobRow>> {
  const [items, [{ total }]] = await Promise.all([
    sql<BulkJobRow[]>`
      ${counted(sql)} order by b.id desc limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from bulk_job`,
  ]);
  return { items, total };
}

/** A page of a job's items. */
export async function listBulkItems(
  sql: Sql,
  { id, states }: { id: number; states?: readonly string[] },
  page: Pick<Page, "limit" | "offset">,
): Promise<Listed<BulkItemRow>> {
  const condition = where(sql, [sql`bulk_id = ${id}`, oneOf(sql, sql`state`, states)]);
  const [items, [{ total }]] = await Promise.all([
    sql<BulkItemRow[]>`
      select ordinal, dag_id, run_id, state, reason from bulk_item ${condition}
      order by ordinal limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from bulk_item ${condition}`,
  ]);
  return { items, total };
}

/** Do no more of a job; what is done stays. False where it is over or missing. */
export async function cancelBulk(sql: Sql, id: number, now: Date): Promise<boolean> {
  return await sql.begin(async (tx) => {
    const ended = await tx`
      update bulk_job set completed_at = ${now}, updated_at = ${now}, is_cancelled = true
      where id = ${id} and completed_at is null returning 1`;
    if (ended.length === 0) return false;
    await tx`
      update bulk_item set state = 'cancelled' where bulk_id = ${id} and state = 'planned'`;
    return true;
  });
}
