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
  : R extends { rule: "ohlc" } ? Named<R, NumberColumn<C>>
  : Named<R, ColumnName<C>>;

/** The same rule, with columns of these names. */
type Named<R, Name extends string> = {
  [K in keyof R]: K extends "column" | "open" | "high" | "low" | "close" ? Name
    : K extends "columns" | "by" | "order" ? Name[]
    : R[K];
};
