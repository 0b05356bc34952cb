/**
 * @module Who leads: one scheduler by lease, the others stand by.
 *
 * Two wall clocks are never compared. A standby watches the lease's counter of renewals on its own
 * monotonic clock, and takes a lease whose counter stood still for `limits.leaseMs`.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { EngineStore, Lease } from "../store/port.ts";

/** Parts of a {@link Leadership}. */
export interface LeadershipParts {
  store: Pick<EngineStore, "readLease" | "takeLease" | "renewLease" | "releaseLease">;
  clock: Clock;
  /** Name of this process, different from that of any other that ever ran. */
  holder: string;
}

/** One candidate's view of the lease. */
export class Leadership {
  readonly #parts: LeadershipParts;
  #lease: Lease | null = null;
  #renewedAtMs = 0;
  #seen: { epoch: number; renewals: number; sinceMs: number } | null = null;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
  }

  /** The lease that this process holds; null while it stands by. */
  get lease(): Lease | null {
    return this.#lease;
  }

  /** Take the lease if it is free, or if its holder has not renewed it for long enough. */
  async tryTake(): Promise<boolean> {
    const { store, clock, holder } = this.#parts;
    const found = await store.readLease();
    const isDead = found !== null && found.holder !== "" && this.#stoodStill(found);
    if (found !== null && found.holder !== "" && !isDead) return false;
    const startedAtMs = clock.monotonicMs();
    this.#lease = await store.takeLease(holder, isDead ? found.epoch : null, clock.now());
    this.#renewedAtMs = startedAtMs;
    this.#seen = null;
    return this.#lease !== null;
  }

  #stoodStill({ epoch, renewals }: Lease): boolean {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#seen?.epoch !== epoch || this.#seen.renewals !== renewals) {
      this.#seen = { epoch, renewals, sinceMs: nowMs };
    }
    return nowMs - this.#seen.sinceMs >= limits.leaseMs;
  }

  /**
   * Renew the lease held; false when it is lost. A store that cannot be asked costs the lease only
   * once it may have expired.
   */
  async renew(): Promise<boolean> {
    const { store, clock } = this.#parts;
    const held = this.#lease;
    if (!held) return false;
    const startedAtMs = clock.monotonicMs();
    try {
      const renewed = await store.renewLease(held);
      if (this.#lease !== held) return this.#lease !== null;
      this.#lease = renewed;
      this.#renewedAtMs = startedAtMs;
    } catch {
      if (clock.monotonicMs() - this.#renewedAtMs >= limits.leaseMs) this.drop();
    }
    return this.#lease !== null;
  }

  /** Stand by from now on. */
  drop(): void {
    this.#lease = null;
  }

  /** Give the lease up, so that a standby takes over at once. */
  async release(): Promise<void> {
    const held = this.#lease;
    this.#lease = null;
    if (held) await this.#parts.store.releaseLease(held);
  }
}
