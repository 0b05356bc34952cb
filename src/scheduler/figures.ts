/** @module What the scheduler counts of its passes. */
import type { Metrics } from "../metrics/registry.ts";
import { isRunFinished } from "../model/run_state.ts";
import type { TickResult } from "../store/port.ts";
import type { Instance, Run } from "./instance.ts";
import type { Pass } from "./pass.ts";

/** One pass that wrote something. */
export interface PassFigures {
  pass: Pass;
  result: TickResult;
  /** When it was decided. */
  now: Date;
  /** From the first read to the answer of the last write. */
  durationMs: number;
}

/** Count what took effect. */
export function countPass(metrics: Metrics, { pass, result, now, durationMs }: PassFigures): void {
  metrics.observe("tidewheel_scheduler_loop_duration_seconds", undefined, durationMs / 1000);
  const created = new Set(result.newRuns);
  for (const { id, runType } of pass.writes.newRuns) {
    if (created.has(id)) metrics.inc("tidewheel_dagrun_created_total", { run_type: runType });
  }
  if (result.missed) {
    metrics.inc("tidewheel_deadlines_missed_total", undefined, result.missed.length);
  }
  if (pass.movedRuns.length === 0) return;
  const moved = new Set(result.runMoves);
  for (const run of pass.movedRuns) if (moved.has(run.row.id)) countRun(metrics, run, now);
}

function countRun(metrics: Metrics, { state, row, tasks }: Run, now: Date): void {
  const secondsSince = (at: Date) => Math.max(0, now.getTime() - at.getTime()) / 1000;
  if (isRunFinished(state)) {
    metrics.inc("tidewheel_dagrun_finish_total", { dag_id: row.dagId, state });
    if (!row.startDate) return;
    const seconds = secondsSince(row.startDate);
    metrics.observe("tidewheel_dagrun_duration_seconds", { state }, seconds);
  } else if (state === "running" && row.runType === "scheduled") {
    // One that was cleared is due long since: that says nothing about the scheduler.
    if (tasks.some((task) => task.instances.some(wasTried))) return;
    const seconds = secondsSince(row.runAfter);
    metrics.observe("tidewheel_dagrun_schedule_delay_seconds", undefined, seconds);
  }
}

/** Has it been tried before this pass? The pass may have queued or started it. */
function wasTried({ state, row }: Instance): boolean {
  return row.tryNumber > (state === "queued" || state === "running" ? 1 : 0);
}
