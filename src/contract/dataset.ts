/** @module Dataset versions as they travel between processes. */
import { z } from "zod";
import { FileRef, TableSchema } from "../model/data.ts";

/** One immutable published state of one partition of a dataset. */
export const DatasetVersionInfo = z.object({
  id: z.uuid(),
  dataset: z.string(),
  partition: z.string(),
  /** From 1, within the partition. */
  version: z.int().positive(),
  kind: z.enum(["raw", "table"]),
  knownAt: z.iso.datetime({ offset: true }),
  sha256: z.string(),
  rows: z.int().nullable(),
  bytes: z.int(),
  schema: TableSchema.nullable(),
  files: z.array(FileRef),
  lineageFiles: z.array(FileRef),
});
/** See {@link DatasetVersionInfo}. */
export type DatasetVersionInfo = z.infer<typeof DatasetVersionInfo>;
