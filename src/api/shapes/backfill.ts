/** @module Shapes of backfills: Airflow 3's, and what ours have beside. */
import { z } from "zod";
import { backfillEnds, backfillExceptions, reprocessBehaviors } from "../../model/backfill.ts";
import { runStates } from "../../model/run_state.ts";
import { At, Instant, JsonObject, Name } from "./basic.ts";

const behaviors = z.enum(reprocessBehaviors);
const share = z.number().gt(0).max(1).meta({
  doc: "Of each pool's slots and of the DAG's max_active_tasks: what its tasks take at most; the " +
    "rest is there for live runs at any moment",
});
const maxActiveRuns = z.int().min(1).max(1000);
const leftOut = z.partialRecord(z.enum(backfillExceptions), z.int());

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
  run_backwards: z.boolean(),
  run_on_latest_version: z.boolean(),
  force: z.boolean(),
  share,
  state: z.enum(["waiting", "paused", "running", ...backfillEnds]).meta({
    doc: "waiting: for another backfill of its cascade",
  }),
  triggering_user_name: z.string().nullable(),
  kind: z.enum(["dates", "events"]).meta({
    doc: "events: its runs are started by the datasets that the backfills above it publish",
  }),
  cascade_id: z.int().nullable().meta({ doc: "The backfill that its cascade began with" }),
  runs: z.object({
    planned: z.int().meta({ doc: "All of its dates" }),
    pending: z.int().meta({ doc: "Dates that get their run when there is room" }),
    queued: z.int(),
    running: z.int(),
    success: z.int(),
    failed: z.int(),
    left_out: z.int().meta({ doc: "Dates without a run of this backfill" }),
    left_out_by: leftOut.meta({ doc: "The same by reason" }),
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
  max_active_runs: maxActiveRuns.default(10).meta({
    doc: "Runs of this backfill at a time, beside the DAG's own limit",
  }),
  run_on_latest_version: z.boolean().nullish().meta({
    doc: "For runs that run again: on the DAG's newest version, or on their own; default: as its " +
      "rerunWithLatestVersion says, else on the newest",
  }),
  force: z.boolean().default(false).meta({
    doc:
      "Also runs that ran on another version of Tidewheel, or another image, run as they were; " +
      "else they are left out",
  }),
  share: share.default(1),
  cascade: z.boolean().default(false).meta({
    doc: "Also run again what is downstream: DAGs that read what these dates publish, in order",
  }),
}).meta({ id: "BackfillPostBody" });

/** What can be changed of a backfill under way. */
export const BackfillPatch = z.strictObject({
  max_active_runs: maxActiveRuns.optional(),
  share: share.optional(),
}).refine((body) => Object.values(body).some((value) => value !== undefined), {
  message: "must name max_active_runs or share",
}).meta({ id: "BackfillPatchBody" });

/** Dates to add. */
export const BackfillExtension = z.strictObject({
  from_date: Instant.optional().meta({ doc: "An earlier first logical date" }),
  to_date: Instant.optional().meta({ doc: "A later last logical date" }),
}).refine((body) => body.from_date !== undefined || body.to_date !== undefined, {
  message: "must name an earlier from_date, a later to_date, or both",
}).meta({ id: "BackfillExtendBody" });

/** How what failed runs again. */
export const BackfillRerun = z.strictObject({
  force: z.boolean().default(false).meta({
    doc: "As they were, also those that ran on another version of Tidewheel, or another image",
  }),
}).meta({ id: "BackfillRerunBody" });

/** What became of an extension or a re-run. */
export const BackfillChanged = z.object({
  dates: z.int().meta({ doc: "Dates that were added, or planned anew" }),
  backfill: BackfillShape,
}).meta({ id: "BackfillChangedResponse" });

/** A page of the dates of a backfill. */
export const BackfillDates = z.object({
  dates: z.array(z.object({
    logical_date: At.nullable(),
    partition_key: z.string().nullable().meta({ doc: '"": of a DAG that goes by no partitions' }),
    sort_ordinal: z.int(),
    state: z.enum(["planned", ...runStates, ...backfillExceptions]),
    dag_run_id: z.string().nullable(),
  })),
  total_entries: z.int(),
}).meta({ id: "BackfillDateCollectionResponse" });

/** States that dates of a backfill may be listed by. */
export const dateStates = ["planned", ...runStates, ...backfillExceptions] as const;

/** What a number of runs would take. */
export const EstimateShape = z.object({
  seconds: z.number().nullable().meta({ doc: "Median run × runs ÷ runs at a time" }),
  median_run_seconds: z.number().nullable(),
  from_runs: z.int().meta({ doc: "Successful runs that it is from" }),
  concurrency: z.int(),
  why: z.string().nullable().meta({ doc: "Why there is nothing to tell" }),
  requests: z.array(z.object({
    source: z.string(),
    tasks: z.array(z.string()),
    requests: z.int().nullable().meta({ doc: "Median of its requests in a run × runs" }),
    from_runs: z.int(),
    why: z.string().nullable(),
  })).meta({ doc: "Requests to vendors, by source" }),
  cost: z.number().nullable(),
  cost_why: z.string(),
}).meta({ id: "BackfillEstimate" });

const upstream = z.array(z.object({ dag_id: z.string(), datasets: z.array(z.string()) }));

/** One DAG below a backfill, in a dry run. */
const CascadePreview = z.object({
  dag_id: z.string(),
  depth: z.int().meta({ doc: "1: reads what the backfill itself publishes" }),
  kind: z.enum(["dates", "events", "left out"]),
  why: z.string().nullable().meta({ doc: "Why it is left out" }),
  upstream,
  dates: z.int(),
  partitions: z.array(z.string()).meta({
    doc: "Of events: the partitions that it will be started for, as far as earlier runs tell",
  }),
  waits_for: z.enum(["what each needs", "all above"]).nullable().meta({
    doc:
      "Each of its dates or partitions runs once those above that it needs are done; or it runs " +
      "once, when all above has ended, since it goes by no partitions",
  }),
  new: z.int(),
  again: z.int(),
  left_out: z.int(),
  first_date: At.nullable(),
  last_date: At.nullable(),
  estimate: EstimateShape.nullable(),
}).meta({ id: "BackfillCascadePreview" });

/** A cascade under way. */
export const CascadeShape = z.object({
  id: z.int(),
  state: z.enum(["running", "paused", "completed", "failed", "cancelled"]).meta({
    doc: "failed: something failed, and what is below it stopped",
  }),
  runs: z.object({
    planned: z.int(),
    done: z.int().meta({ doc: "Dates that ended, or were left out" }),
    failed: z.int(),
  }),
  backfills: z.array(z.object({ depth: z.int(), upstream, backfill: BackfillShape })),
}).meta({ id: "BackfillCascadeResponse" });

/** The dates that a backfill would run, and what it would take. */
export const DryRunBackfill = z.object({
  backfills: z.array(z.object({
    logical_date: At.nullable(),
    partition_key: z.string().nullable(),
    partition_date: At.nullable(),
    what: z.enum(["new", "again"]).meta({ doc: "again: its run exists and runs again" }),
  })),
  total_entries: z.int(),
  counts: z.object({
    dates: z.int(),
    new: z.int(),
    again: z.int(),
    left_out: z.int(),
    left_out_by: leftOut,
  }),
  left_out: z.array(z.object({ logical_date: At, reason: z.enum(backfillExceptions) })).meta({
    doc: "The first 1000 dates that would get no run",
  }),
  estimate: EstimateShape,
  cascade: z.array(CascadePreview).meta({
    doc: "With cascade: the DAGs below, each after those that it waits for",
  }),
  total_seconds: z.number().nullable().meta({
    doc: "Of the backfill and all below it, depth after depth; null where one is not known",
  }),
}).meta({ id: "DryRunBackfillCollectionResponse" });
