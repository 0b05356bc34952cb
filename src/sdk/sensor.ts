/**
 * @module Tasks that wait by looking now and then, each look an attempt. What the triggers service
 * can look for itself is in `wait.ts`.
 */
import type { TriggerRule } from "../model/dag_spec.ts";
import { limits } from "../base/limits.ts";
import { currentDag } from "./builder.ts";
import type { RunFacts, TaskContext } from "./context.ts";
import { type Duration, durationMs } from "./duration.ts";
import { FinalError } from "./operator.ts";
import { isOutcomeValue, type RetryAt, retryAt, type Skip, skip } from "./outcome.ts";
import type { InputArgs, InputValues, TaskRef } from "./ref.ts";
import type { Awaitable, FunctionTaskOptions } from "./task.ts";

/** How long a task waits. */
export interface Patience {
  /** When to give up, after one last look; without it the task waits as long as its run lives. */
  by?: (facts: RunFacts) => Date;
  /** Given up, the task is `failed` without a retry (the default), or `skipped`. */
  onMissed?: "fail" | "skip";
}

/** Options of {@link sensor}. */
export interface SensorOptions<Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule>, Patience {
  /** Time from one look to the next, 1 second or more; 1 minute. */
  every?: Duration;
}

/**
 * Declare a task that succeeds once `look` answers `true`. At `false` the attempt ends, and another
 * looks again after `every`: in between the task is `up_for_reschedule`, holds no slot of its pool
 * and uses up no retry.
 *
 * @example
 * ```ts
 * import { dag, sensor, task } from "tidewheel";
 *
 * export default dag({ id: "late_file", schedule: "@daily", start: "2026-01-01" }, () => {
 *   const ready = sensor({
 *     id: "ready",
 *     every: { minutes: 5 },
 *     by: ({ interval }) => new Date(interval.end.getTime() + 6 * 3_600_000),
 *   }, async (ctx) => await ctx.variable("feed_is_open") === true);
 *   task({ id: "load", after: ready }, () => 1);
 * });
 * ```
 */
export function sensor<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(
  options: SensorOptions<Args, Rule>,
  look: (ctx: TaskContext, inputs: InputValues<Args, Rule>) => Awaitable<boolean | Skip | RetryAt>,
): TaskRef<boolean> {
  const { every = { minutes: 1 }, by, onMissed = "fail", ...rest } = options;
  const dag = currentDag(`sensor "${options?.id}"`);
  if (typeof look !== "function") {
    throw dag.broken(`sensor "${options.id}" has no function; give one after its options`);
  }
  const everyMs = durationMs(every, `"every" of sensor "${options.id}"`);
  if (everyMs < limits.sensorEveryMsMin) {
    throw dag.broken(
      `sensor "${options.id}" looks every ${everyMs} ms; give ${limits.sensorEveryMsMin} or more`,
    );
  }
  return declareSensor(rest, async (ctx, inputs) => {
    const seen = await look(ctx, inputs as InputValues<Args, Rule>);
    if (seen === true || isOutcomeValue(seen)) return seen;
    if (seen !== false) {
      throw new FinalError(`Cannot go by the sensor's answer ${seen}: answer true, or false`);
    }
    return lookAgain(ctx, { everyMs, endsAt: by?.(ctx) ?? null, onMissed });
  });
}

function declareSensor(
  { inputs = {}, ...options }: FunctionTaskOptions<unknown, TriggerRule>,
  run: (ctx: TaskContext, inputs: never) => unknown,
): TaskRef<boolean> {
  const dag = currentDag(`sensor "${options?.id}"`);
  dag.checkOptions(options);
  return dag.add({
    operator: "sensor",
    options,
    inputs: inputs as Record<string, unknown>,
    params: {},
    body: { kind: "function", run: run as () => unknown, output: null },
  });
}

/** The end of an attempt that did not see what it waits for. */
function lookAgain(
  ctx: TaskContext,
  { everyMs, endsAt, onMissed }: { everyMs: number; endsAt: Date | null; onMissed: string },
): RetryAt | Skip {
  const now = ctx.clock.now();
  const next = new Date(now.getTime() + everyMs);
  if (endsAt === null) return retryAt(next, "not there yet");
  if (now < endsAt) return retryAt(next < endsAt ? next : endsAt, "not there yet");
  const missed = `not there by ${endsAt.toISOString()}`;
  if (onMissed === "skip") return skip(missed);
  throw new FinalError(`Cannot wait any longer: what task "${ctx.taskId}" waits for is ${missed}`);
}
