/** @module Read options of workbooks. */
import { z } from "zod";

/** Which rows of a workbook. */
export const WorkbookParams = z.object({
  sheet: z.union([z.string().min(1), z.int().min(1).max(10_000)]).optional().meta({
    doc:
      "Sheet by its name, or by its place from 1; left out, the visible sheet that has most in it",
    example: "Prices",
  }),
});
/** See {@link WorkbookParams}. */
export type WorkbookParams = z.infer<typeof WorkbookParams>;
