/**
 * @module This process among those that look at triggers: it beats, and lets go of what those hold
 * that no longer do. Two wall clocks are never compared: whoever stood still for `limits.leaseMs` on
 * the observer's own monotonic clock is dead.
 */
import type { Clock } from "../../base/clock.ts";
import type { Ids } from "../../base/ids.ts";
import { limits } from "../../base/limits.ts";
import type { Logger } from "../../base/log.ts";
import type { TriggerStore } from "../../store/port.ts";

/** What a claimant needs. */
export interface ClaimantParts {
  store: TriggerStore;
  clock: Clock;
  ids: Ids;
  log: Logger;
  /** Name of this process; made unique. */
  holder: string;
}

/** See the module. */
export class Claimant {
  readonly #parts: ClaimantParts;
  #id: string | null = null;
  #claims = 0;
  readonly #seen = new Map<string, { beats: number; sinceMs: number }>();
  #lookedAtMs = -Infinity;

  constructor(parts: ClaimantParts) {
    this.#parts = parts;
  }

  /** Its name in the store; null until {@link join}. */
  get id(): string | null {
    return this.#id;
  }

  /** Triggers that it held at the last beat, as the store has it. */
  get claims(): number {
    return this.#claims;
  }

  /** Become one that may claim. */
  async join(): Promise<string> {
    const { store, clock, ids, holder } = this.#parts;
    const id = `${holder}/${ids.uuid()}`;
    await store.joinTriggers(id, clock.now());
    this.#id = id;
    this.#claims = 0;
    return id;
  }

  /** Beat; false: it was taken for dead, and holds nothing any more. True: somebody died, look for triggers. */
  async beat(): Promise<{ isAlive: boolean; hasFreed: boolean }> {
    const { store, log } = this.#parts;
    const id = this.#id;
    if (id === null) return { isAlive: false, hasFreed: false };
    const found = await store.beatTriggers(id);
    if (this.#id !== id) return { isAlive: this.#id !== null, hasFreed: false };
    if (!found) {
      log.warn("Was taken for dead as a triggers process; starting over", { claimant: id });
      this.#id = null;
      return { isAlive: false, hasFreed: false };
    }
    this.#claims = found.claims;
    let hasFreed = false;
    for (const [other, beats] of this.#dead(found.others)) {
      if (!await store.leaveTriggers(other, beats)) continue;
      log.warn("A triggers process is gone; its waits are others' now", { claimant: other });
      hasFreed = true;
    }
    return { isAlive: true, hasFreed };
  }

  /** Give everything back. */
  async leave(): Promise<void> {
    const id = this.#id;
    this.#id = null;
    if (id !== null) await this.#parts.store.leaveTriggers(id, null);
  }

  /** Those that stood still for too long while this process was looking. */
  #dead(others: ReadonlyMap<string, number>): [string, number][] {
    const nowMs = this.#parts.clock.monotonicMs();
    // After a long absence of the store, or of this process, nobody was heard: it says nothing.
    const wasAway = nowMs - this.#lookedAtMs > limits.leaseMs;
    this.#lookedAtMs = nowMs;
    for (const id of this.#seen.keys()) if (!others.has(id)) this.#seen.delete(id);
    const dead: [string, number][] = [];
    for (const [id, beats] of others) {
      const known = this.#seen.get(id);
      if (!known || known.beats !== beats || wasAway) {
        this.#seen.set(id, { beats, sinceMs: nowMs });
      } else if (nowMs - known.sinceMs >= limits.leaseMs) {
        dead.push([id, beats]);
      }
    }
    return dead;
  }
}
