/** @module What a task says when it ends. A throw is a failure. */
import { z } from "zod";
import { PublishIntent, Quarantine, RowAccounting } from "./data.ts";
import { Question, TriggerSpec } from "./trigger.ts";

/** Everything beside the output that a `done` can carry; written in the transaction of success. */
export const Effects = z.object({
  accounting: RowAccounting.optional(),
  publish: z.array(PublishIntent).optional(),
  quarantine: z.array(Quarantine).optional(),
  /** Durable key-value state of the task (cursors, watermarks); merged, null removes a key. */
  state: z.record(z.string(), z.json()).optional(),
  /** Figures shown with the attempt: quality score, bytes, requests… */
  metrics: z.record(z.string(), z.json()).optional(),
});
/** See {@link Effects}. */
export type Effects = z.infer<typeof Effects>;

const waiting = {
  /** Handed back to the attempt that goes on. */
  data: z.json().optional(),
  /** When the wait is over at the latest; null: as long as the run lives. */
  deadline: z.iso.datetime().nullable(),
};

/** The outcomes as they travel. `defer` waits for a trigger, `ask` for a person: neither has a slot. */
export const Outcome = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("done"),
    output: z.json().optional(),
    effects: Effects.optional(),
    /** For a branch: ids of the direct downstream tasks that go on. */
    chosen: z.array(z.string()).optional(),
  }),
  z.object({ kind: z.literal("skip"), reason: z.string().max(500).optional() }),
  z.object({ kind: z.literal("retryAt"), at: z.iso.datetime(), reason: z.string().max(500) }),
  z.object({
    kind: z.literal("defer"),
    trigger: TriggerSpec,
    ...waiting,
    /** Past the deadline the next attempt fails, or goes on and sees that time is up. */
    onTimeout: z.enum(["fail", "resume"]),
  }),
  z.object({ kind: z.literal("ask"), question: Question, ...waiting }),
]);
/** See {@link Outcome}. */
export type Outcome = z.infer<typeof Outcome>;
