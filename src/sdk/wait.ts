/**
 * @module Tasks that wait for something that the triggers service looks for: they hold no slot, no
 * process and no attempt while they wait.
 */
import type { TriggerRule } from "../model/dag_spec.ts";
import type { TriggerSpec } from "../model/trigger.ts";
import { currentDag } from "./builder.ts";
import type { ResumedWith, RunFacts, TaskContext } from "./context.ts";
import { FinalError } from "./operator.ts";
import { type Defer, defer, type Skip, skip } from "./outcome.ts";
import type { InputArgs, TaskRef } from "./ref.ts";
import type { Patience } from "./sensor.ts";
import type { Awaitable, FunctionTaskOptions } from "./task.ts";
import { triggers } from "./triggers.ts";

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
    throw currentDag(`wait "${options?.id}"`).broken(
      `wait "${options.id}" has no instant; give "at: (facts) => Date"`,
    );
  }
  return declareWait("wait_until", rest, {
    isThere: (ctx) => ctx.clock.now() >= at(ctx),
    trigger: (ctx) => triggers.time(at(ctx)),
  });
}

/** Options of {@link waitForDataset}. */
export interface WaitForDatasetOptions<Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule>, Patience {
  /** Name of the dataset. */
  dataset: string;
  /** The partition that must be there; without it any will do. */
  partition?: (facts: RunFacts) => string;
}

/**
 * Declare a task that waits until a dataset's partition is there: it has a published version, or an
 * event from outside. It goes on as soon as that is stored.
 */
export function waitForDataset<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(options: WaitForDatasetOptions<Args, Rule>): TaskRef<boolean> {
  const { dataset, partition, ...rest } = options;
  return declareWait("wait_for_dataset", rest, {
    isThere: async (ctx) => await ctx.dataset(dataset, partition?.(ctx) ?? null) !== null,
    trigger: (ctx) => triggers.dataset(dataset, partition?.(ctx) ?? null),
  });
}

/** What a kind of wait does. */
export interface Waiting {
  /** Is it there already? A first look, so that what is there needs no wait. */
  isThere?: (ctx: TaskContext) => Awaitable<boolean>;
  trigger: (ctx: TaskContext) => TriggerSpec;
  /** What to make of what the trigger saw; throws where that is no success. */
  check?: (ctx: TaskContext, event: ResumedWith["event"]) => void;
}

/** Shortest wait: a deadline that is past leaves time for the one look of the triggers service. */
const WAIT_MS_MIN = 10_000;

/** Declare a task of a kind of wait. */
export function declareWait(
  operator: string,
  { inputs = {}, by, onMissed = "fail", ...options }:
    & FunctionTaskOptions<unknown, TriggerRule>
    & Patience,
  waiting: Waiting,
): TaskRef<boolean> {
  const dag = currentDag(`wait "${options?.id}"`);
  dag.checkOptions(options);
  const run = async (ctx: TaskContext): Promise<boolean | Defer | Skip> => {
    const deadline = by?.(ctx);
    if (ctx.resumedWith?.timedOut) return missed(ctx, deadline!, onMissed);
    if (ctx.resumedWith) {
      waiting.check?.(ctx, ctx.resumedWith.event);
      return true;
    }
    if (await waiting.isThere?.(ctx)) return true;
    const timeout = deadline && atLeast(deadline, ctx.clock.now().getTime() + WAIT_MS_MIN);
    return defer({ trigger: waiting.trigger(ctx), timeout, onTimeout: "resume" });
  };
  return dag.add({
    operator,
    options,
    inputs: inputs as Record<string, unknown>,
    params: {},
    body: { kind: "function", run: run as () => unknown, output: null },
  });
}

function atLeast(at: Date, ms: number): Date {
  return at.getTime() < ms ? new Date(ms) : at;
}

function missed({ taskId }: TaskContext, deadline: Date, onMissed: "fail" | "skip"): Skip {
  const why = `not there by ${deadline.toISOString()}`;
  if (onMissed === "skip") return skip(why);
  throw new FinalError(`Cannot wait any longer: what task "${taskId}" waits for is ${why}`);
}
