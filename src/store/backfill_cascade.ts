/**
 * @module Cascades on PostgreSQL: a backfill and those of the DAGs that read what it publishes. Each
 * waits for those above it; what is below a failure stops.
 */
import type { Sql } from "postgres";
import type { NewBackfill, PlannedDate } from "./backfill_port.ts";
import { insertBackfill } from "./backfill_write.ts";
import { retryTransaction } from "./retry.ts";

/** One backfill of a cascade to make. */
export interface NewCascadeNode {
  backfill: NewBackfill;
  kind: "dates" | "events";
  dates: readonly PlannedDate[];
  /** Places in the list of those that it waits for, and the datasets that come from each. */
  upstream: readonly { index: number; datasets: readonly string[] }[];
}

/** Make all of them, each after those that it waits for; their ids in the same order. */
export async function createCascade(
  sql: Sql,
  nodes: readonly NewCascadeNode[],
  now: Date,
): Promise<string[]> {
  return await retryTransaction(() =>
    sql.begin(async (tx) => {
      const ids: string[] = [];
      for (const { backfill, dates, kind, upstream } of nodes) {
        const id = await insertBackfill(tx, backfill, dates, now);
        ids.push(id);
        await tx`update backfill set cascade_id = ${ids[0]}, kind = ${kind} where id = ${id}`;
        for (const { index, datasets } of upstream) {
          await tx`
            insert into backfill_upstream (backfill_id, upstream_id, datasets)
            values (${id}, ${ids[index]}, ${[...datasets]})`;
        }
      }
      return ids;
    })
  );
}

/** Has a run of a backfill `up` failed? A condition of a query. */
export function hasFailed(sql: Sql) {
  return sql`
    exists (
      select from backfill_dag_run e join dag_run r on r.id = e.dag_run_id
      where e.backfill_id = up.id and e.exception_reason is null and r.state = 'failed'
      union all
      select from backfill_event_run e join dag_run r on r.id = e.dag_run_id
      where e.backfill_id = up.id and r.state = 'failed')`;
}

/** Bring cascades one step on: what stops, what events have started, and what is done. */
export async function stepCascades(sql: Sql, now: Date): Promise<void> {
  const live = await sql`
    select 1 from backfill where cascade_id is not null and completed_at is null limit 1`;
  if (live.length === 0) return;
  while (await stopBelow(sql, now) > 0);
  await takeEventRuns(sql);
  await completeEvents(sql, now);
}

/** Stop what waits for a backfill that was cancelled, or of which a run failed. */
async function stopBelow(sql: Sql, now: Date): Promise<number> {
  const stopped = await sql`
    with stopped as (
      update backfill b set completed_at = ${now}, updated_at = ${now}, is_paused = false,
        end_reason = 'upstream_failed'
      where b.completed_at is null and exists (
        select from backfill_upstream u join backfill up on up.id = u.upstream_id
        where u.backfill_id = b.id and up.completed_at is not null
          and (up.end_reason <> 'completed' or ${hasFailed(sql)}))
      returning b.id
    ), dates as (
      update backfill_dag_run e set exception_reason = 'upstream failed' from stopped
      where e.backfill_id = stopped.id and e.dag_run_id is null and e.exception_reason is null
    )
    select id from stopped`;
  return stopped.length;
}

/** Events of what a backfill's runs, or those that its events started, have published since. */
const publishedBy = (sql: Sql) =>
  sql`
  select b.id as backfill_id, b.dag_id, e.id as event_id
  from backfill b
  join backfill_upstream u on u.backfill_id = b.id
  join backfill up on up.id = u.upstream_id
  join lateral (
    select r.id from dag_run r where up.kind = 'dates' and r.backfill_id = up.id
    union all
    select x.dag_run_id from backfill_event_run x where up.kind = 'events' and x.backfill_id = up.id
  ) r on true
  join dataset_version v on v.dag_run_id = r.id
  join asset_event e on e.dataset_version_id = v.id and e.created_at >= up.created_at
  where b.kind = 'events' and b.completed_at is null`;

/** Runs that took one of those events belong to the backfill that waits for them. */
async function takeEventRuns(sql: Sql): Promise<void> {
  await sql`
    with published as (${publishedBy(sql)})
    insert into backfill_event_run (backfill_id, dag_run_id)
    select distinct p.backfill_id, c.dag_run_id
    from published p
    join dag_run_asset_event c on c.asset_event_id = p.event_id and c.dag_id = p.dag_id
    on conflict do nothing`;
}

/** One whose upstreams are done is done when none of their events waits, and no run of them is open. */
async function completeEvents(sql: Sql, now: Date): Promise<void> {
  await sql`
    with published as (${publishedBy(sql)})
    update backfill b set completed_at = ${now}, updated_at = ${now}, end_reason = 'completed'
    where b.kind = 'events' and b.completed_at is null
      and not exists (select from backfill_upstream u join backfill up on up.id = u.upstream_id
        where u.backfill_id = b.id and up.completed_at is null)
      and not exists (select from published p join dataset_queue q
        on q.asset_event_id = p.event_id and q.dag_id = p.dag_id where p.backfill_id = b.id)
      and not exists (select from published p
        join dag_run_asset_event c on c.asset_event_id = p.event_id and c.dag_id = p.dag_id
        join dag_run r on r.id = c.dag_run_id
        where p.backfill_id = b.id and r.state in ('queued', 'running'))`;
}

/** One backfill of a cascade as people see it. */
export interface CascadeRow {
  id: number;
  upstream: { id: number; datasets: string[] }[];
  /** Of one that events start: its runs by state. */
  eventRuns: Partial<Record<string, number>>;
}

/** The backfills of a cascade, each after those that it waits for. */
export async function findCascade(sql: Sql, cascadeId: number): Promise<CascadeRow[]> {
  return [
    ...await sql<CascadeRow[]>`
      select b.id, (
        select coalesce(jsonb_agg(jsonb_build_object('id', u.upstream_id, 'datasets', u.datasets)
          order by u.upstream_id), '[]')
        from backfill_upstream u where u.backfill_id = b.id) as upstream, (
        select coalesce(jsonb_object_agg(s.state, s.runs), '{}') from (
          select r.state, count(*) as runs from backfill_event_run x
          join dag_run r on r.id = x.dag_run_id where x.backfill_id = b.id group by 1) s
        ) as event_runs
      from backfill b where b.cascade_id = ${cascadeId} order by b.id`,
  ];
}
