/** @module A task of a run in one line: its state, and how many of its instances are in each. */
import type { z } from "zod";
import type { TaskCountRow } from "../../store/task_counts.ts";
import type { ShownState } from "../shapes/task_instance.ts";
import type { TaskSummary } from "../shapes/task_summary.ts";
import { shownState } from "./dag_run.ts";

type Shown = z.input<typeof ShownState> | null;

/** The first of these that an instance is in is the state of the whole, as in Airflow's grid. */
const order: readonly Shown[] = [
  "failed",
  "upstream_failed",
  "up_for_retry",
  "up_for_reschedule",
  "deferred",
  "awaiting_input",
  "queued",
  "scheduled",
  "running",
  null,
  "success",
  "skipped",
  "removed",
];

/** Summaries of the tasks of one run, from its counts. */
export function taskSummaries(counts: readonly TaskCountRow[]): z.input<typeof TaskSummary>[] {
  return [...Map.groupBy(counts, (row) => row.taskId)].map(([taskId, rows]) => {
    const states = new Map<Shown, number>();
    for (const row of rows) {
      const shown = shownState(row.state);
      states.set(shown, (states.get(shown) ?? 0) + row.count);
    }
    const times = (name: "startDate" | "endDate") =>
      rows.flatMap((row) => row[name] ? [row[name].getTime()] : []);
    const isOver = rows.every((row) => row.endDate !== null);
    return {
      task_id: taskId,
      state: order.find((state) => states.has(state)) ?? null,
      is_mapped: rows.some((row) => row.isMapped),
      total: rows.reduce((sum, row) => sum + row.count, 0),
      child_states: Object.fromEntries(
        [...states].map(([state, count]) => [state ?? "no_status", count]),
      ),
      min_start_date: instant(times("startDate"), Math.min),
      max_end_date: isOver ? instant(times("endDate"), Math.max) : null,
    };
  });
}

function instant(times: readonly number[], pick: (...times: number[]) => number): string | null {
  return times.length === 0 ? null : new Date(pick(...times)).toISOString();
}
