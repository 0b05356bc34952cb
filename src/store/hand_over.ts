/**
 * @module Claims that wait in the leader's own process. What becomes ready starts for one of them in the
 * write that would have queued it, which saves a commit and a round trip: see
 * docs/decisions/0001-commits-of-a-task.md.
 */
import type { Claimed } from "./port.ts";

/** The worker that an attempt is started for. */
export interface Claimer {
  workerId: string;
  hostname: string;
  pid: number;
}

/** A claim that waits, and has seen its queues empty. */
export interface ClaimPlace {
  readonly claimer: Claimer;
  /** `*`: all. */
  readonly queues: ReadonlySet<string>;
  /** Attempts that it can take. */
  readonly slots: number;
  /** Told once after it was promised something: what did start for it. */
  deliver(started: readonly Claimed[]): void;
}

/** See the module. One scheduler promises at a time, and settles before it promises again. */
export class HandOver {
  readonly #open = new Set<ClaimPlace>();
  readonly #promised = new Map<ClaimPlace, string[]>();

  /** A claim begins to wait. */
  open(place: ClaimPlace): void {
    this.#open.add(place);
  }

  /** It waits no longer; true when it was promised something, of which it will still be told. */
  close(place: ClaimPlace): boolean {
    this.#open.delete(place);
    return this.#promised.has(place);
  }

  /** Promise an attempt of that queue to the claim whose turn it is; null when none waits for it. */
  promise(queue: string, attemptId: string): Claimer | null {
    for (const place of this.#open) {
      if (!place.queues.has("*") && !place.queues.has(queue)) continue;
      const attempts = this.#promised.get(place) ?? [];
      this.#promised.set(place, attempts);
      attempts.push(attemptId);
      this.#open.delete(place);
      if (attempts.length < place.slots) this.#open.add(place);
      return place.claimer;
    }
    return null;
  }

  /** Hand over what did start, and tell the others that nothing came of it. */
  settle(started: readonly Claimed[]): void {
    const byAttempt = new Map(started.map((each) => [each.attempt.id, each]));
    for (const [place, attempts] of this.#promised) {
      this.#promised.delete(place);
      this.#open.delete(place);
      place.deliver(attempts.flatMap((id) => byAttempt.get(id) ?? []));
    }
  }
}
