/** @module Task instances as people want them: run again, or in a state that they say. */
import type { Sql, TransactionSql } from "postgres";
import { cancel } from "./engine_cancel.ts";
import { rows } from "./engine_rows.ts";
import { dropTriggersOf } from "./engine_triggers.ts";
import type { HandSet, RunClear } from "./port_by_hand.ts";

/** What workers must stop, and which runs changed. */
export interface ByHand {
  dagRunIds: string[];
  stop: string[];
}

/**
 * Give instances a fresh start with a new budget of tries: finished → none, running → cancelling and
 * then none. The runs are queued again, also those under way: the scheduler may just have decided that
 * one has ended and given its place to another. All of them in one transaction.
 */
export async function clearRuns(sql: Sql, clears: readonly RunClear[], now: Date): Promise<ByHand> {
  return await sql.begin(async (tx) => {
    await lockRuns(tx, clears.map((each) => each.dagRunId));
    return await clear(tx, clears, now);
  });
}

/** Give instances the state that somebody says, and clear others in the same transaction. */
export async function setTasks(
  sql: Sql,
  { ids, clears = [], ...set }: HandSet,
  now: Date,
): Promise<ByHand> {
  return await sql.begin(async (tx) => {
    const found = await tx<{ id: string }[]>`
      select distinct dag_run_id as id from task_instance where id = any(${ids}::uuid[])`;
    await lockRuns(tx, [...found.map(({ id }) => id), ...clears.map((each) => each.dagRunId)]);
    const changed = await setStates(tx, ids, set, now);
    await reopen(tx, changed.dagRunIds, now);
    const cleared = clears.length > 0 ? await clear(tx, clears, now) : { dagRunIds: [], stop: [] };
    return {
      dagRunIds: [...new Set([...changed.dagRunIds, ...cleared.dagRunIds])],
      stop: [...changed.stop, ...cleared.stop],
    };
  });
}

/** Runs before their instances, as a scheduler's pass locks them; all in one order. */
async function lockRuns(tx: TransactionSql, ids: readonly string[]) {
  await tx`
    select 1 from dag_run where id = any(${[...new Set(ids)]}::uuid[])
    order by id for no key update`;
}

async function clear(
  tx: TransactionSql,
  clears: readonly RunClear[],
  now: Date,
): Promise<ByHand> {
  const ids = clears.flatMap((each) => each.ids);
  const runIds = clears.map((each) => each.dagRunId);
  // All of them, in order: a queued one may be on its way to a worker this very moment.
  const running = await tx<{ id: string }[]>`
    with locked as (
      select id, state from task_instance
      where id = any(${ids}::uuid[]) and dag_run_id = any(${runIds}::uuid[])
      order by id for update)
    select id from locked where state = 'running'`;
  const { stop } = await cancel(tx, running.map((row) => row.id), now, "clear", true);
  await tx`
    update task_instance set clear_requested = true, cancel_to = null
    where id = any(${ids}::uuid[]) and dag_run_id = any(${runIds}::uuid[])
      and state = 'cancelling'`;
  await tx`
    update attempt a set state = 'ended', end_reason = 'cleared', end_date = ${now}
    from task_instance t
    where t.id = any(${ids}::uuid[]) and t.dag_run_id = any(${runIds}::uuid[])
      and t.state = 'queued' and a.id = t.attempt_id and a.state = 'queued'`;
  const { runs, retries } = parametersOf(clears);
  const given = tx`
    jsonb_to_recordset(${runs}::text::jsonb)
      as g(run uuid, spec text, version uuid, forced boolean)`;
  await tx`
    update task_instance t set
      max_tries = t.try_number
        + coalesce((${retries}::text::jsonb -> g.spec ->> t.task_id)::int, 0),
      is_forced = g.forced,
      state = case when t.state = 'cancelling' then t.state else 'none' end,
      end_date = null,
      start_date = case when t.state = 'cancelling' then t.start_date end,
      queued_at = case when t.state = 'cancelling' then t.queued_at end,
      next_try_at = null,
      infra_losses = case when t.state = 'cancelling' then t.infra_losses else 0 end,
      output_length = null, chosen = null,
      resumption = case when t.state = 'cancelling' then t.resumption end
    from ${given}
    where t.id = any(${ids}::uuid[]) and t.dag_run_id = g.run`;
  await dropTriggersOf(tx, ids);
  await tx`
    delete from task_output where task_instance_id = any(${ids}::uuid[])`;
  await tx`
    update dag_run r set
      state = 'queued', start_date = case when r.end_date is null then r.start_date end,
      queued_at = greatest(${now}, r.queued_at + interval '1 millisecond'), end_date = null,
      cancel_requested_at = null, clear_number = clear_number + 1,
      dag_version_id = coalesce(g.version, r.dag_version_id)
    from ${given} where r.id = g.run`;
  await tx`
    insert into task_instance (id, dag_run_id, dag_id, task_id, state, max_tries)
    select gen_random_uuid(), r.id, r.dag_id, s.key, 'none', s.value::int
    from ${given} join dag_run r on r.id = g.run,
      jsonb_each_text(${retries}::text::jsonb -> g.spec) s
    where not exists (
      select from task_instance t where t.dag_run_id = r.id and t.task_id = s.key)`;
  return { dagRunIds: runIds, stop };
}

/** The runs, and of each version's tasks how often they are tried again. */
function parametersOf(clears: readonly RunClear[]) {
  const specs = [...new Set(clears.map((each) => each.spec))];
  const retries = specs.map((spec, i) => [
    String(i),
    Object.fromEntries(spec.tasks.map((task) => [task.taskId, task.retry.retries])),
  ]);
  return {
    runs: rows(clears.map(({ dagRunId, spec, dagVersionId, force }) => ({
      run: dagRunId,
      spec: String(specs.indexOf(spec)),
      version: dagVersionId,
      forced: force === true,
    }))),
    retries: JSON.stringify(Object.fromEntries(retries)),
  };
}

/** Those that are in that state already stay as they are; what runs has it once it is gone. */
async function setStates(
  tx: TransactionSql,
  ids: readonly string[],
  { to, by, note }: Omit<HandSet, "ids" | "clears">,
  now: Date,
): Promise<ByHand> {
  const changed = await tx<{ dagRunId: string; attemptId: string | null; was: string }[]>`
    with locked as (
      select id, state from task_instance
      where id = any(${[...ids]}::uuid[]) and state not in (${to}, 'removed')
      order by id for update
    )
    update task_instance t set
      state = case when l.state in ('running', 'cancelling') then 'cancelling' else ${to} end,
      cancel_to = case when l.state in ('running', 'cancelling') then ${to} end,
      clear_requested = false, is_forced = false, next_try_at = null, resumption = null,
      end_date = case
        when l.state not in ('running', 'cancelling') then ${now}::timestamptz end,
      note = coalesce(${note ?? null}, t.note)
    from locked l where t.id = l.id
    returning t.dag_run_id as "dagRunId", t.attempt_id as "attemptId", l.state as was`;
  await dropTriggersOf(tx, ids);
  const attemptsOf = (state: string) =>
    changed.filter((row) => row.was === state && row.attemptId).map((row) => row.attemptId!);
  const stop = attemptsOf("running");
  const evidence = JSON.stringify({ by });
  await tx`
    update attempt set state = 'cancelling', evidence = ${evidence}::text::jsonb
    where id = any(${stop}::uuid[]) and state = 'running'`;
  await tx`
    update attempt set state = 'ended', end_reason = 'set_by_hand', end_date = ${now},
      evidence = ${evidence}::text::jsonb
    where id = any(${attemptsOf("queued")}::uuid[]) and state = 'queued'`;
  return { dagRunIds: [...new Set(changed.map((row) => row.dagRunId))], stop };
}

/** Have the scheduler decide anew how these runs stand: what it decided before does not count. */
async function reopen(tx: TransactionSql, ids: readonly string[], now: Date) {
  await tx`
    update dag_run r set
      state = 'queued',
      queued_at = greatest(${now}, r.queued_at + interval '1 millisecond'),
      cancel_requested_at = case when r.end_date is null then r.cancel_requested_at end,
      end_date = null
    where id = any(${[...ids]}::uuid[])`;
}
