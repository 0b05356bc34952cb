/** @module Datasets, their versions and lineage as pages see them. */
import type { DatasetVersionInfo } from "../contract/dataset.ts";
import type { FileRef, TableSchema } from "../model/data.ts";
import type { Sql } from "./database.ts";
import { type Listed, matches, orderBy, type Page, startsWith, where } from "./page.ts";

/** A dataset with its newest version. */
export interface DatasetRow {
  name: string;
  kind: "raw" | "table";
  createdAt: Date;
  partitions: number;
  versions: number;
  lastKnownAt: string | null;
  lastPartition: string | null;
  lastRows: number | null;
  quarantinedRows: number;
}

/** A version; `knownAt` keeps its microseconds. */
export interface DatasetVersionRow {
  id: string;
  dataset: string;
  partition: string;
  version: number;
  kind: "raw" | "table";
  knownAt: string;
  sha256: string;
  rows: number | null;
  bytes: number;
  schema: TableSchema | null;
  files: FileRef[];
  lineageFiles: FileRef[];
  metrics: Record<string, unknown>;
  dagId: string;
  runId: string;
  taskId: string;
  attemptId: string;
}

const iso = (sql: Sql, column: ReturnType<Sql>) =>
  sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const columns = (sql: Sql) =>
  sql`
  v.id, v.dataset, v.partition, v.version, v.kind, ${iso(sql, sql`v.known_at`)} as known_at,
  v.sha256, v.rows, v.bytes, v.schema, v.files, v.lineage_files, v.metrics, v.dag_id, v.run_id,
  v.task_id, v.attempt_id`;

const described = (sql: Sql) =>
  sql`
  select d.name, d.kind, d.created_at, c.partitions, c.versions,
    ${iso(sql, sql`d.last_known_at`)} as last_known_at, n.partition as last_partition,
    n.rows as last_rows, q.rows as quarantined_rows
  from dataset d
  cross join lateral (
    select count(distinct v.partition) as partitions, count(*) as versions
    from dataset_version v where v.dataset = d.name) c
  left join lateral (
    select v.partition, v.rows from dataset_version v where v.dataset = d.name
    order by v.known_at desc limit 1) n on true
  cross join lateral (
    select coalesce(sum(q.rows), 0)::bigint as rows from quarantine q where q.dataset = d.name) q`;

/** Fields that a list may be ordered by. */
export const datasetOrders = ["name", "kind", "created_at", "last_known_at"] as const;

/** A page of datasets. */
export async function listDatasets(
  sql: Sql,
  { kind, pattern, prefix }: { kind?: "raw" | "table"; pattern?: string; prefix?: string },
  page: Page,
): Promise<Listed<DatasetRow>> {
  const condition = where(sql, [
    kind === undefined ? sql`d.kind <> 'external'` : sql`d.kind = ${kind}`,
    matches(sql, sql`d.name`, pattern),
    startsWith(sql, sql`d.name`, prefix),
  ]);
  const order = orderBy(sql, page.orderBy, {
    name: sql`d.name`,
    kind: sql`d.kind`,
    created_at: sql`d.created_at`,
    last_known_at: { nullable: sql`d.last_known_at` },
  }, sql`d.name`);
  const [items, [{ total }]] = await Promise.all([
    sql<DatasetRow[]>`
      ${described(sql)} ${condition} ${order} limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from dataset d ${condition}`,
  ]);
  return { items, total };
}

/** One dataset, or null. */
export async function findDataset(sql: Sql, name: string): Promise<DatasetRow | null> {
  const [found] = await sql<DatasetRow[]>`${
    described(sql)
  } where d.name = ${name} and d.kind <> 'external'`;
  return found ?? null;
}

/** Fields that a list of versions may be ordered by. */
export const versionOrders = ["known_at", "version", "partition"] as const;

/**
 * Versions of a dataset. With `asOf` those that were known then; `newestOnly`: of each partition the
 * newest of them, which is what a reader at that instant saw.
 */
export async function listVersions(
  sql: Sql,
  { dataset, partition, asOf, newestOnly }: {
    dataset: string;
    partition?: string;
    /** ISO 8601; microseconds count. */
    asOf?: string;
    newestOnly?: boolean;
  },
  page: Page,
): Promise<Listed<DatasetVersionRow>> {
  const known = asOf === undefined ? null : sql`v.known_at <= ${asOf}::text::timestamptz`;
  const newer = asOf === undefined ? sql`` : sql`and n.known_at <= ${asOf}::text::timestamptz`;
  const condition = where(sql, [
    sql`v.dataset = ${dataset}`,
    partition === undefined ? null : sql`v.partition = ${partition}`,
    known,
    newestOnly
      ? sql`not exists (select from dataset_version n where n.dataset = v.dataset
          and n.partition = v.partition and n.version > v.version ${newer})`
      : null,
  ]);
  const order = orderBy(sql, page.orderBy, {
    known_at: sql`v.known_at`,
    version: sql`v.version`,
    partition: sql`v.partition`,
  }, sql`v.id desc`);
  const [items, [{ total }]] = await Promise.all([
    sql<DatasetVersionRow[]>`
      select ${columns(sql)} from dataset_version v ${condition} ${order}
      limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from dataset_version v ${condition}`,
  ]);
  return { items, total };
}

/** One version by its id, or by its partition and number; null where there is none. */
export async function findVersion(
  sql: Sql,
  which: { id: string } | { dataset: string; partition: string; version: number },
): Promise<DatasetVersionRow | null> {
  const condition = "id" in which
    ? sql`v.id = ${which.id}`
    : sql`v.dataset = ${which.dataset} and v.partition = ${which.partition}
        and v.version = ${which.version}`;
  const [found] = await sql<DatasetVersionRow[]>`
    select ${columns(sql)} from dataset_version v where ${condition}`;
  return found ?? null;
}

/** The newest version of a partition (null: of any), as it was known at `asOf`, or null. */
export async function findNewestVersion(
  sql: Sql,
  { dataset, partition, asOf }: { dataset: string; partition: string | null; asOf?: string },
): Promise<DatasetVersionRow | null> {
  const condition = where(sql, [
    sql`v.dataset = ${dataset}`,
    partition === null ? null : sql`v.partition = ${partition}`,
    asOf === undefined ? null : sql`v.known_at <= ${asOf}::text::timestamptz`,
  ]);
  const [found] = await sql<DatasetVersionRow[]>`
    select ${columns(sql)} from dataset_version v ${condition}
    order by v.known_at desc, v.id desc limit 1`;
  return found ?? null;
}

/** A version as it travels between processes. */
export function versionInfo(row: DatasetVersionRow): DatasetVersionInfo {
  const { id, dataset, partition, version, kind, knownAt, sha256, rows, bytes } = row;
  const { schema, files, lineageFiles } = row;
  return {
    id,
    dataset,
    partition,
    version,
    kind,
    knownAt,
    sha256,
    rows,
    bytes,
    schema,
    files,
    lineageFiles,
  };
}

/** A version up or down from another. */
export interface LineageRow {
  id: string | null;
  dataset: string;
  partition: string | null;
  version: number | null;
  kind: "raw" | "table" | null;
  knownAt: string | null;
  depth: number;
}

/** Most versions that a walk gives back. */
const LINEAGE_ROWS = 1_000;

/** What a version was made from and what was made from it, nearest first. */
export async function findLineage(sql: Sql, versionId: string) {
  const [upstream, downstream] = await Promise.all([
    sql<LineageRow[]>`
      select input_version_id as id, input_dataset as dataset, input_partition as partition,
        input_version as version, input_kind as kind,
        ${iso(sql, sql`input_known_at`)} as known_at, depth
      from lineage_upstream where dataset_version_id = ${versionId}
      order by depth, input_dataset, input_partition limit ${LINEAGE_ROWS}`,
    sql<LineageRow[]>`
      select output_version_id as id, output_dataset as dataset, output_partition as partition,
        output_version as version, ${iso(sql, sql`output_known_at`)} as known_at, depth
      from lineage_downstream where dataset_version_id = ${versionId}
      order by depth, output_dataset, output_partition limit ${LINEAGE_ROWS}`,
  ]);
  return { upstream: [...upstream], downstream: [...downstream] };
}

/** Where one column came from. */
export interface ColumnOriginRow {
  columnName: string;
  inputDataset: string;
  inputPartition: string | null;
  inputVersion: number | null;
  inputColumn: string;
  transformation: string;
  depth: number;
}

/** Where columns of a version came from, nearest first. */
export async function findColumnLineage(
  sql: Sql,
  { versionId, column }: { versionId: string; column?: string },
): Promise<ColumnOriginRow[]> {
  const condition = where(sql, [
    sql`dataset_version_id = ${versionId}`,
    column === undefined ? null : sql`column_name = ${column}`,
  ]);
  return [
    ...await sql<ColumnOriginRow[]>`
      select column_name, input_dataset, input_partition, input_version, input_column,
        transformation, depth
      from lineage_columns ${condition}
      order by column_name, depth, input_dataset, input_column limit ${LINEAGE_ROWS}`,
  ];
}
