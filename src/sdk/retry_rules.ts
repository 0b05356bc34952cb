/** @module Retries by kind of failure: what authors write, and the rules that come of it. */
import { retryableReasons } from "../model/end_reason.ts";
import { retryActions, type RetryRule } from "../model/retry.ts";
import { type Duration, durationMs } from "./duration.ts";

/** Which failures a rule fits: all that it names must be so; one that names nothing fits all. */
export interface RetryMatch {
  /** Name of the error, or a class: errors of it and of those that extend it. */
  error?: string | ErrorClass;
  /** The error's `code`. */
  code?: string;
  /** How the attempt ended, such as `timeout` or `memory_limit`. */
  endReason?: (typeof retryableReasons)[number];
  /** Exit code of a program: `task.command`. */
  exitCode?: number;
}

/** A class of errors, however they are made. */
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...args: any[]) => Error;

/**
 * What is done about such failures: `retry` (after `delay`, or as ever), `fail` for good, or
 * `default`: as without rules. A task is never tried more often than `retries` says.
 */
export type RetryRuleOption =
  & RetryMatch
  & { /** Recorded with the attempt. */ reason?: string }
  & ({ action: "retry"; delay?: Duration } | { action: "fail" | "default"; delay?: never });

const names: ReadonlySet<string> = new Set(
  ["error", "code", "endReason", "exitCode", "action", "delay", "reason"] satisfies (
    keyof RetryRuleOption
  )[],
);

/** The rules as data; throws RangeError for what cannot be. */
export function retryRules(given: readonly RetryRuleOption[]): RetryRule[] {
  if (!Array.isArray(given)) {
    throw new RangeError(`retryPolicy is a ${typeof given}; give an array of rules`);
  }
  return given.map((rule, i) => retryRule(rule, `retryPolicy[${i}]`));
}

function retryRule(rule: RetryRuleOption, what: string): RetryRule {
  const stranger = Object.keys(rule).find((name) => !names.has(name));
  if (stranger !== undefined) {
    throw new RangeError(`${what} has no part "${stranger}"; there are ${[...names].join(", ")}`);
  }
  const { error, delay, ...rest } = rule;
  if (!retryActions.includes(rule.action)) {
    throw new RangeError(
      `${what}.action is ${JSON.stringify(rule.action)}; give one of ${retryActions.join(", ")}`,
    );
  }
  if (delay !== undefined && rule.action !== "retry") {
    throw new RangeError(`${what} has a delay, but its action is ${rest.action}; leave it out`);
  }
  if (rule.endReason !== undefined && !retryableReasons.includes(rule.endReason)) {
    throw new RangeError(
      `${what}.endReason is "${rule.endReason}"; give one of ${retryableReasons.join(", ")}`,
    );
  }
  return {
    ...rest,
    ...(error === undefined ? {} : { error: errorName(error, what) }),
    ...(delay === undefined ? {} : { delayMs: durationMs(delay, `${what}.delay`) }),
  };
}

function errorName(error: string | ErrorClass, what: string): string {
  const name = typeof error === "function" ? error.name : error;
  if (typeof name === "string" && name !== "") return name;
  throw new RangeError(`${what}.error has no name; give the name of an error, or a named class`);
}
