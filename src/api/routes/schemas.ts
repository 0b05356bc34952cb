/** @module Routes of a dataset's schemas: how it came to look as it does. */
import { z } from "zod";
import { canonicalJson, sha256 } from "../../base/hash.ts";
import { TableSchema } from "../../model/data.ts";
import { AppError } from "../../model/errors.ts";
import { schemaChanges } from "../../model/schema_change.ts";
import { findDataset } from "../../store/dataset_query.ts";
import { listSchemas, type SchemaRow } from "../../store/schema_query.ts";
import type { Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { Name } from "../shapes/basic.ts";

const SchemaVersion = z.object({
  number: z.int().meta({ doc: "From 1, in the order of time" }),
  sha256: z.string().meta({
    doc: "Hash of the schema as canonical JSON: equal schemas have equal ones",
  }),
  schema: TableSchema,
  since: z.string().meta({ doc: "When the first version with it was known" }),
  until: z.string().meta({ doc: "When the last one was" }),
  first_version_id: z.uuid(),
  first_partition: z.string(),
  versions: z.int(),
  changes: z.array(z.object({
    kind: z.enum(["added", "removed", "retyped", "nullable", "required", "moved", "key"]),
    column: z.string().nullable(),
    before: z.string().nullable(),
    after: z.string().nullable(),
    is_breaking: z.boolean(),
  })).meta({ doc: "From the schema before it" }),
  is_compatible: z.boolean().meta({ doc: "None of its changes breaks a reader" }),
});

const SchemaCollection = z.object({
  schemas: z.array(SchemaVersion),
  total_entries: z.int(),
}).meta({ id: "SchemaCollectionResponse" });

/** Add them. */
export function addSchemaRoutes(book: RouteBook, { sql }: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/datasets/{dataset}/schemas",
    permission: "datasets.read",
    tag: "Datasets",
    summary: "List the schemas that a dataset had, the newest first, and what each changed",
    params: z.object({ dataset: Name }),
    returns: SchemaCollection,
  }, async ({ params: { dataset } }) => {
    if (!await findDataset(sql, dataset)) {
      throw new AppError(
        "NOT_FOUND",
        `Cannot find the dataset "${dataset}": nothing was published to it`,
      );
    }
    const rows = await listSchemas(sql, dataset);
    const schemas = rows.map((row, i) => schemaView(row, i, rows[i - 1])).toReversed();
    return { schemas, total_entries: schemas.length };
  });
}

function schemaView(
  row: SchemaRow,
  index: number,
  before: SchemaRow | undefined,
): z.input<typeof SchemaVersion> {
  const changes = before ? schemaChanges(before.schema, row.schema) : [];
  return {
    number: index + 1,
    sha256: sha256(canonicalJson(row.schema)),
    schema: row.schema,
    since: row.since,
    until: row.until,
    first_version_id: row.versionId,
    first_partition: row.partition,
    versions: row.versions,
    changes: changes.map(({ isBreaking, ...change }) => ({ ...change, is_breaking: isBreaking })),
    is_compatible: changes.every(({ isBreaking }) => !isBreaking),
  };
}
