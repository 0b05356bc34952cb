/** @module Tasks that wait for something, and hold no slot and no process while they wait. */
import type { TriggerRule } from "../model/dag_spec.ts";
import { limits } from "../base/limits.ts";
import { currentDag } from "./builder.ts";
import type { RunFacts, TaskContext } from "./context.ts";
import { type Duration, durationMs } from "./duration.ts";
import { FinalError } from "./operator.ts";
import { isOutcomeValue, type RetryAt, retryAt, type Skip, skip } from "./outcome.ts";
import type { InputArgs, InputValues, TaskRef } from "./ref.ts";
import type { Awaitable, FunctionTaskOptions } from "./task.ts";

/** How long and how often a sensor looks. */
export interface Patience {
  /** Time from one look to the next, 1 second or more; 1 minute. */
  every?: Duration;
  /** When to give up, after one last look; without it the sensor waits as long as its run lives. */
  by?: (facts: RunFacts) => Date;
  /** Given up, the task is `failed` without a retry (the default), or `skipped`. */
  onMissed?: "fail" | "skip";
}

/** Options of {@link sensor}. */
export interface SensorOptions<Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule>, Patience {}

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

/** Options of {@link waitUntil}. */
export interface WaitUntilOptions<Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule> {
  /** The instant to wait for, from the facts of the run. */
  at: (facts: RunFacts) => Date;
}

/** Declare a task that succeeds at an instant; until then it holds no slot. Its output is `true`. */
export function waitUntil<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(options: WaitUntilOptions<Args, Rule>): TaskRef<boolean> {
  const { at, ...rest } = options;
  if (typeof at !== "function") {
    throw currentDag(`sensor "${options?.id}"`).broken(
      `sensor "${options.id}" has no instant; give "at: (facts) => Date"`,
    );
  }
  return declareSensor(rest, (ctx) => {
    const instant = at(ctx);
    return ctx.clock.now() >= instant || retryAt(instant, `waits for ${instant.toISOString()}`);
  });
}

/** Options of {@link waitForDataset}. */
export interface WaitForDatasetOptions<Args, Rule extends TriggerRule>
  extends SensorOptions<Args, Rule> {
  /** Name of the dataset. */
  dataset: string;
  /** The partition that must have a version; without it any version will do. */
  partition?: (facts: RunFacts) => string;
}

/** Declare a {@link sensor} that waits until a dataset's partition has a published version. */
export function waitForDataset<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(options: WaitForDatasetOptions<Args, Rule>): TaskRef<boolean> {
  const { dataset, partition, ...rest } = options;
  return sensor<Args, Rule>(
    rest as SensorOptions<Args, Rule>,
    async (ctx) => await ctx.dataset(dataset, partition?.(ctx) ?? null) !== null,
  );
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
