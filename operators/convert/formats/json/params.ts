/** @module Read options of JSON. */
import { z } from "zod";

/** How a JSON document becomes rows. */
export const JsonParams = z.object({
  layout: z.enum(["auto", "rows"]).default("auto").meta({
    doc: "auto: an object of arrays beside each other, or of rows with a header " +
      '({"columns": […], "data": [[…], …]}), is a table; rows: it is a record',
  }),
});
/** See {@link JsonParams}. */
export type JsonParams = z.infer<typeof JsonParams>;
