/** @module Which attempts have lost their worker: those whose heartbeat counter stood still. */
import { limits } from "../base/limits.ts";
import type { AttemptEnding } from "../store/port.ts";

/** An attempt whose worker is gone. */
export interface LostAttempt {
  attemptId: string;
  workerId: string | null;
  /** Milliseconds for which the counter was seen to stand still. */
  stillMs: number;
}

type Beats = ReadonlyMap<string, { beats: number; workerId: string | null }>;

/** Compares counters on the observer's own monotonic clock. */
export class HeartbeatWatch {
  #seen = new Map<string, { beats: number; stillMs: number }>();
  #lookedAtMs: number | null = null;
  readonly #timeoutMs: number;
  /**
   * Longest time between two looks that counts in full. After a longer one the store, or this
   * process, was away: workers could not be heard then, so it says nothing about them.
   */
  readonly #gapMsMax: number;

  /** `timeoutMs`: for how long a counter stands still until its attempt is lost. */
  constructor(timeoutMs: number = limits.heartbeatTimeoutMs) {
    this.#timeoutMs = timeoutMs;
    this.#gapMsMax = Math.min(2 * limits.sweepMs, timeoutMs / 2);
  }

  /** Take in the counters of all running attempts; returns those that are lost. */
  look(beats: Beats, monotonicMs: number): LostAttempt[] {
    const passedMs = Math.min(monotonicMs - (this.#lookedAtMs ?? monotonicMs), this.#gapMsMax);
    this.#lookedAtMs = monotonicMs;
    const seen = new Map<string, { beats: number; stillMs: number }>();
    const lost: LostAttempt[] = [];
    for (const [attemptId, { beats: count, workerId }] of beats) {
      const before = this.#seen.get(attemptId);
      const stillMs = before?.beats === count ? before.stillMs + passedMs : 0;
      seen.set(attemptId, { beats: count, stillMs });
      if (stillMs >= this.#timeoutMs) lost.push({ attemptId, workerId, stillMs });
    }
    this.#seen = seen;
    return lost;
  }
}

/**
 * How a lost attempt ends: its task is queued again without using up a try, or fails after
 * `limits.infraLossesMax` losses; one that was being cancelled ends as cancelled.
 */
export function endLost({ attemptId, workerId, stillMs }: LostAttempt, now: Date): AttemptEnding {
  return {
    attemptId,
    endReason: "worker_lost",
    evidence: {
      message: `Worker "${workerId ?? "unknown"}" sent no heartbeat for ` +
        `${Math.round(stillMs / 1000)} s: its process or machine is gone`,
      lastHeartbeatAt: new Date(now.getTime() - stillMs).toISOString(),
    },
    endDate: now,
    result: "lose",
    nextTryAt: null,
    output: null,
    outputKey: null,
    outputLength: null,
    chosen: null,
    effects: null,
    rssBytesMax: null,
    cpuMs: null,
  };
}
