/** @module Task instances, attempts and outputs as pages and lists see them. */
import type { EndEvidence, EndReason } from "../model/end_reason.ts";
import type { TaskState } from "../model/task_state.ts";
import type { AnySql, Sql } from "./database.ts";
import type { TriggerRow } from "./trigger_query.ts";
import {
  type Bounds,
  countRows,
  type Fragment,
  type Listed,
  matches,
  oneOf,
  orderBy,
  type Page,
  where,
  within,
} from "./page.ts";

/** A task instance with its run and its newest attempt. */
export interface TaskInstanceRow {
  id: string;
  dagId: string;
  dagRunId: string;
  runId: string;
  taskId: string;
  mapIndex: number;
  state: TaskState;
  attemptId: string | null;
  tryNumber: number;
  maxTries: number;
  nextTryAt: Date | null;
  queue: string | null;
  pool: string | null;
  poolSlots: number | null;
  priorityWeight: number | null;
  queuedAt: Date | null;
  startDate: Date | null;
  endDate: Date | null;
  note: string | null;
  logicalDate: Date | null;
  runAfter: Date;
  dagVersionId: string;
  hostname: string | null;
  pid: number | null;
  endReason: EndReason | null;
  /** What an instance of a mapped task is shown by; null: its index. */
  renderedMapIndex: string | null;
  /** Of a deferred one: what it waits for. */
  trigger: TriggerRow | null;
}

/** Filters of {@link listTaskInstances}. */
export interface TaskInstanceFilter {
  /** null: of all DAGs. */
  dagIds?: readonly string[] | null;
  /** null: of all runs. */
  runIds?: readonly string[] | null;
  dagRunIds?: readonly string[];
  taskIds?: readonly string[] | null;
  taskPattern?: string;
  mapIndexes?: readonly number[];
  /** True: without the unmapped and unexpanded ones. */
  mappedOnly?: boolean;
  states?: readonly TaskState[] | null;
  pools?: readonly string[] | null;
  queues?: readonly string[] | null;
  tryNumbers?: readonly number[];
  runAfter?: Bounds;
  logicalDate?: Bounds;
  startDate?: Bounds;
  endDate?: Bounds;
}

/** Columns of a {@link TaskInstanceRow}. */
export const taskInstanceColumns = (sql: Sql) =>
  sql`
  t.id, t.dag_id, t.dag_run_id, r.run_id, t.task_id, t.map_index, t.state, t.attempt_id,
  t.try_number, t.max_tries, t.next_try_at, t.queue, t.pool, t.pool_slots, t.priority_weight,
  t.queued_at, t.start_date, t.end_date, t.note, t.rendered_map_index, r.logical_date, r.run_after,
  r.dag_version_id, a.hostname, a.pid, a.end_reason,
  case when t.state = 'deferred' then (
    select jsonb_build_object('kind', g.kind, 'args', g.args, 'createdAt', g.created_at,
      'claimedBy', g.claimed_by)
    from trigger g where g.task_instance_id = t.id) end as trigger`;

/** What they come from. */
export const taskInstanceTables = (sql: Sql) =>
  sql`task_instance t join dag_run r on r.id = t.dag_run_id
    left join attempt a on a.id = t.attempt_id`;

/** Fields that a list may be ordered by. */
export const taskInstanceOrders = [
  "id",
  "map_index",
  "task_id",
  "task_display_name",
  "state",
  "dag_id",
  "run_id",
  "dag_run_id",
  "run_after",
  "logical_date",
  "start_date",
  "end_date",
  "duration",
  "try_number",
  "queue",
  "pool",
] as const;

/** Those of them that the run has. */
const ordersOfRun: ReadonlySet<string> = new Set([
  "run_id",
  "dag_run_id",
  "run_after",
  "logical_date",
]);

/** A page of task instances. */
export async function listTaskInstances(
  sql: Sql,
  filter: TaskInstanceFilter,
  page: Page,
): Promise<Listed<TaskInstanceRow>> {
  const condition = where(sql, conditionsOf(sql, filter));
  const order = orderBy(sql, page.orderBy, {
    id: sql`t.id`,
    map_index: sql`t.map_index`,
    task_id: sql`t.task_id`,
    task_display_name: sql`t.task_id`,
    state: sql`t.state`,
    dag_id: sql`t.dag_id`,
    run_id: sql`r.run_id`,
    dag_run_id: sql`r.run_id`,
    run_after: sql`r.run_after`,
    logical_date: { nullable: sql`r.logical_date` },
    start_date: { nullable: sql`t.start_date` },
    end_date: { nullable: sql`t.end_date` },
    duration: { nullable: sql`t.end_date - t.start_date` },
    try_number: sql`t.try_number`,
    queue: { nullable: sql`t.queue` },
    pool: { nullable: sql`t.pool` },
  }, /^-?id$/.test(page.orderBy[0]) ? sql`t.id` : sql`t.task_id, t.map_index, t.id`);
  const join = sql`join dag_run r on r.id = t.dag_run_id`;
  const run = asksOfRun(filter) ? join : sql``;
  const isByRun = page.orderBy.some((field) => ordersOfRun.has(field.replace("-", "")));
  const [items, total] = await Promise.all([
    // The page first: a run can have 100,000 instances, and only those shown need their attempts.
    sql<TaskInstanceRow[]>`
      select ${taskInstanceColumns(sql)} from (
        select t.id from task_instance t ${isByRun ? join : run} ${condition} ${order}
        limit ${page.limit} offset ${page.offset}) page
      join task_instance t on t.id = page.id join dag_run r on r.id = t.dag_run_id
      left join attempt a on a.id = t.attempt_id ${order}`,
    countRows(sql, sql`from task_instance t ${run} ${condition}`),
  ]);
  return { items, total };
}

function conditionsOf(sql: Sql, filter: TaskInstanceFilter): (Fragment | null)[] {
  return [
    oneOf(sql, sql`t.dag_id`, filter.dagIds),
    filter.runIds ? oneOf(sql, sql`r.dag_id`, filter.dagIds) : null,
    oneOf(sql, sql`r.run_id`, filter.runIds),
    filter.dagRunIds ? sql`t.dag_run_id = any(${[...filter.dagRunIds]}::uuid[])` : null,
    oneOf(sql, sql`t.task_id`, filter.taskIds),
    matches(sql, sql`t.task_id`, filter.taskPattern),
    filter.mapIndexes ? sql`t.map_index = any(${[...filter.mapIndexes]})` : null,
    filter.mappedOnly ? sql`t.map_index >= 0` : null,
    oneOf(sql, sql`t.state`, filter.states),
    isOfFailed(filter.states) ? sql`t.state in ('failed', 'cancelled', 'upstream_failed')` : null,
    oneOf(sql, sql`t.pool`, filter.pools),
    oneOf(sql, sql`t.queue`, filter.queues),
    filter.tryNumbers ? sql`t.try_number = any(${[...filter.tryNumbers]})` : null,
    ...within(sql, sql`r.run_after`, filter.runAfter),
    ...within(sql, sql`r.logical_date`, filter.logicalDate),
    ...within(sql, sql`t.start_date`, filter.startDate),
    ...within(sql, sql`t.end_date`, filter.endDate),
  ];
}

/** May the index of those that failed serve? The planner sees that in a constant only. */
function isOfFailed(states: TaskInstanceFilter["states"]): boolean {
  return states?.every((state) => failedStates.has(state)) ?? false;
}

const failedStates: ReadonlySet<TaskState> = new Set(["failed", "cancelled", "upstream_failed"]);

/** Does a filter need the run's row? */
function asksOfRun({ runIds, runAfter = {}, logicalDate = {} }: TaskInstanceFilter): boolean {
  const bounds = [...Object.values(runAfter), ...Object.values(logicalDate)];
  return runIds != null || bounds.some((bound) => bound != null);
}

/** One task instance, or null. */
export async function findTaskInstance(
  sql: Sql,
  { dagId, runId, taskId, mapIndex }: {
    dagId: string;
    runId: string;
    taskId: string;
    mapIndex: number;
  },
): Promise<TaskInstanceRow | null> {
  const [found] = await sql<TaskInstanceRow[]>`
    select ${taskInstanceColumns(sql)} from ${taskInstanceTables(sql)}
    where r.dag_id = ${dagId} and r.run_id = ${runId} and t.task_id = ${taskId}
      and t.map_index = ${mapIndex}`;
  return found ?? null;
}

/** Task instances by id, as a list shows them: by run, task and map index. */
export async function listTaskInstancesById(
  sql: Sql,
  ids: readonly string[],
): Promise<TaskInstanceRow[]> {
  return [
    ...await sql<TaskInstanceRow[]>`
      select ${taskInstanceColumns(sql)} from ${taskInstanceTables(sql)} where t.id = any(${[
      ...ids,
    ]}::uuid[])
      order by r.logical_date nulls last, r.id, t.task_id, t.map_index`,
  ];
}

/** Is this task expanded in the run, so that `mapIndex` must be given? */
export async function isMapped(
  sql: Sql,
  { dagId, runId, taskId }: { dagId: string; runId: string; taskId: string },
): Promise<boolean> {
  const found = await sql`
    select 1 from task_instance t join dag_run r on r.id = t.dag_run_id
    where r.dag_id = ${dagId} and r.run_id = ${runId} and t.task_id = ${taskId}
      and t.map_index >= 0 limit 1`;
  return found.length > 0;
}

/** Write a note on task instances. */
export async function annotateTaskInstances(
  sql: AnySql,
  { ids, note }: { ids: readonly string[]; note: string | null },
): Promise<void> {
  await sql`update task_instance set note = ${note} where id = any(${[...ids]}::uuid[])`;
}

/** An attempt with all that is known of it. */
export interface AttemptRow {
  id: string;
  taskInstanceId: string;
  dagId: string;
  runId: string;
  taskId: string;
  mapIndex: number;
  tryNumber: number;
  state: "queued" | "running" | "cancelling" | "ended";
  endReason: EndReason | null;
  evidence: EndEvidence;
  workerId: string | null;
  hostname: string | null;
  pid: number | null;
  queuedAt: Date;
  startDate: Date | null;
  endDate: Date | null;
  rowsIn: number | null;
  rowsGenerated: number | null;
  rowsOut: number | null;
  rowsQuarantined: number | null;
  rowsMergedAway: number | null;
  rowsFiltered: number | null;
  metrics: Record<string, unknown>;
  rssBytesMax: number | null;
  cpuMs: number | null;
}

const attemptColumns = (sql: Sql) =>
  sql`
  a.id, a.task_instance_id, t.dag_id, r.run_id, t.task_id, t.map_index, a.try_number, a.state,
  a.end_reason, a.evidence, a.worker_id, a.hostname, a.pid, a.queued_at, a.start_date, a.end_date,
  a.rows_in, a.rows_generated, a.rows_out, a.rows_quarantined, a.rows_merged_away,
  a.rows_filtered, a.metrics, a.rss_bytes_max, a.cpu_ms`;

const attemptTables = (sql: Sql) =>
  sql`attempt a join task_instance t on t.id = a.task_instance_id
    join dag_run r on r.id = a.dag_run_id`;

/** Attempts of one task instance, oldest first. */
export async function listAttemptsOf(sql: Sql, taskInstanceId: string): Promise<AttemptRow[]> {
  return [
    ...await sql<AttemptRow[]>`
      select ${attemptColumns(sql)} from ${attemptTables(sql)}
      where a.task_instance_id = ${taskInstanceId} order by a.queued_at, a.id`,
  ];
}

/** A page of a run's attempts, oldest first. */
export async function listAttemptsOfRun(
  sql: Sql,
  { dagRunId, taskId }: { dagRunId: string; taskId?: string },
  page: Page,
): Promise<Listed<AttemptRow>> {
  const condition = where(sql, [
    sql`a.dag_run_id = ${dagRunId}`,
    taskId === undefined ? null : sql`t.task_id = ${taskId}`,
  ]);
  const [items, [{ total }]] = await Promise.all([
    sql<AttemptRow[]>`
      select ${attemptColumns(sql)} from ${attemptTables(sql)} ${condition}
      order by a.queued_at, a.id limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`
      select count(*) as total from attempt a join task_instance t on t.id = a.task_instance_id
      ${condition}`,
  ]);
  return { items, total };
}

/** One attempt, or null. */
export async function findAttempt(sql: Sql, id: string): Promise<AttemptRow | null> {
  const [found] = await sql<AttemptRow[]>`
    select ${attemptColumns(sql)} from ${attemptTables(sql)} where a.id = ${id}`;
  return found ?? null;
}

/** An output of a task. */
export interface OutputRow {
  taskId: string;
  mapIndex: number;
  output: unknown;
  outputKey: string | null;
  endDate: Date | null;
  runId: string;
  dagId: string;
  logicalDate: Date | null;
  runAfter: Date;
}

/** Outputs of a task in a run. */
export async function listOutputs(
  sql: Sql,
  { dagId, runId, taskId, mapIndex }: {
    /** null: any. */
    dagId: string | null;
    runId: string | null;
    taskId: string | null;
    mapIndex?: number;
  },
  page: Page,
): Promise<Listed<OutputRow>> {
  const condition = where(sql, [
    dagId === null ? null : sql`r.dag_id = ${dagId}`,
    runId === null ? null : sql`r.run_id = ${runId}`,
    taskId === null ? null : sql`t.task_id = ${taskId}`,
    mapIndex === undefined ? null : sql`t.map_index = ${mapIndex}`,
  ]);
  const from = sql`task_output o join task_instance t on t.id = o.task_instance_id
    join dag_run r on r.id = t.dag_run_id`;
  const [items, [{ total }]] = await Promise.all([
    sql<OutputRow[]>`
      select t.task_id, t.map_index, o.output, o.output_key, t.end_date, r.run_id, r.dag_id,
        r.logical_date, r.run_after
      from ${from} ${condition}
      order by r.run_after desc, r.id, t.task_id, t.map_index
      limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from ${from} ${condition}`,
  ]);
  return { items, total };
}
