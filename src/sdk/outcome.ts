/** @module What a function task can return beside a plain output. */
import type { Effects } from "../model/outcome.ts";

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

/** Any of the three. */
export type OutcomeValue = Done<unknown> | Skip | RetryAt;

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

/** Is `value` made by {@link done}, {@link skip} or {@link retryAt}? */
export function isOutcomeValue(value: unknown): value is OutcomeValue {
  return typeof value === "object" && value !== null && brand in value;
}

/** Which of the three it is. */
export function outcomeKind(value: OutcomeValue): "done" | "skip" | "retryAt" {
  return value[brand];
}

/** The output that a function's return type stands for: `any` becomes `unknown`, void null. */
export type OutputOf<Returned> = 0 extends 1 & Returned ? unknown
  : Returned extends Done<infer Output> ? Output
  : Returned extends Skip | RetryAt ? never
  : Returned extends undefined | void ? null
  : Returned;
