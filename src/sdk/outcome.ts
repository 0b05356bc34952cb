/** @module What a function task can return beside a plain output. */
import type { Effects } from "../model/outcome.ts";
import type { Question, TriggerSpec } from "../model/trigger.ts";
import { type Duration, durationMs } from "./duration.ts";

const brand = Symbol.for("tidewheel.outcome");

/** Ends a task as `done` with more than an output; made by {@link done}. */
export interface Done<out Output> {
  readonly [brand]: "done";
  readonly output: Output;
  readonly effects: Effects;
}

/** Ends a task as `skipped`; made by {@link skip}. */
export interface Skip {
  readonly [brand]: "skip";
  readonly reason?: string;
}

/** Ends an attempt and asks for another one later; made by {@link retryAt}. */
export interface RetryAt {
  readonly [brand]: "retryAt";
  readonly at: Date;
  readonly reason: string;
}

/** Gives the slot up until a trigger fires; made by {@link defer}. */
export interface Defer {
  readonly [brand]: "defer";
  readonly trigger: TriggerSpec;
  readonly data: unknown;
  readonly deadline: Date | null;
  readonly timeoutMs: number | null;
  readonly onTimeout: "fail" | "resume";
}

/** Gives the slot up until a person answers; what `approval()` and its like return. */
export interface Ask {
  readonly [brand]: "ask";
  readonly question: Question;
  readonly data: unknown;
  readonly deadline: Date | null;
  readonly timeoutMs: number | null;
}

/** Any of them. */
export type OutcomeValue = Done<unknown> | Skip | RetryAt | Defer | Ask;

/** Options of {@link defer}. */
export interface DeferOptions {
  /** What to wait for: one of `triggers.time(…)`, `triggers.dataset(…)`, `triggers.run(…)`… */
  trigger: TriggerSpec;
  /** JSON that the attempt after the wait finds in `ctx.resumedWith.data`. */
  resume?: unknown;
  /** For how long to wait, or until when; without it, as long as the run lives. */
  timeout?: Duration | Date;
  /**
   * When time is up: `fail` as a task that throws does, retries and all (the default), or `resume`
   * with `ctx.resumedWith.timedOut`.
   */
  onTimeout?: "fail" | "resume";
}

/**
 * `return defer({ trigger: triggers.time(at) })`: wait without a slot, a process or a try. When the
 * trigger fires the task's function is called again, in a new attempt, with `ctx.resumedWith`.
 */
export function defer(options: DeferOptions): Defer {
  const { trigger, resume = null, timeout, onTimeout = "fail" } = options;
  return { [brand]: "defer", trigger, data: resume, ...deadlineOf(timeout), onTimeout };
}

/** An {@link Ask}. */
export function ask(
  question: Question,
  { timeout, data = null }: { timeout?: Duration | Date; data?: unknown } = {},
): Ask {
  return { [brand]: "ask", question, data, ...deadlineOf(timeout) };
}

function deadlineOf(timeout: Duration | Date | undefined) {
  if (timeout instanceof Date) return { deadline: timeout, timeoutMs: null };
  const timeoutMs = timeout === undefined ? null : durationMs(timeout, '"timeout" of the wait');
  return { deadline: null, timeoutMs };
}

/** `return done(output, { accounting, publish, … })`: an output with effects, written with success. */
export function done<Output>(output: Output, effects: Effects): Done<Output> {
  return { [brand]: "done", output, effects };
}

/** `return skip("no session on this day")`: the task and what waits for its success are skipped. */
export function skip(reason?: string): Skip {
  return { [brand]: "skip", reason };
}

/** `return retryAt(date, "not published yet")`: run again at `at`, without using up a retry. */
export function retryAt(at: Date, reason: string): RetryAt {
  return { [brand]: "retryAt", at, reason };
}

/** Is `value` an outcome, made by {@link done}, {@link skip}, {@link retryAt} or {@link defer}? */
export function isOutcomeValue(value: unknown): value is OutcomeValue {
  return typeof value === "object" && value !== null && brand in value;
}

/** Which of them it is. */
export function outcomeKind(value: OutcomeValue): "done" | "skip" | "retryAt" | "defer" | "ask" {
  return value[brand];
}

/** The output that a function's return type stands for: `any` becomes `unknown`, void null. */
export type OutputOf<Returned> = 0 extends 1 & Returned ? unknown
  : Returned extends Done<infer Output> ? Output
  : Returned extends Skip | RetryAt | Defer | Ask ? never
  : Returned extends undefined | void ? null
  : Returned;
