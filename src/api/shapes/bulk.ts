/** @module Shapes of bulk jobs. */
import { z } from "zod";
import { limits } from "../../base/limits.ts";
import { runStates, runTypes } from "../../model/run_state.ts";
import { bulkActions } from "../../store/bulk.ts";
import { At, Instant, JsonObject, Name, Text } from "./basic.ts";
import { RunId } from "./dag_run.ts";

const common = {
  key: Name.nullish().meta({
    doc: "The client's own name for this request: sent again, it is done once",
  }),
  dry_run: z.boolean().default(false).meta({ doc: "Only say what it would be about" }),
};
const dagIds = z.array(Name).min(1).max(1000).optional();
const dagPattern = Text.optional().meta({ doc: "Part of a DAG's id; % and _ as in SQL, ~: all" });
const isNarrow = (filter: Record<string, unknown>) =>
  Object.values(filter).some((value) => value !== undefined);
const narrow = {
  message: "must name something: a filter without conditions would mean everything",
};

const Run = z.strictObject({
  dag_run_id: RunId.nullish(),
  logical_date: Instant.nullish(),
  data_interval_start: Instant.nullish(),
  data_interval_end: Instant.nullish(),
  run_after: Instant.nullish(),
  conf: JsonObject.nullish(),
  note: Text.max(1000).nullish(),
}).refine((run) => (run.data_interval_start == null) === (run.data_interval_end == null), {
  message: "data_interval_start and data_interval_end come both or not at all",
});

const RunFilterShape = z.strictObject({
  dag_ids: dagIds,
  dag_id_pattern: dagPattern,
  states: z.array(z.enum(runStates)).min(1).optional(),
  run_types: z.array(z.enum(runTypes)).min(1).optional(),
  run_id_pattern: Text.optional(),
  logical_date_gte: Instant.optional(),
  logical_date_lte: Instant.optional(),
  run_after_gte: Instant.optional(),
  run_after_lte: Instant.optional(),
}).refine(isNarrow, narrow).meta({ id: "BulkRunFilter" });

const DagFilterShape = z.strictObject({
  dag_ids: dagIds,
  dag_id_pattern: dagPattern,
  tags: z.array(Name).min(1).optional().meta({ doc: "Any of them" }),
}).refine(isNarrow, narrow).meta({ id: "BulkDagFilter" });

/** What to do with many. */
export const BulkBody = z.discriminatedUnion("action", [
  z.strictObject({
    action: z.literal("trigger"),
    dag_id: Name,
    runs: z.array(Run).min(1).max(limits.bulkRuns),
    ...common,
  }),
  z.strictObject({
    action: z.literal("cancel"),
    filter: RunFilterShape.meta({ doc: "Of the runs that are queued or running" }),
    ...common,
  }),
  z.strictObject({
    action: z.literal("clear"),
    filter: RunFilterShape.meta({ doc: "Of the runs that failed, unless it names states" }),
    only_failed: z.boolean().default(false).meta({ doc: "Only what failed of each run" }),
    run_on_latest_version: z.boolean().optional().meta({
      doc:
        "On the DAGs' newest versions; default: as each DAG's rerunWithLatestVersion says, else on " +
        "the runs' own",
    }),
    force: z.boolean().default(false).meta({
      doc: "Also as they were, though they ran on another version of Tidewheel, or another image",
    }),
    ...common,
  }),
  z.strictObject({ action: z.literal("pause"), filter: DagFilterShape, ...common }),
  z.strictObject({ action: z.literal("unpause"), filter: DagFilterShape, ...common }),
]).meta({ id: "BulkBody" });

/** A bulk job, or with `dry_run` what one would be about. */
export const BulkShape = z.object({
  id: z.int().nullable().meta({ doc: "null: a dry run" }),
  key: z.string().nullable(),
  action: z.enum(bulkActions),
  state: z.enum(["dry_run", "running", "completed", "cancelled"]),
  created_at: At.nullable(),
  completed_at: At.nullable(),
  triggering_user_name: z.string().nullable(),
  items: z.object({
    total: z.int(),
    planned: z.int(),
    done: z.int(),
    refused: z.int(),
    cancelled: z.int(),
  }),
  first: z.array(z.object({ dag_id: z.string(), dag_run_id: z.string().nullable() })).meta({
    doc: "Of a dry run: the first 100",
  }),
}).meta({ id: "BulkResponse" });

/** A page of jobs. */
export const BulkCollection = z.object({
  bulk: z.array(BulkShape),
  total_entries: z.int(),
}).meta({ id: "BulkCollectionResponse" });

/** States of a job's items. */
export const itemStates = ["planned", "done", "refused", "cancelled"] as const;

/** A page of a job's items. */
export const BulkItems = z.object({
  items: z.array(z.object({
    ordinal: z.int(),
    dag_id: z.string(),
    dag_run_id: z.string().nullable(),
    state: z.enum(itemStates),
    reason: z.string().nullable().meta({ doc: "Why it was refused" }),
  })),
  total_entries: z.int(),
}).meta({ id: "BulkItemCollectionResponse" });
