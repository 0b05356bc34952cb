/** @module Read options that one format has, under the format's name. */
import { z } from "zod";
import { FixParams } from "./fix/params.ts";
import { SwiftMtParams } from "./swift_mt/params.ts";

/** Options by format. */
export const FormatOptions = z.object({
  fix: FixParams.optional().meta({ doc: "How FIX messages are read" }),
  swift_mt: SwiftMtParams.optional().meta({ doc: "How SWIFT MT messages become rows" }),
});
/** See {@link FormatOptions}. */
export type FormatOptions = z.infer<typeof FormatOptions>;
