/** @module A process's connection to the store, with everything that can happen to one. */
import type { VirtualClock } from "../../src/base/clock.ts";
import { AppError } from "../../src/model/errors.ts";
import type { EngineStore, Hint } from "../../src/store/port.ts";
import type { Dice } from "./dag_maker.ts";

/** How likely each fault is, per call or hint; all 0 when the world has healed. */
export interface FaultRates {
  callFails: number;
  answerLost: number;
  /** A call takes up to seconds on its way there or back, and others overtake it. */
  callSlow: number;
  /** An ending or a heartbeat arrives twice. */
  callTwice: number;
  hintLost: number;
  hintTwice: number;
}

/** Faults of one history. */
export function someFaults(dice: Dice): FaultRates {
  const odds = () => dice.pick([0, 0.005, 0.02]);
  return {
    callFails: odds(),
    answerLost: odds(),
    callSlow: odds(),
    callTwice: dice.pick([0, 0.1]),
    hintLost: dice.pick([0, 0.05, 0.5]),
    hintTwice: dice.pick([0, 0.1]),
  };
}

/** No faults. */
export const noFaults: FaultRates = {
  callFails: 0,
  answerLost: 0,
  callSlow: 0,
  callTwice: 0,
  hintLost: 0,
  hintTwice: 0,
};

/** Calls that a network may deliver twice: all others are made over one connection. */
const repeatable: ReadonlySet<string> = new Set([
  "endAttempts",
  "recordEvents",
  "heartbeat",
  "fireTriggers",
  "answerQuestion",
]);

/** What the links of one world share. */
export interface LinkWorld {
  clock: VirtualClock;
  dice: Dice;
  rates: FaultRates;
  /** Until this virtual instant the database answers nobody. */
  databaseUntilMs: number;
  /** Counts a fault that happened, by name. */
  count(fault: string): void;
}

/** See the module. */
export class Link {
  #isAlive = true;
  #pausedUntilMs = 0;
  #cutUntilMs = 0;
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

  /** The network between the process and the store is gone for a while; the process goes on. */
  cutOff(ms: number): void {
    this.#cutUntilMs = this.world.clock.monotonicMs() + ms;
  }

  get #isCutOff(): boolean {
    const until = Math.max(this.#cutUntilMs, this.world.databaseUntilMs);
    return until > this.world.clock.monotonicMs();
  }

  /** Make a call; it takes a moment, and it may fail before or after it took effect. */
  async call<T>(make: () => Promise<T>): Promise<T> {
    const { dice, rates, clock } = this.world;
    await this.#delay();
    if (this.#isCutOff || dice.chance(rates.callFails)) {
      this.world.count(this.#isCutOff ? "call cut off" : "call failed");
      throw new AppError("UNAVAILABLE", "Cannot reach the store: simulated fault");
    }
    const answer = await make();
    await this.#slowly();
    if (this.#isCutOff || dice.chance(rates.answerLost)) {
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
    await this.#slowly();
    const pauseMs = this.#pausedUntilMs - clock.monotonicMs();
    if (pauseMs > 0) await clock.sleep(pauseMs);
    if (!this.#isAlive) await never();
  }

  async #slowly() {
    const { dice, rates, clock } = this.world;
    if (!dice.chance(rates.callSlow)) return;
    this.world.count("call slow");
    await clock.sleep(dice.int(50, 4_000));
  }

  /** The store as the process sees it. */
  view(): EngineStore {
    const calls = Object.entries(this.store).map(([name, method]) => [
      name,
      (...given: unknown[]) =>
        this.#maybeTwice(
          name,
          () => (method as (...given: unknown[]) => Promise<unknown>)(...given),
        ),
    ]);
    return {
      ...Object.fromEntries(calls) as unknown as EngineStore,
      listen: (onHint) => this.#listen(onHint),
    };
  }

  #maybeTwice(name: string, make: () => Promise<unknown>): Promise<unknown> {
    const { dice, rates } = this.world;
    if (repeatable.has(name) && dice.chance(rates.callTwice)) {
      this.world.count("call twice");
      void this.call(make).catch(() => {});
    }
    return this.call(make);
  }

  async #listen(onHint: (hint: Hint) => void) {
    const { dice, clock } = this.world;
    const deliver = async (hint: Hint) => {
      const { callSlow } = this.world.rates;
      await clock.sleep(dice.chance(callSlow) ? dice.int(50, 4_000) : dice.int(0, 2));
      if (this.#isAlive) onHint(hint);
    };
    const subscription = await this.store.listen((hint) => {
      const { rates } = this.world;
      if (this.#isCutOff || dice.chance(rates.hintLost)) return this.world.count("hint lost");
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
