/** @module Trying a transaction again that PostgreSQL gave up for another's sake. */
import { sqlCode } from "./errors.ts";

/** Tries of one transaction, the first among them. */
const TRIES = 4;

/** Deadlock found, and could not serialize: nothing was written, and the same may work at once. */
const again = new Set(["40P01", "40001"]);

/** Was a transaction given up for another's sake? */
export function mayTryAgain(error: unknown): boolean {
  return again.has(sqlCode(error));
}

/** Run `work`, a whole transaction, again when it was chosen to give way. */
export async function retryTransaction<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES || !mayTryAgain(error)) throw error;
    }
  }
}
