/** @module Instances that wait for a trigger, and the processes that look at triggers. */
import type { Sql, TransactionSql } from "postgres";
import type { Resumption, TriggerSpec } from "../model/trigger.ts";
import { rows } from "./engine_rows.ts";
import type { AttemptEnding, FiredTrigger, Seen, StoredTrigger, Trigger } from "./port.ts";

/** Write what an instance waits for; its state is written in the same transaction. */
export async function park(tx: TransactionSql, { attemptId, parked }: AttemptEnding, now: Date) {
  const { trigger, question } = parked!;
  const attempt = tx`select task_instance_id from attempt where id = ${attemptId}`;
  if (question) {
    await tx`
      insert into hitl_detail (task_instance_id, attempt_id, question, created_at)
      values ((${attempt}), ${attemptId}, ${JSON.stringify(question)}::text::jsonb, ${now})
      on conflict (task_instance_id) do update set attempt_id = excluded.attempt_id,
        question = excluded.question, created_at = excluded.created_at, reply = null,
        replied_at = null`;
  } else {
    const { kind, ...args } = trigger!;
    await tx`
      insert into trigger (task_instance_id, attempt_id, kind, args, created_at)
      values ((${attempt}), ${attemptId}, ${kind}, ${JSON.stringify(args)}::text::jsonb, ${now})
      on conflict (task_instance_id) do update set attempt_id = excluded.attempt_id,
        kind = excluded.kind, args = excluded.args, created_at = excluded.created_at,
        claimed_by = null`;
  }
}

/** The triggers of instances that wait no longer; the caller holds their rows. */
export async function dropTriggersOf(tx: TransactionSql, taskInstanceIds: readonly string[]) {
  if (taskInstanceIds.length === 0) return;
  await tx`delete from trigger where task_instance_id = any(${[...taskInstanceIds]}::uuid[])`;
}

/** Become one that may claim. */
export async function joinTriggers(sql: Sql, claimant: string, now: Date): Promise<void> {
  await sql`
    insert into trigger_claimant (id, joined_at) values (${claimant}, ${now})
    on conflict (id) do nothing`;
}

/** Count a beat, and say how all stand; null when it was taken for dead. */
export async function beatTriggers(sql: Sql, claimant: string) {
  const found = await sql<{ id: string; beats: number; claims: number | null }[]>`
    with mine as (
      update trigger_claimant set beats = beats + 1 where id = ${claimant} returning id, beats
    )
    select id, beats::float8 as beats,
      (select count(*)::int from trigger where claimed_by = ${claimant}) as claims
    from mine
    union all
    select id, beats::float8, null from trigger_claimant
    where id <> ${claimant} and exists (select from mine)`;
  if (found.length === 0) return null;
  const others = found.filter(({ id }) => id !== claimant);
  return {
    claims: found.find(({ id }) => id === claimant)!.claims!,
    others: new Map(others.map(({ id, beats }) => [id, beats])),
  };
}

/** Forget a claimant: the foreign key lets go of what it held. */
export async function leaveTriggers(sql: Sql, claimant: string, beats: number | null) {
  const gone = await sql`
    delete from trigger_claimant
    where id = ${claimant} and (${beats}::bigint is null or beats = ${beats}::bigint)
    returning id`;
  return gone.length > 0;
}

/** Take triggers that nobody has. The claimant's row is held, so that none goes to a dead one. */
export async function claimTriggers(sql: Sql, claimant: string, limit: number): Promise<Trigger[]> {
  const claimed = await sql<TriggerRow[]>`
    with me as (
      select id from trigger_claimant where id = ${claimant} for key share
    ), free as (
      select g.task_instance_id from trigger g, me
      where g.claimed_by is null
      order by g.created_at
      limit ${limit}
      for update of g skip locked
    )
    update trigger g set claimed_by = me.id
    from free, me where g.task_instance_id = free.task_instance_id and g.claimed_by is null
    returning g.task_instance_id as "taskInstanceId", g.attempt_id as "attemptId", g.kind, g.args`;
  return claimed.map(({ taskInstanceId, attemptId, kind, args }) => ({
    taskInstanceId,
    attemptId,
    spec: { kind, ...args } as TriggerSpec,
  }));
}

interface TriggerRow {
  taskInstanceId: string;
  attemptId: string;
  kind: string;
  args: Record<string, unknown>;
}

/** What a claimant holds. */
export async function heldTriggers(sql: Sql, claimant: string) {
  return await sql<{ taskInstanceId: string; attemptId: string }[]>`
    select task_instance_id as "taskInstanceId", attempt_id as "attemptId"
    from trigger where claimed_by = ${claimant}`;
}

/** One statement: lock the instances, then their triggers, as whoever cancels does. */
export async function fireTriggers(sql: Sql, claimant: string, fired: readonly FiredTrigger[]) {
  if (fired.length === 0) return [];
  const given = fired.map(({ taskInstanceId, attemptId, event }) => ({
    ti: taskInstanceId,
    attempt: attemptId,
    event,
  }));
  return await sql<{ id: string; dagRunId: string }[]>`
    with fired as (
      select * from jsonb_to_recordset(${rows(given)}::text::jsonb)
        as f(ti uuid, attempt uuid, event jsonb)
    ), waiting as (
      select t.id, t.attempt_id, f.event from task_instance t join fired f on f.ti = t.id
      where t.state = 'deferred' and t.attempt_id = f.attempt
      order by t.id for update of t
    ), taken as (
      delete from trigger g using waiting w
      where g.task_instance_id = w.id and g.attempt_id = w.attempt_id
        and g.claimed_by = ${claimant}
      returning w.id, w.event
    )
    update task_instance t set state = 'scheduled', next_try_at = null,
      resumption = ${resumed(sql, sql`t.resumption`, sql`k.event`)}
    from taken k where t.id = k.id and t.state = 'deferred'
    returning t.id, t.dag_run_id as "dagRunId"`;
}

type Fragment = ReturnType<Sql>;

/** A resumption that says what happened in place of what it says when time is up. */
export function resumed(sql: Sql | TransactionSql, resumption: Fragment, event: Fragment) {
  return sql`${resumption} || jsonb_build_object('event', ${event}, 'timedOut', false)`;
}

/** Triggers of instances that went on without them: their time was up, or their task is gone. */
export async function dropTriggers(sql: Sql): Promise<number> {
  const dropped = await sql`
    delete from trigger g where not exists (
      select from task_instance t
      where t.id = g.task_instance_id and t.state = 'deferred' and t.attempt_id = g.attempt_id)`;
  return dropped.count;
}

/** One query a kind, however many wait. */
export async function lookAt(sql: Sql, specs: readonly StoredTrigger[]): Promise<Seen[]> {
  const seen: Seen[] = specs.map(() => ({ found: null }));
  const asked = specs.map((spec, n) => ({ n, ...spec }));
  const of = (kind: string) => asked.filter((one) => one.kind === kind);
  for (const [kind, look] of Object.entries(looks)) {
    const some = of(kind);
    if (some.length === 0) continue;
    for (const { n, dagRunId, event } of await look(sql, rows(some))) {
      seen[n].found = { ...(dagRunId ? { dagRunId } : {}), event };
    }
  }
  return seen;
}

interface Row {
  n: number;
  dagRunId?: string;
  event: Record<string, Resumption["event"]>;
}

const looks: Readonly<Record<StoredTrigger["kind"], (sql: Sql, asked: string) => Promise<Row[]>>> =
  {
    dataset: lookAtDatasets,
    run: lookAtRuns,
    task: lookAtTasks,
  };

async function lookAtDatasets(sql: Sql, asked: string): Promise<Row[]> {
  return await sql<Row[]>`
    select a.n, jsonb_build_object('dataset', a.dataset, 'partition', v.partition,
      'version', v.version) as event
    from jsonb_to_recordset(${asked}::text::jsonb) as a(n int, dataset text, partition text)
    join lateral (
      select x.partition, x.version from (
        (select d.partition, d.version, d.known_at as at from dataset_version d
          where a.partition is not null and d.dataset = a.dataset and d.partition = a.partition
          order by d.version desc limit 1)
        union all
        (select d.partition, d.version, d.known_at from dataset_version d
          where a.partition is null and d.dataset = a.dataset
          order by d.known_at desc limit 1)
        union all
        (select e.partition, null, e.created_at from asset_event e
          where e.dataset = a.dataset and e.dataset_version_id is null
            and (a.partition is null or e.partition = a.partition)
          order by e.created_at desc limit 1)) x
      order by x.version is null, x.at desc limit 1) v on true`;
}

async function lookAtRuns(sql: Sql, asked: string): Promise<Row[]> {
  return await sql<Row[]>`
    select a.n, r.id as "dagRunId", jsonb_build_object('state', r.state, 'run_id', r.run_id) as event
    from jsonb_to_recordset(${asked}::text::jsonb)
      as a(n int, "dagId" text, "runId" text, "logicalDate" timestamptz)
    join dag_run r on r.dag_id = a."dagId"
      and (r.run_id = a."runId" or r.logical_date = a."logicalDate")`;
}

/** Without a map index all instances of the task must have ended; one that failed says so. */
async function lookAtTasks(sql: Sql, asked: string): Promise<Row[]> {
  return await sql<Row[]>`
    select a.n, r.id as "dagRunId", jsonb_build_object('run_id', r.run_id, 'state', (
      select case
        when bool_or(t.state not in ${sql([...ends])}) then 'running'
        when bool_or(t.state in ('failed', 'cancelled')) then 'failed'
        when bool_or(t.state = 'upstream_failed') then 'upstream_failed'
        when bool_or(t.state = 'success') then 'success'
        when bool_or(t.state = 'skipped') then 'skipped'
        else max(t.state) end
      from task_instance t
      where t.dag_run_id = r.id and t.task_id = a."taskId"
        and (a."mapIndex" is null or t.map_index = a."mapIndex"))) as event
    from jsonb_to_recordset(${asked}::text::jsonb) as a(n int, "dagId" text, "runId" text,
      "logicalDate" timestamptz, "taskId" text, "mapIndex" int)
    join dag_run r on r.dag_id = a."dagId"
      and (r.run_id = a."runId" or r.logical_date = a."logicalDate")`;
}

const ends = ["success", "failed", "cancelled", "skipped", "upstream_failed", "removed"];
