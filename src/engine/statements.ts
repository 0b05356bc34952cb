/** @module What SQL may do: read, and make tables, views and macros of its own. */
import type { EngineTarget } from "../contract/child.ts";
import { AppError } from "../model/errors.ts";
import { codeOf } from "./sql_code.ts";

/**
 * Kinds of statements that run. Everything else is refused: COPY, EXPORT and ATTACH write files,
 * SET, PRAGMA, CALL, LOAD and INSTALL change what the engine is, PREPARE and EXPLAIN can carry them.
 */
export const allowedStatements = [
  "SELECT",
  "CREATE",
  "CREATE_FUNC",
  "INSERT",
  "UPDATE",
  "DELETE",
  "ALTER",
  "DROP",
] as const;

/** EXPORT DATABASE makes its folder as soon as it is looked at, so it is not even looked at. */
const EXPORT = /\bexport(\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+database\b/i;

/** Functions that write files when a SELECT calls them. */
const WRITERS = /\b(enable_logging|enable_profiling|write_log)\b/i;

/** Functions that run a text made while the statement runs, in which the others would not be seen. */
const RUNNER = /^(query|json_execute_serialized_sql)$/i;

/** A call of one, in code without strings and comments; many characters are spaces to the engine. */
const RUNNER_CALL = /\b(query|json_execute_serialized_sql)\b[^!-~]*\(/i;

/** What may be one, where strings and comments cannot be told from code. */
const RUNNER_MAYBE = /\b(query|json_execute_serialized_sql)\b[\s\S]*?\(/i;

/** Throws FORBIDDEN when the text has what acts before a statement's kind is known. */
export function checkText(sql: string): void {
  const found = sql.match(EXPORT) ?? sql.match(WRITERS) ?? runnerCall(sql);
  if (found) throw new AppError("FORBIDDEN", `Cannot run SQL that has "${found[0].trim()}"`);
}

function runnerCall(sql: string): RegExpMatchArray | null {
  if (!RUNNER_MAYBE.test(sql)) return null;
  const code = codeOf(sql, (quoted) => RUNNER.test(quoted) ? ` ${quoted} ` : '""');
  return code === null ? sql.match(RUNNER_MAYBE) : code.match(RUNNER_CALL);
}

/** Throws FORBIDDEN when a statement of this kind may not run. */
export function checkStatement(kind: string, { isOnlySelect = false } = {}): void {
  const allowed: readonly string[] = isOnlySelect ? ["SELECT"] : allowedStatements;
  if (allowed.includes(kind)) return;
  throw new AppError(
    "FORBIDDEN",
    isOnlySelect
      ? `Cannot write the rows of a ${kind} statement: it must be one SELECT`
      : `Cannot run a ${kind} statement: SQL here may ${allowed.join(", ")}; ` +
        `files are written with the option "to"`,
  );
}

/** The statement that writes the rows of `select`, which is known to be one SELECT. */
export function copyStatement(select: string, target: EngineTarget): string {
  const source = select.trim().replace(/;+\s*$/, "");
  const options = target.format === "parquet" ? parquetOptions(target) : textOptions(target);
  return `COPY (\n${source}\n) TO ${literal(target.path)} (${options.join(", ")})`;
}

function parquetOptions({ compression = "lz4", isPlain = false }: EngineTarget): string[] {
  if (isPlain) {
    return [
      "FORMAT parquet",
      "PARQUET_VERSION v1",
      "COMPRESSION uncompressed",
      // No dictionaries at all, so that every page is plain.
      "DICTIONARY_SIZE_LIMIT 0",
      "ROW_GROUP_SIZE 20480",
      "WRITE_BLOOM_FILTER false",
    ];
  }
  const codec = { lz4: "lz4_raw", zstd: "zstd", snappy: "snappy" }[compression];
  return [
    "FORMAT parquet",
    "PARQUET_VERSION v2",
    `COMPRESSION ${codec}`,
    // Dictionaries of columns with many values cost a third of the time and save nothing.
    "DICTIONARY_SIZE_LIMIT 4000",
    "WRITE_BLOOM_FILTER false",
  ];
}

function textOptions({ text = {} }: EngineTarget): string[] {
  const { delimiter = ",", header = true, quote = true, prefix, newLine, suffix } = text;
  return [
    "FORMAT csv",
    `HEADER ${header}`,
    ...(quote
      ? [`DELIMITER ${literal(delimiter)}`, `QUOTE '"'`, `ESCAPE '"'`]
      : ["DELIMITER ''", "QUOTE ''", "ESCAPE ''"]),
    ...(prefix === undefined ? [] : [`PREFIX ${literal(prefix)}`]),
    ...(suffix === undefined ? [] : [`SUFFIX ${literal(suffix)}`]),
    ...(newLine === undefined ? [] : [`NEW_LINE ${literal(newLine)}`]),
  ];
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
