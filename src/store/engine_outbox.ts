/**
 * @module Events for those who asked to be told, as parts of the statements that change the state.
 *
 * Whom to tell is looked up in the run's DAG version by the statement itself, so that it is the same
 * whoever ends an attempt. Where nobody listens these parts are left out of the statement.
 */
import type { Sql, TransactionSql } from "postgres";
import { runEvents, taskEvents } from "../model/notice_spec.ts";

type AnySql = Sql | TransactionSql;

/** `to` → listener and event name, as rows `m(state, listener, name)`. */
function names(sql: AnySql, events: typeof runEvents | typeof taskEvents) {
  const given = Object.entries(events).map(([state, event]) => ({ state, ...event }));
  return sql`jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb)
    as m(state text, listener text, name text)`;
}

/** Columns that an event is written with. */
export const outboxColumns = (sql: AnySql) =>
  sql`(event_id, ordinal, type, dag_id, dag_run_id, task_instance_id, subject, occurred_at, data,
    target, next_at)`;

/** What of run `r` each event's data has. */
export const runData = (sql: AnySql) =>
  sql`
  jsonb_build_object('dag_id', r.dag_id, 'dag_run_id', r.run_id, 'run_type', r.run_type,
    'logical_date', r.logical_date, 'data_interval_start', r.data_interval_start,
    'data_interval_end', r.data_interval_end, 'partition_key', r.partition_key)`;

/**
 * Tell of the runs in `run_moved r` (all of `dag_run`'s columns, as they are then) that the moves in
 * `heard` name.
 */
export function tellOfRuns(
  sql: AnySql,
  heard: readonly { id: string; event?: { id: string; data: Record<string, unknown> } }[],
  now: Date,
) {
  const given = heard.map(({ id, event }) => ({ id, event_id: event!.id, more: event!.data }));
  return sql`
    runs_told as (
      insert into event_outbox ${outboxColumns(sql)}
      select h.event_id, n.ordinal - 1,
        'tidewheel.dag_run.' || case
          when r.state = 'failed' and r.cancel_requested_at is not null then 'cancelled'
          else m.name end,
        r.dag_id, r.id, null, r.run_id, ${now}::timestamptz,
        ${runData(sql)} || jsonb_build_object('state', r.state, 'start_date', r.start_date,
          'end_date', r.end_date) || h.more,
        n.target, ${now}::timestamptz
      from jsonb_to_recordset(${JSON.stringify(given)}::text::jsonb)
        as h(id uuid, event_id uuid, more jsonb)
      join run_moved r on r.id = h.id
      join ${names(sql, runEvents)} on m.state = r.state
      join dag_version v on v.id = r.dag_version_id
      cross join lateral jsonb_array_elements(coalesce(v.spec -> 'callbacks' -> m.listener, '[]'))
        with ordinality as n(target, ordinal)
    )`;
}

/**
 * Tell of the instances in `source`, which has ti, to_state, attempt, event_id, end_reason, message,
 * next_try_at and at.
 */
export function tellOfTasks(sql: AnySql, source: ReturnType<typeof runData>, now: Date) {
  return sql`
    tasks_told as (
      insert into event_outbox ${outboxColumns(sql)}
      select f.event_id, n.ordinal - 1, 'tidewheel.task_instance.' || m.name,
        r.dag_id, r.id, t.id,
        r.run_id || '/' || t.task_id || case
          when t.map_index < 0 then '' else '[' || t.map_index || ']' end,
        f.at,
        ${runData(sql)} || jsonb_build_object('task_id', t.task_id, 'map_index', t.map_index,
          'state', f.to_state, 'try_number', t.try_number, 'max_tries', t.max_tries,
          'end_reason', f.end_reason, 'message', f.message, 'next_try_at',
          case when f.to_state = 'up_for_retry' then f.next_try_at end),
        n.target, ${now}::timestamptz
      from ${source}
      join task_instance t on t.id = f.ti
      join dag_run r on r.id = t.dag_run_id
      join ${names(sql, taskEvents)} on m.state = f.to_state
      join dag_version v on v.id = r.dag_version_id
      cross join lateral jsonb_array_elements(coalesce(
        jsonb_path_query_first(v.spec, '$.tasks[*] ? (@.taskId == $id)',
          jsonb_build_object('id', t.task_id)) -> 'callbacks' -> m.listener, '[]'))
        with ordinality as n(target, ordinal)
    )`;
}
