/**
 * @module Cascades on PostgreSQL: a backfill and those of the DAGs that read what it publishes. Each date
 * waits for those above that it needs; what needs one that failed is left out.
 */
import type { Sql, TransactionSql } from "postgres";
import type { NewBackfill, PlannedDate } from "./backfill_port.ts";
import { dropStale, stepEvents } from "./backfill_events.ts";
import { hasBadNeed } from "./backfill_needs.ts";
import { insertBackfill } from "./backfill_write.ts";
import type { HintBus } from "./hints.ts";
import { retryTransaction } from "./retry.ts";

/** One backfill of a cascade to make. */
export interface NewCascadeNode {
  backfill: NewBackfill;
  kind: "dates" | "events";
  dates: readonly PlannedDate[];
  /** Of `events`: partitions that the DAG is started for, "" where it goes by none. */
  partitions: readonly string[];
  /** Places in the list of those above it, and the datasets that come from each. */
  upstream: readonly { index: number; datasets: readonly string[] }[];
  needs: readonly CascadeNeed[];
}

/** One of a backfill's dates (as ISO 8601) or partitions, and one above that it waits for. */
export interface CascadeNeed {
  unit: string;
  upstream: { index: number; unit: string };
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
      const entries: Map<string, string>[] = [];
      for (const { backfill, dates, partitions, kind, upstream, needs } of nodes) {
        const id = await insertBackfill(tx, backfill, dates, now);
        ids.push(id);
        await tx`update backfill set cascade_id = ${ids[0]}, kind = ${kind} where id = ${id}`;
        await insertPartitions(tx, id, partitions);
        for (const { index, datasets } of upstream) {
          await tx`
            insert into backfill_upstream (backfill_id, upstream_id, datasets)
            values (${id}, ${ids[index]}, ${[...datasets]})`;
        }
        entries.push(await entriesOf(tx, id));
        await insertNeeds(tx, entries, needs);
      }
      return ids;
    })
  );
}

async function insertPartitions(tx: TransactionSql, id: string, partitions: readonly string[]) {
  if (partitions.length === 0) return;
  await tx`
    insert into backfill_dag_run (backfill_id, partition_key, sort_ordinal)
    select ${id}, p.key, p.ordinal
    from unnest(${[...partitions]}::text[]) with ordinality p(key, ordinal)`;
}

/** Date or partition → its entry. */
async function entriesOf(tx: TransactionSql, id: string): Promise<Map<string, string>> {
  const found = await tx<{ id: string; date: Date | null; partition: string | null }[]>`
    select id::text, logical_date as date, partition_key as partition from backfill_dag_run
    where backfill_id = ${id}`;
  return new Map(found.map(({ id, date, partition }) => [date?.toISOString() ?? partition!, id]));
}

/** Needs written by one statement. */
const NEEDS_A_STATEMENT = 20_000;

/** The last of these backfills' entries wait for those of the others. */
async function insertNeeds(
  tx: TransactionSql,
  entries: readonly Map<string, string>[],
  needs: readonly CascadeNeed[],
) {
  const pairs = needs.flatMap(({ unit, upstream }) => {
    const entry = entries.at(-1)!.get(unit);
    const above = entries[upstream.index].get(upstream.unit);
    return entry !== undefined && above !== undefined ? [[entry, above]] : [];
  });
  for (let at = 0; at < pairs.length; at += NEEDS_A_STATEMENT) {
    const chunk = pairs.slice(at, at + NEEDS_A_STATEMENT);
    await tx`
      insert into backfill_need (entry_id, upstream_entry_id)
      select * from unnest(
        ${chunk.map(([entry]) => entry)}::text[]::bigint[],
        ${chunk.map(([, above]) => above)}::text[]::bigint[])
      on conflict do nothing`;
  }
}

/** Bring cascades one step on: what is left out, what events start, and what is done. */
export async function stepCascades(
  { sql, hints }: { sql: Sql; hints: HintBus },
  now: Date,
): Promise<void> {
  const dags = await dropStale(sql, now);
  const live = await sql<{ id: string; kind: string }[]>`
    select id::text, kind from backfill
    where cascade_id is not null and completed_at is null order by id`;
  if (live.length > 0) {
    while (await leaveOut(sql) > 0);
    for (const { id, kind } of live) {
      if (kind === "events") dags.push(...await retryTransaction(() => stepEvents(sql, id, now)));
    }
    while (await leaveOut(sql) > 0);
  }
  if (dags.length > 0) hints.publish({ topic: "dags", ids: [...new Set(dags)] });
}

/**
 * Leave out what needs one that failed. A DAG without partitions takes whatever was published, so a
 * failure above does not keep it.
 */
async function leaveOut(sql: Sql): Promise<number> {
  const left = await sql`
    update backfill_dag_run e set exception_reason = 'upstream failed' from backfill b
    where b.id = e.backfill_id and b.cascade_id is not null and b.completed_at is null
      and e.dag_run_id is null and e.exception_reason is null
      and e.partition_key is distinct from '' and ${hasBadNeed(sql)}`;
  return left.count;
}

/** One backfill of a cascade as people see it. */
export interface CascadeRow {
  id: number;
  upstream: { id: number; datasets: string[] }[];
}

/** The backfills of a cascade, each after those that it waits for. */
export async function findCascade(sql: Sql, cascadeId: number): Promise<CascadeRow[]> {
  return [
    ...await sql<CascadeRow[]>`
      select b.id, (
        select coalesce(jsonb_agg(jsonb_build_object('id', u.upstream_id, 'datasets', u.datasets)
          order by u.upstream_id), '[]')
        from backfill_upstream u where u.backfill_id = b.id) as upstream
      from backfill b where b.cascade_id = ${cascadeId} order by b.id`,
  ];
}
