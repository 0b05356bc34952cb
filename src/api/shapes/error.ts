/** @module The body of every error. */
import { z } from "zod";

/** `detail` for people, `code` for programs. */
export const ErrorShape = z.object({
  detail: z.string().meta({ doc: "What was tried, what is so, what would be right" }),
  code: z.string().meta({ example: "NOT_FOUND" }),
  info: z.record(z.string(), z.unknown()).optional(),
  errors: z.array(z.object({
    loc: z.array(z.union([z.string(), z.int()])),
    msg: z.string(),
    type: z.string(),
  })).optional().meta({ doc: "With 422: each thing that does not fit" }),
}).meta({ id: "Error" });
