/** @module Tasks that wait for another DAG's run, or for a task of it. */
import type { TriggerRule } from "../model/dag_spec.ts";
import { currentDag } from "./builder.ts";
import type { RunFacts, TaskContext } from "./context.ts";
import { type Duration, durationMs } from "./duration.ts";
import { FinalError } from "./operator.ts";
import type { InputArgs, TaskRef } from "./ref.ts";
import type { Patience } from "./sensor.ts";
import type { FunctionTaskOptions } from "./task.ts";
import { type RunEnd, type RunOfDag, type TaskEnd, triggers } from "./triggers.ts";
import { declareWait } from "./wait.ts";

/** Which run of the other DAG: without any of these, the one of the same logical date. */
export interface OtherRunOptions {
  /** Id of the DAG. */
  dag: string;
  /** How far its logical date is before that of this run. */
  offset?: Duration;
  /** Its logical date. */
  logicalDate?: (facts: RunFacts) => Date;
  /** Its run id. */
  runId?: (facts: RunFacts) => string;
}

/** Options of {@link waitForRun}. */
export interface WaitForRunOptions<Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule>, Patience, OtherRunOptions {
  /** States in which it may end; `["success"]`. */
  states?: RunEnd[];
  /** States at which the wait fails at once; `["failed"]`, as far as `states` does not have it. */
  failedStates?: RunEnd[];
}

/**
 * Declare a task that waits until a run of another DAG has ended. A run that does not exist yet is
 * waited for too.
 *
 * @example
 * ```ts
 * import { dag, task, waitForRun } from "tidewheel";
 *
 * export default dag({ id: "report", schedule: "@daily", start: "2026-01-01" }, () => {
 *   const prices = waitForRun({ id: "prices", dag: "eod_prices", offset: { hours: 2 } });
 *   task({ id: "write", after: prices }, () => 1);
 * });
 * ```
 */
export function waitForRun<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(options: WaitForRunOptions<Args, Rule>): TaskRef<boolean> {
  const { dag, offset, logicalDate, runId, states, failedStates, ...rest } = options;
  const which = otherRun(options.id, { dag, offset, logicalDate, runId });
  const good = states ?? ["success"];
  const bad = failedStates ?? (["failed"] as const).filter((state) => !good.includes(state));
  checkStates(options.id, good, bad);
  return declareWait("wait_for_run", rest, {
    trigger: (ctx) => triggers.run(which(ctx), [...good, ...bad]),
    check: (ctx, event) => checkEnd(ctx, event, bad, `The run of DAG "${dag}"`),
  });
}

/** Options of {@link waitForTask}. */
export interface WaitForTaskOptions<Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule>, Patience, OtherRunOptions {
  /** Id of the task. */
  task: string;
  /** Of a mapped task: this instance only; without it all of them must have ended. */
  mapIndex?: number;
  /** States in which it may end; `["success"]`. */
  states?: TaskEnd[];
  /** States at which the wait fails at once; `["failed", "upstream_failed"]` but for `states`. */
  failedStates?: TaskEnd[];
}

/** Declare a task that waits until a task of another DAG's run has ended; see {@link waitForRun}. */
export function waitForTask<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(options: WaitForTaskOptions<Args, Rule>): TaskRef<boolean> {
  const { dag, offset, logicalDate, runId, task, mapIndex, states, failedStates, ...rest } =
    options;
  if (typeof task !== "string" || task === "") {
    throw currentDag(`wait "${options?.id}"`).broken(
      `wait "${options.id}" has no task; give "task", the id of a task of DAG "${dag}"`,
    );
  }
  const which = otherRun(options.id, { dag, offset, logicalDate, runId }, task);
  const good = states ?? ["success"];
  const bad = failedStates ??
    (["failed", "upstream_failed"] as const).filter((state) => !good.includes(state));
  checkStates(options.id, good, bad);
  return declareWait("wait_for_task", rest, {
    trigger: (ctx) => triggers.task({ ...which(ctx), task, mapIndex }, [...good, ...bad]),
    check: (ctx, event) => checkEnd(ctx, event, bad, `Task "${task}" of DAG "${dag}"`),
  });
}

/** Which run to wait for, checked as far as it can be when the DAG is declared. */
function otherRun(
  id: string,
  { dag, offset, logicalDate, runId }: OtherRunOptions,
  task?: string,
): (ctx: TaskContext) => RunOfDag {
  const builder = currentDag(`wait "${id}"`);
  if (typeof dag !== "string" || !/^[A-Za-z0-9_.-]{1,250}$/.test(dag)) {
    throw builder.broken(`wait "${id}" has no DAG; give "dag", the id of the DAG to wait for`);
  }
  const given = [offset, logicalDate, runId].filter((each) => each !== undefined);
  if (given.length > 1) {
    throw builder.broken(
      `wait "${id}" has several of offset, logicalDate, runId; give one of them`,
    );
  }
  if (dag === builder.dagId && given.length === 0 && task === undefined) {
    throw builder.broken(
      `wait "${id}" waits for its own run, which waits for it; give offset, logicalDate or runId`,
    );
  }
  const offsetMs = offset === undefined ? 0 : durationMs(offset, `"offset" of wait "${id}"`);
  return (ctx) => {
    if (runId) return { dag, runId: runId(ctx) };
    if (logicalDate) return { dag, logicalDate: logicalDate(ctx) };
    if (ctx.logicalDate) return { dag, logicalDate: new Date(+ctx.logicalDate - offsetMs) };
    throw new FinalError(
      `Cannot tell which run of DAG "${dag}" to wait for: this run has no logical date; ` +
        `give the wait "runId" or "logicalDate"`,
    );
  };
}

function checkStates(id: string, good: readonly string[], bad: readonly string[]) {
  const both = good.find((state) => bad.includes(state));
  const builder = currentDag(`wait "${id}"`);
  if (both) throw builder.broken(`wait "${id}" has "${both}" in states and in failedStates`);
  if (good.length === 0) throw builder.broken(`wait "${id}" has no states; give at least one`);
}

function checkEnd(ctx: TaskContext, event: unknown, bad: readonly string[], what: string) {
  const { state, run_id: runId } = event as { state: string; run_id: string };
  if (!bad.includes(state)) return;
  throw new FinalError(`${what} that task "${ctx.taskId}" waits for is ${state} in run "${runId}"`);
}
