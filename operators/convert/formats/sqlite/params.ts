/** @module Read options of SQLite. */
import { z } from "zod";

/** Which rows of a SQLite file. */
export const SqliteParams = z.object({
  table: z.string().min(1).optional().meta({
    doc: "Table or view whose rows are read; left out, the file's only table",
    example: "prices",
  }),
});
/** See {@link SqliteParams}. */
export type SqliteParams = z.infer<typeof SqliteParams>;
