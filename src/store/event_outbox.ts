/** @module Events that wait for delivery, or were delivered: table event_outbox. */
import { AppError } from "../model/errors.ts";
import type { OutboxEvent, TryResult } from "../model/notice_spec.ts";
import type { Sql } from "./database.ts";
import { type Listed, oneOf, orderBy, type Page, where } from "./page.ts";

/** An event with what became of it. */
export interface OutboxRow extends OutboxEvent {
  seq: number;
  state: "pending" | "delivered" | "dead";
  tries: number;
  nextAt: Date;
  endedAt: Date | null;
  lastError: string | null;
}

const columns = (sql: Sql) =>
  sql`
  o.seq, o.event_id, o.ordinal, o.type, o.dag_id, o.dag_run_id, o.task_instance_id, o.subject,
  o.occurred_at, o.data, o.target, o.state, o.tries, o.next_at, o.ended_at, o.last_error`;

/** As SQL: what `targetKey` of src/events says of a target. */
const targetKey = (sql: Sql) =>
  sql`
  case o.target ->> 'kind'
    when 'webhook' then concat('webhook ', o.target ->> 'url', ' ', o.target ->> 'connection')
    else concat('run_dag ', o.target ->> 'dagId') end`;

/** Due events that one look goes through to choose by turns. */
const LOOKED_AT = 1_000;

/** The outbox for whoever delivers. */
export function outboxStore(sql: Sql) {
  return {
    async take(
      { now, leaseUntil, max, perTarget, busy }: {
        now: Date;
        leaseUntil: Date;
        max: number;
        perTarget: number;
        busy: readonly string[];
      },
    ): Promise<OutboxRow[]> {
      const taken = await sql<OutboxRow[]>`
        with due as (
          select o.seq, o.next_at, ${targetKey(sql)} as key from event_outbox o
          where o.state = 'pending' and o.next_at <= ${now}
            and not ${targetKey(sql)} = any(${[...busy]}::text[])
          order by o.next_at, o.seq limit ${LOOKED_AT}
        ), turns as (
          select seq, row_number() over (partition by key order by next_at, seq) as turn from due
        ), mine as (
          select o.seq from event_outbox o join turns t on t.seq = o.seq
          where t.turn <= ${perTarget} and o.state = 'pending' and o.next_at <= ${now}
          order by t.turn, o.seq limit ${max}
          for update of o skip locked
        )
        update event_outbox o set next_at = ${leaseUntil}, tries = o.tries + 1
        from mine where o.seq = mine.seq
        returning ${columns(sql)}`;
      return [...taken].sort((a, b) => a.seq - b.seq);
    },

    async settle({ seq, tries, at, state, nextAt, error }: TryResult): Promise<boolean> {
      const settled = await sql`
        update event_outbox set state = ${state}, last_error = ${error}, next_at = ${nextAt},
          ended_at = ${state === "pending" ? null : at}
        where seq = ${seq} and tries = ${tries} and state = 'pending' returning 1`;
      return settled.length > 0;
    },

    async nextDueAt(): Promise<Date | null> {
      const [{ at }] = await sql<{ at: Date | null }[]>`
        select min(next_at) as at from event_outbox where state = 'pending'`;
      return at;
    },
  };
}

/** Fields that a list may be ordered by. */
export const outboxOrders = ["id", "occurred_at"] as const;

/** Filters of {@link listOutbox}. */
export interface OutboxFilter {
  seq?: number;
  states?: readonly string[] | null;
  types?: readonly string[] | null;
  dagIds?: readonly string[] | null;
}

/** A page of events. */
export async function listOutbox(
  sql: Sql,
  { seq, states, types, dagIds }: OutboxFilter,
  page: Page,
): Promise<Listed<OutboxRow & { runId: string | null }>> {
  const condition = where(sql, [
    seq === undefined ? null : sql`o.seq = ${seq}`,
    oneOf(sql, sql`o.state`, states),
    oneOf(sql, sql`o.type`, types),
    oneOf(sql, sql`o.dag_id`, dagIds),
  ]);
  const order = orderBy(sql, page.orderBy, {
    id: sql`o.seq`,
    occurred_at: sql`o.occurred_at`,
  }, page.orderBy[0]?.startsWith("-") ? sql`o.seq desc` : sql`o.seq`);
  const [items, [{ total }]] = await Promise.all([
    sql<(OutboxRow & { runId: string | null })[]>`
      select ${columns(sql)}, o.data ->> 'dag_run_id' as run_id from event_outbox o
      ${condition} ${order} limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from event_outbox o ${condition}`,
  ]);
  return { items: [...items], total };
}

/** Have an event that is dead, or was delivered, delivered (again). Throws NOT_FOUND, CONFLICT. */
export async function redeliver(sql: Sql, seq: number, now: Date): Promise<void> {
  const queued = await sql`
    update event_outbox set state = 'pending', tries = 0, next_at = ${now}, ended_at = null
    where seq = ${seq} and state <> 'pending' returning 1`;
  if (queued.length > 0) return;
  const [known] = await sql`select 1 from event_outbox where seq = ${seq}`;
  throw known
    ? new AppError("CONFLICT", `Cannot deliver event ${seq} again: it waits for delivery already`)
    : new AppError("NOT_FOUND", `Cannot find the event ${seq}: it never was, or retention took it`);
}

/** How many events wait, and how many are dead. */
export async function countOutbox(sql: Sql): Promise<{ pending: number; dead: number }> {
  const [counted] = await sql<{ pending: number; dead: number }[]>`
    select (select count(*) from event_outbox where state = 'pending') as pending,
      (select count(*) from event_outbox where state = 'dead') as dead`;
  return counted;
}

/** How many callbacks in a row led to this run: each started the next by `runDag`. */
export async function callbackDepth(sql: Sql, dagRunId: string): Promise<number> {
  const [run] = await sql<{ depth: number }[]>`
    select callback_depth as depth from dag_run where id = ${dagRunId}`;
  return run?.depth ?? 0;
}

/** Put on record that a callback started a run. */
export async function markCallback(
  sql: Sql,
  run: { dagId: string; runId: string; depth: number },
): Promise<void> {
  await sql`
    update dag_run set callback_depth = ${run.depth}
    where dag_id = ${run.dagId} and run_id = ${run.runId}`;
}
