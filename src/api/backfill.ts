/** @module Backfills: which dates one means, and what would become of each. */
import { limits } from "../base/limits.ts";
import { dependsOnPast } from "../model/dag_spec.ts";
import { type BackfillException, fateOf, type ReprocessBehavior } from "../model/backfill.ts";
import { AppError } from "../model/errors.ts";
import { isOtherProduct } from "../model/product.ts";
import { findPlannedDates, findRunsByDate } from "../store/backfill.ts";
import type { PlannedDate } from "../store/backfill_port.ts";
import { isPeriodic, runsBetween } from "../timetable/mod.ts";
import { productOf, requireDag, type Rest } from "./rest.ts";
import type { CachedVersion } from "./execution/versions.ts";

/** What somebody asks for. */
export interface BackfillRequest {
  dagId: string;
  from: Date;
  to: Date;
  runBackwards: boolean;
  reprocess: ReprocessBehavior;
  conf: Record<string, unknown> | null;
}

/** The dates of a backfill, in the order of their runs. */
export interface BackfillPlan {
  version: CachedVersion;
  dates: PlannedDate[];
}

/** Plan one. Throws INVALID where there are no dates, or too many. */
export async function planBackfill(rest: Rest, request: BackfillRequest): Promise<BackfillPlan> {
  const { dagId, from, to } = request;
  const refuse = (why: string) => new AppError("INVALID", `Cannot backfill DAG "${dagId}": ${why}`);
  const dag = await requireDag(rest, dagId);
  const now = rest.clock.now();
  if (dag.isStale) throw refuse("its file is gone or does not export it any more");
  if (!isPeriodic(dag.spec.schedule)) throw refuse("its schedule has no data intervals");
  if (from > to) throw refuse("from_date is after to_date");
  if (from > now) throw refuse("from_date is in the future");
  const version = await rest.versions.get(dag.versionId);
  if (request.runBackwards && version.spec.tasks.some(dependsOnPast)) {
    throw refuse("tasks of it depend on the past, so it cannot run backwards; run it forwards");
  }
  if (request.conf) rest.checkConf(version, request.conf);
  const { start, end, schedule } = dag.spec;
  const dates: PlannedDate[] = [];
  const bounds = { start: start ? new Date(start) : null, end: end ? new Date(end) : null };
  for (const date of runsBetween(schedule, { from, to, ...bounds, now })) {
    dates.push(date);
    if (dates.length <= limits.backfillDates) continue;
    throw refuse(
      `it has ${sizeOf(dates, { from, to, now })} dates, more than ${limits.backfillDates}; ` +
        "make it smaller, or make several",
    );
  }
  if (dates.length === 0) {
    throw refuse(
      "no data interval that is over lies between from_date and to_date" +
        (start && new Date(start) > from
          ? `, and none begins before the DAG's start, ${start}`
          : ""),
    );
  }
  return { version, dates: request.runBackwards ? dates.reverse() : dates };
}

/** How many there would be, by how close those looked at are: nobody waits for millions of them. */
function sizeOf(dates: readonly PlannedDate[], { to, now }: { from: Date; to: Date; now: Date }) {
  const firstMs = dates[0].logicalDate.getTime();
  const lastMs = dates.at(-1)!.logicalDate.getTime();
  const endMs = Math.min(to.getTime(), now.getTime());
  const perMs = (dates.length - 1) / (lastMs - firstMs);
  return `about ${Math.round(perMs * (endMs - firstMs)).toLocaleString("en-US")}`;
}

/** What would become of a backfill's dates under the states of now. */
export interface BackfillPreview {
  create: PlannedDate[];
  again: PlannedDate[];
  leftOut: { date: PlannedDate; reason: BackfillException }[];
  /** Dates that would get a run, in their order. */
  wanted: PlannedDate[];
}

/** Look at what each date has. */
export async function previewBackfill(
  rest: Rest,
  { dagId, reprocess, asItWas }: Pick<BackfillRequest, "dagId" | "reprocess"> & {
    /** Runs that run again do so on their own version, and only where this product ran them. */
    asItWas: boolean;
  },
  dates: readonly PlannedDate[],
): Promise<BackfillPreview> {
  const [runs, planned] = await Promise.all([
    findRunsByDate(rest.sql, { dagId, dates: dates.map((date) => date.logicalDate) }),
    findPlannedDates(rest.sql, dagId),
  ]);
  const product = productOf(rest);
  const preview: BackfillPreview = { create: [], again: [], leftOut: [], wanted: [] };
  for (const date of dates) {
    const atMs = date.logicalDate.getTime();
    const run = runs.get(atMs);
    const other = asItWas && run !== undefined && isOtherProduct(run, product);
    const fate = planned.has(atMs)
      ? "in flight"
      : fateOf(run, { reprocess, isOtherProduct: other });
    if (fate !== "create" && fate !== "again") {
      preview.leftOut.push({ date, reason: fate });
      continue;
    }
    preview[fate].push(date);
    preview.wanted.push(date);
  }
  return preview;
}
