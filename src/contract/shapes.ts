/** @module Shapes that several contracts share. */
import { z } from "zod";
import { type EndReason, endReasons } from "../model/end_reason.ts";

/** {@link EndReason} as a schema. */
export const EndReasonShape = z.enum(Object.keys(endReasons) as [EndReason, ...EndReason[]]);

/** {@link ../model/end_reason.ts#EndEvidence} as a schema. */
export const EndEvidenceShape = z.object({
  message: z.string(),
  exitCode: z.int(),
  signal: z.string(),
  rssBytesMax: z.int(),
  limitBytes: z.int(),
  timeoutMs: z.int(),
  stack: z.string(),
  lastHeartbeatAt: z.string(),
  by: z.string(),
}).partial();
