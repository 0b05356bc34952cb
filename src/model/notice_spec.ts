/** @module Whom to tell of what becomes of a run or a task: targets, as data, and events. */
import { z } from "zod";

/** How the body of a webhook's request looks. */
export const webhookFormats = ["cloudevents", "slack"] as const;

/** Who is told: an address, or another DAG. */
export const NoticeTarget = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("webhook"),
    url: z.url({ protocol: /^https?$/ }).nullable(),
    connection: z.string().nullable().meta({
      doc: "Its address where there is no url, and its password, which signs",
    }),
    path: z.string().nullable(),
    format: z.enum(webhookFormats),
  }),
  z.object({
    kind: z.literal("run_dag"),
    dagId: z.string(),
    conf: z.record(z.string(), z.json()),
    eventAs: z.string().nullable().meta({ doc: "The param that gets the event's data" }),
  }),
]);
/** See {@link NoticeTarget}. */
export type NoticeTarget = z.infer<typeof NoticeTarget>;

const targets = z.array(NoticeTarget).min(1).max(20).optional();

/** Whom a DAG tells of its runs. */
export const DagCallbacks = z.object({ execute: targets, success: targets, failure: targets });
/** See {@link DagCallbacks}. */
export type DagCallbacks = z.infer<typeof DagCallbacks>;

/** Whom a task tells of its instances. */
export const TaskCallbacks = z.object({
  success: targets,
  failure: targets,
  retry: targets,
  skipped: targets,
});
/** See {@link TaskCallbacks}. */
export type TaskCallbacks = z.infer<typeof TaskCallbacks>;

/** State that a run went to → its listeners, and the event's name. */
export const runEvents = {
  running: { listener: "execute", name: "started" },
  success: { listener: "success", name: "succeeded" },
  failed: { listener: "failure", name: "failed" },
} as const satisfies Record<string, { listener: keyof DagCallbacks; name: string }>;

/** State that an attempt's end brought its instance to → its listeners, and the event's name. */
export const taskEvents = {
  success: { listener: "success", name: "succeeded" },
  failed: { listener: "failure", name: "failed" },
  cancelled: { listener: "failure", name: "cancelled" },
  up_for_retry: { listener: "retry", name: "retried" },
  skipped: { listener: "skipped", name: "skipped" },
} as const satisfies Record<string, { listener: keyof TaskCallbacks; name: string }>;

/** What happened to a run, for one target; kept until it is delivered. */
export interface OutboxEvent {
  /** CloudEvents' id: the same at each delivery, and for each target. */
  eventId: string;
  /** Which of the targets. */
  ordinal: number;
  /** CloudEvents' type. */
  type: string;
  dagId: string;
  dagRunId: string;
  taskInstanceId: string | null;
  /** CloudEvents' subject. */
  subject: string;
  occurredAt: Date;
  data: Record<string, unknown>;
  target: NoticeTarget;
}

/** How a try to deliver an event ended. */
export interface TryResult {
  seq: number;
  /** The try that it was: a later one's word counts. */
  tries: number;
  at: Date;
  state: "delivered" | "pending" | "dead";
  /** Of `pending`: not before. */
  nextAt: Date;
  error: string | null;
}
