/** @module Politeness: not more requests in a window than a source allows. */
import type { Clock } from "../../../src/base/clock.ts";
import type { HttpRate } from "./request_params.ts";

/** Lets requests through one after the other. */
export interface Pacer {
  /** Resolve when the next request may start, or when `signal` aborts. */
  turn(signal: AbortSignal): Promise<void>;
}

/** A pacer for one attempt: at most `requests` starts in any window of `perMs`. */
export function createPacer(clock: Clock, rate: HttpRate | undefined): Pacer {
  if (rate === undefined) return { turn: () => Promise.resolve() };
  const starts: number[] = [];
  return {
    async turn(signal) {
      if (starts.length >= rate.requests) {
        const waitMs = starts.shift()! + rate.perMs - clock.monotonicMs();
        if (waitMs > 0) await clock.sleep(waitMs, { signal });
      }
      starts.push(clock.monotonicMs());
    },
  };
}
