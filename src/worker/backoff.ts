/** @module Waits between tries while the API cannot be reached. */
import type { Random } from "../base/random.ts";

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** Delays that double up to a bound, each with half of it left to chance. */
export class Backoff {
  readonly #random: Random;
  #nextMs = FIRST_MS;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Is this the first failure since the last success? */
  get isFirst(): boolean {
    return this.#nextMs === FIRST_MS;
  }

  /** The next delay in milliseconds. */
  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * 2, LONGEST_MS);
    return ms / 2 + this.#random.next() * ms / 2;
  }

  /** It worked again; returns whether it had failed before. */
  reset(): boolean {
    const hadFailed = !this.isFirst;
    this.#nextMs = FIRST_MS;
    return hadFailed;
  }
}
