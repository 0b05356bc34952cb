/** @module A clock that follows real time while something runs, and skips the time between. */
import { type Clock, VirtualClock } from "../base/clock.ts";

/** Real time in which tasks run, and none in which the engine only waits. */
export class SkippingClock extends VirtualClock {
  readonly #real: Clock;
  #lastMs: number;
  #released = false;

  constructor(real: Clock) {
    super(real.now());
    this.#real = real;
    this.#lastMs = real.monotonicMs();
  }

  /** Let what is ready run; then move by the real time that passed, or to the next waiter. */
  async step(isIdle: () => boolean): Promise<void> {
    await this.#real.sleep(1);
    this.#follow();
    const next = this.nextWakeAt();
    if (isIdle() && next) this.advanceTo(next);
  }

  /** From now on keep up with real time by itself, so that what stops can wait. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    const keepUp = async () => {
      for (let i = 0; i < 10_000; i++) {
        await this.#real.sleep(1);
        this.#follow();
        if (this.nextWakeAt() === null) return;
      }
    };
    void keepUp();
  }

  #follow() {
    const nowMs = this.#real.monotonicMs();
    this.advance(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}
