/** @module Routes of bulk jobs: start or preview one, look at it, stop it. */
import { z } from "zod";
import { limits } from "../../base/limits.ts";
import { AppError } from "../../model/errors.ts";
import {
  type BulkJobRow,
  cancelBulk,
  createBulk,
  findBulk,
  listBulk,
  listBulkItems,
  previewBulk,
} from "../../store/bulk.ts";
import { workBulk } from "../../store/bulk_work.ts";
import { planBulk, requestHash } from "../bulk.ts";
import { productOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { many, paging, queryInt } from "../shapes/basic.ts";
import { BulkBody, BulkCollection, BulkItems, BulkShape, itemStates } from "../shapes/bulk.ts";
import { iso } from "../views/dag.ts";

const tag = "Bulk";
const Path = z.object({ bulk_id: queryInt() });

/** Add them. */
export function addBulkRoutes(book: RouteBook, rest: Rest): void {
  const { sql, clock } = rest;

  const shown = async (id: number) => {
    const found = await findBulk(sql, id);
    if (found) return view(found);
    throw new AppError("NOT_FOUND", `Cannot find the bulk job ${id}`);
  };

  book.add({
    method: "post",
    path: "/api/v2/bulk",
    permission: "bulk.edit",
    tag,
    summary: "Start many runs, cancel or clear many, pause or unpause many DAGs, in one call",
    body: BulkBody,
    returns: BulkShape,
    event: "bulk.create",
  }, async ({ body, principal }) => {
    const { target, dagVersionId } = await planBulk(rest, body);
    if (body.dry_run) {
      const { total, first } = target.kind === "plans"
        ? { total: target.plans.length, first: firstOf(target) }
        : await previewBulk(sql, target);
      return dryRun(body.action, total, first);
    }
    const { key, dry_run: _, ...request } = body;
    const id = await createBulk(sql, {
      key: key ?? null,
      requestHash: requestHash(body),
      action: body.action,
      request: "runs" in request ? { action: "trigger", dag_id: request.dag_id } : request,
      dagVersionId,
      triggeringUserName: principal.name,
      target,
    }, clock.now());
    // What takes longer the batch manager goes on with.
    const untilMs = clock.monotonicMs() + limits.bulkAnswerMs;
    while (
      await workBulk({ ...rest, product: productOf(rest) }, { id }, clock.now()) > 0 &&
      clock.monotonicMs() < untilMs
    );
    return await shown(id);
  });

  book.add({
    method: "get",
    path: "/api/v2/bulk",
    permission: "bulk.read",
    tag,
    summary: "List bulk jobs, newest first",
    query: z.object(paging(["id"], "-id")),
    returns: BulkCollection,
  }, async ({ query }) => {
    const { items, total } = await listBulk(sql, query);
    return { bulk: items.map(view), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/bulk/{bulk_id}",
    permission: "bulk.read",
    tag,
    summary: "Look at a bulk job",
    params: Path,
    returns: BulkShape,
  }, ({ params }) => shown(params.bulk_id));

  book.add({
    method: "get",
    path: "/api/v2/bulk/{bulk_id}/items",
    permission: "bulk.read",
    tag,
    summary: "List what a bulk job is about, with what became of each",
    params: Path,
    query: z.object({
      state: many(z.enum(itemStates)).optional(),
      ...paging(["ordinal"], "ordinal"),
    }),
    returns: BulkItems,
  }, async ({ params: { bulk_id: id }, query }) => {
    await shown(id);
    const { items, total } = await listBulkItems(sql, { id, states: query.state }, query);
    return {
      items: items.map(({ ordinal, dagId, runId, state, reason }) => ({
        ...{ ordinal, state, reason },
        dag_id: dagId,
        dag_run_id: runId,
      })),
      total_entries: total,
    };
  });

  book.add({
    method: "put",
    path: "/api/v2/bulk/{bulk_id}/cancel",
    permission: "bulk.edit",
    tag,
    summary: "Do no more of a bulk job; what is done stays",
    params: Path,
    returns: BulkShape,
    event: "bulk.cancel",
  }, async ({ params: { bulk_id: id } }) => {
    const took = await cancelBulk(sql, id, clock.now());
    const now = await shown(id);
    if (took) return now;
    throw new AppError("CONFLICT", `Cannot cancel the bulk job ${id}: it is ${now.state}`);
  });
}

function firstOf({ dagId, plans }: { dagId: string; plans: readonly { runId: string }[] }) {
  return plans.slice(0, 100).map(({ runId }) => ({ dagId, runId }));
}

function dryRun(
  action: BulkJobRow["action"],
  total: number,
  first: readonly { dagId: string; runId: string | null }[],
): z.input<typeof BulkShape> {
  return {
    ...{ id: null, key: null, action, state: "dry_run" },
    ...{ created_at: null, completed_at: null, triggering_user_name: null },
    items: { total, planned: total, done: 0, refused: 0, cancelled: 0 },
    first: first.map(({ dagId, runId }) => ({ dag_id: dagId, dag_run_id: runId })),
  };
}

function view(row: BulkJobRow): z.input<typeof BulkShape> {
  return {
    id: row.id,
    key: row.key,
    action: row.action,
    state: row.isCancelled ? "cancelled" : row.completedAt ? "completed" : "running",
    created_at: row.createdAt.toISOString(),
    completed_at: iso(row.completedAt),
    triggering_user_name: row.triggeringUserName,
    items: {
      total: row.total,
      planned: row.planned,
      done: row.done,
      refused: row.refused,
      cancelled: row.cancelled,
    },
    first: [],
  };
}
