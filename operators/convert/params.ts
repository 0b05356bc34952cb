/** @module Parameters of `convert`. */
import { z } from "zod";
import { CsvParams } from "./formats/csv/params.ts";
import { TableSchema } from "../../src/model/data.ts";
import { checkPii, piiParams } from "../pii/policy.ts";
import { formatNames, targetNames } from "./formats/names.ts";
import { FormatOptions } from "./formats/options.ts";
import { UnpackParams } from "./prepare/containers/params.ts";

/** What to do with what the schema does not know. */
export const Drift = z.enum(["evolve", "freeze", "discard", "quarantine"]);
/** See {@link Drift}. */
export type Drift = z.infer<typeof Drift>;

/** Where a column's values come from: a column of the file, a constant, or a label of the file. */
export const ColumnMapping = z.union([
  z.string().min(1).meta({
    doc: "Column of the file, a JSON pointer into its records (/meta/id), or one from the " +
      "document's root, with the wildcards of the way to the records (#/result/*/meta/symbol)",
  }),
  z.object({ value: z.string() }).meta({ doc: "The same text in every row" }),
  z.object({ label: z.string() }).meta({ doc: "A fact that the request carried" }),
]);
/** See {@link ColumnMapping}. */
export type ColumnMapping = z.infer<typeof ColumnMapping>;

/** How to read a file; what is left out is found out. */
export const ReadParams = FormatOptions.extend({
  format: z.enum(["auto", ...formatNames]).default("auto").meta({
    doc: "Format of the files; auto: by their first bytes",
  }),
  encoding: z.string().optional().meta({
    doc: "Encoding of texts; left out, it is found out",
    example: "windows-1252",
  }),
  unpack: UnpackParams.optional().meta({
    doc: "How far archives (zip, tar) and compressed files (gzip, zstd, bzip2, xz) are unpacked; " +
      "each member of an archive is read as a file of its own",
  }),
  delimiter: z.string().min(1).max(4).optional().meta({ doc: "Between columns", example: ";" }),
  quote: z.string().max(1).optional().meta({ doc: 'Around texts; "" for none', example: "'" }),
  header: z.boolean().optional().meta({ doc: "Does the first line have the columns' names?" }),
  skipLines: z.int().min(0).max(1000).optional().meta({
    doc: "Lines before the table; left out, titles and notes above it are found",
  }),
  csv: CsvParams.optional().meta({ doc: "More on delimited text" }),
  records: z.string().regex(/^(\/[\s\S]*)?$/).optional().meta({
    doc: "JSON pointer to the records in a document: to an array, a map (with recordKey) or an " +
      "object; * stands for every element or member on the way; empty for the " +
      "document itself; left out, the one table that it has, or itself. In XML the path of elements, or //name for one wherever it is; left out, " +
      "the elements that repeat",
    example: "/Time Series (Daily)",
  }),
  recordKey: z.string().min(1).optional().meta({
    doc: "The records are the members of a map; this column takes their names",
    example: "date",
  }),
  nullTokens: z.array(z.string()).default([]).meta({
    doc: "Texts that mean null; in CSV nothing does, and so do these, unless they are in quotes",
    example: ["NA", "-"],
  }),
  decimalMark: z.enum([".", ","]).default(".").meta({ doc: "Between whole and fraction" }),
  thousandsMark: z.enum([".", ",", " ", "'"]).optional().meta({ doc: "Between groups of digits" }),
  dateFormat: z.string().optional().meta({
    doc: "Format of dates (strptime); the default is ISO 8601",
    example: "%d/%m/%Y",
  }),
  timestampFormat: z.string().optional().meta({
    doc: "Format of timestamps (strptime), tried before ISO 8601",
    example: "%Y%m%d-%H:%M:%S.%f",
  }),
  columns: z.record(z.string(), ColumnMapping).default({}).meta({
    doc: "Where columns of the table come from, for those that have another name in the file",
    example: { close: "4. close" },
  }),
  ignore: z.array(z.string()).default([]).meta({
    doc: 'Columns of the file that are known and not wanted; "*" for all that are not',
  }),
});
/** See {@link ReadParams}. */
export type ReadParams = z.infer<typeof ReadParams>;

/** Parameters of {@link ./mod.ts#convert}. */
export const ConvertParams = ReadParams.extend({
  to: z.enum(targetNames).default("parquet").meta({
    doc: "parquet: a table, for tasks on tables. Any other: one file of that format, as raw files",
  }),
  schema: TableSchema.optional().meta({
    doc: "Declared table; left out, types are inferred from all rows",
  }),
  name: z.string().regex(/^[A-Za-z_]\w*$/).default("rows").meta({
    doc: "Name of the table when no schema is declared",
  }),
  onDrift: Drift.default("quarantine").meta({
    doc: "New columns and rows that do not fit. evolve: new columns join the table, rows that do " +
      "not fit go to quarantine. freeze: either fails the task. discard: both are left out and " +
      "counted. quarantine: rows that do not fit, or that hold a new column, go there",
  }),
  types: z.enum(["infer", "text"]).optional().meta({
    doc:
      "Of columns that no schema declares. infer: by what their texts are; text: as they stand in " +
      "the file. Left out: text where CSV or TSV is written and nothing else asks for types, else infer",
  }),
  onEmpty: z.enum(["fail", "allow"]).default("fail").meta({
    doc: "A file without a single byte: fail, or take it as one without rows",
  }),
  ...piiParams,
}).superRefine((params, context) => {
  const problem = checkPii(params);
  if (problem !== null) context.addIssue({ code: "custom", message: problem, path: ["pii"] });
});
/** See {@link ConvertParams}. */
export type ConvertParams = z.infer<typeof ConvertParams>;
