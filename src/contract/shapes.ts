/** @module Shapes that several contracts share. */
import { z } from "zod";
import { type EndReason, endReasons } from "../model/end_reason.ts";

/** {@link EndReason} as a schema. */
export const EndReasonShape = z.enum(Object.keys(endReasons) as [EndReason, ...EndReason[]]);

/** {@link ../model/end_reason.ts#EndEvidence} as a schema. */
export const EndEvidenceShape = z.object({
  message: z.string(),
  error: z.object({ name: z.string(), code: z.string().optional(), classes: z.array(z.string()) })
    .meta({ doc: "The error that the task's code threw; retry rules go by it" }),
  retryReason: z.string().meta({
    doc: "Why it is tried again, or not, where a rule or a budget decided that",
    example: "retry rule 1 (error VendorDown): tried again after 600 s",
  }),
  exitCode: z.int(),
  signal: z.string(),
  rssBytesMax: z.int(),
  limitBytes: z.int(),
  timeoutMs: z.int(),
  stack: z.string(),
  lastHeartbeatAt: z.string(),
  by: z.string(),
}).partial();
