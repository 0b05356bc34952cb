/** @module Retry budgets of the store in memory; the same rules as in `engine_budget.ts`. */
import { overBudget } from "../model/retry.ts";
import type { DagRun } from "../model/rows.ts";
import type { TaskState } from "../model/task_state.ts";
import { asFailure, type Budgeted, hourBefore } from "./engine_budget.ts";
import type { AttemptEnding } from "./port.ts";

/** What was used so far. */
export interface MemoryBudget {
  judge(ending: AttemptEnding, run: DagRun, now: Date): Budgeted;
  use(budgeted: Budgeted, run: DagRun, state: TaskState, now: Date): void;
}

/** Nothing used yet. */
export function memoryBudget(): MemoryBudget {
  const used: { dagId: string; dagRunId: string; queuedAt: Date; at: Date }[] = [];
  return {
    judge(ending, { id, dagId, queuedAt }, now) {
      const { retryBudget, result } = ending;
      if (!retryBudget || result !== "retry") return { ending, usedUp: null };
      const inRun =
        used.filter((each) =>
          each.dagRunId === id && each.queuedAt.getTime() === queuedAt.getTime()
        ).length;
      const inHour =
        used.filter((each) => each.dagId === dagId && each.at > hourBefore(now)).length;
      return asFailure(ending, overBudget(retryBudget, { inRun, inHour }));
    },
    use({ ending }, { id, dagId, queuedAt }, state, now) {
      if (ending.retryBudget && state === "up_for_retry") {
        used.push({ dagId, dagRunId: id, queuedAt, at: now });
      }
    },
  };
}
