/** @module Read options of BAI2. */
import { z } from "zod";

/** How BAI2 becomes rows. */
export const Bai2Params = z.object({
  rows: z.enum(["transaction", "balance"]).default("transaction").meta({
    doc: "transaction: a row per detail (record 16); balance: a row per amount of an account " +
      "(record 03), as opening and closing ledger",
  }),
});
/** See {@link Bai2Params}. */
export type Bai2Params = z.infer<typeof Bai2Params>;
