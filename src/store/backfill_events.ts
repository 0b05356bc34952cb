/**
 * @module DAGs of a cascade that datasets start: events of the cascade's runs are kept from them, by
 * partition, until all that a partition needs is done; then they start its run by the DAG's own schedule.
 */
import type { Sql, TransactionSql } from "postgres";
import type { DagSpec } from "../model/dag_spec.ts";
import type { DatasetsSpec } from "../model/schedule_spec.ts";
import {
  isMet,
  partitionFor,
  partitionQuestions,
  partitionStates,
  type PendingPartition,
} from "../timetable/mod.ts";
import { hasBadNeed, hasOpenNeed } from "./backfill_needs.ts";
import { findPartitions } from "./engine_events.ts";
import { rows } from "./engine_rows.ts";

interface Node {
  id: string;
  dagId: string;
  isPaused: boolean;
  spec: Pick<DagSpec, "schedule">;
}

/** One step of one of them; the DAG where it has new events to look at. */
export async function stepEvents(sql: Sql, id: string, now: Date): Promise<string[]> {
  return await sql.begin(async (tx) => {
    const [node] = await tx<Node[]>`
      select b.id::text, b.dag_id as "dagId", d.is_paused as "isPaused", v.spec - 'tasks' as spec
      from backfill b join dag d on d.dag_id = b.dag_id
      join dag_version v on v.id = d.dag_version_id
      where b.id = ${id} and b.completed_at is null and not b.is_paused
      for no key update of b skip locked`;
    if (!node) return [];
    const { schedule } = node.spec;
    // An edit has changed what it goes by: it goes on by itself.
    if (schedule.kind !== "datasets") return await endNode(tx, node, now);
    await assign(tx, node, schedule);
    const released = await release(tx, node, now);
    await follow(tx, node);
    await leaveWaiting(tx, node, schedule, now);
    await complete(tx, node, now);
    return released > 0 ? [node.dagId] : [];
  });
}

/** Give new events the partitions that they are for. */
async function assign(tx: TransactionSql, { id }: Node, { partition: by }: DatasetsSpec) {
  const found = await tx<{ event: string; partition: string }[]>`
    select e.asset_event_id as event, coalesce(a.partition, '') as partition
    from backfill_event e join asset_event a on a.id = e.asset_event_id
    where e.backfill_id = ${id} and e.entry_id is null and e.released_at is null`;
  if (found.length === 0) return;
  // One of no partition that the DAG knows waits for nothing: it is as "" is.
  const given = found.map(({ event, partition }) => ({
    event,
    key: (by ? partitionFor(by, partition) : "") ?? "",
  }));
  await tx`
    with given as (
      select * from jsonb_to_recordset(${rows(given)}::text::jsonb) as g(event uuid, key text)
    ), entries as (
      insert into backfill_dag_run (backfill_id, partition_key, sort_ordinal)
      select ${id}, key, (select coalesce(max(sort_ordinal), 0) from backfill_dag_run
          where backfill_id = ${id}) + row_number() over (order by key)
      from (select distinct key from given) k
      on conflict (backfill_id, partition_key) where partition_key is not null do update set
        dag_run_id = null, exception_reason = case
          when backfill_dag_run.exception_reason in ('upstream failed', 'cancelled')
          then backfill_dag_run.exception_reason end
      returning id, partition_key
    )
    update backfill_event e set entry_id = n.id
    from given g join entries n on n.partition_key = g.key
    where e.backfill_id = ${id} and e.asset_event_id = g.event`;
}

/** Let the events of partitions start runs that have all that they need; how many. */
async function release(tx: TransactionSql, { id, dagId }: Node, now: Date): Promise<number> {
  const due = await tx<{ id: string }[]>`
    select e.id::text from backfill_dag_run e
    where e.backfill_id = ${id} and e.dag_run_id is null and e.exception_reason is null
      and not ${hasOpenNeed(tx)} and (e.partition_key = '' or not ${hasBadNeed(tx)})`;
  if (due.length === 0) return 0;
  const ids = due.map((entry) => entry.id);
  await tx`
    update backfill_dag_run e set exception_reason =
      case when ${hasBadNeed(tx)} then 'upstream failed' else 'nothing published' end
    where e.id = any(${ids}::text[]::bigint[])
      and not exists (select from backfill_event x where x.entry_id = e.id)`;
  const { count } = await tx`
    with released as (
      update backfill_event set released_at = ${now}
      where entry_id = any(${ids}::text[]::bigint[]) and released_at is null
      returning asset_event_id
    )
    ${queueReleased(tx, tx`select ${dagId} as dag_id, asset_event_id from released`)}`;
  return count;
}

function queueReleased(tx: TransactionSql, released: ReturnType<TransactionSql>) {
  return tx`
    insert into dataset_queue (dag_id, asset_event_id, dataset, partition)
    select x.dag_id, a.id, a.dataset, coalesce(a.partition, '')
    from (${released}) x join asset_event a on a.id = x.asset_event_id
    where not exists (select from dag_run_asset_event t
      where t.dag_id = x.dag_id and t.asset_event_id = x.asset_event_id)
    order by a.seq
    on conflict do nothing`;
}

/** The run of a partition is the last one that took events of it. */
async function follow(tx: TransactionSql, { id, dagId }: Node) {
  await tx`
    update backfill_dag_run e set dag_run_id = t.run
    from (
      select distinct on (x.entry_id) x.entry_id, r.id as run
      from backfill_event x
      join dag_run_asset_event c on c.asset_event_id = x.asset_event_id and c.dag_id = ${dagId}
      join dag_run r on r.id = c.dag_run_id
      where x.backfill_id = ${id} and x.released_at is not null
      order by x.entry_id, r.run_after desc, r.id desc
    ) t
    where t.entry_id = e.id and e.dag_run_id is null and e.exception_reason is null
      and not exists (select from backfill_event x
        left join dataset_queue q on q.asset_event_id = x.asset_event_id and q.dag_id = ${dagId}
        where x.entry_id = e.id and (x.released_at is null or q.dag_id is not null))`;
}

/** What the DAG's own rule keeps from running is not waited for: another dataset, the rest of a month. */
async function leaveWaiting(tx: TransactionSql, node: Node, schedule: DatasetsSpec, now: Date) {
  if (node.isPaused) return;
  const waiting = await tx<{ id: string; key: string }[]>`
    select distinct e.id::text, e.partition_key as key from backfill_dag_run e
    join backfill_event x on x.entry_id = e.id
    join dataset_queue q on q.asset_event_id = x.asset_event_id and q.dag_id = ${node.dagId}
    where e.backfill_id = ${node.id} and e.dag_run_id is null and e.exception_reason is null`;
  if (waiting.length === 0) return;
  const pending = await tx<PendingPartition[]>`
    select dataset, partition from dataset_queue where dag_id = ${node.dagId} order by id`;
  const isDue = await dueOf(tx, schedule, pending, now);
  const others = waiting.filter(({ key }) => !isDue(key)).map((entry) => entry.id);
  await tx`
    update backfill_dag_run set exception_reason = 'waits for others'
    where id = any(${others}::text[]::bigint[])`;
}

/** Does what waits for a DAG start a run for this partition? */
async function dueOf(
  tx: TransactionSql,
  schedule: DatasetsSpec,
  pending: readonly PendingPartition[],
  now: Date,
): Promise<(key: string) => boolean> {
  // Then its time has the last word.
  if (schedule.at) return () => false;
  if (!schedule.partition) {
    const isDue = isMet(schedule.anyOf, new Set(pending.map(({ dataset }) => dataset)));
    return () => isDue;
  }
  const there = await findPartitions(tx, partitionQuestions(schedule, pending, now));
  const known = new Set(there.map(({ dataset, partition }) => `${dataset}\n${partition}`));
  const states = partitionStates(
    schedule,
    pending,
    (dataset, partition) => known.has(`${dataset}\n${partition}`),
    now,
  );
  const whole = new Set(states.filter((one) => one.isWhole).map((one) => one.partition));
  return (key) => whole.has(key);
}

/** Done: nothing above it is under way, and all of its partitions have come to an end. */
async function complete(tx: TransactionSql, { id }: Node, now: Date) {
  await tx`
    update backfill b set completed_at = ${now}, updated_at = ${now}, end_reason = case
      when exists (select from backfill_dag_run e
        where e.backfill_id = b.id and e.exception_reason = 'upstream failed')
      then 'upstream_failed' else 'completed' end
    where b.id = ${id}
      and not exists (select from backfill_upstream u join backfill up on up.id = u.upstream_id
        where u.backfill_id = b.id and up.completed_at is null)
      and not exists (select from backfill_event x
        where x.backfill_id = b.id and x.entry_id is null and x.released_at is null)
      and not exists (select from backfill_dag_run e left join dag_run r on r.id = e.dag_run_id
        where e.backfill_id = b.id and e.exception_reason is null
          and (r.id is null or r.state in ('queued', 'running')))`;
}

async function endNode(tx: TransactionSql, { id, dagId }: Node, now: Date): Promise<string[]> {
  await tx`
    update backfill_dag_run set exception_reason = 'unknown'
    where backfill_id = ${id} and dag_run_id is null and exception_reason is null`;
  await tx`
    update backfill set completed_at = ${now}, updated_at = ${now}, end_reason = 'completed'
    where id = ${id}`;
  await tx`update backfill_event set released_at = ${now} where backfill_id = ${id}`;
  return [dagId];
}

/** Events that cancelled cascades keep wait for their DAGs like any other; those DAGs. */
export async function dropStale(sql: Sql, now: Date): Promise<string[]> {
  const [held] = await sql`
    select 1 from backfill_event e join backfill b on b.id = e.backfill_id
    where e.released_at is null and b.end_reason = 'cancelled' limit 1`;
  if (!held) return [];
  return await sql.begin(async (tx) => {
    const released = tx`
      update backfill_event e set released_at = ${now} from backfill b
      where b.id = e.backfill_id and e.released_at is null and b.end_reason = 'cancelled'
      returning b.dag_id, e.asset_event_id`;
    const queued = await tx<{ dagId: string }[]>`
      with released as (${released})
      ${queueReleased(tx, tx`select dag_id, asset_event_id from released`)}
      returning dag_id as "dagId"`;
    return queued.map(({ dagId }) => dagId);
  });
}
