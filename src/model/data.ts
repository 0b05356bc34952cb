/** @module Data at rest: files, tables, versions, and the sums that must add up. */
import { z } from "zod";

/** An immutable file in object storage. `key` is relative to the store's root. */
export const FileRef = z.object({
  key: z.string().meta({ doc: "Key in object storage", example: "attempts/0197/part-0.parquet" }),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().optional().meta({ doc: "Name at its source", example: "daily_IBM.csv" }),
  mediaType: z.string().optional(),
  rows: z.int().nonnegative().optional(),
  source: z.string().optional().meta({
    doc: "Source of this file, where it is not that of its RawFiles: a fallback's",
  }),
  labels: z.record(z.string(), z.string()).optional().meta({
    doc: "Facts that the request carried and the bytes do not",
    example: { symbol: "AAPL" },
  }),
});
/** See {@link FileRef}. */
export type FileRef = z.infer<typeof FileRef>;

/** One column. `type` is DuckDB's name of the type: `VARCHAR`, `DECIMAL(18,4)`, `TIMESTAMP_NS`… */
export const Column = z.object({
  name: z.string(),
  type: z.string(),
  nullable: z.boolean().default(true),
  doc: z.string().optional(),
});
/** See {@link Column}. */
export type Column = z.infer<typeof Column>;

/** The declared shape of a table, as JSON; `key` names its primary key, if it has one. */
export const TableSchema = z.object({
  name: z.string(),
  columns: z.array(Column).min(1),
  key: z.array(z.string()).default([]),
});
/** See {@link TableSchema}. */
export type TableSchema = z.infer<typeof TableSchema>;

/**
 * Rows of one attempt. It must hold that
 * `in + generated = out + quarantined + mergedAway + filtered`.
 */
export const RowAccounting = z.object({
  in: z.int().nonnegative().default(0),
  generated: z.int().nonnegative().default(0),
  out: z.int().nonnegative().default(0),
  quarantined: z.int().nonnegative().default(0),
  mergedAway: z.int().nonnegative().default(0),
  filtered: z.int().nonnegative().default(0),
});
/** See {@link RowAccounting}. */
export type RowAccounting = z.infer<typeof RowAccounting>;

/** What the row equation misses by: 0 when the accounting closes. */
export function accountingGap(rows: RowAccounting): number {
  return rows.in + rows.generated -
    (rows.out + rows.quarantined + rows.mergedAway + rows.filtered);
}

/** A part of a collection that could not be had; it left no files. */
export const FailedPart = z.object({
  part: z.string().meta({ doc: "Name of the part", example: "aapl.us" }),
  reason: z.string(),
  status: z.int().nullable().default(null).meta({ doc: "HTTP status of the last answer" }),
  attempts: z.int().nonnegative().meta({ doc: "Requests that were made for it" }),
});
/** See {@link FailedPart}. */
export type FailedPart = z.infer<typeof FailedPart>;

/** Bytes as they came from a source: what `collect.*` returns. */
export const RawFiles = z.object({
  kind: z.literal("raw"),
  source: z.string().meta({ doc: "Source that they came from", example: "alpha_vantage.daily" }),
  dataset: z.string().meta({ example: "raw.alpha_vantage.daily" }),
  partition: z.string(),
  files: z.array(FileRef),
  collectedAt: z.iso.datetime(),
  failed: z.array(FailedPart).default([]).meta({
    doc: "Parts still missing, when the collection was told to go on without them",
  }),
});
/** See {@link RawFiles}. */
export type RawFiles = z.infer<typeof RawFiles>;

/** Where all rows of a file come from, in the order of their records in one raw file. */
export const FileProvenance = z.object({
  source: z.string(),
  file: z.string().meta({ doc: "Object key of the raw file" }),
  missing: z.array(z.int().positive()).default([]).meta({
    doc: "Ordinals of records that are not in the file, ascending: they went to quarantine",
  }),
});
/** See {@link FileProvenance}. */
export type FileProvenance = z.infer<typeof FileProvenance>;

/** How one column came to be. */
export const ColumnLineage = z.object({
  column: z.string(),
  inputs: z.array(z.object({ dataset: z.string(), column: z.string() })),
  transformation: z.string().meta({ example: "merge: priority alpha_vantage > stooq" }),
});
/** See {@link ColumnLineage}. */
export type ColumnLineage = z.infer<typeof ColumnLineage>;

/**
 * Rows as Parquet: what `convert`, `quality`, `merge` return.
 *
 * Beside its own columns each row has the provenance columns `_tw_source VARCHAR`, `_tw_file
 * VARCHAR` (object key of the raw file), `_tw_row BIGINT` (ordinal of the record in it, from 1) and,
 * where the format has them, `_tw_offset BIGINT` (byte offset of the record). A file carries them,
 * or `provenance` says them of all its rows: read tables with `tableRows` of `tidewheel/operators`,
 * which gives both alike. They are taken off when the table is published and kept beside it as
 * lineage.
 */
export const TableRef = z.object({
  kind: z.literal("table"),
  schema: TableSchema,
  files: z.array(FileRef),
  rows: z.int().nonnegative(),
  sources: z.array(z.string()).meta({ doc: "Sources whose rows are in it" }),
  inputs: z.array(z.string()).default([]).meta({
    doc: "Raw datasets with partition and the content hash that they were read at",
  }),
  lineage: z.array(FileRef).default([]).meta({ doc: "Cell lineage, for merged tables" }),
  provenance: z.array(FileProvenance.nullable()).default([]).meta({
    doc: "By file; null, or nothing for it: the file carries the columns itself",
  }),
  columns: z.array(ColumnLineage).optional().meta({
    doc: "How its columns came to be; a column without: the one of that name in the inputs",
  }),
});
/** See {@link TableRef}. */
export type TableRef = z.infer<typeof TableRef>;

/** A dataset version that the transaction of the task's success must write. */
export const PublishIntent = z.object({
  dataset: z.string().regex(/^[a-z0-9_]+(\.[a-z0-9_]+)*$/),
  partition: z.string().min(1).max(200),
  kind: z.enum(["raw", "table"]),
  schema: TableSchema.nullable(),
  files: z.array(FileRef),
  lineageFiles: z.array(FileRef).default([]),
  rows: z.int().nonnegative().nullable(),
  inputs: z.array(
    z.object({ dataset: z.string(), partition: z.string(), sha256: z.string().nullable() }),
  ).meta({
    doc: "What it was made from. With sha256: the version with that content; else the newest",
  }),
  columns: z.array(ColumnLineage).default([]),
  metrics: z.record(z.string(), z.json()).default({}),
});
/** See {@link PublishIntent}. */
export type PublishIntent = z.infer<typeof PublishIntent>;

/** Rows that an operator refused, all of them in `file` (NDJSON), the first few inline. */
export const Quarantine = z.object({
  dataset: z.string().meta({ doc: "The table that they would have gone to" }),
  source: z.string(),
  file: FileRef,
  rows: z.int().positive(),
  reasons: z.record(z.string(), z.int()).meta({ doc: "Rule → rows" }),
  sample: z.array(z.object({
    file: z.string().meta({ doc: "Raw file's name" }),
    row: z.int().nullable(),
    offset: z.int().nullable(),
    column: z.string().nullable(),
    rule: z.string(),
    reason: z.string(),
    raw: z.string(),
  })),
});
/** See {@link Quarantine}. */
export type Quarantine = z.infer<typeof Quarantine>;
