/** @module Rules that know the columns of the table that they are for. */
import type { z } from "zod";
import type { TableRef } from "../../src/model/data.ts";
import type {
  ColumnName,
  ColumnsOf,
  ColumnTypes,
  NumberColumn,
  TimeColumn,
} from "../../src/sdk/table.ts";
import type { Rule } from "./params.ts";

/** A rule on a table: its columns are the table's, or any where the table was not declared. */
export type RuleOn<T extends TableRef> = [ColumnsOf<T>] extends [never] ? z.input<typeof Rule>
  : WithColumns<z.input<typeof Rule>, ColumnsOf<T>>;

type WithColumns<R, C extends ColumnTypes> = R extends { rule: "range" }
  ? Named<R, NumberColumn<C> | TimeColumn<C>>
  : R extends { rule: NumberRule } ? Named<R, NumberColumn<C>, ColumnName<C>>
  : R extends { rule: TimeRule } ? Named<R, TimeColumn<C>, ColumnName<C>>
  : Named<R, ColumnName<C>>;

type NumberRule =
  | "ohlc"
  | "positive"
  | "non_negative"
  | "crossed"
  | "spike"
  | "jump"
  | "volume_vs_median"
  | "cross_vendor"
  | "sum_check";
type TimeRule = "extra_session" | "missing_session" | "date_window" | "in_order" | "freshness";

type ValueColumn =
  | "column"
  | "open"
  | "high"
  | "low"
  | "close"
  | "bid"
  | "ask"
  | "amount"
  | "opening"
  | "closing"
  | "tenor";

/** The same rule, with values in columns of these names, and keys in any. */
type Named<R, Name extends string, Key extends string = Name> = {
  [K in keyof R]: K extends ValueColumn ? Name
    : K extends "columns" ? Name[]
    : K extends "by" | "order" ? Key[]
    : R[K];
};
