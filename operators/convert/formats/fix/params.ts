/** @module Read options of FIX. */
import { z } from "zod";

/** How FIX logs are read. */
export const FixParams = z.object({
  checks: z.enum(["verify", "ignore"]).default("verify").meta({
    doc:
      "Messages whose checksum (10) or body length (9) is wrong: refuse them, or take them all " +
      "the same, as from a log whose values were masked",
  }),
});
/** See {@link FixParams}. */
export type FixParams = z.infer<typeof FixParams>;
