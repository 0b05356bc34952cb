/** @module The run of a backfill's date. */
import type { Ids } from "../base/ids.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { deadlinesOf } from "../timetable/mod.ts";
import type { PlannedDate } from "./backfill_port.ts";
import type { NewRun } from "./port.ts";

/** What it is made from. */
export interface BackfillRunPlan {
  backfillId: string;
  dagVersionId: string;
  spec: DagSpec;
  conf: Record<string, unknown>;
  date: PlannedDate;
  /** Its place among the backfill's runs. */
  ordinal: number;
  now: Date;
}

/** A run with ids for itself, its tasks and its trace; its name is Airflow's. */
export function newBackfillRun(
  { backfillId, dagVersionId, spec, conf, date, ordinal, now }: BackfillRunPlan,
  ids: Ids,
): NewRun {
  const trace = ids.uuid().replaceAll("-", "");
  const span = ids.uuid().replaceAll("-", "").slice(16);
  return {
    ...deadlinesOf(spec, date, { now, newId: () => ids.uuid() }),
    id: ids.uuid(),
    dagId: spec.dagId,
    runId: `backfill__${date.logicalDate.toISOString()}`,
    runType: "backfill",
    logicalDate: date.logicalDate,
    dataIntervalStart: date.interval.start,
    dataIntervalEnd: date.interval.end,
    runAfter: date.runAfter,
    conf,
    dagVersionId,
    backfillId,
    backfillOrdinal: ordinal,
    traceParent: `00-${trace}-${span}-01`,
    tasks: spec.tasks.map(({ taskId, retry }) => ({
      id: ids.uuid(),
      taskId,
      maxTries: retry.retries,
    })),
  };
}
