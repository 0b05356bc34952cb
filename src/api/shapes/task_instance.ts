/** @module Shapes of task instances, attempts, logs and outputs: Airflow 3's, and what we add. */
import { z } from "zod";
import { EndEvidenceShape, EndReasonShape } from "../../contract/shapes.ts";
import { At, Text } from "./basic.ts";
import { DagVersionShape } from "./dag.ts";

/** States as Airflow names them; `none` is null, `cancelled` is failed, `cancelling` is running. */
export const ShownState = z.enum([
  "removed",
  "scheduled",
  "queued",
  "running",
  "success",
  "restarting",
  "failed",
  "up_for_retry",
  "up_for_reschedule",
  "upstream_failed",
  "skipped",
  "deferred",
  "awaiting_input",
]);

const common = {
  task_id: z.string(),
  dag_id: z.string(),
  dag_run_id: z.string(),
  map_index: z.int(),
  start_date: At.nullable(),
  end_date: At.nullable(),
  duration: z.number().nullable(),
  state: ShownState.nullable(),
  try_number: z.int(),
  max_tries: z.int(),
  task_display_name: z.string(),
  dag_display_name: z.string(),
  hostname: z.string().nullable(),
  unixname: z.string().nullable(),
  pool: z.string(),
  pool_slots: z.int(),
  queue: z.string().nullable(),
  priority_weight: z.int().nullable(),
  operator: z.string().nullable(),
  operator_name: z.string().nullable(),
  queued_when: At.nullable(),
  scheduled_when: At.nullable(),
  pid: z.int().nullable(),
  executor: z.string().nullable(),
  executor_config: z.string(),
  dag_version: DagVersionShape.nullable(),
  attempt_id: z.uuid().nullable(),
  end_reason: EndReasonShape.nullable().meta({ doc: "Why its newest attempt ended" }),
};

/** One task of one run. */
export const TaskInstanceShape = z.object({
  id: z.uuid(),
  ...common,
  logical_date: At.nullable(),
  run_after: At,
  note: z.string().nullable(),
  rendered_map_index: z.string().nullable(),
  rendered_fields: z.record(z.string(), z.unknown()),
  trigger: z.object({
    classpath: z.string().meta({ doc: "Its kind: time, dataset, run, task or file" }),
    kwargs: z.string().meta({ doc: "What it waits for, as JSON" }),
    created_date: At,
    triggerer_id: z.string().nullable().meta({ doc: "The process that looks; null: none yet" }),
  }).nullable().meta({ doc: "Of a deferred one: what it waits for" }),
  triggerer_job: z.null(),
  internal_state: z.string().meta({
    doc: "Its state in our own words: also cancelling, cancelled",
  }),
  next_try_at: At.nullable(),
  group: z.string().nullable(),
}).meta({ id: "TaskInstanceResponse" });

/** A page of task instances. */
export const TaskInstanceCollection = z.object({
  task_instances: z.array(TaskInstanceShape),
  total_entries: z.int(),
}).meta({ id: "TaskInstanceCollectionResponse" });

/** One try. */
export const TaskInstanceHistory = z.object(common).meta({ id: "TaskInstanceHistoryResponse" });

/** All tries of a task instance. */
export const TaskInstanceHistoryCollection = z.object({
  task_instances: z.array(TaskInstanceHistory),
  total_entries: z.int(),
}).meta({ id: "TaskInstanceHistoryCollectionResponse" });

/** One attempt, with all that is known of it. */
export const AttemptShape = z.object({
  attempt_id: z.uuid(),
  task_instance_id: z.uuid(),
  dag_id: z.string(),
  dag_run_id: z.string(),
  task_id: z.string(),
  map_index: z.int(),
  try_number: z.int(),
  state: z.enum(["queued", "running", "cancelling", "ended"]),
  end_reason: EndReasonShape.nullable(),
  evidence: EndEvidenceShape,
  worker_id: z.string().nullable(),
  hostname: z.string().nullable(),
  pid: z.int().nullable(),
  queued_at: At,
  start_date: At.nullable(),
  end_date: At.nullable(),
  accounting: z.object({
    in: z.int(),
    generated: z.int(),
    out: z.int(),
    quarantined: z.int(),
    merged_away: z.int(),
    filtered: z.int(),
  }).nullable().meta({ doc: "Rows; in + generated = out + quarantined + merged_away + filtered" }),
  metrics: z.record(z.string(), z.unknown()),
  rss_bytes_max: z.int().nullable(),
  cpu_ms: z.number().nullable(),
}).meta({ id: "AttemptResponse" });

/** A page of attempts. */
export const AttemptCollection = z.object({
  attempts: z.array(AttemptShape),
  total_entries: z.int(),
}).meta({ id: "AttemptCollectionResponse" });

/** One line of a log. */
export const StructuredLogMessage = z.object({
  timestamp: z.string(),
  event: z.string(),
  level: z.string(),
  logger: z.string().meta({ doc: "task: the user's code; worker: the supervisor" }),
}).loose().meta({ id: "StructuredLogMessage" });

/** A piece of a log. */
export const LogResponse = z.object({
  content: z.array(StructuredLogMessage),
  continuation_token: z.string().nullable().meta({
    doc: "Ask again with ?token= for what comes after; null: the log is complete",
  }),
}).meta({ id: "TaskInstancesLogResponse" });

const xcom = {
  key: z.string(),
  timestamp: At,
  logical_date: At.nullable(),
  map_index: z.int(),
  task_id: z.string(),
  dag_id: z.string(),
  run_id: z.string(),
  run_after: At,
  dag_display_name: z.string(),
  task_display_name: z.string(),
};

/** That a task has an output. */
export const XComShape = z.object(xcom).meta({ id: "XComResponse" });

/** An output. */
export const XComValue = z.object({ ...xcom, value: z.unknown() }).meta({
  id: "XComResponseNative",
});

/** A page of outputs. */
export const XComCollection = z.object({ xcom_entries: z.array(XComShape), total_entries: z.int() })
  .meta({ id: "XComCollectionResponse" });

/** Filters of task instances as a body. */
export const TaskInstancesBatch = z.strictObject({
  order_by: z.string().nullish(),
  page_offset: z.int().min(0).default(0),
  page_limit: z.int().min(1).max(1000).default(100),
  dag_ids: z.array(Text).nullish(),
  dag_run_ids: z.array(Text).nullish(),
  task_ids: z.array(Text).nullish(),
  state: z.array(ShownState.nullable()).nullish(),
  pool: z.array(Text).nullish(),
  queue: z.array(Text).nullish(),
}).meta({ id: "TaskInstancesBatchBody" });
