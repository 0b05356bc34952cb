/** @module Runs, task instances and attempts as answers show them. */
import type { z } from "zod";
import type { TaskState } from "../../model/task_state.ts";
import type { DagVersionRow } from "../../store/dag_query.ts";
import type { DagRunRow } from "../../store/dag_run_query.ts";
import type { AttemptRow, OutputRow, TaskInstanceRow } from "../../store/task_instance_query.ts";
import type { CachedVersion } from "../execution/versions.ts";
import type { DagRunShape } from "../shapes/dag_run.ts";
import type {
  AttemptShape,
  ShownState,
  TaskInstanceHistory,
  TaskInstanceShape,
  XComShape,
} from "../shapes/task_instance.ts";
import { dagVersionView, iso } from "./dag.ts";

/** Whom Airflow's words for `triggered_by` name. */
const triggers: Record<string, z.input<typeof DagRunShape>["triggered_by"]> = {
  scheduler: "timetable",
  timetable: "timetable",
  rest_api: "rest_api",
  backfill: "backfill",
  asset: "asset",
};

/** A run. */
export function dagRunView(run: DagRunRow): z.input<typeof DagRunShape> {
  return {
    dag_run_id: run.runId,
    dag_id: run.dagId,
    logical_date: iso(run.logicalDate),
    queued_at: iso(run.queuedAt),
    start_date: iso(run.startDate),
    end_date: iso(run.endDate),
    duration: seconds(run.startDate, run.endDate),
    data_interval_start: iso(run.dataIntervalStart),
    data_interval_end: iso(run.dataIntervalEnd),
    run_after: run.runAfter.toISOString(),
    last_scheduling_decision: null,
    run_type: run.runType,
    state: run.state,
    triggered_by: triggers[run.triggeredBy] ?? null,
    triggering_user_name: run.triggeringUserName,
    conf: run.conf,
    note: run.note,
    dag_versions: [dagVersionView({
      id: run.dagVersionId,
      dagId: run.dagId,
      versionNumber: run.versionNumber,
      bundleHash: run.bundleHash,
      createdAt: run.versionCreatedAt,
    })],
    bundle_version: run.bundleHash,
    dag_display_name: run.dagId,
    partition_key: run.partitionKey,
    partition_date: run.partitionKey === null ? null : iso(run.dataIntervalStart),
    id: run.id,
    end_reason: run.cancelRequestedAt ? "cancelled" : null,
    backfill_id: run.backfillId,
    trace_parent: run.traceParent,
    product_version: run.productVersion,
    image: run.image,
    missed_deadlines: run.missedDeadlines,
  };
}

/** Airflow's word for a state; null where it has none yet. */
export function shownState(state: TaskState): z.input<typeof ShownState> | null {
  if (state === "none") return null;
  if (state === "cancelled") return "failed";
  if (state === "cancelling") return "running";
  return state;
}

/** Our states that Airflow's word stands for. */
export function statesShownAs(shown: string): TaskState[] {
  switch (shown) {
    case "none":
    case "no_status":
      return ["none"];
    case "failed":
      return ["failed", "cancelled"];
    case "running":
      return ["running", "cancelling"];
    case "restarting":
      return [];
    default:
      return [shown as TaskState];
  }
}

/** A task instance with its version's facts. */
export function taskInstanceView(
  row: TaskInstanceRow,
  spec: CachedVersion | undefined,
  version: DagVersionRow | undefined,
): z.input<typeof TaskInstanceShape> {
  const task = spec?.tasks.get(row.taskId);
  return {
    id: row.id,
    task_id: row.taskId,
    dag_id: row.dagId,
    dag_run_id: row.runId,
    map_index: row.mapIndex,
    start_date: iso(row.startDate),
    end_date: iso(row.endDate),
    duration: seconds(row.startDate, row.endDate),
    state: shownState(row.state),
    try_number: row.tryNumber,
    max_tries: row.maxTries,
    task_display_name: row.taskId,
    dag_display_name: row.dagId,
    hostname: row.hostname,
    unixname: null,
    pool: row.pool ?? task?.pool ?? "default_pool",
    pool_slots: row.poolSlots ?? task?.poolSlots ?? 1,
    queue: row.queue ?? task?.queue ?? null,
    priority_weight: row.priorityWeight ?? task?.priorityWeight ?? null,
    operator: task?.operator ?? null,
    operator_name: task?.operator ?? null,
    queued_when: iso(row.queuedAt),
    scheduled_when: null,
    pid: row.pid,
    executor: null,
    executor_config: "{}",
    dag_version: version ? dagVersionView(version) : null,
    attempt_id: row.attemptId,
    end_reason: row.endReason,
    logical_date: iso(row.logicalDate),
    run_after: row.runAfter.toISOString(),
    note: row.note,
    rendered_map_index: row.mapIndex < 0 ? null : row.renderedMapIndex ?? String(row.mapIndex),
    rendered_fields: {},
    trigger: row.trigger && {
      classpath: row.trigger.kind,
      kwargs: JSON.stringify(row.trigger.args),
      created_date: new Date(row.trigger.createdAt).toISOString(),
      triggerer_id: row.trigger.claimedBy,
    },
    triggerer_job: null,
    internal_state: row.state,
    next_try_at: iso(row.nextTryAt),
    group: task?.group ?? null,
  };
}

/** A try, from its attempt. */
export function tryView(
  row: AttemptRow,
  instance: z.input<typeof TaskInstanceShape>,
  isNewest: boolean,
): z.input<typeof TaskInstanceHistory> {
  const {
    logical_date: _l,
    run_after: _r,
    note: _n,
    rendered_map_index: _m,
    rendered_fields: _f,
    trigger: _t,
    triggerer_job: _j,
    internal_state: _s,
    next_try_at: _a,
    group: _g,
    id: _i,
    ...common
  } = instance;
  return {
    ...common,
    start_date: iso(row.startDate),
    end_date: iso(row.endDate),
    duration: seconds(row.startDate, row.endDate),
    state: isNewest ? instance.state : tryState(row),
    try_number: row.tryNumber,
    hostname: row.hostname,
    pid: row.pid,
    queued_when: iso(row.queuedAt),
    attempt_id: row.id,
    end_reason: row.endReason,
  };
}

/** What became of a try that is not the newest. */
function tryState(row: AttemptRow): z.input<typeof ShownState> | null {
  if (row.state === "queued") return "queued";
  if (row.state !== "ended") return "running";
  if (row.endReason === "success") return "success";
  if (row.endReason === "skipped") return "skipped";
  if (row.endReason === "rescheduled") return "up_for_reschedule";
  if (row.endReason === "deferred" || row.endReason === "awaiting_input") return row.endReason;
  return "failed";
}

/** An attempt. */
export function attemptView(row: AttemptRow): z.input<typeof AttemptShape> {
  return {
    attempt_id: row.id,
    task_instance_id: row.taskInstanceId,
    dag_id: row.dagId,
    dag_run_id: row.runId,
    task_id: row.taskId,
    map_index: row.mapIndex,
    try_number: row.tryNumber,
    state: row.state,
    end_reason: row.endReason,
    evidence: row.evidence,
    worker_id: row.workerId,
    hostname: row.hostname,
    pid: row.pid,
    queued_at: row.queuedAt.toISOString(),
    start_date: iso(row.startDate),
    end_date: iso(row.endDate),
    accounting: row.rowsIn === null ? null : {
      in: row.rowsIn,
      generated: row.rowsGenerated ?? 0,
      out: row.rowsOut ?? 0,
      quarantined: row.rowsQuarantined ?? 0,
      merged_away: row.rowsMergedAway ?? 0,
      filtered: row.rowsFiltered ?? 0,
    },
    metrics: row.metrics,
    rss_bytes_max: row.rssBytesMax,
    cpu_ms: row.cpuMs,
  };
}

/** That a task has an output. */
export function xcomView(row: OutputRow): z.input<typeof XComShape> {
  return {
    key: "return_value",
    timestamp: (row.endDate ?? row.runAfter).toISOString(),
    logical_date: iso(row.logicalDate),
    map_index: row.mapIndex,
    task_id: row.taskId,
    dag_id: row.dagId,
    run_id: row.runId,
    run_after: row.runAfter.toISOString(),
    dag_display_name: row.dagId,
    task_display_name: row.taskId,
  };
}

function seconds(start: Date | null, end: Date | null): number | null {
  return start && end ? Math.max(0, end.getTime() - start.getTime()) / 1000 : null;
}
