/** @module A clock for tests of code that waits for real I/O: sleeps cost nothing and are noted. */
import type { Clock } from "../../src/base/clock.ts";

/**
 * Sleeps shorter than `patienceMs` are over at once, and move the time; longer ones (time-outs of
 * I/O that is really under way) end only with their signal.
 */
export class EagerClock implements Clock {
  /** Lengths of the sleeps that were over at once. */
  readonly slept: number[] = [];
  #nowMs: number;

  constructor(
    start: string = "2013-03-04T00:00:00Z",
    { patienceMs = 10 * 60_000 }: { patienceMs?: number } = {},
  ) {
    this.#nowMs = Date.parse(start);
    this.#patienceMs = patienceMs;
  }
  readonly #patienceMs: number;

  now(): Date {
    return new Date(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Move forward. */
  advance(ms: number): void {
    this.#nowMs += ms;
  }

  sleep(ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    if (ms < this.#patienceMs) {
      this.slept.push(ms);
      this.#nowMs += Math.max(ms, 0);
      return Promise.resolve();
    }
    return new Promise((resolve) =>
      signal?.addEventListener("abort", () => resolve(), { once: true })
    );
  }
}
