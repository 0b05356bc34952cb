/** @module DAGs as answers show them. */
import type { z } from "zod";
import type { ScheduleSpec } from "../../model/schedule_spec.ts";
import type { DagSpec, TaskSpec } from "../../model/dag_spec.ts";
import type { DagRow, DagVersionRow } from "../../store/dag_query.ts";
import { isPeriodic, nextRunOf } from "../../timetable/mod.ts";
import { scheduleDescription, scheduleText } from "./schedule.ts";
import type { DagDetails, DagShape, DagVersionShape, TaskShape } from "../shapes/dag.ts";

/** Name of the one bundle that all DAG files belong to, as Airflow's clients want one. */
export const bundleName = "dags";

/** An instant, or null. */
export function iso(at: Date | null | undefined): string | null {
  return at ? at.toISOString() : null;
}

/** A version. */
export function dagVersionView(version: DagVersionRow): z.input<typeof DagVersionShape> {
  return {
    id: version.id,
    version_number: version.versionNumber,
    dag_id: version.dagId,
    bundle_name: bundleName,
    bundle_version: version.bundleHash,
    bundle_url: null,
    created_at: version.createdAt.toISOString(),
    dag_display_name: version.dagId,
  };
}

/** A DAG of a list. */
export function dagView(dag: DagRow, now: Date): z.input<typeof DagShape> {
  const { spec } = dag;
  const periodic = isPeriodic(spec.schedule);
  const next = dag.isPaused || dag.isStale ? null : nextOf(dag, now);
  return {
    dag_id: dag.dagId,
    dag_display_name: dag.dagId,
    is_paused: dag.isPaused,
    pause_reason: dag.pauseReason,
    is_stale: dag.isStale,
    last_parsed_time: iso(dag.lastParsedAt),
    last_parse_duration: null,
    last_expired: null,
    bundle_name: bundleName,
    bundle_version: dag.bundleHash,
    relative_fileloc: dag.fileloc,
    fileloc: dag.fileloc,
    description: spec.description,
    timetable_summary: scheduleText(spec.schedule),
    timetable_description: scheduleDescription(spec.schedule),
    timetable_partitioned: false,
    timetable_periodic: periodic,
    tags: spec.tags.map((name) => ({ name, dag_id: dag.dagId, dag_display_name: dag.dagId })),
    max_active_tasks: spec.maxActiveTasks,
    max_active_runs: spec.maxActiveRuns,
    max_consecutive_failed_dag_runs: spec.maxConsecutiveFailedDagRuns ?? 0,
    has_task_concurrency_limits: false,
    has_import_errors: dag.hasImportErrors,
    next_dagrun_logical_date: iso(next?.logicalDate),
    next_dagrun_data_interval_start: iso(next?.interval.start),
    next_dagrun_data_interval_end: iso(next?.interval.end),
    next_dagrun_run_after: iso(next?.runAfter),
    allowed_run_types: null,
    is_backfillable: periodic,
    owners: [spec.owner],
    file_token: btoa(encodeURIComponent(dag.fileloc)),
  };
}

/** All of a DAG. */
export function dagDetailsView(
  dag: DagRow,
  { now, activeRuns }: { now: Date; activeRuns: number },
): z.input<typeof DagDetails> {
  const { spec } = dag;
  return {
    ...dagView(dag, now),
    retry_budget: spec.retryBudget
      ? { per_run: spec.retryBudget.perRun, per_hour: spec.retryBudget.perHour }
      : null,
    fail_fast: spec.failFast ?? false,
    catchup: spec.catchup !== false && spec.catchup !== "none",
    concurrency: spec.maxActiveTasks,
    dag_run_timeout: null,
    asset_expression: assetExpression(spec.schedule),
    doc_md: spec.docMd,
    start_date: spec.start,
    end_date: spec.end,
    is_paused_upon_creation: null,
    params: paramsView(spec),
    render_template_as_native_obj: false,
    template_search_path: null,
    timezone: spec.schedule.kind === "cron" ? spec.schedule.timezone : "UTC",
    last_parsed: iso(dag.lastParsedAt),
    default_args: null,
    owner_links: null,
    is_favorite: false,
    active_runs_count: activeRuns,
    latest_dag_version: dagVersionView({
      id: dag.versionId,
      dagId: dag.dagId,
      versionNumber: dag.versionNumber,
      bundleHash: dag.bundleHash,
      createdAt: dag.versionCreatedAt,
    }),
    params_schema: spec.paramsSchema,
    datasets: spec.datasets,
  };
}

/** Each param as Airflow shows it: its default and its part of the schema. */
function paramsView(spec: Pick<DagSpec, "paramsDefault" | "paramsSchema">) {
  const schema = spec.paramsSchema as { properties?: Record<string, unknown> } | null;
  const names = new Set([
    ...Object.keys(schema?.properties ?? {}),
    ...Object.keys(spec.paramsDefault),
  ]);
  return Object.fromEntries(
    [...names].map((name) => [name, {
      value: spec.paramsDefault[name] ?? null,
      schema: schema?.properties?.[name] ?? {},
      description: (schema?.properties?.[name] as { description?: string })?.description ?? null,
    }]),
  );
}

/** A task of a DAG. */
export function taskView(task: TaskSpec, spec: DagSpec): z.input<typeof TaskShape> {
  return {
    task_id: task.taskId,
    task_display_name: task.taskId,
    owner: spec.owner,
    start_date: spec.start,
    end_date: spec.end,
    trigger_rule: task.triggerRule,
    depends_on_past: task.dependsOnPast || task.waitForDownstream || false,
    wait_for_downstream: task.waitForDownstream ?? false,
    retries: task.retry.retries,
    queue: task.queue,
    pool: task.pool,
    pool_slots: task.poolSlots,
    execution_timeout: task.timeoutMs === null ? null : timeDelta(task.timeoutMs),
    retry_delay: timeDelta(task.retry.delayMs),
    retry_exponential_backoff: task.retry.backoff === "exponential" ? 2 : 0,
    priority_weight: task.priorityWeight,
    weight_rule: task.weightRule ?? "downstream",
    ui_color: "#fff",
    ui_fgcolor: "#000",
    template_fields: [],
    downstream_task_ids: spec.tasks.filter((other) => other.upstream.includes(task.taskId))
      .map((other) => other.taskId),
    upstream_task_ids: task.upstream,
    doc_md: task.doc ?? null,
    operator_name: task.operator,
    params: task.params !== null && typeof task.params === "object" && !Array.isArray(task.params)
      ? task.params
      : {},
    class_ref: { module_path: "tidewheel/operators", class_name: task.operator },
    is_mapped: task.mappedOver !== null,
    extra_links: [],
    group: task.group,
    isolation: task.isolation,
    connections: task.connections,
    is_branch: task.isBranch,
    is_setup: task.isSetup ?? false,
    is_teardown: task.isTeardown ?? false,
  };
}

function nextOf(dag: DagRow, now: Date) {
  const { spec, lastIntervalStart, lastIntervalEnd } = dag;
  const lastInterval = lastIntervalStart && lastIntervalEnd
    ? { start: lastIntervalStart, end: lastIntervalEnd }
    : null;
  return nextRunOf(spec, { lastInterval, now });
}

function timeDelta(ms: number) {
  const days = Math.floor(ms / 86_400_000);
  const seconds = Math.floor((ms - days * 86_400_000) / 1000);
  return {
    __type: "TimeDelta" as const,
    days,
    seconds,
    microseconds: Math.round((ms % 1000) * 1000),
  };
}

/** Airflow's form of the condition of a schedule of datasets; null for any other schedule. */
function assetExpression(schedule: ScheduleSpec): Record<string, unknown> | null {
  if (schedule.kind !== "datasets") return null;
  const asset = (name: string) => ({ asset: { name, uri: name, group: "asset" } });
  const ways = schedule.anyOf.map((all) =>
    all.length === 1 ? asset(all[0]) : { all: all.map(asset) }
  );
  return ways.length === 1 ? ways[0] : { any: ways };
}
