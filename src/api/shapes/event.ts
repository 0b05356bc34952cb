/** @module Shapes of events that are delivered to those who asked. */
import { z } from "zod";
import { At } from "./basic.ts";

/** An event for one target. */
export const EventShape = z.object({
  event_seq: z.int().meta({ doc: "Of this event for this target" }),
  event_id: z.uuid().meta({ doc: "The CloudEvent's id; all of its targets get the same" }),
  type: z.string().meta({ example: "tidewheel.dag_run.failed" }),
  dag_id: z.string(),
  dag_run_id: z.string().nullable(),
  subject: z.string(),
  occurred_at: At,
  target: z.string().meta({ doc: "Kind, and host, connection or DAG; no address in full" }),
  state: z.enum(["pending", "delivered", "dead"]),
  tries: z.int(),
  next_try_at: At.nullable(),
  ended_at: At.nullable(),
  last_error: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
}).meta({ id: "EventResponse" });

/** A page of events. */
export const EventCollection = z.object({ events: z.array(EventShape), total_entries: z.int() })
  .meta({ id: "EventCollectionResponse" });
