/** @module Routes of events for those who asked to be told: what was delivered, and again. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import type { NoticeTarget } from "../../model/notice_spec.ts";
import { listOutbox, outboxOrders, type OutboxRow, redeliver } from "../../store/event_outbox.ts";
import { pageOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { many, paging, queryInt, Text } from "../shapes/basic.ts";
import { EventCollection, EventShape } from "../shapes/event.ts";

const tag = "Events";

/** Add them. */
export function addEventRoutes(book: RouteBook, { sql, clock, hints }: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/events",
    permission: "events.read",
    tag,
    summary: "List events of callbacks and deadlines, and whether they were delivered",
    query: z.object({
      state: many(z.enum(["pending", "delivered", "dead"])).optional(),
      type: many(Text).optional(),
      dag_id: many(Text).optional(),
      ...paging(outboxOrders, "-id"),
    }),
    returns: EventCollection,
  }, async ({ query }) => {
    const filter = { states: query.state, types: query.type, dagIds: query.dag_id };
    const { items, total } = await listOutbox(sql, filter, pageOf(query));
    return { events: items.map(view), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/events/{event_seq}/redeliver",
    permission: "events.edit",
    tag,
    summary: "Have an event that is dead, or was delivered, delivered again, with the same id",
    params: z.object({ event_seq: queryInt() }),
    returns: EventShape,
    event: "event.redeliver",
  }, async ({ params }) => {
    await redeliver(sql, params.event_seq, clock.now());
    hints.publish({ topic: "outbox", ids: ["redeliver"] });
    const { items } = await listOutbox(sql, { seq: params.event_seq }, {
      ...{ limit: 1, offset: 0, orderBy: ["id"] },
    });
    if (items.length > 0) return view(items[0]);
    throw new AppError("NOT_FOUND", `Cannot find the event ${params.event_seq}`);
  });
}

function view(row: OutboxRow & { runId: string | null }): z.input<typeof EventShape> {
  return {
    event_seq: row.seq,
    event_id: row.eventId,
    type: row.type,
    dag_id: row.dagId,
    dag_run_id: row.runId,
    subject: row.subject,
    occurred_at: row.occurredAt.toISOString(),
    target: targetText(row.target),
    state: row.state,
    tries: row.tries,
    next_try_at: row.state === "pending" ? row.nextAt.toISOString() : null,
    ended_at: row.endedAt?.toISOString() ?? null,
    last_error: row.lastError,
    data: row.data,
  };
}

/** Addresses of such receivers often are the secret. */
function targetText(target: NoticeTarget): string {
  if (target.kind === "run_dag") return `runDag ${target.dagId}`;
  const to = target.url === null ? `connection ${target.connection}` : new URL(target.url).host;
  return `${target.format === "slack" ? "slack" : "webhook"} ${to}`;
}
