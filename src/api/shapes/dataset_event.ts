/** @module The shape of dataset events: Airflow's asset events, as far as both have it. */
import { z } from "zod";
import { Instant } from "./basic.ts";

/** A dataset got a version. */
export const DatasetEventShape = z.object({
  id: z.uuid(),
  name: z.string().meta({ doc: "The dataset" }),
  partition_key: z.string().nullable(),
  version: z.int().nullable().meta({ doc: "null: word from outside" }),
  dataset_version_id: z.uuid().nullable(),
  timestamp: Instant,
  source_dag_id: z.string().nullable(),
  source_run_id: z.string().nullable(),
  source_task_id: z.string().nullable(),
});

/** A list of them. */
export const DatasetEventCollection = z.object({
  asset_events: z.array(DatasetEventShape),
  total_entries: z.int(),
});
