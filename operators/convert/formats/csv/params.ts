/** @module How delimited text is read, beyond what all texts have. */
import { z } from "zod";

/** Options of delimited text; what is left out is found out. */
export const CsvParams = z.strictObject({
  escape: z.enum(["doubled", "backslash", "loose", "none"]).optional().meta({
    doc: "How a quote is written inside of quotes. doubled: twice. backslash: behind one. loose: " +
      "twice, or once where no cell can end. none: as it is",
  }),
  comment: z.string().max(4).optional().meta({
    doc: 'Begins lines that are none of the table; "" for none',
    example: "#",
  }),
  headerRows: z.int().min(1).max(10).optional().meta({
    doc: "Records of the header; names of several are joined with a blank",
  }),
  footer: z.enum(["find", "none"]).default("find").meta({
    doc:
      "Lines behind the table, like totals and trailers. find: they are none of its rows, and a " +
      "trailer's count must be that of the rows. none: every line is a row",
  }),
});
/** See {@link CsvParams}. */
export type CsvParams = z.infer<typeof CsvParams>;
