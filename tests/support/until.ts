/** @module Waiting for what another process does: looks again and again, within a bound. */
import { systemClock } from "../../src/base/clock.ts";

/** How {@link until} waits. */
export interface UntilOptions {
  /** Longest it waits; 20,000. */
  withinMs?: number;
  /** Between two looks; 20. */
  everyMs?: number;
}

/**
 * The first result of `look` that is neither null, undefined nor false. Throws when none came in
 * time, with `what` was waited for, what the last look gave and the error that it threw.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  { withinMs = 20_000, everyMs = 20 }: UntilOptions = {},
): Promise<Exclude<T, null | undefined | false>> {
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    let failure: unknown = null;
    try {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) {
        return found as Exclude<T, null | undefined | false>;
      }
    } catch (error) {
      failure = error;
    }
    if (systemClock.monotonicMs() - startedMs > withinMs) {
      throw new Error(`Waited ${withinMs} ms for ${what}`, { cause: failure ?? undefined });
    }
    await systemClock.sleep(everyMs);
  }
}

/** Milliseconds that `work` takes, with its result. */
export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; tookMs: number }> {
  const startedMs = systemClock.monotonicMs();
  const result = await work();
  return { result, tookMs: Math.round(systemClock.monotonicMs() - startedMs) };
}
