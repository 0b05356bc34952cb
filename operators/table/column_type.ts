/** @module SQL types of declared columns. */
import { AppError } from "../../src/model/errors.ts";

/** A type by what a conversion must know of it. */
export type ColumnType = {
  /** As it stands in a schema: the engine's own, but for {@link ZONED_NS}. */
  name: string;
} & TypeBySql;

/**
 * Instants to the nanosecond, for which the engine has no type: it keeps them as TIMESTAMP_NS in UTC,
 * and the schema alone says that they are instants.
 */
export const ZONED_NS = "TIMESTAMP_NS WITH TIME ZONE";

type TypeBySql =
  | { kind: "text" | "boolean" | "uuid" | "json" | "blob" | "date" | "time"; sql: string }
  | { kind: "integer"; sql: string }
  | { kind: "float"; sql: string }
  | { kind: "decimal"; sql: string; precision: number; scale: number }
  /** Digits behind the second; `zoned`: an instant. */
  | { kind: "timestamp"; sql: string; digits: 0 | 3 | 6 | 9; zoned: boolean }
  /** Lists, structs, maps: taken over as they are, never made of text. */
  | { kind: "nested"; sql: string };

const plain: Readonly<Record<string, TypeBySql>> = {
  VARCHAR: { kind: "text", sql: "VARCHAR" },
  BOOLEAN: { kind: "boolean", sql: "BOOLEAN" },
  UUID: { kind: "uuid", sql: "UUID" },
  JSON: { kind: "json", sql: "JSON" },
  BLOB: { kind: "blob", sql: "BLOB" },
  DATE: { kind: "date", sql: "DATE" },
  TIME: { kind: "time", sql: "TIME" },
  TIME_NS: { kind: "time", sql: "TIME_NS" },
  FLOAT: { kind: "float", sql: "FLOAT" },
  DOUBLE: { kind: "float", sql: "DOUBLE" },
  TIMESTAMP: { kind: "timestamp", sql: "TIMESTAMP", digits: 6, zoned: false },
  TIMESTAMP_S: { kind: "timestamp", sql: "TIMESTAMP_S", digits: 0, zoned: false },
  TIMESTAMP_MS: { kind: "timestamp", sql: "TIMESTAMP_MS", digits: 3, zoned: false },
  TIMESTAMP_NS: { kind: "timestamp", sql: "TIMESTAMP_NS", digits: 9, zoned: false },
  "TIMESTAMP WITH TIME ZONE": {
    kind: "timestamp",
    sql: "TIMESTAMP WITH TIME ZONE",
    digits: 6,
    zoned: true,
  },
  [ZONED_NS]: { kind: "timestamp", sql: "TIMESTAMP_NS", digits: 9, zoned: true },
};

const integers = [
  "TINYINT",
  "SMALLINT",
  "INTEGER",
  "BIGINT",
  "HUGEINT",
  "UTINYINT",
  "USMALLINT",
  "UINTEGER",
  "UBIGINT",
  "UHUGEINT",
];

const aliases: Readonly<Record<string, string>> = {
  TEXT: "VARCHAR",
  STRING: "VARCHAR",
  BOOL: "BOOLEAN",
  INT: "INTEGER",
  INT8: "BIGINT",
  REAL: "FLOAT",
  FLOAT4: "FLOAT",
  FLOAT8: "DOUBLE",
  DATETIME: "TIMESTAMP",
  TIMESTAMP_US: "TIMESTAMP",
  TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
  TIMESTAMPTZ_NS: ZONED_NS,
};

/** Read the SQL name of a type. Throws INVALID for one that is none. */
export function columnType(type: string): ColumnType {
  const found = typeOf(type);
  const isZonedNs = found.kind === "timestamp" && found.zoned && found.digits === 9;
  return { ...found, name: isZonedNs ? ZONED_NS : found.kind === "nested" ? type : found.sql };
}

/** The column as a text that says all that its type means. */
export function textOfColumn(column: string, type: string): string {
  return columnType(type).name === ZONED_NS ? `${column}::VARCHAR || '+00'` : `${column}::VARCHAR`;
}

function typeOf(type: string): TypeBySql {
  const name = type.trim().replace(/\s+/g, " ").toUpperCase();
  const known = aliases[name] ?? name;
  if (plain[known]) return plain[known];
  if (integers.includes(known)) return { kind: "integer", sql: known };
  const decimal = known.match(/^(?:DECIMAL|NUMERIC) ?\( ?(\d{1,2}) ?(?:, ?(\d{1,2}) ?)?\)$/);
  if (decimal) return decimalType(Number(decimal[1]), Number(decimal[2] ?? 0), type);
  if (/^(DECIMAL|NUMERIC)$/.test(known)) return decimalType(18, 3, type);
  // Names of fields may be anything in quotes; nothing else gets through to SQL.
  if (/^([A-Za-z0-9_ ,()[\]]|"[^"]*")+$/.test(type) && /[[\]()]/.test(type)) {
    const sql = type.replace(
      /"[^"]*"|TIMESTAMP_NS WITH TIME ZONE/g,
      (part) => part === ZONED_NS ? "TIMESTAMP_NS" : part,
    );
    return { kind: "nested", sql };
  }
  throw new AppError(
    "INVALID",
    `Cannot use the column type "${type}": it is no SQL type known here`,
  );
}

function decimalType(precision: number, scale: number, type: string): TypeBySql {
  if (precision < 1 || precision > 38 || scale > precision) {
    throw new AppError(
      "INVALID",
      `Cannot use the column type "${type}": precision goes from 1 to 38, scale up to precision`,
    );
  }
  return { kind: "decimal", sql: `DECIMAL(${precision},${scale})`, precision, scale };
}
