/** @module When a run or a task must have succeeded, as data. */
import { z } from "zod";
import { NoticeTarget } from "./notice_spec.ts";
import { SessionsSpec } from "./schedule_spec.ts";

/** Instants of a run that a deadline can be counted from. */
export const deadlineStarts = ["queued", "due", "started", "logicalDate"] as const;
/** One of {@link deadlineStarts}. */
export type DeadlineStart = (typeof deadlineStarts)[number];

/** A deadline of every run. */
export const DeadlineSpec = z.object({
  name: z.string().min(1).max(250),
  by: z.discriminatedUnion("kind", [
    z.object({ kind: z.enum(deadlineStarts), withinMs: z.int().min(0) }),
    z.object({ kind: z.literal("averageRuntime"), withinMs: z.int().min(0), runs: z.int().min(1) })
      .meta({
        doc: "So long after the average of the newest successful runs, if there are as many",
      }),
    z.object({ kind: z.literal("instant"), at: z.iso.datetime() }),
    z.object({ kind: z.literal("clock"), time: z.string(), timezone: z.string() })
      .meta({ doc: "When clocks first show this, after the run is due" }),
    z.object({ kind: z.literal("session"), session: SessionsSpec })
      .meta({ doc: "The first such instant after the run is due" }),
  ]),
  notify: z.array(NoticeTarget).max(20).default([]),
});
/** See {@link DeadlineSpec}. */
export type DeadlineSpec = z.infer<typeof DeadlineSpec>;
