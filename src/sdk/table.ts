/** @module Declared tables: one declaration gives the schema as data and the types of its rows. */
import type { TableRef, TableSchema } from "../model/data.ts";

declare const columnsOf: unique symbol;
declare const namesOf: unique symbol;

/** Column name → SQL type, e.g. `{ symbol: "VARCHAR NOT NULL"; close: "DECIMAL(18,4)" }`. */
export type ColumnTypes = Readonly<Record<string, string>>;

/** Carries columns for the compiler alone: the types catch what differs, the names what is extra. */
export interface Columns<C extends ColumnTypes> {
  readonly [columnsOf]: C;
  readonly [namesOf]: keyof C;
}

/** A declared table: a TableSchema whose columns the compiler knows. */
export type TableDef<C extends ColumnTypes> = Readonly<TableSchema> & Columns<C>;

/**
 * The output of a task that puts out a table with just these columns: a TableRef whose columns the
 * compiler knows. Two tables fit each other only when all names, types and nullabilities do.
 */
export type Table<C extends ColumnTypes> = TableRef & Columns<C>;

/** Any declared column. */
export interface ColumnDef<out T extends string> {
  readonly type: string;
  readonly isNullable: boolean;
  readonly text: string | undefined;
  /** SQL type with its nullability. */
  readonly sql: T;
  /** The same column, where null is allowed. */
  nullable(): ColumnDef<StripNotNull<T>>;
  /** The same column with a sentence for people. */
  doc(text: string): ColumnDef<T>;
}

/** The type without its nullability. */
export type StripNotNull<T extends string> = T extends `${infer Base} NOT NULL` ? Base : T;

/** Values of a SQL type as rows hold them: exact numbers, dates and times are strings. */
export type ColumnValue<T extends string> = T extends `${infer Base} NOT NULL` ? BaseValue<Base>
  : BaseValue<T> | null;

type BaseValue<T extends string> = T extends `${infer Item}[]` ? ColumnValue<Item>[]
  : T extends "BOOLEAN" ? boolean
  : T extends "TINYINT" | "SMALLINT" | "INTEGER" | "FLOAT" | "DOUBLE" ? number
  : T extends "BIGINT" ? number | string
  : T extends "JSON" ? unknown
  : string;

/** A row as the engine returns it. */
export type Row<C extends ColumnTypes> = { [K in keyof C]: ColumnValue<C[K]> };

/** Row type of a declared table: `type Bar = RowOf<typeof DailyBar>`. */
export type RowOf<T> = Row<ColumnsOf<T>>;

/** Columns of a declared table or of a task's table. */
export type ColumnsOf<T> = T extends { readonly [columnsOf]: infer C extends ColumnTypes } ? C
  : never;

/** Names of the columns. */
export type ColumnName<C extends ColumnTypes> = Extract<keyof C, string>;

/** Names of the columns that hold numbers. */
export type NumberColumn<C extends ColumnTypes> = ColumnOfType<
  C,
  | "TINYINT"
  | "SMALLINT"
  | "INTEGER"
  | "BIGINT"
  | "HUGEINT"
  | "FLOAT"
  | "DOUBLE"
  | `DECIMAL(${number},${number})`
>;

/** Names of the columns that hold dates or times. */
export type TimeColumn<C extends ColumnTypes> = ColumnOfType<
  C,
  "DATE" | "TIMESTAMP" | "TIMESTAMP_NS" | "TIMESTAMP WITH TIME ZONE" | "TIMESTAMP_NS WITH TIME ZONE"
>;

/** Names of the columns that hold text. */
export type TextColumn<C extends ColumnTypes> = ColumnOfType<C, "VARCHAR">;

/** Names of the columns of one of these types. */
export type ColumnOfType<C extends ColumnTypes, T extends string> = {
  [K in ColumnName<C>]: StripNotNull<C[K]> extends T ? K : never;
}[ColumnName<C>];

/** Columns by name as {@link table} takes them. */
export type ColumnDefs = Readonly<Record<string, ColumnDef<string>>>;

function define<T extends string>(type: string, isNullable: boolean, text?: string): ColumnDef<T> {
  return {
    type,
    isNullable,
    text,
    sql: (isNullable ? type : `${type} NOT NULL`) as T,
    nullable: () => define<StripNotNull<T>>(type, true, text),
    doc: (sentence) => define<T>(type, isNullable, sentence),
  };
}

function plain<T extends string>(type: T): () => ColumnDef<`${T} NOT NULL`> {
  return () => define(type, false);
}

/** Column types; each is NOT NULL until `.nullable()`. Names in SQL are DuckDB's. */
export const column = {
  boolean: plain("BOOLEAN"),
  int8: plain("TINYINT"),
  int16: plain("SMALLINT"),
  int32: plain("INTEGER"),
  /** Rows hold a number up to 2^53, beyond that a string. */
  int64: plain("BIGINT"),
  int128: plain("HUGEINT"),
  float: plain("FLOAT"),
  double: plain("DOUBLE"),
  varchar: plain("VARCHAR"),
  blob: plain("BLOB"),
  uuid: plain("UUID"),
  json: plain("JSON"),
  date: plain("DATE"),
  time: plain("TIME"),
  /** Microseconds, without a zone. */
  timestamp: plain("TIMESTAMP"),
  /** Nanoseconds, without a zone. */
  timestampNs: plain("TIMESTAMP_NS"),
  /** Microseconds; an instant. */
  timestampTz: plain("TIMESTAMP WITH TIME ZONE"),
  /** Nanoseconds; an instant. Rows hold it in UTC; SQL sees a TIMESTAMP_NS. */
  timestampNsTz: plain("TIMESTAMP_NS WITH TIME ZONE"),
  /** Exact: `precision` digits in all (1 to 38), `scale` of them behind the point. */
  decimal<P extends number, S extends number>(
    precision: P,
    scale: S,
  ): ColumnDef<`DECIMAL(${P},${S}) NOT NULL`> {
    const fits = Number.isInteger(precision) && Number.isInteger(scale) && precision >= 1 &&
      precision <= 38 && scale >= 0 && scale <= precision;
    if (!fits) {
      throw new RangeError(
        `Cannot declare decimal(${precision}, ${scale}): ` +
          `precision goes from 1 to 38 and scale from 0 to precision`,
      );
    }
    return define(`DECIMAL(${precision},${scale})`, false);
  },
  list<T extends string>(item: ColumnDef<T>): ColumnDef<`${StripNotNull<T>}[] NOT NULL`> {
    return define(`${item.type}[]`, false);
  },
} as const;

/** Options of {@link table}. */
export interface TableOptions<Name> {
  /** Columns whose values together name a row; none may be nullable. */
  key?: readonly Name[];
}

/**
 * Declare a table. Throws RangeError for an empty one, a name that is not an SQL-friendly one or
 * that starts with `_tw_` (those are the product's), and a nullable key.
 *
 * @example
 * ```ts
 * import { column, table } from "tidewheel";
 *
 * export const DailyBar = table("daily_bar", {
 *   symbol: column.varchar(),
 *   date: column.date(),
 *   close: column.decimal(18, 4).nullable(),
 * }, { key: ["symbol", "date"] });
 * ```
 */
export function table<const D extends ColumnDefs>(
  name: string,
  columns: D,
  { key = [] }: TableOptions<
    { [K in keyof D]: D[K] extends ColumnDef<`${string} NOT NULL`> ? K : never }[keyof D]
  > = {},
): TableDef<{ [K in keyof D]: D[K]["sql"] }> {
  const bad = (problem: string) => new RangeError(`Cannot declare table "${name}": ${problem}`);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw bad("its name must be letters, digits and _, not starting with a digit");
  }
  const names = Object.keys(columns);
  if (names.length === 0) throw bad("it has no columns");
  for (const column of names) {
    if (column === "" || column.startsWith("_tw_")) {
      throw bad(`"${column}" cannot be a column's name; _tw_ is for provenance`);
    }
  }
  for (const column of key as readonly string[]) {
    if (!Object.hasOwn(columns, column)) {
      throw bad(`its key names "${column}", which is none of ${names.join(", ")}`);
    }
    if (columns[column].isNullable) throw bad(`its key column "${column}" is nullable`);
  }
  const schema: TableSchema = {
    name,
    columns: names.map((column) => {
      const { type, isNullable, text } = columns[column];
      return { name: column, type, nullable: isNullable, ...(text ? { doc: text } : {}) };
    }),
    key: [...key as readonly string[]],
  };
  return schema as unknown as TableDef<{ [K in keyof D]: D[K]["sql"] }>;
}

/**
 * What a function task returns for a table that it has made itself: Parquet files of just these
 * columns, put away with `ctx.files.put`.
 */
export function tableOf<C extends ColumnTypes>(
  schema: TableDef<C>,
  { files, rows, sources, inputs = [] }: {
    files: TableRef["files"];
    rows: number;
    /** Sources whose rows are in it. */
    sources: string[];
    inputs?: TableRef["inputs"];
  },
): Table<C> {
  const ref: TableRef = {
    kind: "table",
    schema,
    files,
    rows,
    sources,
    inputs,
    lineage: [],
    provenance: [],
  };
  return ref as Table<C>;
}
