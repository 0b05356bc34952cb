/** @module When a failed attempt is tried again. */
import { z } from "zod";
import { type EndEvidence, type EndReason, retryableReasons } from "./end_reason.ts";

/** What a retry rule says of the failures that it fits. */
export const retryActions = ["retry", "fail", "default"] as const;
/** One of {@link retryActions}. */
export type RetryAction = (typeof retryActions)[number];

/** One rule: it fits when all that it names is so; one that names nothing fits every failure. */
export const RetryRule = z.object({
  error: z.string().optional().meta({
    doc: "Name of the error, of its class, or of one it extends",
  }),
  code: z.string().optional().meta({ doc: "The error's code" }),
  endReason: z.enum(retryableReasons).optional().meta({ doc: "How the attempt ended" }),
  exitCode: z.int().optional().meta({ doc: "Of the program that ran" }),
  action: z.enum(retryActions).meta({
    doc: "Try again, fail for good, or do as without rules; never more often than retries says",
  }),
  delayMs: z.int().min(0).optional().meta({
    doc: "With retry: the delay, in place of the usual one",
  }),
  reason: z.string().max(500).optional().meta({ doc: "Recorded with the attempt" }),
});
/** See {@link RetryRule}. */
export type RetryRule = z.infer<typeof RetryRule>;

/** How a task's failed attempts are retried; delays in milliseconds. */
export const RetryPolicy = z.object({
  retries: z.int().min(0).max(1000).default(0).meta({ doc: "Attempts after the first" }),
  backoff: z.enum(["fixed", "linear", "exponential"]).default("fixed"),
  delayMs: z.int().min(0).default(300_000).meta({ doc: "Delay before the first retry" }),
  delayMsMax: z.int().min(0).default(86_400_000).meta({ doc: "Longest delay" }),
  rules: z.array(RetryRule).max(50).optional().meta({
    doc: "By kind of failure; the first that fits",
  }),
});
/** See {@link RetryPolicy}. */
export type RetryPolicy = z.infer<typeof RetryPolicy>;

/** How many retries a whole run, and all runs of a DAG within an hour, may have; null: no limit. */
export const RetryBudget = z.strictObject({
  perRun: z.int().min(0).nullable().default(null),
  perHour: z.int().min(0).nullable().default(null),
});
/** See {@link RetryBudget}. */
export type RetryBudget = z.infer<typeof RetryBudget>;

/** Retries that were used. */
export interface BudgetUse {
  inRun: number;
  inHour: number;
}

/** Why there is no retry left, or null where there is one. */
export function overBudget({ perRun, perHour }: RetryBudget, use: BudgetUse): string | null {
  if (perRun !== null && use.inRun >= perRun) {
    return `Not tried again: the run has used up its retry budget of ${perRun}`;
  }
  if (perHour !== null && use.inHour >= perHour) {
    return `Not tried again: the DAG has used up its retry budget of ${perHour} an hour`;
  }
  return null;
}

/**
 * Milliseconds to wait after attempt number `tryNumber` (from 1) failed. `chance` in [0, 1) is the
 * jitter of the exponential policy: full jitter, uniform over [0, delay].
 */
export function retryDelayMs(policy: RetryPolicy, tryNumber: number, chance: number): number {
  const capped = (ms: number) => Math.min(ms, policy.delayMsMax);
  switch (policy.backoff) {
    case "fixed":
      return capped(policy.delayMs);
    case "linear":
      return capped(policy.delayMs * tryNumber);
    case "exponential":
      return Math.floor(capped(policy.delayMs * 2 ** Math.min(tryNumber - 1, 40)) * chance);
  }
}

/** The first rule that fits a failure, with its number from 1; null where none does. */
export function retryRuleFor(
  { rules = [] }: RetryPolicy,
  endReason: EndReason,
  evidence: EndEvidence,
): { rule: RetryRule; number: number } | null {
  const { error, exitCode } = evidence;
  const fits = (rule: RetryRule) =>
    (rule.endReason === undefined || rule.endReason === endReason) &&
    (rule.code === undefined || rule.code === error?.code) &&
    (rule.exitCode === undefined || rule.exitCode === exitCode) &&
    (rule.error === undefined || rule.error === error?.name ||
      error?.classes.includes(rule.error) === true);
  const index = rules.findIndex(fits);
  return index < 0 ? null : { rule: rules[index], number: index + 1 };
}

/** A rule in words: "retry rule 2 (error VendorDown)". */
export function ruleText(rule: RetryRule, number: number): string {
  const named = [
    ["error", rule.error],
    ["code", rule.code],
    ["end reason", rule.endReason],
    ["exit code", rule.exitCode],
  ].flatMap(([name, value]) => value === undefined ? [] : [`${name} ${value}`]);
  return `retry rule ${number} (${named.join(", ") || "any failure"})`;
}
