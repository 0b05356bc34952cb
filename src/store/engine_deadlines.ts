/**
 * @module Deadlines on PostgreSQL: made with their run, moved with it, and settled once by the leader.
 * Whether one is missed is judged by the statement that settles it.
 */
import type { Sql, TransactionSql } from "postgres";
import type { NewDeadline } from "../timetable/mod.ts";
import { outboxColumns, runData } from "./engine_outbox.ts";
import { rows } from "./engine_rows.ts";
import type { NewRun, PendingDeadline, TickWrites } from "./port.ts";

type AnySql = Sql | TransactionSql;

/** Make the deadlines of new runs; one by an average only where there are runs enough. */
export async function insertDeadlines(sql: AnySql, runs: readonly NewRun[], now: Date) {
  const given = runs.flatMap(({ id: runId, dagId, deadlines = [] }) =>
    deadlines.map((deadline: NewDeadline) => ({ runId, dagId, ...deadline }))
  );
  if (given.length === 0) return;
  await sql`
    insert into deadline (id, dag_run_id, name, task_id, deadline_time, within_ms, notify, created_at)
    select d.id, d."runId", d.name, d."taskId",
      case
        when d."averageOf" is null then d.at
        else date_trunc('milliseconds',
          ${now}::timestamptz + a.took + d."withinMs" * interval '1 millisecond') end,
      d."withinMs", d.notify, ${now}
    from jsonb_to_recordset(${rows(given)}::text::jsonb) as d(id uuid, "runId" uuid, "dagId" text,
      name text, "taskId" text, at timestamptz, "withinMs" bigint, "averageOf" int, notify jsonb)
    left join lateral (
      select count(*) as runs, avg(n.took) as took from (
        select r.end_date - r.start_date as took from dag_run r
        where r.dag_id = d."dagId" and r.state = 'success' and r.start_date is not null
        order by r.run_after desc, r.id desc limit d."averageOf") n
    ) a on d."averageOf" is not null
    where d."averageOf" is null or a.runs >= d."averageOf"`;
}

/**
 * What the moves of runs do to their deadlines: a start sets those that are counted from it, a success
 * ends those that are still to come.
 */
export function moveDeadlines(sql: AnySql, now: Date) {
  return [
    sql`
    deadlines_set as (
      update deadline d set deadline_time = ${now}::timestamptz + d.within_ms * interval '1 millisecond'
      from run_moved r
      where d.dag_run_id = r.id and r.state = 'running' and d.deadline_time is null
        and d.settled_at is null
    )`,
    sql`
    deadlines_kept as (
      delete from deadline d using run_moved r
      where d.dag_run_id = r.id and r.state = 'success' and d.settled_at is null
    )`,
  ];
}

/** Settle those that are due; `isMoving`: the statement moves runs too. */
export function settleDeadlines(
  sql: AnySql,
  due: NonNullable<TickWrites["deadlines"]>,
  { now, isMoving }: { now: Date; isMoving: boolean },
) {
  return [
    sql`
    settled as (
      update deadline d set settled_at = ${now},
        missed = d.task_id is null or exists (
          select from task_instance t where t.dag_run_id = d.dag_run_id and t.task_id = d.task_id
            and t.state not in ('success', 'skipped', 'removed'))
      from jsonb_to_recordset(${
      rows(due)
    }::text::jsonb) as g(id uuid, "eventId" uuid), dag_run r, lease
      where d.id = g.id and d.settled_at is null and d.deadline_time <= ${now}
        and r.id = d.dag_run_id and r.state <> 'success'
        ${
      isMoving ? sql`and r.id not in (select id from run_moved where state = 'success')` : sql``
    }
      returning d.*, g."eventId" as event_id
    )`,
    sql`
    misses_told as (
      insert into event_outbox ${outboxColumns(sql)}
      select d.event_id, n.ordinal - 1,
        case when d.task_id is null then 'tidewheel.dag_run.' else 'tidewheel.task_instance.' end
          || 'deadline_missed',
        r.dag_id, r.id, null, r.run_id || coalesce('/' || d.task_id, ''), ${now}::timestamptz,
        ${runData(sql)} || jsonb_build_object('state', r.state, 'task_id', d.task_id,
          'deadline', d.name, 'deadline_time', d.deadline_time),
        n.target, ${now}::timestamptz
      from settled d join dag_run r on r.id = d.dag_run_id
      cross join lateral jsonb_array_elements(d.notify) with ordinality as n(target, ordinal)
      where d.missed
    )`,
  ];
}

/** Deadlines that are not settled: of all runs, or of those named. */
export async function loadDeadlines(sql: Sql, runIds?: string[]): Promise<PendingDeadline[]> {
  const found = await sql<PendingDeadline[]>`
    select id, dag_run_id as "dagRunId", deadline_time as at from deadline
    where settled_at is null ${runIds ? sql`and dag_run_id = any(${runIds}::uuid[])` : sql``}
    order by deadline_time, id`;
  return [...found];
}
