/** @module Shapes of assets and their events: Airflow 3's, for what are datasets here. */
import { z } from "zod";
import { At, JsonObject, Name, Text } from "./basic.ts";
import { TriggerBody } from "./dag_run.ts";

const inDag = { dag_id: z.string(), created_at: At, updated_at: At };
const inTask = z.object({ ...inDag, task_id: z.string() });

/** A dataset. */
export const AssetShape = z.object({
  id: z.int(),
  name: z.string(),
  uri: z.string().meta({ doc: "The same as its name" }),
  group: z.string(),
  extra: z.record(z.string(), z.unknown()),
  created_at: At,
  updated_at: At,
  scheduled_dags: z.array(z.object(inDag)),
  producing_tasks: z.array(inTask),
  consuming_tasks: z.array(inTask),
  aliases: z.array(z.object({ id: z.int(), name: z.string(), group: z.string() })),
  watchers: z.array(z.object({ name: z.string(), trigger_id: z.int(), created_date: At })),
  last_asset_event: z.object({ id: z.int(), timestamp: At }).nullable(),
}).meta({ id: "AssetResponse" });

/** A page of assets. */
export const AssetCollection = z.object({
  assets: z.array(AssetShape),
  total_entries: z.int(),
}).meta({ id: "AssetCollectionResponse" });

/** A dataset got a version, or word came from outside. */
export const AssetEventShape = z.object({
  id: z.int(),
  asset_id: z.int(),
  uri: z.string(),
  name: z.string(),
  group: z.string(),
  extra: z.record(z.string(), z.unknown()),
  source_task_id: z.string().nullable(),
  source_dag_id: z.string().nullable(),
  source_run_id: z.string().nullable(),
  source_map_index: z.int(),
  created_dagruns: z.array(z.object({
    run_id: z.string(),
    dag_id: z.string(),
    logical_date: At.nullable(),
    start_date: At.meta({ doc: "When it was queued, as long as it has not started" }),
    end_date: At.nullable(),
    state: z.string(),
    data_interval_start: At.nullable(),
    data_interval_end: At.nullable(),
    partition_key: z.string().nullable(),
    triggering: z.boolean().meta({ doc: "It is the newest event that the run took" }),
  })),
  timestamp: At,
  partition_key: z.string().nullable(),
  event_key: z.string().nullable().meta({ doc: "There is one event of a key in a dataset" }),
  version: z.int().nullable().meta({ doc: "null: it came from outside" }),
  dataset_version_id: z.uuid().nullable(),
}).meta({ id: "AssetEventResponse" });

/** A list of events. */
export const AssetEventCollection = z.object({
  asset_events: z.array(AssetEventShape),
  total_entries: z.int(),
}).meta({ id: "AssetEventCollectionResponse" });

/** An event from outside. */
export const AssetEventBody = z.strictObject({
  asset_id: z.int().positive().optional(),
  name: Name.optional().meta({ doc: "In place of asset_id; a dataset of that name is made" }),
  extra: JsonObject.nullish(),
  partition_key: Text.min(1).max(250).nullish(),
  event_key: Text.min(1).max(250).nullish().meta({
    doc: "A second event of this key in the dataset is none, and the first one is answered",
  }),
}).refine((body) => (body.asset_id === undefined) !== (body.name === undefined), {
  message: "give one of asset_id and name",
}).meta({ id: "CreateAssetEventsBody" });

/** How to start the DAG that publishes a dataset. */
export const MaterializeBody = TriggerBody.meta({ id: "MaterializeAssetBody" });

const queued = {
  dag_id: z.string(),
  asset_id: z.int(),
  created_at: At,
  dag_display_name: z.string(),
  name: z.string(),
  partition_key: z.string().nullable(),
  version: z.int().nullable(),
  event_id: z.int(),
};

/** An event that waits for a DAG's next run. */
export const QueuedEventShape = z.object(queued).meta({ id: "QueuedEventResponse" });

/** Events that wait. */
export const QueuedEventCollection = z.object({
  queued_events: z.array(QueuedEventShape),
  total_entries: z.int(),
}).meta({ id: "QueuedEventCollectionResponse" });

/** A partition of a DAG that events wait for. */
export const PartitionShape = z.object({
  dag_id: z.string(),
  partition_key: z.string().nullable().meta({ doc: "null: these belong to no partition" }),
  events_of: z.array(z.string()).meta({ doc: "Partitions of datasets that wait to be taken" }),
  needed: z.int().nullable().meta({ doc: "Partitions needed of each dataset" }),
  missing: z.array(z.object({ name: z.string(), partition_keys: z.array(z.string()) })),
  is_whole: z.boolean(),
  why: z.string().meta({ doc: "What it waits for, in words" }),
}).meta({ id: "PartitionResponse" });

/** Partitions that events wait for. */
export const PartitionCollection = z.object({
  partitions: z.array(PartitionShape),
  total_entries: z.int(),
}).meta({ id: "PartitionCollectionResponse" });
