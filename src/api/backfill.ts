/** @module Backfills: planning their dates, and making their runs one by one. */
import { limits } from "../base/limits.ts";
import { AppError, hasCode, messageOf } from "../model/errors.ts";
import { dependsOnPast } from "../model/dag_spec.ts";
import { isRunFinished } from "../model/run_state.ts";
import {
  adoptRun,
  type BackfillRow,
  completeFinishedBackfills,
  findBackfill,
  findPendingDates,
  findRunsByDate,
  type PendingDate,
  type ReprocessBehavior,
  type RunOfDate,
  settleDate,
} from "../store/backfill.ts";
import { findRunById } from "../store/dag_run_query.ts";
import { type DueRun, isPeriodic, runsBetween } from "../timetable/mod.ts";
import type { CachedVersion } from "./execution/versions.ts";
import { planClear } from "./clear.ts";
import { requireDag, type Rest } from "./rest.ts";
import { intervalOf, planRun } from "./runs.ts";

/** What somebody asks for. */
export interface BackfillRequest {
  dagId: string;
  from: Date;
  to: Date;
  runBackwards: boolean;
  reprocess: ReprocessBehavior;
  conf: Record<string, unknown> | null;
}

/** The dates of a backfill, in the order of their runs. Throws INVALID where there are none. */
export async function planBackfill(
  rest: Rest,
  request: BackfillRequest,
): Promise<{ version: CachedVersion; dates: DueRun[] }> {
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
  const dates: DueRun[] = [];
  const due = runsBetween(dag.spec.schedule, {
    from,
    to,
    start: dag.spec.start ? new Date(dag.spec.start) : null,
    end: dag.spec.end ? new Date(dag.spec.end) : null,
    now,
  });
  for (const date of due) {
    if (dates.length === limits.backfillRuns) {
      throw refuse(`there are more than ${limits.backfillRuns} dates in it; make it smaller`);
    }
    dates.push(date);
  }
  if (dates.length === 0) {
    const { start } = dag.spec;
    throw refuse(
      "no data interval that is over lies between from_date and to_date" +
        (start && new Date(start) > from
          ? `, and none begins before the DAG's start, ${start}`
          : ""),
    );
  }
  return { version, dates: request.runBackwards ? dates.reverse() : dates };
}

/** What happens to a date: its run is made, or run again, or left as it is for a reason. */
export function fateOf(
  run: Pick<RunOfDate, "state"> | undefined,
  reprocess: ReprocessBehavior,
): "create" | "again" | "in flight" | "already exists" {
  if (!run) return "create";
  if (!isRunFinished(run.state)) return "in flight";
  const isWanted = reprocess === "completed" || reprocess === "failed" && run.state === "failed";
  return isWanted ? "again" : "already exists";
}

/** The dates that would get a run now. */
export async function dryRunBackfill(rest: Rest, request: BackfillRequest): Promise<DueRun[]> {
  const { dates } = await planBackfill(rest, request);
  const runs = await findRunsByDate(rest.sql, {
    dagId: request.dagId,
    dates: dates.map((date) => date.logicalDate),
  });
  return dates.filter(({ logicalDate }) => {
    const fate = fateOf(runs.get(logicalDate.getTime()), request.reprocess);
    return fate === "create" || fate === "again";
  });
}

/** Makes the runs of backfills; what a crash left undone it does at the next start. */
export interface BackfillFiller {
  /** Make all runs that one (or any) backfill still lacks. */
  fill(backfillId?: number): Promise<void>;
  /** Mark those that are done. */
  complete(): Promise<void>;
}

/** Dates looked at in one go. */
const FILL_BATCH = 100;

/** A filler over the store. */
export function backfillFiller(rest: Rest): BackfillFiller {
  let filling = Promise.resolve();

  async function fillNow(backfillId?: number): Promise<void> {
    while (true) {
      const pending = await findPendingDates(rest.sql, { backfillId, limit: FILL_BATCH });
      if (pending.length === 0) return;
      for (const [id, dates] of Map.groupBy(pending, (date) => date.backfillId)) {
        const backfill = await findBackfill(rest.sql, id);
        if (backfill) await settleDates(rest, backfill, dates);
      }
    }
  }

  return {
    fill(backfillId) {
      const next = filling.then(() => fillNow(backfillId));
      filling = next.catch((error) =>
        rest.log.error("Could not make the runs of a backfill", { error: messageOf(error) })
      );
      return next;
    },
    async complete() {
      await completeFinishedBackfills(rest.sql, { now: rest.clock.now() });
    },
  };
}

async function settleDates(rest: Rest, backfill: BackfillRow, dates: readonly PendingDate[]) {
  const dag = await requireDag(rest, backfill.dagId);
  const version = await rest.versions.get(dag.versionId);
  const runs = await findRunsByDate(rest.sql, {
    dagId: backfill.dagId,
    dates: dates.map((date) => date.logicalDate),
  });
  for (const date of dates) {
    const run = runs.get(date.logicalDate.getTime());
    const settled = await settle(rest, { backfill, version, date, run });
    await settleDate(rest.sql, { entryId: date.entryId, ...settled });
  }
}

async function settle(
  rest: Rest,
  { backfill, version, date, run }: {
    backfill: BackfillRow;
    version: CachedVersion;
    date: PendingDate;
    run: RunOfDate | undefined;
  },
): Promise<{ dagRunId: string | null; exceptionReason: "in flight" | "already exists" | null }> {
  if (run?.backfillId === backfill.id) return { dagRunId: run.id, exceptionReason: null };
  const fate = fateOf(run, backfill.reprocessBehavior);
  if (fate === "in flight" || fate === "already exists") {
    return { dagRunId: run!.id, exceptionReason: fate };
  }
  if (fate === "again") {
    await runAgain(rest, backfill, run!, version);
    return { dagRunId: run!.id, exceptionReason: null };
  }
  try {
    return { dagRunId: await create(rest, backfill, version, date), exceptionReason: null };
  } catch (error) {
    if (!hasCode(error, "CONFLICT")) throw error;
    const runs = await findRunsByDate(rest.sql, {
      dagId: backfill.dagId,
      dates: [date.logicalDate],
    });
    const other = runs.get(date.logicalDate.getTime());
    if (!other) return { dagRunId: null, exceptionReason: "already exists" };
    return await settle(rest, { backfill, version, date, run: other });
  }
}

/** Newest first works by the order of `run_after`, so backwards each run is due a moment later. */
async function create(
  rest: Rest,
  backfill: BackfillRow,
  version: CachedVersion,
  { logicalDate, sortOrdinal }: PendingDate,
): Promise<string> {
  const interval = intervalOf(version.spec, logicalDate);
  const runAfter = backfill.runBackwards
    ? new Date(backfill.createdAt.getTime() + sortOrdinal)
    : interval.end;
  const planned = planRun({
    version,
    runType: "backfill",
    runId: null,
    logicalDate,
    interval,
    runAfter,
    conf: backfill.dagRunConf,
    backfillId: String(backfill.id),
    traceParent: null,
  }, rest.ids);
  const run = await rest.store.createRun(planned);
  rest.metrics.inc("tidewheel_dagrun_created_total", { run_type: "backfill" });
  return run.id;
}

/** The run of the date itself runs again, as the backfill's: a date has one run. */
async function runAgain(
  rest: Rest,
  backfill: BackfillRow,
  { id, dagVersionId }: RunOfDate,
  latest: CachedVersion,
) {
  const run = await findRunById(rest.sql, id);
  if (!run) return;
  const hasConf = Object.keys(backfill.dagRunConf).length > 0;
  await adoptRun(rest.sql, {
    dagRunId: id,
    backfillId: backfill.id,
    conf: hasConf ? backfill.dagRunConf : null,
  });
  const plan = await planClear(rest, run, {
    tasks: null,
    includeUpstream: false,
    includeDownstream: false,
    onlyFailed: false,
    onlyRunning: false,
  }, { onLatest: backfill.runOnLatestVersion });
  const { spec } = backfill.runOnLatestVersion ? latest : await rest.versions.get(dagVersionId);
  await rest.store.clearTasks(
    id,
    plan.rows.map((each) => each.id),
    { spec, ...(backfill.runOnLatestVersion ? { dagVersionId: latest.id } : {}) },
    rest.clock.now(),
  );
}
