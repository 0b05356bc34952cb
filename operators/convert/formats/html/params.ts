/** @module Read options of HTML. */
import { z } from "zod";

/** Which table of a page is read. */
export const HtmlParams = z.object({
  table: z.union([z.int().min(1), z.string().min(1)]).optional().meta({
    doc: "Which table: its number on the page, from 1, or its id, caption, or the text of one of " +
      "its headers; left out, the largest one of data",
    example: "Historical prices",
  }),
});
/** See {@link HtmlParams}. */
export type HtmlParams = z.infer<typeof HtmlParams>;
