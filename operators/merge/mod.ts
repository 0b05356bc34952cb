/** @module `merge`: tables of several sources as one, with a row for each key. */
import { TableRef } from "../../src/model/data.ts";
import { operator } from "../../src/sdk/operator.ts";
import type { TaskOptions } from "../../src/sdk/options.ts";
import type { InputArg, TaskRef } from "../../src/sdk/ref.ts";
import type { ColumnName, ColumnTypes, Table } from "../../src/sdk/table.ts";
import type { Param } from "../../src/sdk/context.ts";
import { z } from "zod";
import { MergeParams } from "./params.ts";

/** Which of several rows of one key is taken; see {@link MergeOptions}. */
export type Resolve<Name extends string> =
  /** Sources, best first; one that is not named comes after those that are. */
  | { priority: string[] }
  /** The greatest value of the column; true: what was collected last. Null never wins. */
  | { lastWriteWins: Name | true }
  /** The smallest value of the column; true: what was collected first. Null never wins. */
  | { firstWriteWins: Name | true };

/** Options of {@link merge}. */
export type MergeOptions<C extends ColumnTypes> = TaskOptions & {
  /** Tables of the same columns. Their order does not matter. */
  from: InputArg<Table<C>[]>;
  /** Columns whose values together name a row; a row where one is null is quarantined. */
  key: readonly NoInfer<ColumnName<C>>[];
  /** Which of several rows of one key is taken. */
  resolve: Param<Resolve<NoInfer<ColumnName<C>>>>;
  /** Columns with a rule of their own: the first value by it that is not null. */
  fields?: { [K in NoInfer<ColumnName<C>>]?: Resolve<NoInfer<ColumnName<C>>> };
};

/**
 * Merge tables by key. Rows that are the same in every column and come from one source count once;
 * of what is left one row for each key is taken, and the others are kept as lineage. Of one source,
 * the row that was collected last is taken (with `firstWriteWins`: first).
 *
 * @example
 * ```ts ignore
 * merge({
 *   id: "merge",
 *   from: [vendor, other],
 *   key: ["symbol", "date"],
 *   resolve: { priority: ["alpha_vantage.daily", "stooq.daily"] },
 * });
 * ```
 */
export const merge = operator({
  name: "merge",
  summary: "Make one table of several, with one row for each key and the lineage of every value",
  params: MergeParams,
  inputs: { from: z.array(TableRef).min(1) },
  output: TableRef,
  load: () => import("./run.ts"),
}).as<
  <C extends ColumnTypes>(options: MergeOptions<C>) => TaskRef<Table<C>>
>();
