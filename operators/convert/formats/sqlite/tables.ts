/** @module Which table of a file is read, and its columns' types by what is in them. */
import type { DatabaseSync } from "node:sqlite";
import { AppError } from "../../../../src/model/errors.ts";
import { ident, literal } from "../../../table/sql.ts";
import type { ReadCall } from "../format.ts";
import type { StagedColumn } from "../staging.ts";
import { rowsOf } from "./database.ts";

/** A column of a table. */
export interface SqliteColumn extends StagedColumn {
  /** How its values are made. */
  kind: "boolean" | "integer" | "real" | "text" | "blob" | "mixed";
}

/** A table, or a view that was asked for by name. */
export interface SqliteTable {
  name: string;
  columns: SqliteColumn[];
}

const NAMES_MAX = 50;
/** SQLite gives no more columns in a row than 2,000. */
const COLUMNS_AT_ONCE = 200;
const DOUBLE_EXACT = 2n ** 53n;

/** The table to read. Throws INVALID where it is not there, or several are and none is named. */
export function findTable(database: DatabaseSync, call: ReadCall): SqliteTable {
  const wanted = call.options.sqlite?.table;
  const all = list(database);
  const tables = all.filter(({ type }) => type === "table").map(({ name }) => name);
  const found = wanted === undefined ? tables : [
    ...all.filter(({ name }) => name === wanted),
    ...all.filter(({ name }) => isSame(name, wanted)),
  ]
    .slice(0, 1).map(({ name }) => name);
  if (found.length !== 1) throw noTable(call, wanted, wanted === undefined ? tables : names(all));
  return { name: found[0], columns: columnsOf(database, found[0], call) };
}

interface Listed {
  name: string;
  type: string;
}

/** Tables and views, not those that keep the insides of others. */
function list(database: DatabaseSync): Listed[] {
  const rows = database.prepare(
    "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' " +
      "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
  ).all();
  return rows as unknown as Listed[];
}

function names(listed: readonly Listed[]): string[] {
  return listed.map(({ name }) => name);
}

function isSame(name: string, wanted: string): boolean {
  return name.toLowerCase() === wanted.toLowerCase();
}

function noTable({ file }: ReadCall, wanted: string | undefined, has: readonly string[]): AppError {
  const shown = has.slice(0, NAMES_MAX).map((name) => JSON.stringify(name)).join(", ");
  const more = has.length > NAMES_MAX ? ` and ${has.length - NAMES_MAX} more` : "";
  const what = has.length === 0 ? "it has no table" : `it has ${shown}${more}`;
  const how = has.length === 0
    ? ""
    : wanted === undefined
    ? '; name one with "sqlite": { "table": … }'
    : "";
  const which = wanted === undefined ? "" : ` of table ${JSON.stringify(wanted)}`;
  return new AppError("INVALID", `Cannot read rows${which} of ${file.name}: ${what}${how}`);
}

function columnsOf(database: DatabaseSync, table: string, call: ReadCall): SqliteColumn[] {
  const declared = database.prepare(
    `SELECT name, type FROM pragma_table_xinfo(${literal(table)}) WHERE hidden <> 1`,
  ).all() as unknown as { name: string; type: string }[];
  if (declared.length === 0) {
    throw new AppError("INVALID", `Cannot read ${call.file.name}: "${table}" has no column`);
  }
  const columns: SqliteColumn[] = [];
  for (let from = 0; from < declared.length; from += COLUMNS_AT_ONCE) {
    call.signal.throwIfAborted();
    const some = declared.slice(from, from + COLUMNS_AT_ONCE);
    const found = census(database, table, some.map(({ name }) => name));
    columns.push(...some.map(({ name, type }, i) => columnOf(name, type.toUpperCase(), found[i])));
  }
  return columns;
}

/** How many values of which kind a column has. */
interface Census {
  integers: number;
  reals: number;
  texts: number;
  blobs: number;
  /** Integers that are 0 or 1. */
  bits: number;
  /** Integers that a double may not hold. */
  large: number;
}

function census(database: DatabaseSync, table: string, columns: readonly string[]): Census[] {
  const figures = columns.flatMap((column) => {
    const c = ident(column);
    const count = (test: string) => `count(*) FILTER (WHERE ${test})`;
    const isInteger = `typeof(${c}) = 'integer'`;
    return [
      count(isInteger),
      count(`typeof(${c}) = 'real'`),
      count(`typeof(${c}) = 'text'`),
      count(`typeof(${c}) = 'blob'`),
      count(`${isInteger} AND ${c} IN (0, 1)`),
      count(`${isInteger} AND ${c} NOT BETWEEN -${DOUBLE_EXACT} AND ${DOUBLE_EXACT}`),
    ];
  });
  const sql = `SELECT ${figures.join(", ")} FROM ${ident(table)}`;
  const [row] = [...rowsOf(database, sql, { isExact: false })] as number[][];
  return columns.map((_, i) => {
    const [integers, reals, texts, blobs, bits, large] = row.slice(6 * i, 6 * i + 6);
    return { integers, reals, texts, blobs, bits, large };
  });
}

/** What is in a column decides; what was declared only where that leaves a choice. */
function columnOf(name: string, declared: string, found: Census): SqliteColumn {
  const { integers, reals, texts, blobs } = found;
  const isDecimal = /DEC|NUMERIC|MONEY/.test(declared);
  const kinds = [integers + reals, texts, blobs].filter((count) => count > 0).length;
  if (kinds === 0) return emptyColumn(name, declared);
  if (kinds > 1) return { name, type: "VARCHAR", kind: "mixed" };
  if (blobs > 0) return { name, type: "BLOB", kind: "blob" };
  if (texts > 0) {
    return {
      name,
      type: "VARCHAR",
      kind: "text",
      isLoose: isDecimal || /DATE|TIME/.test(declared),
    };
  }
  if (reals > 0 && isDecimal) return { name, type: "VARCHAR", kind: "mixed", isLoose: true };
  if (reals > 0 && found.large > 0) return { name, type: "VARCHAR", kind: "mixed" };
  if (reals > 0) return { name, type: "DOUBLE", kind: "real" };
  const isBoolean = /BOOL/.test(declared) && found.bits === integers;
  return isBoolean
    ? { name, type: "BOOLEAN", kind: "boolean" }
    : { name, type: "BIGINT", kind: "integer" };
}

/** By the declared type's affinity. */
function emptyColumn(name: string, declared: string): SqliteColumn {
  if (/BOOL/.test(declared)) return { name, type: "BOOLEAN", kind: "boolean" };
  if (/INT/.test(declared)) return { name, type: "BIGINT", kind: "integer" };
  if (/REAL|FLOA|DOUB/.test(declared)) return { name, type: "DOUBLE", kind: "real" };
  if (/BLOB/.test(declared)) return { name, type: "BLOB", kind: "blob" };
  return { name, type: "VARCHAR", kind: "mixed", isLoose: true };
}
