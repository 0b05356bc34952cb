/** @module `quality`: is a table fit to be published? */
import { TableRef } from "../../src/model/data.ts";
import { operator, type OperatorOptions } from "../../src/sdk/operator.ts";
import type { Ref, TaskRef } from "../../src/sdk/ref.ts";
import { QualityParams } from "./params.ts";

const inputs = { from: TableRef };

type Options = Omit<OperatorOptions<typeof QualityParams, typeof inputs>, "from">;

/** {@link quality} as authors call it: the table comes out as it goes in, less what is refused. */
export type Quality = <T extends TableRef>(options: Options & { from: Ref<T> }) => TaskRef<T>;

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
