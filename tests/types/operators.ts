/** @module What the programs beside this file are made of: shipped operators, and two small ones. */
import {
  column,
  type ColumnName,
  type ColumnTypes,
  type NumberColumn,
  operator,
  RawFiles,
  type Ref,
  type Table,
  table,
  TableRef,
  type TaskOptions,
  type TaskRef,
} from "tidewheel";
import { z } from "zod";

export { convert, merge, publish } from "tidewheel/operators";

const load = () => Promise.reject(new Error("never"));

/** Fetches. */
export const collect = operator({
  name: "types.collect",
  summary: "Fetch",
  params: z.object({ source: z.string(), pages: z.int().default(1), query: z.json().optional() }),
  output: RawFiles,
  load,
});

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

/** Daily prices. */
export const Bar = table("bar", {
  symbol: column.varchar(),
  date: column.date(),
  close: column.decimal(18, 4).nullable(),
  volume: column.int64().nullable(),
}, { key: ["symbol", "date"] });
