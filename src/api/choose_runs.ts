/** @module Runs that a call by hand is about: one, those before and after it, or those of dates. */
import { AppError } from "../model/errors.ts";
import { type DagRunRow, findRunsBetween } from "../store/dag_run_query.ts";
import { requireRun, type Rest } from "./rest.ts";

/** Runs that one call may touch. */
const RUNS_MAX = 10_000;

/** Which runs of a DAG. */
export interface RunSelection {
  /** null: those between the dates. */
  runId: string | null;
  includePast: boolean;
  includeFuture: boolean;
  /** Of logical dates; with a run: how far before and after it. */
  startDate?: Date | null;
  endDate?: Date | null;
}

/** The runs, by logical date. Throws INVALID for one without a date, LIMIT_EXCEEDED for too many. */
export async function chooseRuns(
  rest: Rest,
  dagId: string,
  { runId, includePast, includeFuture, startDate, endDate }: RunSelection,
): Promise<DagRunRow[]> {
  const between = (logicalDate: Parameters<typeof findRunsBetween>[1]["logicalDate"]) =>
    findRunsBetween(rest.sql, { dagId, logicalDate, limit: RUNS_MAX + 1 });
  let runs;
  if (runId === null) {
    if (includePast || includeFuture) {
      throw new AppError("INVALID", "Cannot look before or after a run without dag_run_id");
    }
    runs = await between({ gte: startDate, lte: endDate });
  } else {
    const run = await requireRun(rest, dagId, runId);
    if (!run.logicalDate && (includePast || includeFuture)) {
      throw new AppError(
        "INVALID",
        `Cannot look before or after run "${run.runId}": it has no logical date`,
      );
    }
    const past = includePast ? await between({ lt: run.logicalDate, gte: startDate }) : [];
    const future = includeFuture ? await between({ gt: run.logicalDate, lte: endDate }) : [];
    runs = [...past, run, ...future];
  }
  if (runs.length <= RUNS_MAX) return runs;
  throw new AppError(
    "LIMIT_EXCEEDED",
    `Cannot change more than ${RUNS_MAX} runs at once: narrow the dates`,
  );
}
