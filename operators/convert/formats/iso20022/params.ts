/** @module Read options of ISO 20022. */
import { z } from "zod";

/** How ISO 20022 messages become rows. */
export const Iso20022Params = z.object({
  rows: z.enum(["transaction", "entry", "balance"]).default("transaction").meta({
    doc: "Of account statements and reports (camt.052, 053, 054). transaction: a row per " +
      "transaction of an entry, and per entry without any; entry: a row per entry; balance: a row " +
      "per balance",
  }),
  controls: z.enum(["quarantine", "fail"]).default("quarantine").meta({
    doc:
      "A count or sum that a message declares and its transactions do not come to. quarantine: " +
      "the declaration goes there, the rows are read; fail: the file is refused",
  }),
});
/** See {@link Iso20022Params}. */
export type Iso20022Params = z.infer<typeof Iso20022Params>;
