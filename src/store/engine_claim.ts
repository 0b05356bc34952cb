/** @module Handing queued attempts to workers, and counting their heartbeats. */
import type { Sql, TransactionSql } from "postgres";
import type { Attempt, DagRun, TaskInstance } from "../model/rows.ts";
import { attemptColumns, runColumns, taskColumns } from "./engine_rows.ts";
import type { Claimed, EngineStore } from "./port.ts";

type Claim = Parameters<EngineStore["claim"]>[0];

/** Queued → running for up to `slots` attempts; safe from many callers at once. */
export async function claim(sql: Sql, claim: Claim, now: Date): Promise<Claimed[]> {
  if (claim.slots === 0) return [];
  const isOurs = claim.queues.includes("*") ? sql`` : sql`and queue = any(${claim.queues})`;
  const claimed = await sql<{ t: TaskInstance; a: Attempt; r: DagRun }[]>`
    with picked as (
      select id from task_instance
      where state = 'queued' ${isOurs}
        and not exists (select from leader_lease where drain_at is not null)
      order by priority_weight desc, queued_at, id
      limit ${claim.slots}
      for update skip locked
    ), moved as (
      update task_instance t set state = 'running', start_date = ${now}
      -- Locked as it is: asking for the state again would let the queue's index serve, row by row.
      from picked where t.id = picked.id
      returning t.*
    ), started as (
      update attempt a set state = 'running', start_date = ${now}, worker_id = ${claim.workerId},
        hostname = ${claim.hostname}, pid = ${claim.pid}
      from moved where a.id = moved.attempt_id
      returning a.*
    )
    select ${taskColumns(sql)}, ${besideTask(sql)}
    from moved t join started a on a.id = t.attempt_id join dag_run r on r.id = t.dag_run_id
    order by t.priority_weight desc, t.queued_at, t.id`;
  return (claimed as unknown as Record<string, unknown>[]).map(split);
}

/**
 * Of attempt `a`, run `r` and instance `t` what a {@link Claimed} has beside the instance; as JSON,
 * since their columns would clash with the instance's.
 */
export function besideTask(sql: Sql | TransactionSql) {
  return sql`
    (select row_to_json(x) from (select ${attemptColumns(sql)}) x) as attempt,
    (select row_to_json(x) from (select ${runColumns(sql)}) x) as run,
    (select jsonb_object_agg(s.key, s.value) from task_state s
      where s.dag_id = t.dag_id and s.task_id = t.task_id and s.map_index = t.map_index) as kept,
    t.resumption`;
}

/** What columns of the instance and {@link besideTask} say. */
export function split(
  { attempt, run, kept, resumption, ...task }: Record<string, unknown>,
): Claimed {
  return {
    resumption: (resumption ?? null) as Claimed["resumption"],
    state: (kept ?? {}) as Record<string, unknown>,
    task: task as unknown as TaskInstance,
    attempt: withDates(attempt as Record<string, unknown>, attemptDates) as unknown as Attempt,
    run: withDates(run as Record<string, unknown>, runDates) as unknown as DagRun,
  };
}

export const taskDates = ["nextTryAt", "queuedAt", "startDate", "endDate"];
const attemptDates = ["queuedAt", "startDate", "endDate"];
const runDates = [
  "logicalDate",
  "dataIntervalStart",
  "dataIntervalEnd",
  "runAfter",
  "queuedAt",
  "startDate",
  "endDate",
  "cancelRequestedAt",
];

/** JSON has no dates; PostgreSQL writes them as ISO 8601 with an offset. */
export function withDates(row: Record<string, unknown>, names: string[]) {
  for (const name of names) if (row[name]) row[name] = new Date(row[name] as string);
  return row;
}

/** Count a heartbeat of each attempt and say how it stands; in the order of the ids. */
export async function heartbeat(sql: Sql, ids: string[]) {
  const found = await sql<{ id: string; state: string; current: boolean }[]>`
    with beat as (
      update attempt set beats = beats + 1
      where id = any(${ids}::uuid[]) and state in ('running', 'cancelling')
    )
    select a.id, case when a.state = 'ended' then 'ended' else t.state end as state,
      t.attempt_id = a.id as current
    from attempt a join task_instance t on t.id = a.task_instance_id
    where a.id = any(${ids}::uuid[])`;
  const byId = new Map(found.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = byId.get(id);
    if (!row || !row.current) return "gone" as const;
    if (row.state === "ended") return "ended" as const;
    return row.state === "cancelling" ? "cancelling" as const : "running" as const;
  });
}
