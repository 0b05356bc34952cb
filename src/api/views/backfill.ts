/** @module Backfills as answers show them. */
import type { z } from "zod";
import type { BackfillState } from "../../model/backfill.ts";
import type { BackfillDateRow, BackfillRow } from "../../store/backfill.ts";
import type { BackfillPreview } from "../backfill.ts";
import type { BackfillEstimate } from "../backfill_estimate.ts";
import type {
  BackfillDates,
  BackfillShape,
  DryRunBackfill,
  EstimateShape,
} from "../shapes/backfill.ts";
import { iso } from "./dag.ts";

/** A backfill. */
export function backfillView(row: BackfillRow): z.input<typeof BackfillShape> {
  return {
    id: row.id,
    dag_id: row.dagId,
    dag_display_name: row.dagId,
    from_date: row.fromDate.toISOString(),
    to_date: row.toDate.toISOString(),
    dag_run_conf: row.dagRunConf,
    is_paused: row.isPaused,
    reprocess_behavior: row.reprocessBehavior,
    max_active_runs: row.maxActiveRuns,
    created_at: row.createdAt.toISOString(),
    completed_at: iso(row.completedAt),
    updated_at: row.updatedAt.toISOString(),
    run_backwards: row.runBackwards,
    run_on_latest_version: row.runOnLatestVersion,
    share: row.share,
    state: stateOf(row),
    triggering_user_name: row.triggeringUserName,
    runs: {
      planned: row.planned,
      pending: row.pending,
      queued: row.queued,
      running: row.running,
      success: row.success,
      failed: row.failed,
      left_out: sum(row.leftOut),
      left_out_by: row.leftOut,
    },
  };
}

/** What a backfill is doing, or how it ended. */
export function stateOf(row: BackfillRow): BackfillState {
  if (row.endReason) return row.endReason;
  if (row.isWaiting) return "waiting";
  return row.isPaused ? "paused" : "running";
}

function sum(counts: Partial<Record<string, number>>): number {
  return Object.values(counts).reduce<number>((total, count) => total + (count ?? 0), 0);
}

/** One date of a backfill. */
export function dateView(row: BackfillDateRow): z.input<typeof BackfillDates>["dates"][number] {
  return {
    logical_date: row.logicalDate.toISOString(),
    sort_ordinal: row.sortOrdinal,
    state: row.exceptionReason ?? row.state ?? "planned",
    dag_run_id: row.runId,
  };
}

/** Dates left out that a preview names. */
const LEFT_OUT_SHOWN = 1_000;

/** A dry run. */
export function previewView(
  preview: BackfillPreview,
  estimate: BackfillEstimate,
): z.input<typeof DryRunBackfill> {
  const again = new Set(preview.again);
  const reasons = Map.groupBy(preview.leftOut, (each) => each.reason);
  return {
    backfills: preview.wanted.map((date) => ({
      logical_date: date.logicalDate.toISOString(),
      partition_key: null,
      partition_date: null,
      what: again.has(date) ? "again" : "new",
    })),
    total_entries: preview.wanted.length,
    counts: {
      dates: preview.wanted.length + preview.leftOut.length,
      new: preview.create.length,
      again: preview.again.length,
      left_out: preview.leftOut.length,
      left_out_by: Object.fromEntries(
        [...reasons].map(([reason, dates]) => [reason, dates.length]),
      ),
    },
    left_out: preview.leftOut.slice(0, LEFT_OUT_SHOWN).map(({ date, reason }) => ({
      logical_date: date.logicalDate.toISOString(),
      reason,
    })),
    estimate: estimateView(estimate),
  };
}

/** What a number of runs would take. */
export function estimateView(estimate: BackfillEstimate): z.input<typeof EstimateShape> {
  return {
    seconds: estimate.seconds,
    median_run_seconds: estimate.medianRunSeconds,
    from_runs: estimate.fromRuns,
    concurrency: estimate.concurrency,
    why: estimate.why,
    requests: estimate.requests.map(({ fromRuns, ...each }) => ({ ...each, from_runs: fromRuns })),
    cost: estimate.cost,
    cost_why: estimate.costWhy,
  };
}
