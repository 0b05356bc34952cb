/** @module A process's connection to the store, with everything that can happen to one. */
import type { VirtualClock } from "../../src/base/clock.ts";
import { AppError } from "../../src/model/errors.ts";
import type { EngineStore, Hint } from "../../src/store/port.ts";
import type { Dice } from "./dag_maker.ts";

/** How likely each fault is, per call or hint; all 0 when the world has healed. */
export interface FaultRates {
  callFails: number;
  answerLost: number;
  hintLost: number;
  hintTwice: number;
}

/** No faults. */
export const noFaults: FaultRates = { callFails: 0, answerLost: 0, hintLost: 0, hintTwice: 0 };

/** What the links of one world share. */
export interface LinkWorld {
  clock: VirtualClock;
  dice: Dice;
  rates: FaultRates;
  /** Counts a fault that happened, by name. */
  count(fault: string): void;
}

/** See the module. */
export class Link {
  #isAlive = true;
  #pausedUntilMs = 0;
  readonly #stops: (() => Promise<void>)[] = [];

  constructor(readonly world: LinkWorld, readonly store: EngineStore) {}

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** The process is killed: nothing of it is ever heard again. */
  kill(): void {
    this.#isAlive = false;
    for (const stop of this.#stops) void stop();
  }

  /** The process stands still: what it was about to do it does later. */
  pause(ms: number): void {
    this.#pausedUntilMs = this.world.clock.monotonicMs() + ms;
  }

  /** Make a call; it takes a moment, and it may fail before or after it took effect. */
  async call<T>(make: () => Promise<T>): Promise<T> {
    const { dice, rates, clock } = this.world;
    await this.#delay();
    if (dice.chance(rates.callFails)) {
      this.world.count("call failed");
      throw new AppError("UNAVAILABLE", "Cannot reach the store: simulated fault");
    }
    const answer = await make();
    if (dice.chance(rates.answerLost)) {
      this.world.count("answer lost");
      throw new AppError("UNAVAILABLE", "Cannot hear the store's answer: simulated fault");
    }
    await clock.sleep(dice.int(0, 2));
    if (!this.#isAlive) await never();
    return answer;
  }

  async #delay() {
    const { dice, clock } = this.world;
    await clock.sleep(dice.int(0, 2));
    const pauseMs = this.#pausedUntilMs - clock.monotonicMs();
    if (pauseMs > 0) await clock.sleep(pauseMs);
    if (!this.#isAlive) await never();
  }

  /** The store as the process sees it. */
  view(): EngineStore {
    const calls = Object.entries(this.store).map(([name, method]) => [
      name,
      (...given: unknown[]) =>
        this.call(() => (method as (...given: unknown[]) => Promise<unknown>)(...given)),
    ]);
    return {
      ...Object.fromEntries(calls) as unknown as EngineStore,
      listen: (onHint) => this.#listen(onHint),
    };
  }

  async #listen(onHint: (hint: Hint) => void) {
    const { dice, clock, rates } = this.world;
    const deliver = async (hint: Hint) => {
      await clock.sleep(dice.int(0, 2));
      if (this.#isAlive) onHint(hint);
    };
    const subscription = await this.store.listen((hint) => {
      if (dice.chance(rates.hintLost)) return this.world.count("hint lost");
      void deliver(hint);
      if (!dice.chance(rates.hintTwice)) return;
      this.world.count("hint twice");
      void deliver(hint);
    });
    this.#stops.push(subscription.stop);
    return subscription;
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
