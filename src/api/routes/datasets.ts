/** @module Routes of datasets: versions, rows, lineage. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  datasetOrders,
  type DatasetRow,
  type DatasetVersionRow,
  findColumnLineage,
  findDataset,
  findLineage,
  findNewestVersion,
  findVersion,
  listDatasets,
  listVersions,
  versionOrders,
} from "../../store/dataset_query.ts";
import { parquet, parseKey, readCells } from "../cells.ts";
import type { TableReader } from "../parts.ts";
import { pageOf, patternOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { Instant, Name, paging, patternsOf, QueryFlag, queryInt, Text } from "../shapes/basic.ts";
import {
  DatasetCollection,
  DatasetShape,
  DatasetVersionCollection,
  DatasetVersionShape,
  LineageShape,
  RowsShape,
} from "../shapes/dataset.ts";

const DatasetPath = z.object({ dataset: Name });
const VersionPath = DatasetPath.extend({ version_id: z.uuid() });
/** Kept as text: microseconds count. */
const AsOf = Text.refine((text) => Instant.safeParse(text).success, {
  message: "must be an ISO 8601 date and time",
}).meta({ format: "date-time", doc: "As it was known at that instant" });

/** Add them. */
export function addDatasetRoutes(book: RouteBook, rest: Rest): void {
  addDatasets(book, rest);
  addVersions(book, rest);
  addLineage(book, rest);
}

async function requireDataset({ sql }: Rest, name: string): Promise<DatasetRow> {
  const found = await findDataset(sql, name);
  if (found) return found;
  throw new AppError("NOT_FOUND", `Cannot find the dataset "${name}": nothing was published to it`);
}

function requireTables({ tables }: Rest): TableReader {
  if (tables) return tables;
  throw new AppError("UNAVAILABLE", "Cannot read rows here: this API process has no SQL engine");
}

function addDatasets(book: RouteBook, rest: Rest) {
  book.add({
    method: "get",
    path: "/api/v2/datasets",
    permission: "datasets.read",
    tag: "Datasets",
    summary: "List datasets",
    query: z.object({
      kind: z.enum(["raw", "table"]).optional(),
      ...patternsOf("name"),
      ...paging(datasetOrders, "name"),
    }),
    returns: DatasetCollection,
  }, async ({ query }) => {
    const { items, total } = await listDatasets(rest.sql, {
      kind: query.kind,
      ...patternOf(query, "name"),
    }, pageOf(query));
    return { datasets: items.map(datasetView), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/datasets/{dataset}",
    permission: "datasets.read",
    tag: "Datasets",
    summary: "Look at a dataset",
    params: DatasetPath,
    returns: DatasetShape,
  }, async ({ params }) => datasetView(await requireDataset(rest, params.dataset)));
}

function addVersions(book: RouteBook, rest: Rest) {
  const { sql } = rest;
  const required = async (dataset: string, id: string) => {
    const found = await findVersion(sql, { id });
    if (found?.dataset === dataset) return found;
    throw new AppError("NOT_FOUND", `Cannot find version ${id} of dataset "${dataset}"`);
  };

  book.add({
    method: "get",
    path: "/api/v2/datasets/{dataset}/versions",
    permission: "datasets.read",
    tag: "Datasets",
    summary: "List versions of a dataset; as_of: what was known at an instant",
    params: DatasetPath,
    query: z.object({
      partition: Text.optional(),
      as_of: AsOf.optional(),
      newest: QueryFlag.optional().meta({
        doc: "Of each partition only its newest version; with as_of that is the default",
      }),
      ...paging(versionOrders, "-known_at"),
    }),
    returns: DatasetVersionCollection,
  }, async ({ params, query }) => {
    await requireDataset(rest, params.dataset);
    const { items, total } = await listVersions(sql, {
      dataset: params.dataset,
      partition: query.partition,
      asOf: query.as_of,
      newestOnly: query.newest ?? query.as_of !== undefined,
    }, pageOf(query));
    return { versions: items.map(versionView), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/datasets/{dataset}/versions/{version_id}",
    permission: "datasets.read",
    tag: "Datasets",
    summary: "Look at a version",
    params: VersionPath,
    returns: DatasetVersionShape,
  }, async ({ params }) => versionView(await required(params.dataset, params.version_id)));

  book.add({
    method: "get",
    path: "/api/v2/datasets/{dataset}/versions/{version_id}/rows",
    permission: "datasets.read",
    tag: "Datasets",
    summary: "Read the first rows of a version",
    params: VersionPath,
    query: z.object({ limit: queryInt({ min: 1, max: 1000 }).default(20) }),
    returns: RowsShape,
  }, async ({ params, query }) => {
    const version = await required(params.dataset, params.version_id);
    if (version.kind !== "table") {
      throw new AppError(
        "INVALID",
        `Cannot read rows of "${version.dataset}": it holds raw files as they came`,
      );
    }
    if (version.files.length === 0) return { columns: [], rows: [], total_rows: version.rows };
    const keys = version.files.map((file) => file.key);
    const { columns, rows } = await requireTables(rest).read({
      keys,
      sql: `select * from ${parquet(keys)} limit ${query.limit}`,
      rowsMax: query.limit,
    });
    return { columns, rows, total_rows: version.rows };
  });
}

function addLineage(book: RouteBook, rest: Rest) {
  const { sql } = rest;

  book.add({
    method: "get",
    path: "/api/v2/lineage/{dataset}",
    permission: "lineage.read",
    tag: "Lineage",
    summary: "Say where a version, its columns or the values of one row came from",
    params: DatasetPath,
    query: z.object({
      partition: Text.optional().meta({ doc: "Default: the one published last" }),
      version: queryInt({ min: 1 }).optional().meta({ doc: "With partition: this version of it" }),
      as_of: AsOf.optional(),
      column: Text.optional(),
      key: Text.optional().meta({ doc: "One row", example: "symbol=IBM,date=2026-01-05" }),
    }),
    returns: LineageShape,
  }, async ({ params: { dataset }, query }) => {
    await requireDataset(rest, dataset);
    const partition = query.partition ?? null;
    const version = query.version !== undefined && partition !== null
      ? await findVersion(sql, { dataset, partition, version: query.version })
      : await findNewestVersion(sql, { dataset, partition, asOf: query.as_of });
    if (!version) {
      const when = query.as_of ? ` known at ${query.as_of}` : "";
      throw new AppError(
        "NOT_FOUND",
        `Cannot find a version of "${dataset}"${partition ? `[${partition}]` : ""}${when}`,
      );
    }
    const [{ upstream, downstream }, columns, cells] = await Promise.all([
      findLineage(sql, version.id),
      findColumnLineage(sql, { versionId: version.id, column: query.column }),
      query.key === undefined ? [] : readCells(requireTables(rest), version, {
        key: parseKey(query.key),
        column: query.column,
      }),
    ]);
    const place = (row: (typeof upstream)[number]) => ({
      id: row.id,
      dataset: row.dataset,
      partition: row.partition,
      version: row.version,
      known_at: row.knownAt,
      depth: row.depth,
    });
    return {
      id: version.id,
      dataset,
      partition: version.partition,
      version: version.version,
      known_at: version.knownAt,
      upstream: upstream.map((row) => ({ ...place(row), kind: row.kind })),
      downstream: downstream.map(place),
      columns: columns.map((row) => ({
        column: row.columnName,
        input_dataset: row.inputDataset,
        input_partition: row.inputPartition,
        input_version: row.inputVersion,
        input_column: row.inputColumn,
        transformation: row.transformation,
        depth: row.depth,
      })),
      cells,
    };
  });
}

function datasetView(row: DatasetRow): z.input<typeof DatasetShape> {
  return {
    name: row.name,
    kind: row.kind,
    created_at: row.createdAt.toISOString(),
    partitions: row.partitions,
    versions: row.versions,
    last_known_at: row.lastKnownAt,
    last_partition: row.lastPartition,
    last_rows: row.lastRows,
    quarantined_rows: row.quarantinedRows,
  };
}

function versionView(row: DatasetVersionRow): z.input<typeof DatasetVersionShape> {
  return {
    id: row.id,
    dataset: row.dataset,
    partition: row.partition,
    version: row.version,
    kind: row.kind,
    known_at: row.knownAt,
    sha256: row.sha256,
    rows: row.rows,
    bytes: row.bytes,
    schema: row.schema,
    files: row.files,
    lineage_files: row.lineageFiles,
    metrics: row.metrics,
    dag_id: row.dagId,
    run_id: row.runId,
    task_id: row.taskId,
    attempt_id: row.attemptId,
  };
}
