/** @module Rows of the engine's store in memory, and what is decided from them alone. */
import { limits } from "../base/limits.ts";
import type { Attempt, DagRun, TaskInstance } from "../model/rows.ts";
import type { EndReason } from "../model/end_reason.ts";
import type { HandState, TaskState } from "../model/task_state.ts";
import type { Resumption } from "../model/trigger.ts";
import type { AttemptEnding, PastRun, RunMove } from "./port.ts";

/** A task instance with what claims go by. */
export type Row = TaskInstance & {
  clearRequested: boolean;
  /** What it is to be when its attempt is gone; null: cancelled, or cleared. */
  cancelTo: HandState | null;
  queue: string;
  priorityWeight: number;
  dagId: string;
  note: string | null;
  resumption: Resumption | null;
};
/** An attempt with its heartbeats. */
export type Try = Attempt & { dagRunId: string; beats: number };

/** An attempt that was queued. */
export function newAttempt(row: Row, id: string, tryNumber: number, now: Date): Try {
  return {
    id,
    taskInstanceId: row.id,
    dagRunId: row.dagRunId,
    tryNumber,
    state: "queued",
    endReason: null,
    evidence: {},
    workerId: null,
    hostname: null,
    pid: null,
    queuedAt: now,
    startDate: null,
    endDate: null,
    beats: 0,
  };
}

/** End an attempt that no worker has. */
export function endQueued(attempt: Try, endReason: EndReason, now: Date, by: string) {
  Object.assign(attempt, { state: "ended", endReason, endDate: now, evidence: { by } });
}

/** The same decision as `engine_end.ts` makes in SQL. */
export function stateAfter(row: Row, result: AttemptEnding["result"]): TaskState {
  if (row.state === "cancelling") return row.clearRequested ? "none" : row.cancelTo ?? "cancelled";
  switch (result) {
    case "succeed":
      return "success";
    case "skip":
      return "skipped";
    case "reschedule":
      return "up_for_reschedule";
    case "defer":
      return "deferred";
    case "ask":
      return "awaiting_input";
    case "retry":
      return row.tryNumber <= row.maxTries ? "up_for_retry" : "failed";
    case "lose":
      return row.infraLosses < limits.infraLossesMax ? "scheduled" : "failed";
    case "fail":
      return "failed";
  }
}

/** The same as `loadPast` of `engine_read.ts`. */
export function pastRuns(
  which: readonly string[],
  runs: ReadonlyMap<string, DagRun>,
  tasksOfRun: ReadonlyMap<string, Row[]>,
): PastRun[] {
  const ended: ReadonlySet<TaskState> = new Set(["success", "skipped", "removed"]);
  return which.flatMap((id) => runs.get(id) ?? []).map(({ id, dagId, logicalDate }) => {
    const earlier = [...runs.values()].filter((run) =>
      run.dagId === dagId && run.logicalDate && logicalDate && run.logicalDate < logicalDate
    ).sort((a, b) => b.logicalDate!.getTime() - a.logicalDate!.getTime());
    const open = (tasksOfRun.get(earlier[0]?.id) ?? []).filter(({ state }) => !ended.has(state));
    const unmet = [...new Set(open.map((row) => row.taskId))].sort();
    return { dagRunId: id, previousId: earlier[0]?.id ?? null, unmet };
  });
}

/** How many instances are in each state. */
export function countStates(rows: readonly Row[]) {
  const counts: Partial<Record<TaskState, number>> = {};
  for (const { state } of rows) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** DAGs whose newest ended runs have all failed, as in `engine_stop.ts`. */
export function failingDags(
  ended: readonly RunMove[],
  runs: ReadonlyMap<string, DagRun>,
): string[] {
  const at = (run: DagRun) => (run.logicalDate ?? run.runAfter).getTime();
  const found = ended.flatMap(({ id, pauseAfter = 0 }) => {
    const { dagId } = runs.get(id)!;
    const newest = [...runs.values()].filter((run) =>
      run.dagId === dagId &&
      (run.state === "success" || run.state === "failed" && run.cancelRequestedAt === null)
    ).sort((a, b) => at(b) - at(a) || (a.id < b.id ? 1 : -1)).slice(0, pauseAfter);
    const isFailing = newest.length === pauseAfter && newest.every((run) => run.state === "failed");
    return pauseAfter > 0 && isFailing ? [dagId] : [];
  });
  return [...new Set(found)];
}
