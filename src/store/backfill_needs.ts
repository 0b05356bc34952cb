/**
 * @module What dates and partitions of a cascade wait for, as conditions of queries on an entry `e` of
 * backfill_dag_run.
 *
 * One that it needs is bad when its run failed, or it is left out for a failure above it or a cancel;
 * it is open until its run has ended. Whatever else it is left out for does not hold anything up.
 */
import type { Sql, TransactionSql } from "postgres";

/** Something that it needs is bad. */
export function hasBadNeed(sql: Sql | TransactionSql) {
  return sql`
    exists (select ${needs(sql)} and (u.exception_reason in ('upstream failed', 'cancelled')
      or coalesce(u.exception_reason, 'in flight') = 'in flight' and r.state = 'failed'))`;
}

/** Something that it needs has not come to its end. */
export function hasOpenNeed(sql: Sql | TransactionSql) {
  return sql`
    exists (select ${needs(sql)} and (u.exception_reason is null and r.id is null
      or coalesce(u.exception_reason, 'in flight') = 'in flight'
        and r.state in ('queued', 'running')))`;
}

function needs(sql: Sql | TransactionSql) {
  return sql`
    from backfill_need n join backfill_dag_run u on u.id = n.upstream_entry_id
    left join dag_run r on r.id = u.dag_run_id
    where n.entry_id = e.id`;
}
