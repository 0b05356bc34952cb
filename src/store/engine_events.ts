/** @module Dataset events on PostgreSQL: recorded once, waiting for DAGs, taken by runs. */
import type { Sql, TransactionSql } from "postgres";
import type { Ids } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import type { DatasetEvent } from "../model/rows.ts";
import { isMet, type PendingPartition } from "../timetable/mod.ts";
import { rows } from "./engine_rows.ts";
import type { NewDatasetEvent, NewRun, RecordedEvent } from "./port.ts";

/**
 * Have an event wait for each DAG whose schedule names its dataset; returns those DAGs. One of a
 * cascade's run, `dagRunId`, is kept from the DAGs of that cascade until what they wait for is done.
 */
export async function queueEvent(
  tx: TransactionSql,
  eventId: string,
  { dataset, partition }: { dataset: string; partition: string | null },
  dagRunId: string | null = null,
): Promise<string[]> {
  const waiting = await tx<{ dagId: string }[]>`
    with waiting as (
      select d.dag_id from dag_version v join dag d on d.dag_version_id = v.id
      where v.spec #> '{schedule,datasets}' ? ${dataset} and not d.is_stale
    ), kept as (${keptBack(tx, eventId, dagRunId)})
    insert into dataset_queue (dag_id, asset_event_id, dataset, partition)
    select w.dag_id, ${eventId}, ${dataset}, ${partition ?? ""} from waiting w
    where not exists (select from kept k join backfill b on b.id = k.backfill_id
      where b.dag_id = w.dag_id)
    returning dag_id as "dagId"`;
  return waiting.map(({ dagId }) => dagId);
}

/** The run is one of a backfill above, or took events that were kept for one. */
function keptBack(tx: TransactionSql, eventId: string, dagRunId: string | null) {
  return tx`
    insert into backfill_event (backfill_id, asset_event_id)
    select b.id, ${eventId} from waiting w
    join backfill b on b.dag_id = w.dag_id and b.kind = 'events' and b.completed_at is null
    where exists (
      select from backfill_upstream u join backfill up on up.id = u.upstream_id
      where u.backfill_id = b.id and (
        up.id = (select r.backfill_id from dag_run r where r.id = ${dagRunId}::uuid)
        or exists (select from dag_run_asset_event c
          join backfill_event e on e.asset_event_id = c.asset_event_id and e.backfill_id = up.id
          where c.dag_run_id = ${dagRunId}::uuid and c.dag_id = up.dag_id)))
    returning backfill_id`;
}

/** Record events from outside, each key once; in their order. */
export async function recordEvents(
  sql: Sql,
  ids: Ids,
  events: readonly NewDatasetEvent[],
  now: Date,
): Promise<RecordedEvent[]> {
  return await sql.begin(async (tx) => {
    await nameDatasets(tx, events.map(({ dataset }) => dataset), now);
    const recorded: RecordedEvent[] = [];
    for (const event of events) recorded.push(await recordEvent(tx, ids.uuid(), event, now));
    return recorded;
  });
}

/** Record that runs have ended for which DAGs wait; those DAGs. */
export async function recordRunEnds(
  tx: TransactionSql,
  ends: readonly { id: string; event: NewDatasetEvent }[],
  now: Date,
): Promise<string[]> {
  if (ends.length === 0) return [];
  await nameDatasets(tx, ends.map(({ event }) => event.dataset), now);
  const dags = new Set<string>();
  for (const { id, event } of ends) {
    for (const dagId of (await recordEvent(tx, id, event, now)).waitingDags) dags.add(dagId);
  }
  return [...dags].sort();
}

async function nameDatasets(tx: TransactionSql, given: readonly string[], now: Date) {
  const names = [...new Set(given)].sort();
  await tx`
    insert into dataset (name, kind, created_at)
    select name, 'external', ${now} from jsonb_array_elements_text(${rows(names)}::text::jsonb)
      as n(name)
    on conflict (name) do nothing`;
}

async function recordEvent(
  tx: TransactionSql,
  id: string,
  event: NewDatasetEvent,
  now: Date,
): Promise<RecordedEvent> {
  const { dataset, partition, key, extra } = event;
  const [made] = await tx`
    insert into asset_event (id, dataset, partition, event_key, extra, created_at)
    values (${id}, ${dataset}, ${partition}, ${key}, ${JSON.stringify(extra)}::text::jsonb, ${now})
    on conflict (dataset, event_key) where event_key is not null do nothing
    returning id`;
  if (made) return { id, isNew: true, waitingDags: await queueEvent(tx, id, event) };
  const [known] = await tx<{ id: string }[]>`
    select id from asset_event where dataset = ${dataset} and event_key = ${key}`;
  return { id: known.id, isNew: false, waitingDags: [] };
}

/** Of a DAG `d`: a mark that changes with the events that wait for it. */
export function pendingMark(sql: Sql) {
  return sql`
    (select case when count(*) = 0 then '' else count(*) || ':' || max(q.id) end
      from dataset_queue q where q.dag_id = d.dag_id) as "pendingMark"`;
}

/** Of a DAG `d` with its version `v`: what waits for it, by partition if its schedule is. */
export function pendingPartitions(sql: Sql) {
  return sql`
    (select coalesce(jsonb_agg(jsonb_build_object('dataset', p.dataset, 'partition', p.partition)
        order by p.first), '[]')
      from (
        select q.dataset, min(q.id) as first,
          case when v.spec #> '{schedule,partition}' is null then '' else q.partition end
            as partition
        from dataset_queue q where q.dag_id = d.dag_id
        group by 1, 3 order by 2 limit ${limits.pendingPartitions}) p)`;
}

/** Dataset events that a run has taken, oldest first. */
export async function loadDatasetEvents(sql: Sql, dagRunId: string): Promise<DatasetEvent[]> {
  return await sql<DatasetEvent[]>`
    select e.id, e.dataset, e.partition, v.version, e.event_key as "key", e.extra,
      e.created_at as "createdAt"
    from dag_run_asset_event c
    join asset_event e on e.id = c.asset_event_id
    left join dataset_version v on v.id = e.dataset_version_id
    where c.dag_run_id = ${dagRunId}
    order by e.seq`;
}

/** Which of these partitions have a version or an event. */
export async function findPartitions(
  sql: Sql | TransactionSql,
  asked: readonly PendingPartition[],
): Promise<PendingPartition[]> {
  if (asked.length === 0) return [];
  const found = await sql<PendingPartition[]>`
    select a.dataset, a.partition
    from jsonb_to_recordset(${rows(asked)}::text::jsonb) as a(dataset text, partition text)
    where exists (
        select from dataset_version v where v.dataset = a.dataset and v.partition = a.partition)
      or exists (
        select from asset_event e where e.dataset = a.dataset and e.partition = a.partition)`;
  return [...found];
}

/**
 * Give new runs the events that wait for them. One that must have an event and got none, since
 * another run has it, is removed; returns the ids of those.
 */
export async function takeEvents(sql: Sql | TransactionSql, all: readonly NewRun[]) {
  if (all.length === 0) return [];
  const unmet = await unmetRuns(sql, all);
  const runs = all.filter((run) => !unmet.has(run));
  const given = runs.map(({ id, dagId, takes }) => ({ id, dag: dagId, of: takes!.partitions }));
  const took = await sql<{ id: string }[]>`
    with taken as (
      delete from dataset_queue q
      using jsonb_to_recordset(${rows(given)}::text::jsonb) as r(id uuid, dag text, "of" jsonb)
      where q.dag_id = r.dag and (r."of" is null or r."of" = 'null' or r."of" ? q.partition)
      returning r.id, r.dag, q.asset_event_id
    )
    insert into dag_run_asset_event (dag_run_id, dag_id, asset_event_id)
    select id, dag, asset_event_id from taken
    on conflict (dag_id, asset_event_id) do nothing
    returning dag_run_id as id`;
  const has = new Set(took.map(({ id }) => id));
  const empty = all.filter(({ id, takes }) => takes!.isRequired && !has.has(id));
  if (empty.length === 0) return [];
  await sql`delete from dag_run where id = any(${empty.map(({ id }) => id)}::uuid[])`;
  return empty.map(({ id }) => id);
}

/** Runs that need events of several datasets and would not get them; what waits stays locked. */
async function unmetRuns(
  sql: Sql | TransactionSql,
  runs: readonly NewRun[],
): Promise<ReadonlySet<NewRun>> {
  const asking = runs.filter(({ takes }) => takes!.anyOf?.every((all) => all.length > 1));
  if (asking.length === 0) return new Set();
  const waiting = await sql<{ dagId: string; dataset: string }[]>`
    select dag_id as "dagId", dataset from dataset_queue
    where dag_id = any(${asking.map(({ dagId }) => dagId)}) order by id for update`;
  const there = Map.groupBy(waiting, ({ dagId }) => dagId);
  return new Set(asking.filter(({ dagId, takes }) => {
    const datasets = new Set((there.get(dagId) ?? []).map(({ dataset }) => dataset));
    return !isMet(takes!.anyOf!, datasets);
  }));
}
