/** @module Shapes of maintenance. */
import { z } from "zod";
import { At, Text } from "./basic.ts";

/** How the installation stands. */
export const MaintenanceShape = z.object({
  draining_since: At.nullable().meta({ doc: "No attempt starts since then" }),
  drained_by: z.string().nullable(),
  note: z.string().nullable(),
  running_attempts: z.int(),
  queued_attempts: z.int().meta({ doc: "They start when somebody resumes" }),
  is_empty: z.boolean().meta({ doc: "It drains, and nothing runs any more" }),
  paused_all_since: At.nullable(),
  paused_by_all: z.int().meta({ doc: "DAGs that unpauseAll lets go on" }),
}).meta({ id: "MaintenanceResponse" });

/** Why somebody drains. */
export const DrainBody = z.strictObject({ note: Text.max(1000).nullish() })
  .meta({ id: "DrainBody" });

/** DAGs that changed. */
export const PausedShape = z.object({
  dag_ids: z.array(z.string()),
  total_entries: z.int(),
}).meta({ id: "PausedAllResponse" });
