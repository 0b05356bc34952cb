/** @module Pools, and what takes their slots: table pool. */
import { AppError } from "../model/errors.ts";
import type { PoolClosings } from "../model/schedule_spec.ts";
import type { AnySql, Sql } from "./database.ts";
import { type Listed, matches, orderBy, type Page, startsWith, where } from "./page.ts";

/** A pool with its use. */
export interface PoolRow {
  name: string;
  slots: number;
  description: string;
  includeDeferred: boolean;
  closings: PoolClosings | null;
  runningSlots: number;
  queuedSlots: number;
  scheduledSlots: number;
  deferredSlots: number;
}

/** Fields that a list may be ordered by. */
export const poolOrders = ["id", "name", "pool", "slots"] as const;

/**
 * What unfinished runs take of each pool. Scheduled instances have no pool on record yet, so they
 * are counted by what their last attempt had, or not at all.
 */
const usage = (sql: Sql) =>
  sql`
  select t.pool, sum(t.pool_slots) filter (where t.state in ('running', 'cancelling')) as running,
    sum(t.pool_slots) filter (where t.state = 'queued') as queued,
    sum(t.pool_slots) filter (where t.state = 'scheduled') as scheduled,
    sum(t.pool_slots) filter (where t.state = 'deferred') as deferred
  from dag_run r join task_instance t on t.dag_run_id = r.id
  where r.state in ('queued', 'running')
    and t.state in ('running', 'cancelling', 'queued', 'scheduled', 'deferred')
  group by t.pool`;

const columns = (sql: Sql) =>
  sql`
  p.name, p.slots, p.description, p.include_deferred, p.closings,
  coalesce(u.running, 0) as running_slots, coalesce(u.queued, 0) as queued_slots,
  coalesce(u.scheduled, 0) as scheduled_slots, coalesce(u.deferred, 0) as deferred_slots`;

/** A page of pools. */
export async function listPools(
  sql: Sql,
  { pattern, prefix }: { pattern?: string; prefix?: string },
  page: Page,
): Promise<Listed<PoolRow>> {
  const condition = where(sql, [
    matches(sql, sql`p.name`, pattern),
    startsWith(sql, sql`p.name`, prefix),
  ]);
  const order = orderBy(sql, page.orderBy, {
    id: sql`p.name`,
    name: sql`p.name`,
    pool: sql`p.name`,
    slots: sql`p.slots`,
  }, sql`p.name`);
  const found = await sql<(PoolRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total
    from pool p left join (${usage(sql)}) u on u.pool = p.name
    ${condition} ${order} limit ${page.limit} offset ${page.offset}`;
  return { items: [...found], total: found[0]?.total ?? 0 };
}

/** One pool; throws NOT_FOUND. */
export async function findPool(sql: Sql, name: string): Promise<PoolRow> {
  const [pool] = await sql<PoolRow[]>`
    select ${columns(sql)} from pool p left join (${usage(sql)}) u on u.pool = p.name
    where p.name = ${name}`;
  if (pool) return pool;
  throw new AppError("NOT_FOUND", `Cannot find the pool "${name}"`);
}

/** Make a pool; throws CONFLICT where its name is taken. */
export async function createPool(
  sql: AnySql,
  pool: Pick<PoolRow, "name" | "slots" | "description" | "includeDeferred" | "closings">,
): Promise<void> {
  const { name, slots, description, includeDeferred, closings } = pool;
  const made = await sql`
    insert into pool (name, slots, description, include_deferred, closings)
    values (${name}, ${slots}, ${description}, ${includeDeferred},
      ${closings && JSON.stringify(closings)}::text::jsonb)
    on conflict (name) do nothing returning 1`;
  if (made.length > 0) return;
  throw new AppError(
    "CONFLICT",
    `Cannot create the pool "${pool.name}": there is one of that name`,
  );
}

/** Change what is given; throws NOT_FOUND. */
export async function updatePool(
  sql: AnySql,
  name: string,
  changes: {
    slots?: number | null;
    description?: string | null;
    includeDeferred?: boolean | null;
    /** Left out: as they are. */
    closings?: PoolClosings | null;
  },
): Promise<void> {
  const { closings } = changes;
  const changed = await sql`
    update pool set slots = coalesce(${changes.slots ?? null}::int, slots),
      description = coalesce(${changes.description ?? null}, description),
      include_deferred = coalesce(${changes.includeDeferred ?? null}::boolean, include_deferred),
      closings = case when ${closings === undefined} then closings
        else ${closings ? JSON.stringify(closings) : null}::text::jsonb end
    where name = ${name} returning 1`;
  if (changed.length > 0) return;
  throw new AppError("NOT_FOUND", `Cannot change the pool "${name}": there is none of that name`);
}

/** Remove a pool; throws NOT_FOUND, and INVALID for the default pool. */
export async function deletePool(sql: AnySql, name: string): Promise<void> {
  if (name === "default_pool") {
    throw new AppError(
      "INVALID",
      'Cannot delete the pool "default_pool": tasks that name none use it',
    );
  }
  const gone = await sql`delete from pool where name = ${name} returning 1`;
  if (gone.length > 0) return;
  throw new AppError("NOT_FOUND", `Cannot delete the pool "${name}": there is none of that name`);
}
