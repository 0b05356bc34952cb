/** @module `publish`: a table as the next version of a dataset. */
import { z } from "zod";
import { TableRef } from "../../src/model/data.ts";
import { operator } from "../../src/sdk/operator.ts";

/** Parameters of {@link publish}. */
export const PublishParams = z.object({
  dataset: z.string().regex(/^[a-z0-9_]+(\.[a-z0-9_]+)*$/, {
    error: 'A dataset is named by lower-case letters, digits and "_", with dots: "prices.daily"',
  }).refine((name) => !name.startsWith("raw."), {
    error: 'Names that start with "raw." are for what is collected',
  }).meta({ doc: "Dataset's name", example: "prices.daily" }),
  partition: z.string().min(1).max(200).optional().meta({
    doc: "Partition that gets the version; left out: the date of the run's data interval",
    example: "2026-01-05",
  }),
  compatibility: z.enum(["any", "compatible"]).default("any").meta({
    doc:
      "compatible: refuse a schema whose columns went away, became narrower or of another kind, or " +
      "may be null now, against the dataset's newest version: its readers could fail",
  }),
  allowEmpty: z.boolean().default(false).meta({
    doc: "Publish a table without rows too, where it would be an error",
  }),
});
/** See {@link PublishParams}. */
export type PublishParams = z.output<typeof PublishParams>;

/** What was published. */
export const Published = z.object({
  dataset: z.string(),
  partition: z.string(),
  rows: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  sha256: z.string().meta({ doc: "Hash of its file: equal tables give equal ones" }),
  sources: z.array(z.string()).meta({ doc: "Sources whose rows are in it" }),
});
/** See {@link Published}. */
export type Published = z.output<typeof Published>;

/**
 * Publish a table as the next version of a dataset's partition, in the transaction of the task's
 * success. Beside the data, which is sorted by its key, the version keeps its lineage: a Parquet file
 * with the table's own columns and
 * - `_tw_rank`: 0 for the published row; from 1 what other records said of the same key;
 * - `_tw_source`, `_tw_file`, `_tw_row`, `_tw_offset`: the raw record of the row;
 * - `_tw_cells`: of the published row the values that come from other records, by column;
 * - `_tw_rule`: of the published row, why its record was taken; `_tw_rules`: of columns that have a
 *   rule of their own, that rule.
 *
 * Its rows are sorted by key, then by rank.
 */
export const publish = operator({
  name: "publish",
  summary: "Make a table the next version of a dataset's partition, with its lineage",
  params: PublishParams,
  inputs: { from: TableRef },
  output: Published,
  datasets: ({ dataset }) => typeof dataset === "string" ? [dataset] : [],
  load: () => import("./run.ts"),
});
