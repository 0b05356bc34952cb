/** @module Shapes of backfills: Airflow 3's. */
import { z } from "zod";
import { At, Instant, JsonObject, Name } from "./basic.ts";

const behaviors = z.enum(["none", "failed", "completed"]);

/** One backfill. */
export const BackfillShape = z.object({
  id: z.int(),
  dag_id: z.string(),
  dag_display_name: z.string(),
  from_date: At,
  to_date: At,
  dag_run_conf: z.record(z.string(), z.unknown()).nullable(),
  is_paused: z.boolean(),
  reprocess_behavior: behaviors,
  max_active_runs: z.int(),
  created_at: At,
  completed_at: At.nullable(),
  updated_at: At,
  runs: z.object({
    planned: z.int(),
    queued: z.int(),
    running: z.int(),
    success: z.int(),
    failed: z.int(),
    left_out: z.int().meta({ doc: "Dates whose run exists already and was left as it is" }),
  }),
}).meta({ id: "BackfillResponse" });

/** A page of backfills. */
export const BackfillCollection = z.object({
  backfills: z.array(BackfillShape),
  total_entries: z.int(),
}).meta({ id: "BackfillCollectionResponse" });

/** A backfill to start. */
export const BackfillBody = z.strictObject({
  dag_id: Name,
  from_date: Instant.meta({ doc: "First logical date" }),
  to_date: Instant.meta({ doc: "Last logical date" }),
  run_backwards: z.boolean().default(false).meta({ doc: "Newest first" }),
  dag_run_conf: JsonObject.nullish(),
  reprocess_behavior: behaviors.default("none").meta({
    doc: "What to do with dates whose run is finished: leave it, run failed ones again, or all",
  }),
  max_active_runs: z.int().min(1).max(1000).default(10).meta({
    doc: "Runs of this backfill at a time, beside the DAG's own limit",
  }),
  run_on_latest_version: z.boolean().nullish().meta({
    doc: "For runs that run again: on the DAG's newest version (default), or on their own",
  }),
}).meta({ id: "BackfillPostBody" });

/** The dates that a backfill would run. */
export const DryRunBackfill = z.object({
  backfills: z.array(z.object({
    logical_date: At.nullable(),
    partition_key: z.string().nullable(),
    partition_date: At.nullable(),
  })),
  total_entries: z.int(),
}).meta({ id: "DryRunBackfillCollectionResponse" });
