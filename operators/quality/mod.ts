/** @module `quality`: is a table fit to be published? */
import { TableRef } from "../../src/model/data.ts";
import { operator, type OperatorOptions } from "../../src/sdk/operator.ts";
import type { Ref, TaskRef } from "../../src/sdk/ref.ts";
import type { ColumnName, ColumnsOf } from "../../src/sdk/table.ts";
import type { Param } from "../../src/sdk/context.ts";
import { QualityParams } from "./params.ts";
import type { RuleOn } from "./rule_types.ts";

const inputs = { from: TableRef };

type Options = OperatorOptions<typeof QualityParams, typeof inputs>;

/** Options of {@link quality}; columns are those of the table, where it was declared. */
export type QualityOptions<T extends TableRef> =
  & Omit<Options, "from" | "rules" | "completenessColumns">
  & {
    from: Ref<T>;
    rules?: Param<RuleOn<NoInfer<T>>[]>;
    completenessColumns?: Param<NamesOf<NoInfer<T>>[]>;
  };

type NamesOf<T> = [ColumnsOf<T>] extends [never] ? string : ColumnName<ColumnsOf<T>>;

/** {@link quality} as authors call it: the table comes out as it goes in, less what is refused. */
export type Quality = <T extends TableRef>(options: QualityOptions<T>) => TaskRef<T>;

/**
 * Check a table: its files, its schema, its rules; then score it. Rows that fail go to quarantine; a
 * table below the bounds fails the task.
 */
export const quality = operator({
  name: "quality",
  summary: "Check a table by rules and bounds, quarantining rows that fail",
  params: QualityParams,
  inputs,
  output: TableRef,
  load: () => import("./run.ts"),
}).as<Quality>();
