/** @module What the scheduler and the Task Execution API read. */
import type { Sql } from "postgres";
import type { Resumption } from "../model/trigger.ts";
import type { DagRun, Pool, TaskInstance } from "../model/rows.ts";
import { pendingMark, pendingPartitions } from "./engine_events.ts";
import { runColumns, taskColumns } from "./engine_rows.ts";
import type {
  BackfillLimits,
  DagVersion,
  FoundItem,
  Outline,
  PastRun,
  RunSnapshot,
  SchedulableDag,
  WantedItem,
} from "./port.ts";

/** DAGs with their current version. */
export async function loadDags(sql: Sql, ids?: string[]): Promise<SchedulableDag[]> {
  const found = await sql`
    select d.dag_id as "dagId", d.is_paused as "isPaused", d.is_stale as "isStale",
      d.dag_version_id as "dagVersionId", v.spec, d.next_run_at as "nextRunAt",
      d.last_interval_start as "lastStart", d.last_interval_end as "lastEnd",
      ${pendingMark(sql)}, ${pendingPartitions(sql)} as pending
    from dag d join dag_version v on v.id = d.dag_version_id
    ${ids ? sql`where d.dag_id = any(${ids})` : sql``}
    order by d.dag_id`;
  return found.map(({ lastStart, lastEnd, ...dag }) => ({
    ...dag,
    lastInterval: lastStart ? { start: lastStart, end: lastEnd } : null,
  } as SchedulableDag));
}

/** DAG versions; they never change. */
export async function loadDagVersions(sql: Sql, ids: string[]): Promise<DagVersion[]> {
  return await sql<DagVersion[]>`
    select id, dag_id as "dagId", version_number as "versionNumber", spec,
      bundle_hash as "bundleHash", entry
    from dag_version where id = any(${ids}::uuid[])`;
}

/** Unfinished runs, or those named, each with all of its task instances. */
export async function loadRuns(sql: Sql, ids?: string[]): Promise<RunSnapshot[]> {
  const which = ids ? sql`r.id = any(${ids}::uuid[])` : sql`r.state in ('queued', 'running')`;
  const [runs, tasks] = await sql.begin(
    "isolation level repeatable read read only",
    (tx) =>
      Promise.all([
        tx<DagRun[]>`select ${
          runColumns(sql)
        } from dag_run r where ${which} order by r.run_after, r.id`,
        tx<TaskInstance[]>`
        select ${taskColumns(sql)} from task_instance t join dag_run r on r.id = t.dag_run_id
        where ${which} order by t.dag_run_id, t.task_id, t.map_index`,
      ]),
  );
  const byRun = Map.groupBy(tasks, (task) => task.dagRunId);
  return runs.map((run) => ({ run, tasks: byRun.get(run.id) ?? [] }));
}

/** The run before each of these. */
export async function loadPast(sql: Sql, ids: string[]): Promise<PastRun[]> {
  return await sql<PastRun[]>`
    select r.id as "dagRunId", p.id as "previousId", (
      select coalesce(jsonb_agg(distinct t.task_id), '[]') from task_instance t
      where t.dag_run_id = p.id and t.state not in ('success', 'skipped', 'removed')) as unmet
    from dag_run r
    left join lateral (
      select e.id from dag_run e
      where e.dag_id = r.dag_id and e.logical_date < r.logical_date
      order by e.logical_date desc limit 1) p on true
    where r.id = any(${ids}::uuid[])`;
}

/** Task instances by id. */
export async function loadTasks(sql: Sql, ids: string[]): Promise<TaskInstance[]> {
  return await sql<TaskInstance[]>`
    select ${taskColumns(sql)} from task_instance t where t.id = any(${ids}::uuid[])`;
}

/** All pools. */
export async function loadPools(sql: Sql): Promise<Pool[]> {
  return await sql<Pool[]>`
    select name, slots, closings, include_deferred as "includeDeferred" from pool`;
}

/** Unfinished runs with counts of their instances' states, and all DAGs; nothing of any size. */
export async function loadOutline(sql: Sql): Promise<Outline> {
  const [runs, dags, [{ isDraining }]] = await Promise.all([
    sql<Outline["runs"]>`
      select r.id, r.state, r.dag_version_id as "dagVersionId",
        r.cancel_requested_at is not null as "isCancelled",
        (select coalesce(jsonb_object_agg(c.state, c.n), '{}') from (
          select t.state, count(*)::int as n from task_instance t
          where t.dag_run_id = r.id group by t.state) c) as tasks
      from dag_run r where r.state in ('queued', 'running')`,
    sql<Outline["dags"]>`
      select dag_id as "dagId", dag_version_id as "dagVersionId", is_paused as "isPaused",
        is_stale as "isStale", ${pendingMark(sql)}
      from dag d where dag_version_id is not null`,
    sql<{ isDraining: boolean }[]>`
      select exists (select from leader_lease where drain_at is not null) as "isDraining"`,
  ]);
  return { isDraining, runs: [...runs], dags: [...dags] };
}

/** Backfills with unfinished runs. A backfill that was cancelled no longer holds back its runs. */
export async function loadBackfills(sql: Sql): Promise<BackfillLimits[]> {
  return await sql<BackfillLimits[]>`
    select b.id::text as id, b.max_active_runs as "maxActiveRuns",
      b.is_paused and b.completed_at is null as "isPaused", b.share
    from backfill b
    where exists (
      select from dag_run r where r.backfill_id = b.id and r.state in ('queued', 'running'))`;
}

/** Heartbeat counters of all attempts that workers hold. */
export async function readHeartbeats(sql: Sql) {
  const live = await sql<{ id: string; beats: number; workerId: string | null }[]>`
    select id, beats::float8 as beats, worker_id as "workerId"
    from attempt where state in ('running', 'cancelling')`;
  return new Map(live.map(({ id, ...beat }) => [id, beat]));
}

/** Outputs of tasks of one run, by map index. */
export async function loadOutputs(
  sql: Sql,
  dagRunId: string,
  taskIds: string[],
  mapIndex?: number,
) {
  return await sql<
    { taskId: string; mapIndex: number; output: unknown; outputKey: string | null }[]
  >`
    select t.task_id as "taskId", t.map_index as "mapIndex", o.output, o.output_key as "outputKey"
    from task_instance t join task_output o on o.task_instance_id = t.id
    where t.dag_run_id = ${dagRunId} and t.task_id = any(${taskIds}) and t.state = 'success'
      ${mapIndex === undefined ? sql`` : sql`and t.map_index = ${mapIndex}`}
    order by t.task_id, t.map_index`;
}

/** Single items of outputs; see {@link EngineStore.loadItems}. */
export async function loadItems(sql: Sql, dagRunId: string, wanted: WantedItem[]) {
  return await sql<FoundItem[]>`
    select w.task_id as "taskId", w.index, t.map_index >= 0 as "isOwn",
      case when t.map_index >= 0 then o.output else o.output -> w.index end as output,
      o.output_key as "outputKey",
      case when t.map_index < 0 then t.output_length end as length
    from unnest(${wanted.map((one) => one.taskId)}::text[],
      ${wanted.map((one) => one.index)}::int[]) as w(task_id, index)
    -- Two looks by the whole key: one by either index would go through all instances of the task.
    join lateral (
      select id, map_index, output_length from task_instance
      where dag_run_id = ${dagRunId} and task_id = w.task_id and map_index = w.index
        and map_index >= 0 and state = 'success'
      union all
      select id, map_index, output_length from task_instance
      where dag_run_id = ${dagRunId} and task_id = w.task_id and map_index = -1
        and state = 'success') t on true
    join task_output o on o.task_instance_id = t.id`;
}

/** See {@link EngineStore.loadLengths}. Of a mapped task indexes have no gaps but at the end. */
export async function loadLengths(sql: Sql, dagRunId: string, taskIds: string[]) {
  return await sql<{ taskId: string; length: number }[]>`
    select w.task_id as "taskId", coalesce(last.map_index + 1, list.output_length) as length
    from unnest(${taskIds}::text[]) as w(task_id)
    left join lateral (
      select t.map_index from task_instance t
      where t.dag_run_id = ${dagRunId} and t.task_id = w.task_id and t.map_index >= 0
        and t.state <> 'removed'
      order by t.map_index desc limit 1) last on true
    left join task_instance list on list.dag_run_id = ${dagRunId} and list.task_id = w.task_id
      and list.map_index = -1 and list.state = 'success'
    where coalesce(last.map_index, list.output_length) is not null`;
}

/** What an instance was resumed with last. */
export async function loadResumption(sql: Sql, id: string): Promise<Resumption | null> {
  const [found] = await sql<{ resumption: Resumption | null }[]>`
    select resumption from task_instance where id = ${id}`;
  return found?.resumption ?? null;
}

/** The durable state of a task. */
export async function loadTaskState(sql: Sql, dagId: string, taskId: string, mapIndex: number) {
  const found = await sql<{ key: string; value: unknown }[]>`
    select key, value from task_state
    where dag_id = ${dagId} and task_id = ${taskId} and map_index = ${mapIndex}`;
  return Object.fromEntries(found.map(({ key, value }) => [key, value]));
}

/** The newest successful run of a DAG, before a logical date if one is given. */
export async function previousSuccess(sql: Sql, dagId: string, before: Date | null) {
  const [run] = await sql<DagRun[]>`
    select ${runColumns(sql)} from dag_run r
    where r.dag_id = ${dagId} and r.state = 'success'
      ${before ? sql`and r.logical_date < ${before}` : sql``}
    order by r.logical_date desc nulls last, r.run_after desc limit 1`;
  return run ?? null;
}
