/** @module Shapes of DAGs, their versions, sources and tasks: Airflow 3's. */
import { z } from "zod";
import { runStates } from "../../model/run_state.ts";
import { At } from "./basic.ts";

/** A tag on a DAG. */
export const DagTag = z.object({
  name: z.string(),
  dag_id: z.string(),
  dag_display_name: z.string(),
}).meta({ id: "DagTagResponse" });

/** A version of a DAG. */
export const DagVersionShape = z.object({
  id: z.uuid(),
  version_number: z.int(),
  dag_id: z.string(),
  bundle_name: z.string().nullable(),
  bundle_version: z.string().nullable().meta({ doc: "Hash of its bundle" }),
  bundle_url: z.string().nullable(),
  created_at: At,
  dag_display_name: z.string(),
}).meta({ id: "DagVersionResponse" });

/** What a list of DAGs shows of each. */
export const DagShape = z.object({
  dag_id: z.string(),
  dag_display_name: z.string(),
  is_paused: z.boolean(),
  pause_reason: z.string().nullable().meta({
    doc: "Why it is paused, where it was not a person who did it",
    example: "its last 3 runs failed",
  }),
  is_stale: z.boolean().meta({ doc: "Its file is gone, or exports it no more" }),
  last_parsed_time: At.nullable(),
  last_parse_duration: z.number().nullable(),
  last_expired: At.nullable(),
  bundle_name: z.string().nullable(),
  bundle_version: z.string().nullable(),
  relative_fileloc: z.string().nullable(),
  fileloc: z.string().meta({ doc: "Its file, relative to the folder of DAG files" }),
  description: z.string().nullable(),
  timetable_summary: z.string().nullable(),
  timetable_description: z.string().nullable(),
  timetable_partitioned: z.boolean(),
  timetable_periodic: z.boolean(),
  tags: z.array(DagTag),
  max_active_tasks: z.int(),
  max_active_runs: z.int().nullable(),
  max_consecutive_failed_dag_runs: z.int(),
  has_task_concurrency_limits: z.boolean(),
  has_import_errors: z.boolean().meta({
    doc: "Its file has an error now; this is its last good version",
  }),
  next_dagrun_logical_date: At.nullable(),
  next_dagrun_data_interval_start: At.nullable(),
  next_dagrun_data_interval_end: At.nullable(),
  next_dagrun_run_after: At.nullable(),
  allowed_run_types: z.array(z.string()).nullable(),
  is_backfillable: z.boolean(),
  owners: z.array(z.string()),
  file_token: z.string(),
}).meta({ id: "DAGResponse" });

/** All of a DAG but its tasks. */
export const DagDetails = DagShape.extend({
  catchup: z.boolean(),
  retry_budget: z.object({ per_run: z.int().nullable(), per_hour: z.int().nullable() }).nullable()
    .meta({ doc: "Retries that its tasks may have together" }),
  fail_fast: z.boolean().meta({ doc: "A task that fails for good ends its run" }),
  concurrency: z.int(),
  dag_run_timeout: z.string().nullable(),
  asset_expression: z.record(z.string(), z.unknown()).nullable(),
  doc_md: z.string().nullable(),
  start_date: At.nullable(),
  end_date: At.nullable(),
  is_paused_upon_creation: z.boolean().nullable(),
  params: z.record(z.string(), z.unknown()).nullable().meta({
    doc: "Each param with its default and its JSON Schema",
  }),
  render_template_as_native_obj: z.boolean(),
  template_search_path: z.array(z.string()).nullable(),
  timezone: z.string().nullable(),
  last_parsed: At.nullable(),
  default_args: z.record(z.string(), z.unknown()).nullable(),
  owner_links: z.record(z.string(), z.string()).nullable(),
  is_favorite: z.boolean(),
  active_runs_count: z.int(),
  latest_dag_version: DagVersionShape.nullable(),
  params_schema: z.unknown().meta({ doc: "JSON Schema of a run's conf; null: any object" }),
  datasets: z.array(z.string()).meta({ doc: "Datasets that it publishes" }),
}).meta({ id: "DAGDetailsResponse" });

/** A page of DAGs. */
export const DagCollection = z.object({ dags: z.array(DagShape), total_entries: z.int() })
  .meta({ id: "DAGCollectionResponse" });

/** What can be changed of a DAG. */
export const DagPatch = z.strictObject({ is_paused: z.boolean() }).meta({ id: "DAGPatchBody" });

/** A page of versions. */
export const DagVersionCollection = z.object({
  dag_versions: z.array(DagVersionShape),
  total_entries: z.int(),
}).meta({ id: "DAGVersionCollectionResponse" });

/** The text of a DAG's file. */
export const DagSource = z.object({
  content: z.string().nullable(),
  dag_id: z.string(),
  version_number: z.int().nullable(),
  dag_display_name: z.string(),
}).meta({ id: "DAGSourceResponse" });

/** A duration as Airflow's clients read it. */
export const TimeDelta = z.object({
  __type: z.literal("TimeDelta"),
  days: z.int(),
  seconds: z.int(),
  microseconds: z.int(),
}).meta({ id: "TimeDelta" });

/** A task of a DAG. */
export const TaskShape = z.object({
  task_id: z.string(),
  task_display_name: z.string(),
  owner: z.string(),
  start_date: At.nullable(),
  end_date: At.nullable(),
  trigger_rule: z.string(),
  depends_on_past: z.boolean(),
  wait_for_downstream: z.boolean(),
  retries: z.int(),
  queue: z.string(),
  pool: z.string(),
  pool_slots: z.int(),
  execution_timeout: TimeDelta.nullable(),
  retry_delay: TimeDelta,
  retry_exponential_backoff: z.number(),
  priority_weight: z.int(),
  weight_rule: z.string(),
  ui_color: z.string(),
  ui_fgcolor: z.string(),
  template_fields: z.array(z.string()),
  downstream_task_ids: z.array(z.string()),
  upstream_task_ids: z.array(z.string()),
  doc_md: z.string().nullable(),
  operator_name: z.string(),
  params: z.record(z.string(), z.unknown()),
  class_ref: z.record(z.string(), z.unknown()),
  is_mapped: z.boolean(),
  extra_links: z.array(z.string()),
  group: z.string().nullable(),
  isolation: z.string(),
  connections: z.array(z.string()),
  is_branch: z.boolean(),
  is_setup: z.boolean(),
  is_teardown: z.boolean(),
}).meta({ id: "TaskResponse" });

/** All tasks of a DAG. */
export const TaskCollection = z.object({ tasks: z.array(TaskShape), total_entries: z.int() })
  .meta({ id: "TaskCollectionResponse" });

/** Runs of a DAG by state. */
export const DagStats = z.object({
  dags: z.array(z.object({
    dag_id: z.string(),
    dag_display_name: z.string(),
    stats: z.array(z.object({ state: z.enum(runStates), count: z.int() })),
  })),
  total_entries: z.int(),
}).meta({ id: "DagStatsCollectionResponse" });

/** Every tag. */
export const DagTagCollection = z.object({ tags: z.array(z.string()), total_entries: z.int() })
  .meta({ id: "DAGTagCollectionResponse" });

/** Kinds of warnings on DAGs. */
export const dagWarningTypes = ["calendar ends", "non-existent dag"] as const;

/** A warning on a DAG. */
export const DagWarningShape = z.object({
  dag_id: z.string(),
  dag_display_name: z.string(),
  warning_type: z.enum(dagWarningTypes),
  message: z.string(),
  timestamp: At.meta({ doc: "When it was looked at" }),
}).meta({ id: "DAGWarningResponse" });

/** A page of warnings. */
export const DagWarningCollection = z.object({
  dag_warnings: z.array(DagWarningShape),
  total_entries: z.int(),
}).meta({ id: "DAGWarningCollectionResponse" });
