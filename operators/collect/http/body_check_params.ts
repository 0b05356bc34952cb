/** @module Conditions on a body, as parameters. */
import { z } from "zod";

/**
 * A condition on an answer's body. With `pointer` alone: something other than null, false, an
 * empty string or an empty list is there.
 */
export const BodyCheck = z.union([
  z.object({
    pointer: z.string().meta({ doc: "JSON pointer (RFC 6901)", example: "/error/code" }),
    equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
    contains: z.string().optional().meta({ doc: "Text in the value, in any case" }),
  }),
  z.object({
    text: z.string().min(1).meta({
      doc: "Text in the first 64 KiB, in any case",
      example: "Exceeded the daily hits limit",
    }),
  }),
]);
/** See {@link BodyCheck}. */
export type BodyCheck = z.infer<typeof BodyCheck>;
