/** @module When a failed attempt is tried again. */
import { z } from "zod";

/** How a task's failed attempts are retried; delays in milliseconds. */
export const RetryPolicy = z.object({
  retries: z.int().min(0).max(1000).default(0).meta({ doc: "Attempts after the first" }),
  backoff: z.enum(["fixed", "linear", "exponential"]).default("fixed"),
  delayMs: z.int().min(0).default(300_000).meta({ doc: "Delay before the first retry" }),
  delayMsMax: z.int().min(0).default(86_400_000).meta({ doc: "Longest delay" }),
});
/** See {@link RetryPolicy}. */
export type RetryPolicy = z.infer<typeof RetryPolicy>;

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
