/** @module Shapes of datasets, their versions, lineage and quarantine: ours, in Airflow's style. */
import { z } from "zod";
import { FileRef, TableSchema } from "../../model/data.ts";
import { At } from "./basic.ts";

/** A dataset with its newest version. */
export const DatasetShape = z.object({
  name: z.string(),
  kind: z.enum(["raw", "table"]),
  created_at: At,
  partitions: z.int(),
  versions: z.int(),
  last_known_at: At.nullable(),
  last_partition: z.string().nullable(),
  last_rows: z.int().nullable(),
  quarantined_rows: z.int(),
}).meta({ id: "DatasetResponse" });

/** A page of datasets. */
export const DatasetCollection = z.object({
  datasets: z.array(DatasetShape),
  total_entries: z.int(),
}).meta({ id: "DatasetCollectionResponse" });

/** One immutable published state of one partition. */
export const DatasetVersionShape = z.object({
  id: z.uuid(),
  dataset: z.string(),
  partition: z.string(),
  version: z.int(),
  kind: z.enum(["raw", "table"]),
  known_at: At.meta({ doc: "From when on it is what we know" }),
  sha256: z.string(),
  rows: z.int().nullable(),
  bytes: z.int(),
  schema: TableSchema.nullable(),
  files: z.array(FileRef),
  lineage_files: z.array(FileRef),
  metrics: z.record(z.string(), z.unknown()),
  dag_id: z.string(),
  run_id: z.string(),
  task_id: z.string(),
  attempt_id: z.uuid(),
}).meta({ id: "DatasetVersionResponse" });

/** A page of versions. */
export const DatasetVersionCollection = z.object({
  versions: z.array(DatasetVersionShape),
  total_entries: z.int(),
}).meta({ id: "DatasetVersionCollectionResponse" });

/** The first rows of a version. */
export const RowsShape = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(z.unknown())).meta({
    doc: "Decimals, dates and integers past 2^53 come as text",
  }),
  total_rows: z.int().nullable(),
}).meta({ id: "DatasetRowsResponse" });

const place = {
  id: z.uuid().nullable().meta({ doc: "null: it was no published version" }),
  dataset: z.string(),
  partition: z.string().nullable(),
  version: z.int().nullable(),
  known_at: At.nullable(),
  depth: z.int().meta({ doc: "Steps from the version asked for" }),
};

/** Where one column came from. */
export const ColumnOrigin = z.object({
  column: z.string(),
  input_dataset: z.string(),
  input_partition: z.string().nullable(),
  input_version: z.int().nullable(),
  input_column: z.string(),
  transformation: z.string(),
  depth: z.int(),
}).meta({ id: "ColumnOrigin" });

/** Where one value came from. */
export const CellOrigin = z.object({
  column: z.string(),
  value: z.unknown(),
  source: z.string().nullable(),
  raw_file: z.string().nullable().meta({ doc: "Key of the raw file in object storage" }),
  raw_row: z.int().nullable().meta({ doc: "Ordinal of the record in it, from 1" }),
  raw_offset: z.int().nullable().meta({ doc: "Byte offset of the record" }),
  rule: z.string().nullable().meta({ doc: "Why this value won" }),
  others: z.array(z.object({ source: z.string(), value: z.unknown() })).meta({
    doc: "What the other sources said",
  }),
}).meta({ id: "CellOrigin" });

/** What a version was made from, what was made from it, and where its columns came from. */
export const LineageShape = z.object({
  id: z.uuid(),
  dataset: z.string(),
  partition: z.string(),
  version: z.int(),
  known_at: At,
  upstream: z.array(z.object({ ...place, kind: z.enum(["raw", "table"]).nullable() })),
  downstream: z.array(z.object(place)),
  columns: z.array(ColumnOrigin),
  cells: z.array(CellOrigin).meta({ doc: "With ?key=: the values of that row" }),
}).meta({ id: "LineageResponse" });

/** Rows that one attempt refused. */
export const QuarantineShape = z.object({
  id: z.uuid(),
  dataset: z.string(),
  source: z.string(),
  dag_id: z.string().nullable(),
  run_id: z.string().nullable(),
  task_id: z.string().nullable(),
  map_index: z.int().nullable(),
  attempt_id: z.uuid(),
  rows: z.int(),
  reasons: z.record(z.string(), z.int()),
  file: FileRef,
  created_at: At,
  is_open: z.boolean().meta({
    doc: "The attempt that refused them is the last one of its task, and succeeded",
  }),
}).meta({ id: "QuarantineResponse" });

/** How to run again what refused rows. */
export const QuarantineReplay = z.object({
  dry_run: z.boolean().default(false).meta({ doc: "Only say what would run" }),
  run_on_latest_version: z.boolean().default(true).meta({
    doc: "On the DAG's newest version, whose rules may be other ones; false: as it was",
  }),
  force: z.boolean().default(false).meta({
    doc: "As it was, though the run was made on another version of the product",
  }),
}).meta({ id: "QuarantineReplayBody" });

/** A page of quarantines. */
export const QuarantineCollection = z.object({
  quarantines: z.array(QuarantineShape),
  total_entries: z.int(),
}).meta({ id: "QuarantineCollectionResponse" });

/** The first refused rows, with where and why. */
export const QuarantineRows = z.object({
  rows: z.array(z.object({
    file: z.string(),
    row_number: z.int().nullable(),
    byte_offset: z.int().nullable(),
    column_name: z.string().nullable(),
    rule: z.string(),
    reason: z.string(),
    raw: z.string().meta({ doc: "The row; but in raw_rows, letters are x and digits #" }),
  })),
  total_entries: z.int().meta({ doc: "Rows kept in the database; all are in the file" }),
}).meta({ id: "QuarantineRowsResponse" });
