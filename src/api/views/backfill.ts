/** @module Backfills as answers show them. */
import type { z } from "zod";
import type { BackfillState } from "../../model/backfill.ts";
import type { BackfillDateRow, BackfillRow } from "../../store/backfill.ts";
import type { CascadeRow } from "../../store/backfill_cascade.ts";
import type { BackfillPreview } from "../backfill.ts";
import type { CascadeNode } from "../cascade.ts";
import type { BackfillEstimate } from "../backfill_estimate.ts";
import type {
  BackfillDates,
  BackfillShape,
  CascadeShape,
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
    force: row.force,
    share: row.share,
    state: stateOf(row),
    triggering_user_name: row.triggeringUserName,
    kind: row.kind,
    cascade_id: row.cascadeId,
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
    logical_date: iso(row.logicalDate),
    partition_key: row.partitionKey,
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
  below: readonly CascadeNodePreview[],
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
    cascade: below.map(belowView),
    total_seconds: totalSeconds(estimate, below),
  };
}

/** A DAG below, and what would become of its dates; null where it has none of its own. */
export interface CascadeNodePreview {
  node: CascadeNode;
  preview: BackfillPreview | null;
  estimate: BackfillEstimate | null;
}

function belowView({ node, preview, estimate }: CascadeNodePreview) {
  const { dates } = node;
  const first = dates[0]?.logicalDate ?? null;
  const last = dates.at(-1)?.logicalDate ?? null;
  return {
    dag_id: node.dagId,
    depth: node.depth,
    kind: node.kind,
    why: node.why,
    upstream: node.upstream.map(({ dagId, datasets }) => ({ dag_id: dagId, datasets })),
    dates: dates.length,
    partitions: node.partitions.filter((key) => key !== ""),
    waits_for: waitsFor(node),
    new: preview?.create.length ?? 0,
    again: preview?.again.length ?? 0,
    left_out: preview?.leftOut.length ?? 0,
    first_date: iso(first),
    last_date: iso(last),
    estimate: estimate && estimateView(estimate),
  };
}

function waitsFor({ kind, partitions }: CascadeNode): "all above" | "what each needs" | null {
  if (kind === "left out") return null;
  return kind === "events" && partitions.includes("") ? "all above" : "what each needs";
}

/** Depth after depth, each as long as its slowest; runs that events start are not counted. */
function totalSeconds(first: BackfillEstimate, below: readonly CascadeNodePreview[]) {
  const depths = Map.groupBy(below.filter((each) => each.estimate), (each) => each.node.depth);
  let total = first.seconds;
  for (const nodes of depths.values()) {
    const seconds = nodes.map(({ estimate }) => estimate!.seconds);
    if (total === null || seconds.includes(null)) return null;
    total += Math.max(...seconds as number[]);
  }
  return total;
}

/** A cascade as one object, from its backfills in order. */
export function cascadeView(
  rows: readonly BackfillRow[],
  nodes: readonly CascadeRow[],
): z.input<typeof CascadeShape> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const depths = new Map<number, number>();
  const backfills = nodes.flatMap(({ id, upstream }) => {
    const row = byId.get(id);
    if (!row) return [];
    const depth = 1 + Math.max(-1, ...upstream.map((up) => depths.get(up.id) ?? 0));
    depths.set(id, depth);
    const shown = backfillView(row);
    return [{
      depth,
      upstream: upstream.map((up) => ({
        dag_id: byId.get(up.id)!.dagId,
        datasets: up.datasets,
      })),
      backfill: shown,
    }];
  });
  const runs = backfills.map((each) => each.backfill.runs);
  const total = (of: (each: typeof runs[number]) => number) =>
    runs.reduce((sum, each) => sum + of(each), 0);
  return {
    id: nodes[0].id,
    state: cascadeState(backfills.map((each) => each.backfill)),
    runs: {
      planned: total((each) => each.planned),
      done: total((each) => each.success + each.failed + each.left_out),
      failed: total((each) => each.failed),
    },
    backfills,
  };
}

function cascadeState(all: readonly z.input<typeof BackfillShape>[]) {
  const open = all.filter((each) => each.completed_at === null);
  if (open.some((each) => each.state === "running")) return "running";
  if (open.length > 0) return open.some((each) => each.is_paused) ? "paused" : "running";
  if (all.some((each) => each.state === "cancelled")) return "cancelled";
  const isGood = all.every((each) => each.state === "completed" && each.runs.failed === 0);
  return isGood ? "completed" : "failed";
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
