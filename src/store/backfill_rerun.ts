/** @module Running again what failed of a backfill, or of a whole cascade, on PostgreSQL. */
import type { Sql, TransactionSql } from "postgres";
import { isOtherProduct, type Product, type RanOn } from "../model/product.ts";
import { clearRuns } from "./clear_runs.ts";

/** How what failed runs again. */
export interface Rerun {
  /** As it was, also what ran on another product. */
  force?: boolean;
  product?: Product;
}

/**
 * Plan anew what failed or was cancelled, of this backfill or of all of the cascade that it is the
 * first of; what was left out below it is waited for again. How many; null where it is missing.
 */
export async function rerunFailed(
  sql: Sql,
  id: string,
  now: Date,
  { force = false, product }: Rerun = {},
): Promise<number | null> {
  return await sql.begin(async (tx) => {
    const found = await tx<{ id: string }[]>`
      select id::text from backfill where id = ${id} or cascade_id = ${id}
      order by id for no key update`;
    if (found.length === 0) return null;
    const ids = found.map((one) => one.id);
    const planned = await tx<{ id: string }[]>`
      update backfill_dag_run e set dag_run_id = null, exception_reason = null,
        is_rerun = is_rerun or exception_reason is null
      where e.backfill_id = any(${ids}::text[]::bigint[]) and (
        e.exception_reason in ('cancelled', 'upstream failed')
        or ${force} and e.exception_reason = 'other product'
        or e.exception_reason is null and exists (
          select from dag_run r
          where r.id = e.dag_run_id and r.backfill_id = e.backfill_id and r.state = 'failed'))
      returning e.backfill_id::text as id`;
    const started = await clearStarted(tx, ids, { force, product }, now);
    const changed = [...planned, ...started];
    if (changed.length === 0) return 0;
    const reopened = await reopen(tx, [...new Set(changed.map((one) => one.id))], force, now);
    await tx`
      update backfill_dag_run e set exception_reason = null
      where e.backfill_id = any(${reopened}::text[]::bigint[])
        and e.exception_reason = 'upstream failed'`;
    return changed.length;
  });
}

/** Runs that datasets started run again themselves: an event starts one run of a DAG. */
async function clearStarted(
  tx: TransactionSql,
  ids: readonly string[],
  { force, product }: Rerun,
  now: Date,
): Promise<{ id: string }[]> {
  const failed = await tx<({ id: string; run: string; onLatest: boolean } & RanOn)[]>`
    select e.backfill_id::text as id, r.id as run, b.run_on_latest_version as "onLatest",
      r.product_version as "productVersion", r.image
    from backfill b join backfill_dag_run e on e.backfill_id = b.id
    join dag_run r on r.id = e.dag_run_id
    where b.id = any(${[...ids]}::text[]::bigint[]) and b.kind = 'events' and r.state = 'failed'
    order by r.id for no key update of r skip locked`;
  const wanted = failed.filter((one) =>
    one.onLatest || force || product === undefined || !isOtherProduct(one, product)
  );
  for (const onLatest of [true, false]) {
    const runs = wanted.filter((one) => one.onLatest === onLatest).map((one) => one.run);
    await clearRuns(tx, runs, { onLatest, onlyFailed: true }, now);
  }
  return wanted;
}

/** These go on, and all that is below them. */
async function reopen(
  tx: TransactionSql,
  ids: readonly string[],
  force: boolean,
  now: Date,
): Promise<string[]> {
  const reopened = await tx<{ id: string }[]>`
    with recursive below as (
      select b.id from backfill b where b.id = any(${[...ids]}::text[]::bigint[])
      union select u.backfill_id from backfill_upstream u join below on u.upstream_id = below.id
    )
    update backfill b set completed_at = null, end_reason = null, updated_at = ${now},
      is_paused = b.is_paused and not b.id = any(${[...ids]}::text[]::bigint[]),
      force = b.force or ${force} and b.id = any(${[...ids]}::text[]::bigint[])
    from below
    where b.id = below.id and b.end_reason is distinct from 'cancelled'
      or b.id = below.id and b.id = any(${[...ids]}::text[]::bigint[])
    returning b.id::text`;
  return reopened.map((one) => one.id);
}
