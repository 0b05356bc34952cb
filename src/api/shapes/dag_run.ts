/** @module Shapes of DAG runs: Airflow 3's. */
import { z } from "zod";
import { runStates, runTypes } from "../../model/run_state.ts";
import { At, Instant, JsonObject, Text } from "./basic.ts";
import { DagVersionShape } from "./dag.ts";

/** A run id that people give. */
export const RunId = z.string().min(1).max(250).regex(
  /^[A-Za-z0-9_.~:+-]+$/,
  "must consist of letters, digits and _ . ~ : + -",
).refine((id) => !id.includes(".."), { message: 'must not contain ".."' });

/** One run. */
export const DagRunShape = z.object({
  dag_run_id: z.string(),
  dag_id: z.string(),
  logical_date: At.nullable(),
  queued_at: At.nullable(),
  start_date: At.nullable(),
  end_date: At.nullable(),
  duration: z.number().nullable().meta({ doc: "Seconds from start to end" }),
  data_interval_start: At.nullable(),
  data_interval_end: At.nullable(),
  run_after: At,
  last_scheduling_decision: At.nullable(),
  run_type: z.enum(runTypes),
  state: z.enum(runStates),
  triggered_by: z.enum([
    "cli",
    "operator",
    "rest_api",
    "ui",
    "test",
    "timetable",
    "asset",
    "backfill",
  ]).nullable(),
  triggering_user_name: z.string().nullable(),
  conf: z.record(z.string(), z.unknown()).nullable(),
  note: z.string().nullable(),
  dag_versions: z.array(DagVersionShape),
  bundle_version: z.string().nullable(),
  dag_display_name: z.string(),
  partition_key: z.string().nullable(),
  partition_date: At.nullable(),
  id: z.uuid().meta({ doc: "Its own id, in lineage and traces" }),
  end_reason: z.enum(["cancelled"]).nullable().meta({ doc: "cancelled: somebody stopped it" }),
  backfill_id: z.int().nullable(),
  trace_parent: z.string().nullable(),
  product_version: z.string().nullable().meta({ doc: "Version of Tidewheel that it ran on" }),
  image: z.string().nullable().meta({ doc: "Its container image, where the deployment names it" }),
  missed_deadlines: z.int().meta({ doc: "How many of its deadlines it missed" }),
}).meta({ id: "DAGRunResponse" });

/** A page of runs. */
export const DagRunCollection = z.object({
  dag_runs: z.array(DagRunShape),
  total_entries: z.int(),
}).meta({ id: "DAGRunCollectionResponse" });

/** A run to start. */
export const TriggerBody = z.strictObject({
  dag_run_id: RunId.nullish(),
  data_interval_start: Instant.nullish(),
  data_interval_end: Instant.nullish(),
  logical_date: Instant.nullish().meta({ doc: "Left out or null: a run without one" }),
  run_after: Instant.nullish().meta({ doc: "Not before this instant; default now" }),
  conf: JsonObject.nullish().meta({ doc: "Over the defaults of the DAG's params" }),
  note: Text.max(1000).nullish(),
  partition_key: Text.min(1).max(250).nullish().meta({
    doc: "Of a DAG by partition: the run takes what waits for it, whole or not",
  }),
}).refine((body) => (body.data_interval_start == null) === (body.data_interval_end == null), {
  message: "data_interval_start and data_interval_end come both or not at all",
}).refine(
  ({ data_interval_start: start, data_interval_end: end }) => !start || !end || start <= end,
  { message: "data_interval_start must not be after data_interval_end" },
).meta({ id: "TriggerDAGRunPostBody" });

/** What can be changed of a run. */
export const DagRunPatch = z.strictObject({
  state: z.enum(["queued", "success", "failed"]).nullish().meta({
    doc: "failed: cancel it; queued: clear all of it; success: its tasks become successes too",
  }),
  note: Text.max(1000).nullish(),
  force: z.boolean().default(false).meta({
    doc: "With queued: also where it ran on another version of Tidewheel, or another image",
  }),
}).meta({ id: "DAGRunPatchBody" });

const onNonExistence = {
  action_on_non_existence: z.enum(["fail", "skip"]).default("fail"),
};

/** Changes of many runs. */
export const DagRunBulk = z.strictObject({
  actions: z.array(z.discriminatedUnion("action", [
    z.strictObject({
      action: z.literal("update"),
      ...onNonExistence,
      update_mask: z.array(Text).nullish(),
      entities: z.array(DagRunPatch.extend({ dag_run_id: Text, dag_id: Text.nullish() }))
        .max(1_000),
    }),
    z.strictObject({
      action: z.literal("delete"),
      ...onNonExistence,
      entities: z.array(z.union([
        Text,
        z.strictObject({ dag_run_id: Text, dag_id: Text.nullish() }),
      ])).max(1_000),
    }),
  ])).max(100),
}).meta({ id: "BulkBody_BulkDAGRunBody_" });

/** How to clear a run. */
export const DagRunClear = z.strictObject({
  dry_run: z.boolean().default(true),
  only_failed: z.boolean().default(false),
  only_new: z.boolean().default(false).meta({
    doc: "Only tasks that the run does not have yet: with run_on_latest_version",
  }),
  run_on_latest_version: z.boolean().nullish().meta({
    doc:
      "Re-run on the DAG's newest version; default: as its rerunWithLatestVersion says, else on " +
      "the run's own",
  }),
  force: z.boolean().default(false).meta({
    doc: "Also as it was, though it ran on another version of Tidewheel, or another image",
  }),
  note: Text.max(1000).nullish(),
}).meta({ id: "DAGRunClearBody" });

const range = <T extends z.ZodType>(value: T) => value.nullish();

/** Filters of runs as a body. */
export const DagRunsBatch = z.strictObject({
  order_by: z.string().nullish(),
  page_offset: z.int().min(0).default(0),
  page_limit: z.int().min(1).max(1000).default(100),
  dag_ids: z.array(Text).nullish(),
  states: z.array(z.enum(runStates).nullable()).nullish(),
  ...Object.fromEntries(
    ["run_after", "logical_date", "start_date", "end_date"].flatMap((name) =>
      ["gte", "gt", "lte", "lt"].map((bound) => [`${name}_${bound}`, range(Instant)])
    ),
  ) as Record<
    `${"run_after" | "logical_date" | "start_date" | "end_date"}_${"gte" | "gt" | "lte" | "lt"}`,
    z.ZodOptional<z.ZodNullable<typeof Instant>>
  >,
}).meta({ id: "DAGRunsBatchBody" });
