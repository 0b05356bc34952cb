/** @module Shapes of what people do to task instances: clear them, set their states. */
import { z } from "zod";
import { handStates } from "../../model/task_state.ts";
import { Instant, Name, Text } from "./basic.ts";

const surroundings = {
  include_upstream: z.boolean().default(false),
  include_downstream: z.boolean().default(false),
  include_future: z.boolean().default(false).meta({
    doc: "Also in runs with a later logical date",
  }),
  include_past: z.boolean().default(false),
};

/** Which task instances to clear. */
export const ClearBody = z.strictObject({
  dry_run: z.boolean().default(true).meta({ doc: "Only say which they are" }),
  start_date: Instant.nullish().meta({
    doc: "Runs with a logical date from here on; with dag_run_id: how far include_past goes",
  }),
  end_date: Instant.nullish(),
  only_failed: z.boolean().optional().meta({
    doc: "Default true, unless only_running or ignore_dependencies is",
  }),
  only_running: z.boolean().default(false),
  reset_dag_runs: z.boolean().default(true).meta({
    doc: "Queue finished runs again; false: refuse where there is one",
  }),
  task_ids: z.array(z.union([Name, z.tuple([Name, z.int().min(-1)])])).min(1).nullish().meta({
    doc: "Tasks, or [task, map_index]; left out: all",
  }),
  dag_run_id: Name.nullish(),
  ...surroundings,
  run_on_latest_version: z.boolean().nullish().meta({
    doc:
      "Re-run on the DAG's newest version; default: as its rerunWithLatestVersion says, else on " +
      "the run's own",
  }),
  force: z.boolean().default(false).meta({
    doc: "Also as it was, though it ran on another version of Tidewheel, or another image",
  }),
  prevent_running_task: z.boolean().default(false).meta({ doc: "Refuse when one of them runs" }),
  note: Text.max(1000).nullish(),
  ignore_dependencies: z.boolean().default(false).meta({
    doc: "Start these tasks whatever comes before them, with the outputs that are stored",
  }),
}).refine((body) => !(body.only_failed && body.only_running), {
  message: "only_failed and only_running cannot both be true",
}).refine(({ start_date: start, end_date: end }) => !start || !end || start <= end, {
  message: "end_date must not be before start_date",
}).refine((body) => !body.ignore_dependencies || body.dag_run_id != null && body.task_ids != null, {
  message: "ignore_dependencies needs dag_run_id and task_ids",
}).meta({ id: "ClearTaskInstancesBody" });

const HandStateShape = z.enum(handStates);

const change = {
  new_state: HandStateShape.nullish().meta({
    doc: "What runs is stopped first; what failed below for want of it runs again",
  }),
  note: Text.max(1000).nullish(),
  ...surroundings,
};

/** What can be changed of a task instance. */
export const TaskInstancePatch = z.strictObject({
  ...change,
  only_waiting: z.boolean().default(false).meta({ doc: "Refuse where one of them has begun" }),
}).meta({ id: "PatchTaskInstanceBody" });

/** Changes of many task instances. */
export const TaskInstanceBulk = z.strictObject({
  actions: z.array(z.strictObject({
    action: z.literal("update").meta({ doc: "Task instances are made and removed with their run" }),
    action_on_non_existence: z.enum(["fail", "skip"]).default("fail"),
    update_mask: z.array(Text).nullish(),
    entities: z.array(z.strictObject({
      dag_id: Name.nullish(),
      dag_run_id: Name.nullish(),
      task_id: Name,
      map_index: z.int().min(-1).nullish(),
      ...change,
    })).max(1_000),
  })).max(100),
}).meta({ id: "BulkBody_BulkTaskInstanceBody_" });

const BulkAction = z.object({
  success: z.array(z.string()),
  errors: z.array(z.object({ error: z.string(), status_code: z.int() })),
}).meta({ id: "BulkActionResponse" });

/** What came of a bulk. */
export const BulkAnswer = z.object({
  create: z.null(),
  update: BulkAction.nullable(),
  delete: BulkAction.nullable(),
}).meta({ id: "BulkResponse" });
