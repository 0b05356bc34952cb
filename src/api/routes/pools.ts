/** @module Routes of pools. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import type { PoolClosings } from "../../model/schedule_spec.ts";
import { anyDagId } from "../../store/dag_query.ts";
import {
  createPool,
  deletePool,
  findPool,
  listPools,
  poolOrders,
  type PoolRow,
  updatePool,
} from "../../store/pool_query.ts";
import { poolClosingAt } from "../../timetable/mod.ts";
import { pageOf, patternOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import {
  PoolBody,
  type PoolClosingsShape,
  PoolCollection,
  PoolPatch,
  PoolShape,
} from "../shapes/admin.ts";
import { Name, paging, patternsOf, UpdateMask } from "../shapes/basic.ts";

const tag = "Pools";
const Path = z.object({ pool_name: Name });

/** Add them. */
export function addPoolRoutes(book: RouteBook, { sql, hints, clock }: Rest): void {
  const view = (pool: PoolRow) => viewAt(pool, clock.now());
  /** A hint about any DAG has the scheduler read the pools anew. */
  const changed = async () => {
    const dagId = await anyDagId(sql);
    if (dagId !== null) hints.publish({ topic: "dags", ids: [dagId] });
  };

  book.add({
    method: "get",
    path: "/api/v2/pools",
    permission: "pools.read",
    tag,
    summary: "List pools with what takes their slots",
    query: z.object({ ...patternsOf("pool_name"), ...paging(poolOrders, "id") }),
    returns: PoolCollection,
  }, async ({ query }) => {
    const { items, total } = await listPools(sql, patternOf(query, "pool_name"), pageOf(query));
    return { pools: items.map((pool) => view(pool)), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/pools",
    permission: "pools.edit",
    tag,
    summary: "Create a pool",
    body: PoolBody,
    returns: PoolShape,
    status: 201,
    event: "pool.create",
  }, async ({ body }) => {
    await createPool(sql, {
      name: body.name,
      slots: body.slots,
      description: body.description ?? "",
      includeDeferred: body.include_deferred,
      closings: body.closings ? closingsOf(body.closings) : null,
    });
    await changed();
    return view(await findPool(sql, body.name));
  });

  book.add({
    method: "get",
    path: "/api/v2/pools/{pool_name}",
    permission: "pools.read",
    tag,
    summary: "Look at a pool",
    params: Path,
    returns: PoolShape,
  }, async ({ params }) => view(await findPool(sql, params.pool_name)));

  book.add({
    method: "patch",
    path: "/api/v2/pools/{pool_name}",
    permission: "pools.edit",
    tag,
    summary: "Change a pool",
    params: Path,
    query: z.object(UpdateMask),
    body: PoolPatch,
    returns: PoolShape,
    event: "pool.patch",
  }, async ({ params, query, body }) => {
    const name = params.pool_name;
    if (body.pool != null && body.pool !== name) {
      throw new AppError(
        "INVALID",
        `Cannot rename the pool "${name}": tasks name it in their DAGs`,
      );
    }
    const may = (field: string) => !query.update_mask || query.update_mask.includes(field);
    await updatePool(sql, name, {
      slots: may("slots") ? body.slots : null,
      description: may("description") ? body.description : null,
      includeDeferred: may("include_deferred") ? body.include_deferred : null,
      ...(may("closings") && body.closings !== undefined
        ? { closings: body.closings && closingsOf(body.closings) }
        : {}),
    });
    await changed();
    return view(await findPool(sql, name));
  });

  book.add({
    method: "delete",
    path: "/api/v2/pools/{pool_name}",
    permission: "pools.edit",
    tag,
    summary: "Delete a pool",
    params: Path,
    returns: null,
    event: "pool.delete",
  }, async ({ params }) => {
    await deletePool(sql, params.pool_name);
    await changed();
  });
}

const weekdays = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;

function closingsOf(given: z.output<typeof PoolClosingsShape>): PoolClosings {
  const maintenance = given.maintenance.map(({ from, minutes, on }) => ({
    from,
    durationMs: minutes * 60_000,
    weekdays: [...new Set(on)].map((day) => weekdays.indexOf(day) + 1).sort((a, b) => a - b),
  }));
  return { ...given, maintenance };
}

function shownClosings({ maintenance, ...rest }: PoolClosings): z.input<typeof PoolClosingsShape> {
  return {
    ...rest,
    maintenance: maintenance.map(({ from, durationMs, weekdays: on }) => ({
      from,
      minutes: durationMs / 60_000,
      on: on.map((day) => weekdays[day - 1]),
    })),
  };
}

function viewAt(pool: PoolRow, now: Date): z.input<typeof PoolShape> {
  const closing = pool.closings && poolClosingAt(pool.closings, now.getTime());
  const deferred = pool.includeDeferred ? pool.deferredSlots : 0;
  const occupied = pool.runningSlots + pool.queuedSlots + deferred;
  return {
    name: pool.name,
    slots: pool.slots,
    description: pool.description,
    include_deferred: pool.includeDeferred,
    occupied_slots: occupied,
    running_slots: pool.runningSlots,
    queued_slots: pool.queuedSlots,
    scheduled_slots: pool.scheduledSlots,
    open_slots: pool.slots < 0 ? -1 : pool.slots - occupied,
    deferred_slots: pool.deferredSlots,
    team_name: null,
    closings: pool.closings && shownClosings(pool.closings),
    is_closed: closing?.isClosed ?? false,
    changes_at: closing?.changesAtMs ? new Date(closing.changesAtMs).toISOString() : null,
  };
}
