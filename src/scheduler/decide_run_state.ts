/** @module How a run stands, from its counters alone. */
import { isRunFinished, type RunState } from "../model/run_state.ts";

/** The counters of a run that decide. */
export interface RunFigures {
  state: RunState;
  /** Somebody asked it to stop. */
  isCancelled: boolean;
  /** It has any instances at all. */
  hasTasks: boolean;
  /** Instances that have not ended. */
  unfinished: number;
  /** Those of them that wait for their upstreams, after all of them have been looked at. */
  idle: number;
  /** Some of those wait for the run before, which can still change. */
  waitsForPast: boolean;
  /** Instances of tasks with nothing after them that ended badly. */
  failedLeaves: number;
  /** A task failed in a run that fails fast: what was skipped for it makes no success. */
  isFailedFast: boolean;
}

/** What {@link decideRunState} says; `why` goes with a failure. */
export type RunDecision =
  | { to: "success" }
  | { to: "failed"; why: "task_failure" | "cancelled" | "deadlock" };

/** The end of a run, or null while it goes on. */
export function decideRunState(run: RunFigures): RunDecision | null {
  if (isRunFinished(run.state)) return null;
  if (run.unfinished === 0 && run.isCancelled) return { to: "failed", why: "cancelled" };
  // One whose tasks all have an end needs no turn: somebody has set them by hand.
  if (run.state === "queued" && (run.unfinished > 0 || !run.hasTasks)) return null;
  if (run.unfinished === 0) {
    return run.failedLeaves > 0 || run.isFailedFast
      ? { to: "failed", why: "task_failure" }
      : { to: "success" };
  }
  return run.idle === run.unfinished && !run.waitsForPast
    ? { to: "failed", why: "deadlock" }
    : null;
}
