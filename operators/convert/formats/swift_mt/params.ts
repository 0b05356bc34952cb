/** @module Read options of SWIFT MT. */
import { z } from "zod";

/** How SWIFT MT becomes rows. */
export const SwiftMtParams = z.object({
  rows: z.enum(["auto", "entry", "statement", "message", "field"]).default("auto").meta({
    doc: "entry: a row per statement line (61) of MT940, 942 and 950; statement: a row per such " +
      "message with its balances; message: a row per message of any type, with a column per tag; " +
      "field: a row per field. auto: entry when the first message is a statement, else message",
  }),
});
/** See {@link SwiftMtParams}. */
export type SwiftMtParams = z.infer<typeof SwiftMtParams>;
