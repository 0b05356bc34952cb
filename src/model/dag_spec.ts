/** @module A DAG as data: what the parser stores and everything else reads. */
import { z } from "zod";
import { DeadlineSpec } from "./deadline_spec.ts";
import { DagCallbacks, TaskCallbacks } from "./notice_spec.ts";
import { RetryBudget, RetryPolicy } from "./retry.ts";
import { BlackoutSpec, Catchup, MaintenanceSpec, ScheduleSpec } from "./schedule_spec.ts";

export { ScheduleSpec };

/** The trigger rules of Airflow 3. */
export const triggerRules = [
  "all_success",
  "all_failed",
  "all_done",
  "one_success",
  "one_failed",
  "one_done",
  "none_failed",
  "none_failed_min_one_success",
  "none_skipped",
  "all_skipped",
  "all_done_min_one_success",
  "all_done_setup_success",
  "always",
] as const;
/** One of {@link triggerRules}. */
export type TriggerRule = (typeof triggerRules)[number];

/** Which weights are added to a task's own: of all tasks downstream, upstream, or none. */
export const weightRules = ["downstream", "upstream", "absolute"] as const;
/** One of {@link weightRules}. */
export type WeightRule = (typeof weightRules)[number];

/** Ids of DAGs, tasks, groups, pools: Airflow's letters. */
export const Id = z.string().min(1).max(250).regex(/^[A-Za-z0-9_.-]+$/);

const Field = z.string().optional().meta({ doc: "Of the item, this field alone" });

/** Where a value of a task's input comes from when it runs. */
export const InputSpec = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("task"), taskId: Id }).meta({
    doc: "The output of a task; of a mapped one: the array of its outputs by map_index",
  }),
  z.object({ kind: z.literal("tasks"), taskIds: z.array(Id) }).meta({
    doc: "The outputs of several tasks, in this order; skipped ones are left out",
  }),
  z.object({ kind: z.literal("item"), taskId: Id, field: Field }).meta({
    doc: "Of the array that this task put out, the item at the instance's own map_index",
  }),
  z.object({ kind: z.literal("items"), taskIds: z.array(Id) }).meta({
    doc:
      "Of each of these tasks of its mapped group, the output at the instance's own map_index; " +
      "skipped ones are left out",
  }),
  z.object({ kind: z.literal("itemOf"), items: z.array(z.json()), field: Field }).meta({
    doc: "Of this literal array, the item at the instance's own map_index",
  }),
]);
/** See {@link InputSpec}. */
export type InputSpec = z.infer<typeof InputSpec>;

/** What a task's process may do; nothing else is allowed. */
export const PermissionsSpec = z.object({
  net: z.array(z.string()).default([]).meta({ doc: "host or host:port", example: ["api.x.com"] }),
  read: z.array(z.string()).default([]).meta({ doc: "Folders and files outside its own" }),
  write: z.array(z.string()).default([]),
  env: z.array(z.string()).default([]),
  run: z.array(z.string()).default([]),
});
/** See {@link PermissionsSpec}. */
export type PermissionsSpec = z.infer<typeof PermissionsSpec>;

/** One node. */
export const TaskSpec = z.object({
  taskId: Id,
  operator: z.string().meta({ example: "collect.http" }),
  doc: z.string().optional(),
  upstream: z.array(Id),
  group: z.string().nullable().default(null),
  triggerRule: z.enum(triggerRules).default("all_success"),
  retry: RetryPolicy,
  timeoutMs: z.int().positive().nullable().default(null),
  pool: z.string().default("default_pool"),
  poolSlots: z.int().positive().default(1),
  priorityWeight: z.int().default(1).meta({ doc: "With the weights added that weightRule names" }),
  weightRule: z.enum(weightRules).default("downstream"),
  maxActiveTisPerDag: z.int().positive().nullable().default(null).meta({
    doc: "Its instances at work at one time, over all runs",
  }),
  maxActiveTisPerDagrun: z.int().positive().nullable().default(null).meta({
    doc: "Its instances at work at one time in one run",
  }),
  queue: z.string().default("default"),
  isolation: z.enum(["warm", "fresh"]).default("warm"),
  memoryBytesMax: z.int().positive().default(1024 * 1024 * 1024),
  connections: z.array(z.string()).default([]),
  permissions: PermissionsSpec.prefault({}),
  inputs: z.record(z.string(), InputSpec).default({}),
  /** The mapped input: its length is the number of instances. */
  mappedOver: z.string().nullable().default(null).meta({ doc: "Name of an item or itemOf input" }),
  // Left out where not so, as the setups below.
  mapProduct: z.array(z.string()).min(2).optional().meta({
    doc: "Mapped over every combination of these inputs; the last one changes fastest",
  }),
  mappedGroup: Id.optional().meta({
    doc: "Its instances go by their own map_index only, with those of the group's other tasks",
  }),
  dependsOnPast: z.boolean().default(false).meta({
    doc: "Waits until the task succeeded or was skipped in the run of the logical date before",
  }),
  waitForDownstream: z.boolean().default(false).meta({
    doc: "As dependsOnPast, and the tasks right after it too",
  }),
  waitForPastDependsBeforeSkipping: z.boolean().default(false).meta({
    doc: "Waits in the same way before it is skipped",
  }),
  isBranch: z.boolean().default(false),
  ignoreDownstreamTriggerRules: z.boolean().default(false).meta({
    doc: "A branch that chose nothing skips all that comes after it, not only what comes next",
  }),
  // Left out where not so, for the description of other DAGs to stay what it was.
  isSetup: z.boolean().optional().meta({ doc: "Prepares something for tasks after it" }),
  isTeardown: z.boolean().optional().meta({ doc: "Cleans up, also after failures and skips" }),
  onFailureFailDagRun: z.boolean().optional().meta({
    doc: "Of a teardown: its failure fails the run",
  }),
  callbacks: TaskCallbacks.optional().meta({ doc: "Who is told of what becomes of it" }),
  deadlines: z.array(DeadlineSpec).optional().meta({ doc: "By when it must have succeeded" }),
  /** Parameters as far as they are constant; functions of the context appear as {"$fn": true}. */
  params: z.json().default({}),
});
/** See {@link TaskSpec}. */
export type TaskSpec = z.infer<typeof TaskSpec>;

/** Does the task wait for the run of the date before? */
export function dependsOnPast(task: Pick<TaskSpec, "dependsOnPast" | "waitForDownstream">) {
  return task.dependsOnPast || task.waitForDownstream;
}

/** A whole DAG. Tasks are in topological order, ties by id, so equal DAGs give equal JSON. */
export const DagSpec = z.object({
  dagId: Id,
  description: z.string().nullable().default(null),
  docMd: z.string().nullable().default(null),
  owner: z.string().default("tidewheel"),
  tags: z.array(z.string()).default([]),
  schedule: ScheduleSpec,
  timezone: z.string().default("UTC").meta({ doc: "Of cron, and of the interval's date" }),
  start: z.iso.datetime().nullable().default(null),
  end: z.iso.datetime().nullable().default(null),
  catchup: Catchup.default(false),
  jitterMs: z.int().positive().optional().meta({ doc: "Runs start up to so much later, by DAG" }),
  maintenance: z.array(MaintenanceSpec).optional(),
  blackout: z.array(BlackoutSpec).optional(),
  maxActiveRuns: z.int().positive().default(16),
  maxActiveTasks: z.int().positive().default(16),
  failFast: z.boolean().optional().meta({
    doc: "A task that fails for good ends everything unfinished of its run but teardowns",
  }),
  maxConsecutiveFailedDagRuns: z.int().positive().optional().meta({
    doc: "The DAG is paused when so many of its newest runs have failed in a row",
  }),
  rerunWithLatestVersion: z.boolean().optional().meta({
    doc: "Whether runs that run again do so on the DAG's newest version, where nobody says",
  }),
  callbacks: DagCallbacks.optional().meta({ doc: "Who is told of its runs" }),
  retryBudget: RetryBudget.optional(),
  deadlines: z.array(DeadlineSpec).optional().meta({ doc: "By when a run must have succeeded" }),
  /** JSON Schema of conf; null: any object. */
  paramsSchema: z.json().nullable().default(null),
  paramsDefault: z.record(z.string(), z.json()).default({}),
  datasets: z.array(z.string()).default([]).meta({ doc: "Datasets that its tasks publish" }),
  tasks: z.array(TaskSpec),
});
/** See {@link DagSpec}. */
export type DagSpec = z.infer<typeof DagSpec>;
