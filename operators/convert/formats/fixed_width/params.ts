/** @module How fixed-width text is read. */
import { z } from "zod";

const FixedColumn = z.strictObject({
  name: z.string().min(1).meta({ doc: "Name of the column" }),
  start: z.int().min(1).optional().meta({
    doc: "First character of the column, from 1; the default follows on the column before",
  }),
  width: z.int().min(1).max(100_000).meta({ doc: "Characters" }),
});

/** Options of fixed-width text; what is left out is found out by rulers and blank columns. */
export const FixedWidthParams = z.strictObject({
  columns: z.array(FixedColumn).min(1).optional().meta({
    doc: "The columns; what stands between them must be blank",
    example: [{ name: "isin", width: 12 }, { name: "price", start: 20, width: 10 }],
  }),
  widths: z.array(z.int().min(1).max(100_000)).min(1).optional().meta({
    doc: "Characters of each column, one behind the other",
    example: [12, 10, 8],
  }),
  footer: z.enum(["find", "none"]).default("find").meta({
    doc: "Lines behind the table. find: they are none of its rows, and a trailer's count must be " +
      "that of the rows. none: every line is a row",
  }),
}).refine(({ columns, widths }) => columns === undefined || widths === undefined, {
  message: "give columns or widths, not both",
});
/** See {@link FixedWidthParams}. */
export type FixedWidthParams = z.infer<typeof FixedWidthParams>;
