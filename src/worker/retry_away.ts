/** @module Questions that wait while the API is away, as the attempt that asks them does. */
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { hasCode } from "../model/errors.ts";
import { Backoff } from "./backoff.ts";

/** With the back-off's bound this is about two minutes: longer than a restart takes. */
const TRIES_MAX = 30;

/** What {@link retryWhileAway} needs. */
export interface RetryParts {
  clock: Clock;
  random: Random;
  /** No further try once it aborts. */
  signal: AbortSignal;
}

/** The result of `fn`, tried again while it rejects with UNAVAILABLE. */
export async function retryWhileAway<T>(
  fn: () => Promise<T>,
  { clock, random, signal }: RetryParts,
): Promise<T> {
  const backoff = new Backoff(random);
  for (let tries = 1;; tries++) {
    try {
      return await fn();
    } catch (error) {
      if (!hasCode(error, "UNAVAILABLE") || tries >= TRIES_MAX || signal.aborted) throw error;
      await clock.sleep(backoff.next(), { signal });
      if (signal.aborted) throw error;
    }
  }
}
