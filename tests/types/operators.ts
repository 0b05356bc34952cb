/** @module Operators as authors write them, for the programs beside this file; they never run. */
import {
  column,
  type ColumnName,
  type ColumnTypes,
  type InputArg,
  type NumberColumn,
  operator,
  RawFiles,
  type Ref,
  type Table,
  table,
  type TableDef,
  TableRef,
  TableSchema,
  type TaskOptions,
  type TaskRef,
} from "tidewheel";
import { z } from "zod";

const load = () => Promise.reject(new Error("never"));

/** Fetches. */
export const collect = operator({
  name: "types.collect",
  summary: "Fetch",
  params: z.object({ source: z.string(), pages: z.int().default(1), query: z.json().optional() }),
  output: RawFiles,
  load,
});

/** Parses into a declared table. */
export const convert = operator({
  name: "types.convert",
  summary: "Parse",
  params: z.object({ schema: TableSchema, onDrift: z.enum(["fail", "quarantine"]).optional() }),
  inputs: { from: RawFiles },
  output: TableRef,
  load,
}).as<
  <C extends ColumnTypes>(
    options: TaskOptions & {
      from: Ref<RawFiles>;
      schema: TableDef<C>;
      onDrift?: "fail" | "quarantine";
    },
  ) => TaskRef<Table<C>>
>();

/** Keeps rows in a range. */
export const check = operator({
  name: "types.check",
  summary: "Check",
  params: z.object({ present: z.array(z.string()), ranges: z.json() }),
  inputs: { from: TableRef },
  output: TableRef,
  load,
}).as<
  <C extends ColumnTypes>(
    options: TaskOptions & {
      from: Ref<Table<C>>;
      present?: NoInfer<ColumnName<C>>[];
      ranges?: { [K in NoInfer<NumberColumn<C>>]?: { min?: number; max?: number } };
    },
  ) => TaskRef<Table<C>>
>();

/** Merges tables of one schema. */
export const merge = operator({
  name: "types.merge",
  summary: "Merge",
  params: z.object({ key: z.array(z.string()) }),
  inputs: { from: z.array(TableRef) },
  output: TableRef,
  load,
}).as<
  <C extends ColumnTypes>(
    options: TaskOptions & { from: InputArg<Table<C>[]>; key: NoInfer<ColumnName<C>>[] },
  ) => TaskRef<Table<C>>
>();

/** Publishes a table. */
export const publish = operator({
  name: "types.publish",
  summary: "Publish",
  params: z.object({ dataset: z.string(), partition: z.string() }),
  inputs: { from: TableRef },
  output: z.object({ version: z.int() }),
  load,
});

/** Daily prices. */
export const Bar = table("bar", {
  symbol: column.varchar(),
  date: column.date(),
  close: column.decimal(18, 4).nullable(),
  volume: column.int64().nullable(),
}, { key: ["symbol", "date"] });
