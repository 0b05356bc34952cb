/** @module Names of formats, for parameters and messages; loads nothing. */

/** Every format that is read. */
export const formatNames = [
  "csv",
  "tsv",
  "fixed_width",
  "json",
  "ndjson",
  "parquet",
  "avro",
  "arrow",
  "arrow_stream",
  "orc",
  "messagepack",
  "sqlite",
  "protobuf",
  "xlsx",
  "xls",
  "ods",
  "swift_mt",
  "fix",
  "itch",
  "bai2",
  "nacha",
  "bloomberg",
  "xml",
  "yaml",
  "iso20022",
  "sdmx",
  "html",
  "xbrl",
  "ofx",
  "qif",
] as const;
/** One of {@link formatNames}. */
export type FormatName = (typeof formatNames)[number];

/** Every format that is written. */
export const targetNames = [
  "parquet",
  "csv",
  "tsv",
  "json",
  "ndjson",
  "avro",
  "arrow",
  "arrow_stream",
] as const;
/** One of {@link targetNames}. */
export type TargetName = (typeof targetNames)[number];
