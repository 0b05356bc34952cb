/** @module A clock that follows real time while something runs, and skips the time between. */
import { type Clock, VirtualClock } from "../base/clock.ts";

/** Wake-ups in one step; after so many the caller looks again whether it still only waits. */
const WAKES_A_STEP = 50;

/** What a step may skip. */
export interface Skip {
  /** Does nothing run that could go on by itself? */
  isIdle(): boolean;
  /** With nothing at work at all: when something next is. */
  until: Date | null;
}

/** Real time in which tasks run, and none in which the engine or a task only waits. */
export class SkippingClock extends VirtualClock {
  readonly #real: Clock;
  readonly #ports = new MessageChannel();
  #lastMs: number;

  /** Begins at `startAt`; by default at the real time. */
  constructor(real: Clock, startAt: Date = real.now()) {
    super(startAt);
    this.#real = real;
    this.#lastMs = real.monotonicMs();
  }

  /** Let what is ready run; then move by the real time that passed, or over time that is only waited for. */
  async step({ isIdle, until }: Skip): Promise<void> {
    await this.#real.sleep(1);
    this.#follow();
    if (until && until > this.now()) return this.advanceTo(until);
    for (let wakes = 0; wakes < WAKES_A_STEP && isIdle(); wakes++) {
      const next = this.nextWakeAt();
      if (!next) return;
      this.advanceTo(next);
      await this.#turn();
    }
  }

  /** Skip to whoever sleeps until `ended`, so that what stops waits for nothing. */
  async release(ended: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = ended.finally(() => isOver = true);
    while (!isOver) {
      await this.#real.sleep(1);
      const next = this.nextWakeAt();
      if (next) this.advanceTo(next);
    }
    this.#ports.port1.close();
    this.#ports.port2.close();
    await over;
  }

  /** A turn of the event loop; a timer would take a millisecond. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.port2.onmessage = () => resolve();
      this.#ports.port1.postMessage(null);
    });
  }

  #follow() {
    const nowMs = this.#real.monotonicMs();
    this.advance(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}
