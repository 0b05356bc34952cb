/** @module The shape of dataset events: Airflow's asset events, as far as both have it. */
import { z } from "zod";
import { Instant } from "./basic.ts";

/** A dataset got a version. */
export const DatasetEventShape = z.object({
  id: z.uuid(),
  name: z.string().meta({ doc: "The dataset" }),
  partition_key: z.string(),
  version: z.int(),
  dataset_version_id: z.uuid(),
  timestamp: Instant,
  source_dag_id: z.string(),
  source_run_id: z.string(),
  source_task_id: z.string(),
});

/** A list of them. */
export const DatasetEventCollection = z.object({
  asset_events: z.array(DatasetEventShape),
  total_entries: z.int(),
});
