/** @module The shape of what two versions of a DAG differ in. */
import { z } from "zod";

const Fields = z.array(z.object({
  field: z.string().meta({ example: "schedule" }),
  old: z.unknown().meta({ doc: "null: not set; past 4,096 characters of JSON, their beginning" }),
  new: z.unknown(),
}));

/** What a version of a DAG changed. */
export const DagVersionDiff = z.object({
  dag_id: z.string(),
  version_number: z.int(),
  with: z.int().meta({ doc: "The version that it is compared with: the old side" }),
  fields: Fields.meta({ doc: "Of the DAG: schedule, paramsDefault, tags and so on" }),
  tasks_added: z.array(z.string()),
  tasks_removed: z.array(z.string()),
  tasks_changed: z.array(z.object({ task_id: z.string(), fields: Fields })).meta({
    doc: "The first 500",
  }),
  tasks_changed_total: z.int(),
  files: z.array(z.object({
    path: z.string(),
    change: z.enum(["added", "removed", "changed"]),
    diff: z.string().nullable().meta({ doc: "Unified diff, of text" }),
    no_diff: z.string().nullable().meta({ doc: "Why there is no diff" }),
  })).nullable().meta({ doc: "Files of the bundle; null: a bundle is no longer stored" }),
}).meta({ id: "DAGVersionDiffResponse" });
