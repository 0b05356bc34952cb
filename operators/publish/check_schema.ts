/** @module Can the readers of a dataset go on with a schema? */
import type { TableSchema } from "../../src/model/data.ts";
import { schemaChanges } from "../../src/model/schema_change.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { refusal } from "../table/refusal.ts";

/** Throws CONFLICT for one that breaks them, by the dataset's newest version. */
export async function checkSchema(
  ctx: TaskContext,
  dataset: string,
  schema: TableSchema,
): Promise<void> {
  const newest = await ctx.dataset(dataset);
  if (!newest?.schema) return;
  const breaking = schemaChanges(newest.schema, schema).filter(({ isBreaking }) => isBreaking);
  if (breaking.length === 0) return;
  const told = breaking.map(({ kind, column, before, after }) =>
    kind === "removed"
      ? `column "${column}" is gone`
      : kind === "key"
      ? `its key is (${after}), not (${before})`
      : kind === "nullable"
      ? `column "${column}" may be null now`
      : `column "${column}" is ${after}, not ${before}`
  );
  throw refusal(
    "CONFLICT",
    `Cannot publish "${dataset}": its newest version, of partition "${newest.partition}", has another ` +
      `schema: ${told.join("; ")}; compatibility: "any" publishes it all the same`,
  );
}
