/** @module Datasets as Airflow's assets: who publishes and awaits them, and their events. */
import type { Sql } from "./database.ts";
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

/** A dataset, also one that is only named by DAGs or has events from outside only. */
export interface AssetRow {
  id: number;
  name: string;
  createdAt: Date;
  lastEventSeq: number | null;
  lastEventAt: Date | null;
}

/** A DAG with the datasets of its current version. */
export interface AssetDagRow {
  dagId: string;
  createdAt: Date;
  updatedAt: Date;
  publishes: string[];
  awaits: string[];
  /** Tasks that publish a dataset of a constant name. */
  tasks: { taskId: string; dataset: string }[];
}

/** An event with its source and the runs that took it. */
export interface AssetEventRow {
  seq: number;
  id: string;
  assetId: number;
  dataset: string;
  partition: string | null;
  key: string | null;
  extra: Record<string, unknown>;
  createdAt: Date;
  datasetVersionId: string | null;
  version: number | null;
  sourceDagId: string | null;
  sourceRunId: string | null;
  sourceTaskId: string | null;
  sourceMapIndex: number | null;
}

/** A run that took an event. */
export interface EventRunRow {
  eventId: string;
  dagId: string;
  runId: string;
  state: string;
  partitionKey: string | null;
  logicalDate: Date | null;
  dataIntervalStart: Date | null;
  dataIntervalEnd: Date | null;
  startDate: Date | null;
  endDate: Date | null;
  queuedAt: Date;
  /** It is the newest event that the run took. */
  isNewest: boolean;
}

const assetColumns = (sql: Sql) =>
  sql`
  d.id, d.name, d.created_at, e.seq as last_event_seq, e.created_at as last_event_at`;

const lastEvent = (sql: Sql) =>
  sql`
  left join lateral (
    select e.seq, e.created_at from asset_event e where e.dataset = d.name
    order by e.created_at desc limit 1) e on true`;

/** Fields that a list may be ordered by. */
export const assetOrders = ["id", "name", "created_at"] as const;

/** A page of assets. */
export async function listAssets(
  sql: Sql,
  { pattern, prefix, dagIds, onlyActive }: {
    pattern?: string;
    prefix?: string;
    dagIds?: readonly string[] | null;
    /** Only those that a DAG with a file publishes or awaits. */
    onlyActive: boolean;
  },
  page: Page,
): Promise<Listed<AssetRow>> {
  const named = sql`(v.spec -> 'datasets' ? d.name or v.spec #> '{schedule,datasets}' ? d.name)`;
  const byDag = (condition: ReturnType<Sql>) =>
    sql`exists (
      select from dag g join dag_version v on v.id = g.dag_version_id
      where ${named} and ${condition})`;
  const condition = where(sql, [
    matches(sql, sql`d.name`, pattern),
    startsWith(sql, sql`d.name`, prefix),
    onlyActive ? byDag(sql`not g.is_stale`) : null,
    dagIds ? byDag(sql`g.dag_id = any(${[...dagIds]})`) : null,
  ]);
  const order = orderBy(sql, page.orderBy, {
    id: sql`d.id`,
    name: sql`d.name`,
    created_at: sql`d.created_at`,
  }, sql`d.id`);
  const [items, [{ total }]] = await Promise.all([
    sql<AssetRow[]>`
      select ${assetColumns(sql)} from dataset d ${lastEvent(sql)} ${condition} ${order}
      limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from dataset d ${condition}`,
  ]);
  return { items, total };
}

/** One asset by its number or name, or null. */
export async function findAsset(
  sql: Sql,
  which: { id: number } | { name: string },
): Promise<AssetRow | null> {
  const [found] = await sql<AssetRow[]>`
    select ${assetColumns(sql)} from dataset d ${lastEvent(sql)}
    where ${"id" in which ? sql`d.id = ${which.id}` : sql`d.name = ${which.name}`}`;
  return found ?? null;
}

/** DAGs with a file that publish or await one of these. */
export async function listAssetDags(sql: Sql, names: readonly string[]): Promise<AssetDagRow[]> {
  if (names.length === 0) return [];
  return await sql<AssetDagRow[]>`
    select g.dag_id, g.created_at, g.last_parsed_at as updated_at,
      v.spec -> 'datasets' as publishes,
      coalesce(v.spec #> '{schedule,datasets}', '[]') as awaits,
      (select coalesce(jsonb_agg(jsonb_build_object(
          'taskId', t ->> 'taskId', 'dataset', t #>> '{params,dataset}')), '[]')
        from jsonb_array_elements(v.spec -> 'tasks') t
        where t #>> '{params,dataset}' is not null) as tasks
    from dag g join dag_version v on v.id = g.dag_version_id
    where not g.is_stale
      and (v.spec -> 'datasets' ?| ${[...names]} or v.spec #> '{schedule,datasets}' ?| ${[
    ...names,
  ]})
    order by g.dag_id`;
}

const eventColumns = (sql: Sql) =>
  sql`
  e.seq, e.id, d.id as asset_id, e.dataset, e.partition, e.event_key as key, e.extra,
  e.created_at, e.dataset_version_id, v.version, v.dag_id as source_dag_id,
  v.run_id as source_run_id, v.task_id as source_task_id, t.map_index as source_map_index`;

const eventTables = (sql: Sql) =>
  sql`
  asset_event e
  join dataset d on d.name = e.dataset
  left join dataset_version v on v.id = e.dataset_version_id
  left join task_instance t on t.id = v.task_instance_id`;

/** Fields that a list of events may be ordered by. */
export const eventOrders = [
  "timestamp",
  "id",
  "source_dag_id",
  "source_task_id",
  "source_run_id",
  "source_map_index",
] as const;

/** A page of events. */
export async function listAssetEvents(
  sql: Sql,
  filter: {
    assetId?: number;
    partition?: string;
    sourceDagId?: string;
    sourceTaskId?: string;
    sourceRunId?: string;
    sourceMapIndex?: number;
    timestamp?: Bounds;
  },
  page: Page,
): Promise<Listed<AssetEventRow>> {
  const only = (column: Fragment, value: string | undefined) =>
    oneOf(sql, column, value === undefined ? null : [value]);
  const condition = where(sql, [
    filter.assetId === undefined ? null : sql`d.id = ${filter.assetId}`,
    only(sql`e.partition`, filter.partition),
    only(sql`v.dag_id`, filter.sourceDagId),
    only(sql`v.task_id`, filter.sourceTaskId),
    only(sql`v.run_id`, filter.sourceRunId),
    filter.sourceMapIndex === undefined ? null : sql`t.map_index = ${filter.sourceMapIndex}`,
    ...within(sql, sql`e.created_at`, filter.timestamp),
  ]);
  const order = orderBy(sql, page.orderBy, {
    timestamp: sql`e.created_at`,
    id: sql`e.seq`,
    source_dag_id: { nullable: sql`v.dag_id` },
    source_task_id: { nullable: sql`v.task_id` },
    source_run_id: { nullable: sql`v.run_id` },
    source_map_index: { nullable: sql`t.map_index` },
  }, sql`e.seq`);
  const [items, [{ total }]] = await Promise.all([
    sql<AssetEventRow[]>`
      select ${eventColumns(sql)} from ${eventTables(sql)} ${condition} ${order}
      limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`
      select count(*) as total from ${eventTables(sql)} ${condition}`,
  ]);
  return { items, total };
}

/** Events shown at most where there are no pages; the oldest come first. */
const SHOWN_MAX = 1_000;

/** Events that a run has taken, oldest first. */
export async function listTakenEvents(sql: Sql, dagRunId: string): Promise<AssetEventRow[]> {
  return await sql<AssetEventRow[]>`
    select ${eventColumns(sql)} from ${eventTables(sql)}
    where e.id in (select c.asset_event_id from dag_run_asset_event c where c.dag_run_id = ${dagRunId})
    order by e.seq limit ${SHOWN_MAX}`;
}

/** One event. */
export async function findAssetEvent(sql: Sql, id: string): Promise<AssetEventRow | null> {
  const [found] = await sql<AssetEventRow[]>`
    select ${eventColumns(sql)} from ${eventTables(sql)} where e.id = ${id}`;
  return found ?? null;
}

/** The runs that took these events. */
export async function listEventRuns(sql: Sql, ids: readonly string[]): Promise<EventRunRow[]> {
  if (ids.length === 0) return [];
  return await sql<EventRunRow[]>`
    select c.asset_event_id as event_id, r.dag_id, r.run_id, r.state, r.partition_key,
      r.logical_date, r.data_interval_start, r.data_interval_end, r.start_date, r.end_date,
      r.queued_at,
      not exists (
        select from dag_run_asset_event o join asset_event n on n.id = o.asset_event_id
        where o.dag_run_id = r.id and n.seq > e.seq) as is_newest
    from dag_run_asset_event c
    join asset_event e on e.id = c.asset_event_id
    join dag_run r on r.id = c.dag_run_id
    where c.asset_event_id = any(${[...ids]}::uuid[])
    order by r.run_after, r.id`;
}

/** An event that waits for a DAG's next run. */
export interface QueuedEventRow extends AssetEventRow {
  dagId: string;
}

/** Which of the waiting events: of a DAG, of an asset, that came before an instant. */
export interface QueuedFilter {
  dagId?: string;
  assetId?: number;
  before?: Date;
}

/** Events that wait, oldest first, and how many there are. */
export async function listQueuedEvents(
  sql: Sql,
  filter: QueuedFilter,
): Promise<Listed<QueuedEventRow>> {
  const condition = queuedCondition(sql, filter);
  const [items, [{ total }]] = await Promise.all([
    sql<QueuedEventRow[]>`
      select q.dag_id, ${eventColumns(sql)}
      from dataset_queue q join ${eventTables(sql)} on e.id = q.asset_event_id ${condition}
      order by q.id limit ${SHOWN_MAX}`,
    sql<{ total: number }[]>`
      select count(*) as total
      from dataset_queue q join ${eventTables(sql)} on e.id = q.asset_event_id ${condition}`,
  ]);
  return { items, total };
}

/** Have events wait no longer; the DAGs that they waited for, one for each event. */
export async function dropQueuedEvents(sql: Sql, filter: QueuedFilter): Promise<string[]> {
  const dropped = await sql<{ dagId: string }[]>`
    delete from dataset_queue where id in (
      select q.id from dataset_queue q join asset_event e on e.id = q.asset_event_id
      join dataset d on d.name = e.dataset ${queuedCondition(sql, filter)})
    returning dag_id`;
  return dropped.map(({ dagId }) => dagId);
}

function queuedCondition(sql: Sql, { dagId, assetId, before }: QueuedFilter) {
  return where(sql, [
    dagId === undefined ? null : sql`q.dag_id = ${dagId}`,
    assetId === undefined ? null : sql`d.id = ${assetId}`,
    before === undefined ? null : sql`e.created_at < ${before}`,
  ]);
}

/** DAGs with a schedule by partition for which events wait, of these or of all. */
export async function listPartitionedDags(
  sql: Sql,
  dagIds: readonly string[] | null,
): Promise<string[]> {
  const found = await sql<{ dagId: string }[]>`
    select g.dag_id from dag g join dag_version v on v.id = g.dag_version_id
    where exists (select from dataset_queue q where q.dag_id = g.dag_id)
      and v.spec #> '{schedule,partition}' is not null
      ${dagIds ? sql`and g.dag_id = any(${[...dagIds]})` : sql``}
    order by g.dag_id`;
  return found.map(({ dagId }) => dagId);
}

/** How many events wait for each DAG, those with most first. */
export async function countWaitingEvents(
  sql: Sql,
  limit: number,
): Promise<{ dagId: string; count: number }[]> {
  return [
    ...await sql<{ dagId: string; count: number }[]>`
      select dag_id, count(*) as count from dataset_queue group by 1 order by 2 desc, 1
      limit ${limit}`,
  ];
}
