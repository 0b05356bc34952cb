/** @module Shapes of counts: a run's tasks, and the grid of a DAG's runs. */
import { z } from "zod";
import { At } from "./basic.ts";
import { DagRunShape } from "./dag_run.ts";
import { ShownState } from "./task_instance.ts";

/** One task of one run, all of its instances together. */
export const TaskSummary = z.object({
  task_id: z.string(),
  state: ShownState.nullable().meta({
    doc: "Of the whole: the worst that an instance is in, then what is still to come",
  }),
  is_mapped: z.boolean(),
  total: z.int().meta({ doc: "Instances" }),
  child_states: z.record(z.string(), z.int()).meta({
    doc: "Instances by state; no_status for those without",
    example: { success: 99_998, failed: 2 },
  }),
  min_start_date: At.nullable(),
  max_end_date: At.nullable().meta({ doc: "null while one of them goes on" }),
}).meta({ id: "TaskSummaryResponse" });

/** The tasks of one run. */
export const TaskSummaryCollection = z.object({
  dag_id: z.string(),
  dag_run_id: z.string(),
  task_instances: z.array(TaskSummary),
}).meta({ id: "TaskSummaryCollectionResponse" });

/** Runs of a DAG, each with its tasks. */
export const GridResponse = z.object({
  dag_runs: z.array(DagRunShape.extend({ task_instances: z.array(TaskSummary) })),
  total_entries: z.int(),
}).meta({ id: "GridResponse" });
