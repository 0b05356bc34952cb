/** @module Routes of backfills: list, start, dry run, change, extend, re-run, cancel. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  backfillOrders,
  type BackfillRow,
  findBackfill,
  findBackfillsOf,
  listBackfillDates,
  listBackfills,
} from "../../store/backfill.ts";
import { findCascade } from "../../store/backfill_cascade.ts";
import type { NewBackfill, PlannedDate } from "../../store/backfill_port.ts";
import { type BackfillRequest, planBackfill, previewBackfill } from "../backfill.ts";
import { estimateBackfill } from "../backfill_estimate.ts";
import { previewCascade, startCascade } from "../cascade_start.ts";
import { pageOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { many, Name, paging, QueryFlag, queryInt } from "../shapes/basic.ts";
import {
  BackfillBody,
  BackfillChanged,
  BackfillCollection,
  BackfillDates,
  BackfillExtension,
  BackfillPatch,
  BackfillRerun,
  BackfillShape,
  CascadeShape,
  dateStates,
  DryRunBackfill,
} from "../shapes/backfill.ts";
import type { CachedVersion } from "../execution/versions.ts";
import { backfillView, cascadeView, dateView, previewView } from "../views/backfill.ts";

const tag = "Backfills";
const Path = z.object({ backfill_id: queryInt() });

/** Add them. */
export function addBackfillRoutes(book: RouteBook, rest: Rest): void {
  const { sql, clock, backfills } = rest;

  const wanted = async (id: number): Promise<BackfillRow> => {
    const found = await findBackfill(sql, id);
    if (found) return found;
    throw new AppError("NOT_FOUND", `Cannot find the backfill ${id}`);
  };
  const shown = async (id: number) => backfillView(await wanted(id));
  const changed = async (id: number, took: boolean, what: string) => {
    const { runs: _, ...now } = await shown(id);
    if (!took) {
      throw new AppError("CONFLICT", `Cannot ${what} the backfill ${id}: it is ${now.state}`);
    }
    return await shown(id);
  };
  /** The first runs are there when the answer is; the batch manager makes the others. */
  const begin = async (id: number) => {
    await backfills.fill({ id: String(id) }, clock.now());
    return await shown(id);
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
    const { items, total } = await listBackfills(sql, {
      dagId: query.dag_id ?? null,
      isActive: query.active,
    }, pageOf(query));
    return { backfills: items.map(backfillView), total_entries: total };
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
    const { version, dates } = await planBackfill(rest, request);
    const backfill: NewBackfill = {
      dagId: request.dagId,
      fromDate: request.from,
      toDate: request.to,
      dagRunConf: request.conf ?? {},
      reprocessBehavior: request.reprocess,
      maxActiveRuns: body.max_active_runs,
      runBackwards: request.runBackwards,
      runOnLatestVersion: onLatest(body, version),
      force: body.force,
      share: body.share,
      triggeringUserName: principal.name,
    };
    const id = body.cascade
      ? await startCascade(rest, backfill, dates)
      : await backfills.create(backfill, dates, clock.now());
    return await begin(Number(id));
  });

  book.add({
    method: "post",
    path: "/api/v2/backfills/dry_run",
    permission: "backfills.read",
    tag,
    summary: "Say what a backfill would do now, date by date, and what it would take",
    body: BackfillBody,
    returns: DryRunBackfill,
  }, async ({ body }) => {
    const request = requestOf(body);
    const { version, dates } = await planBackfill(rest, request);
    const asItWas = !onLatest(body, version) && !body.force;
    const preview = await previewBackfill(rest, { ...request, asItWas }, dates);
    const estimate = await estimateBackfill(rest, version, {
      count: preview.wanted.length,
      maxActiveRuns: body.max_active_runs,
    });
    const below = body.cascade ? await previewCascade(rest, { ...body, asItWas }, preview) : [];
    return previewView(preview, estimate, below);
  });

  book.add({
    method: "get",
    path: "/api/v2/backfills/{backfill_id}",
    permission: "backfills.read",
    tag,
    summary: "Look at a backfill",
    params: Path,
    returns: BackfillShape,
  }, ({ params }) => shown(params.backfill_id));

  book.add({
    method: "get",
    path: "/api/v2/backfills/{backfill_id}/dates",
    permission: "backfills.read",
    tag,
    summary: "List the dates of a backfill with what became of each",
    params: Path,
    query: z.object({
      state: many(z.enum(dateStates)).optional(),
      ...paging(["sort_ordinal"], "sort_ordinal"),
    }),
    returns: BackfillDates,
  }, async ({ params, query }) => {
    const { id } = await wanted(params.backfill_id);
    const { items, total } = await listBackfillDates(sql, { id, states: query.state }, query);
    return { dates: items.map(dateView), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/backfills/{backfill_id}/cascade",
    permission: "backfills.read",
    tag,
    summary: "Look at a backfill with all that is downstream of it, as one",
    params: Path,
    returns: CascadeShape,
  }, async ({ params }) => {
    const { id, cascadeId } = await wanted(params.backfill_id);
    if (cascadeId === null) {
      throw new AppError(
        "NOT_FOUND",
        `Cannot show the cascade of the backfill ${id}: it was made without one`,
      );
    }
    const [rows, nodes] = await Promise.all([
      findBackfillsOf(sql, cascadeId),
      findCascade(sql, cascadeId),
    ]);
    return cascadeView(rows, nodes);
  });

  book.add({
    method: "patch",
    path: "/api/v2/backfills/{backfill_id}",
    permission: "backfills.edit",
    tag,
    summary: "Change how much a backfill does at a time",
    params: Path,
    body: BackfillPatch,
    returns: BackfillShape,
    event: "backfill.patch",
  }, async ({ params: { backfill_id: id }, body }) => {
    const change = { maxActiveRuns: body.max_active_runs, share: body.share };
    return await changed(id, await backfills.change(String(id), change, clock.now()), "change");
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
    }, async ({ params: { backfill_id: id } }) => {
      const took = await backfills.change(String(id), { isPaused }, clock.now());
      return await changed(id, took, verb);
    });
  }

  book.add({
    method: "put",
    path: "/api/v2/backfills/{backfill_id}/cancel",
    permission: "backfills.edit",
    tag,
    summary: "End a backfill: its queued runs fail, running ones finish",
    params: Path,
    query: z.object({
      now: QueryFlag.default(false).meta({ doc: "Also cancel the runs that are running" }),
    }),
    returns: BackfillShape,
    event: "backfill.cancel",
  }, async ({ params: { backfill_id: id }, query, principal }) => {
    const how = { isNow: query.now, by: principal.name };
    return await changed(id, await backfills.cancel(String(id), how, clock.now()), "cancel");
  });

  book.add({
    method: "post",
    path: "/api/v2/backfills/{backfill_id}/extend",
    permission: "backfills.edit",
    tag,
    summary: "Add earlier or later dates to a backfill; a completed one goes on",
    params: Path,
    body: BackfillExtension,
    returns: BackfillChanged,
    event: "backfill.extend",
  }, async ({ params: { backfill_id: id }, body }) => {
    const backfill = await wanted(id);
    if (backfill.cascadeId !== null) {
      throw new AppError(
        "CONFLICT",
        `Cannot extend the backfill ${id}: it is part of a cascade; start another for these dates`,
      );
    }
    const [fromDate, toDate] = [
      body.from_date ?? backfill.fromDate,
      body.to_date ?? backfill.toDate,
    ];
    const dates = await datesToAdd(rest, backfill, { from: fromDate, to: toDate });
    const range = { fromDate, toDate, dates };
    const added = await backfills.extend(String(id), range, clock.now());
    await changed(id, added !== null, "extend");
    return { dates: added!, backfill: await begin(id) };
  });

  book.add({
    method: "post",
    path: "/api/v2/backfills/{backfill_id}/rerun_failed",
    permission: "backfills.edit",
    tag,
    summary: "Run what failed or was cancelled of a backfill again",
    params: Path,
    body: BackfillRerun,
    bodyOptional: true,
    returns: BackfillChanged,
    event: "backfill.rerun_failed",
  }, async ({ params: { backfill_id: id }, body }) => {
    await wanted(id);
    const dates = await backfills.rerunFailed(String(id), clock.now(), body) ?? 0;
    if (dates === 0) {
      throw new AppError(
        "CONFLICT",
        `Cannot run what failed of the backfill ${id} again: nothing of it has failed`,
      );
    }
    return { dates, backfill: await begin(id) };
  });
}

/** As the request says, else as the DAG does. */
function onLatest(
  { run_on_latest_version: asked }: z.output<typeof BackfillBody>,
  { spec }: Pick<CachedVersion, "spec">,
): boolean {
  return asked ?? spec.rerunWithLatestVersion ?? true;
}

/** The dates before and after those that a backfill has. Throws INVALID where there are none. */
async function datesToAdd(
  rest: Rest,
  backfill: BackfillRow,
  { from, to }: { from: Date; to: Date },
): Promise<PlannedDate[]> {
  const { fromDate, toDate, dagId } = backfill;
  const refuse = (why: string) =>
    new AppError("INVALID", `Cannot extend the backfill ${backfill.id}: ${why}`);
  if (from > fromDate) throw refuse(`from_date is after its own, ${fromDate.toISOString()}`);
  if (to < toDate) throw refuse(`to_date is before its own, ${toDate.toISOString()}`);
  if (from >= fromDate && to <= toDate) throw refuse("it has these dates already");
  const { dates } = await planBackfill(rest, {
    dagId,
    from,
    to,
    runBackwards: backfill.runBackwards,
    reprocess: backfill.reprocessBehavior,
    conf: null,
  });
  const added = dates.filter(({ logicalDate }) => logicalDate < fromDate || logicalDate > toDate);
  if (added.length === 0) throw refuse("no data interval that is over lies in what is added");
  return added;
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
