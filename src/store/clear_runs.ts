/** @module Running many finished runs again, in one go. */
import type { TransactionSql } from "postgres";
import type { TaskState } from "../model/task_state.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { clearedAlong } from "../model/setup_teardown.ts";

/** What of finished runs runs again. */
export interface ClearRuns {
  /** On their DAGs' newest versions, or on their own; null: as each DAG says. */
  onLatest: boolean | null;
  /** Only what failed or was cancelled of them, with the setups and teardowns that go with it. */
  onlyFailed: boolean;
}

const bad: readonly TaskState[] = ["failed", "cancelled", "upstream_failed"];

/**
 * Give finished runs, whose rows the caller holds, a fresh start: they are queued, their instances
 * are `none` with a new budget of tries, and tasks that their version has and they lack are added.
 */
export async function clearRuns(
  tx: TransactionSql,
  ids: readonly string[],
  { onLatest, onlyFailed }: ClearRuns,
  now: Date,
): Promise<void> {
  if (ids.length === 0) return;
  const runs = [...ids];
  await tx`
    update dag_run r set state = 'queued', start_date = null, end_date = null,
      -- Always another instant: by it a pass that is under way sees that the run was queued anew.
      queued_at = greatest(${now}, r.queued_at + interval '1 millisecond'),
      cancel_requested_at = null, clear_number = clear_number + 1,
      dag_version_id = case when ${isOnLatest(tx, onLatest)}
        then d.dag_version_id else r.dag_version_id end
    from dag d where d.dag_id = r.dag_id and r.id = any(${runs}::uuid[])`;
  const chosen = onlyFailed ? await failedOf(tx, runs) : null;
  const which = chosen === null
    ? tx`t.dag_run_id = any(${runs}::uuid[])`
    : tx`t.id = any(${chosen}::uuid[])`;
  await tx`
    delete from task_output o using task_instance t where o.task_instance_id = t.id and ${which}`;
  await tx`
    delete from trigger o using task_instance t where o.task_instance_id = t.id and ${which}`;
  await tx`
    with budget as (
      select r.id as run, r.dag_id, s.task ->> 'taskId' as task_id,
        coalesce((s.task #>> '{retry,retries}')::int, 0) as retries
      from dag_run r join dag_version v on v.id = r.dag_version_id,
        jsonb_array_elements(v.spec -> 'tasks') s(task)
      where r.id = any(${runs}::uuid[])
    ), cleared as (
      update task_instance t set
        state = 'none', end_date = null, start_date = null, queued_at = null, next_try_at = null,
        is_forced = false, infra_losses = 0, output_length = null, chosen = null, resumption = null,
        max_tries = t.try_number + coalesce((
          select b.retries from budget b where b.run = t.dag_run_id and b.task_id = t.task_id), 0)
      where ${which})
    insert into task_instance (id, dag_run_id, dag_id, task_id, state, max_tries)
    select gen_random_uuid(), b.run, b.dag_id, b.task_id, 'none', b.retries from budget b
    where not exists (
      select from task_instance t where t.dag_run_id = b.run and t.task_id = b.task_id)`;
}

/** Does a run of DAG `d` run again on its newest version? A condition of a query. */
export function isOnLatest(tx: TransactionSql, onLatest: boolean | null) {
  return tx`coalesce(${onLatest}::boolean, (
    select (n.spec ->> 'rerunWithLatestVersion')::boolean from dag_version n
    where n.id = d.dag_version_id), false)`;
}

async function failedOf(tx: TransactionSql, runs: string[]): Promise<string[]> {
  const specs = await tx<{ id: string; spec: DagSpec }[]>`
    select v.id, v.spec from dag_version v where v.id in (
      select dag_version_id from dag_run where id = any(${runs}::uuid[]))`;
  const byVersion = new Map(specs.map(({ id, spec }) => [id, spec]));
  const instances = await tx<
    { id: string; run: string; version: string; task: string; state: TaskState }[]
  >`
    select t.id, t.dag_run_id as run, r.dag_version_id as version, t.task_id as task, t.state
    from task_instance t join dag_run r on r.id = t.dag_run_id
    where r.id = any(${runs}::uuid[])`;
  return [...Map.groupBy(instances, (each) => each.run).values()].flatMap((rows) => {
    const failed = rows.filter((row) => bad.includes(row.state));
    const along = clearedAlong(byVersion.get(rows[0].version)!.tasks, {
      tasks: [...new Set(failed.map((row) => row.task))],
      includeUpstream: false,
      includeDownstream: false,
    });
    return rows.filter((row) => bad.includes(row.state) || along.has(row.task))
      .map((row) => row.id);
  });
}
