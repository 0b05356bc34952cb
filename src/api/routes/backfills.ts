/** @module Routes of backfills: list, start, dry run, pause, unpause, cancel. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  backfillOrders,
  type BackfillRow,
  completeBackfill,
  createBackfill,
  findBackfill,
  listBackfills,
  setBackfillPaused,
} from "../../store/backfill.ts";
import {
  type BackfillFiller,
  type BackfillRequest,
  dryRunBackfill,
  planBackfill,
} from "../backfill.ts";
import { pageOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { Name, paging, QueryFlag, queryInt } from "../shapes/basic.ts";
import {
  BackfillBody,
  BackfillCollection,
  BackfillShape,
  DryRunBackfill,
} from "../shapes/backfill.ts";
import { iso } from "../views/dag.ts";

const tag = "Backfills";
const Path = z.object({ backfill_id: queryInt() });
/** How long the answer to a new backfill waits for its runs to be made. */
const FILL_WAIT_MS = 2_000;

/** Add them. */
export function addBackfillRoutes(book: RouteBook, rest: Rest, filler: BackfillFiller): void {
  const { sql, clock, hints } = rest;

  const shown = async (id: number) => {
    const found = await findBackfill(sql, id);
    if (found) return view(found);
    throw new AppError("NOT_FOUND", `Cannot find the backfill ${id}`);
  };
  const changed = async (id: number, took: boolean, what: string) => {
    const now = await shown(id);
    if (!took) throw new AppError("CONFLICT", `Cannot ${what} the backfill ${id}: it is completed`);
    hints.publish({ topic: "dags", ids: [now.dag_id] });
    return now;
  };

  book.add({
    method: "get",
    path: "/api/v2/backfills",
    permission: "backfills.read",
    tag,
    summary: "List backfills",
    query: z.object({
      dag_id: Name.optional(),
      active: QueryFlag.optional(),
      ...paging(backfillOrders, "id"),
    }),
    returns: BackfillCollection,
  }, async ({ query }) => {
    await filler.complete();
    const { items, total } = await listBackfills(sql, {
      dagId: query.dag_id ?? null,
      isActive: query.active,
    }, pageOf(query));
    return { backfills: items.map(view), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/backfills",
    permission: "backfills.edit",
    tag,
    summary: "Start a backfill: a run for each data interval between two dates",
    body: BackfillBody,
    returns: BackfillShape,
    event: "backfill.create",
  }, async ({ body, principal }) => {
    const request = requestOf(body);
    const { dates } = await planBackfill(rest, request);
    await filler.complete();
    const id = await createBackfill(
      sql,
      {
        dagId: request.dagId,
        fromDate: request.from,
        toDate: request.to,
        dagRunConf: request.conf ?? {},
        reprocessBehavior: request.reprocess,
        maxActiveRuns: body.max_active_runs,
        runBackwards: request.runBackwards,
        runOnLatestVersion: body.run_on_latest_version ?? true,
        triggeringUserName: principal.name,
      },
      dates.map((date) => date.logicalDate),
      clock.now(),
    );
    if (id === null) {
      throw new AppError(
        "CONFLICT",
        `Cannot backfill DAG "${request.dagId}": it has a backfill under way; wait for its end or ` +
          "cancel it",
      );
    }
    const done = new AbortController();
    const filled = filler.fill(id).finally(() => done.abort());
    await Promise.race([filled, clock.sleep(FILL_WAIT_MS, { signal: done.signal })]);
    return await shown(id);
  });

  book.add({
    method: "post",
    path: "/api/v2/backfills/dry_run",
    permission: "backfills.read",
    tag,
    summary: "Say which dates a backfill would run now",
    body: BackfillBody,
    returns: DryRunBackfill,
  }, async ({ body }) => {
    const dates = await dryRunBackfill(rest, requestOf(body));
    return {
      backfills: dates.map(({ logicalDate }) => ({
        logical_date: logicalDate.toISOString(),
        partition_key: null,
        partition_date: null,
      })),
      total_entries: dates.length,
    };
  });

  book.add({
    method: "get",
    path: "/api/v2/backfills/{backfill_id}",
    permission: "backfills.read",
    tag,
    summary: "Look at a backfill",
    params: Path,
    returns: BackfillShape,
  }, async ({ params }) => {
    await filler.complete();
    return await shown(params.backfill_id);
  });

  for (const isPaused of [true, false]) {
    const verb = isPaused ? "pause" : "unpause";
    book.add({
      method: "put",
      path: `/api/v2/backfills/{backfill_id}/${verb}`,
      permission: "backfills.edit",
      tag,
      summary: isPaused ? "Start no more runs of a backfill" : "Go on with a backfill",
      params: Path,
      returns: BackfillShape,
      event: `backfill.${verb}`,
    }, async ({ params }) => {
      const id = params.backfill_id;
      return await changed(
        id,
        await setBackfillPaused(sql, { id, isPaused, now: clock.now() }),
        verb,
      );
    });
  }

  book.add({
    method: "put",
    path: "/api/v2/backfills/{backfill_id}/cancel",
    permission: "backfills.edit",
    tag,
    summary: "End a backfill: its queued runs fail, running ones finish",
    params: Path,
    returns: BackfillShape,
    event: "backfill.cancel",
  }, async ({ params, principal }) => {
    const id = params.backfill_id;
    const queued = await completeBackfill(sql, { id, now: clock.now() });
    for (const runId of queued ?? []) {
      await rest.store.cancelRun(runId, { now: clock.now(), by: principal.name });
    }
    return await changed(id, queued !== null, "cancel");
  });
}

function requestOf(body: z.output<typeof BackfillBody>): BackfillRequest {
  return {
    dagId: body.dag_id,
    from: body.from_date,
    to: body.to_date,
    runBackwards: body.run_backwards,
    reprocess: body.reprocess_behavior,
    conf: body.dag_run_conf ?? null,
  };
}

function view(row: BackfillRow): z.input<typeof BackfillShape> {
  return {
    id: row.id,
    dag_id: row.dagId,
    dag_display_name: row.dagId,
    from_date: row.fromDate.toISOString(),
    to_date: row.toDate.toISOString(),
    dag_run_conf: row.dagRunConf,
    is_paused: row.isPaused,
    reprocess_behavior: row.reprocessBehavior,
    max_active_runs: row.maxActiveRuns,
    created_at: row.createdAt.toISOString(),
    completed_at: iso(row.completedAt),
    updated_at: row.updatedAt.toISOString(),
    runs: {
      planned: row.planned,
      queued: row.queued,
      running: row.running,
      success: row.success,
      failed: row.failed,
      left_out: row.leftOut,
    },
  };
}
