/**
 * @module Waits in a simulated history: triggers processes that have bad days, people who answer what
 * tasks ask, and what must hold: an event is taken once, and reaches the attempt that goes on.
 */
import type { Clock } from "../../src/base/clock.ts";
import type { Ids } from "../../src/base/ids.ts";
import { limits } from "../../src/base/limits.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { MemoryEngineStore } from "../../src/store/engine_memory.ts";
import type { Claimed, EngineStore } from "../../src/store/port.ts";
import { triggersService } from "../../src/triggers/waits/mod.ts";
import { Violation, type Writer } from "./checkers.ts";
import { Link, type LinkWorld, noFaults } from "./link.ts";

/** What waits are simulated in. */
export interface WaitsWorld extends LinkWorld {
  ids: Ids;
  store: MemoryEngineStore;
  /** The store with every write checked. */
  observed(): EngineStore;
  /** The wall clock of a new process. */
  wallClock(): Clock;
}

type Checked = <T>(writer: Writer, what: string, write: () => Promise<T>) => Promise<T>;

/** See the module. */
export class SimWaits {
  readonly #world: WaitsWorld;
  #links: Link[] = [];
  #names = 0;
  /** Events that were taken, by instance, until its next attempt has them. */
  readonly #taken = new Map<string, unknown>();
  /** Attempts whose wait has ended by an event. */
  readonly #ended = new Set<string>();

  constructor(world: WaitsWorld) {
    this.#world = world;
  }

  /** Start two processes, their mishaps, and the people. */
  start(): void {
    for (let i = 0; i < 2; i++) this.#startProcess();
    void this.#mishaps();
    void this.#people();
  }

  /** From now on at least one process lives. */
  heal(): void {
    if (!this.#links.some((link) => link.isAlive)) this.#startProcess();
  }

  /** Calls that end waits, checked. */
  observe(store: EngineStore, checked: Checked) {
    const fireTriggers: EngineStore["fireTriggers"] = async (claimant, fired) => {
      const resumed = await checked("triggers", "fire", () => store.fireTriggers(claimant, fired));
      for (const { taskInstanceId, attemptId, event } of fired) {
        if (!resumed.includes(taskInstanceId)) continue;
        this.#world.count("trigger fired");
        this.#take(taskInstanceId, attemptId, event);
      }
      return resumed;
    };
    const answerQuestion: EngineStore["answerQuestion"] = async (answer, now) => {
      const asked = this.#world.store.asked(answer.taskInstanceId);
      const result = await checked(
        "user-answer",
        "answer",
        () => store.answerQuestion(answer, now),
      );
      if (result === "answered") this.#world.count("question answered before");
      if (result !== "ok") return result;
      this.#world.count("question answered");
      this.#take(answer.taskInstanceId, asked!.attemptId, answer.reply);
      return result;
    };
    return { fireTriggers, answerQuestion };
  }

  #take(taskInstanceId: string, attemptId: string, event: unknown) {
    if (this.#ended.has(attemptId)) throw new Violation("A wait ended twice");
    this.#ended.add(attemptId);
    this.#taken.set(taskInstanceId, event);
  }

  /** Whoever goes on after an event has it. */
  afterClaim(claimed: readonly Claimed[]): void {
    for (const { task, resumption } of claimed) {
      if (resumption?.timedOut) this.#world.count("wait timed out");
      const event = this.#taken.get(task.id);
      if (event === undefined) continue;
      this.#taken.delete(task.id);
      if (JSON.stringify(resumption?.event) !== JSON.stringify(event) || resumption!.timedOut) {
        throw new Violation(`${task.taskId} went on without the event that ended its wait`);
      }
    }
  }

  /** What somebody has begin anew, or end, goes on without its event. */
  afterWrite(): void {
    if (this.#taken.size === 0) return;
    for (const { id, state } of this.#world.store.tasks()) {
      if (!this.#taken.has(id)) continue;
      if (!["scheduled", "queued", "running"].includes(state)) this.#taken.delete(id);
    }
  }

  #startProcess() {
    const { ids, dice } = this.#world;
    const link = new Link(this.#world, this.#world.observed());
    this.#links.push(link);
    void triggersService({
      store: link.view(),
      clock: this.#world.wallClock(),
      ids,
      random: dice.random,
      log: silentLogger,
      holder: `t${this.#names++}`,
    }).start();
  }

  async #mishaps() {
    const { clock, dice, rates } = this.#world;
    while (rates === this.#world.rates) {
      await clock.sleep(dice.int(1_000, 15_000));
      if (rates !== this.#world.rates) return;
      const link = dice.pick(this.#links.filter((each) => each.isAlive));
      if (!link || dice.chance(0.4)) {
        link?.kill();
        this.#world.count("triggers killed");
        await clock.sleep(dice.int(0, 8_000));
        this.#startProcess();
      } else if (dice.chance(0.5)) {
        this.#world.count("triggers paused");
        link.pause(dice.pick([500, 3_000, limits.leaseMs * 2]));
      } else {
        this.#world.count("triggers cut off");
        link.cutOff(dice.pick([500, 3_000, limits.leaseMs * 2]));
      }
    }
  }

  /** People look at what is asked now and then, and answer some of it. */
  async #people() {
    const { clock, dice, store } = this.#world;
    const view = new Link(this.#world, this.#world.observed()).view();
    while (this.#world.rates !== noFaults) {
      await clock.sleep(dice.int(200, 3_000));
      const asking = [...store.tasks()].filter(({ state }) => state === "awaiting_input");
      if (asking.length === 0) continue;
      const { id } = dice.pick(asking);
      const reply = { chosenOptions: ["yes"], paramsInput: {}, by: `p${dice.int(0, 9)}` };
      const answer = { taskInstanceId: id, reply };
      const tries = dice.chance(0.2) ? 2 : 1;
      for (let i = 0; i < tries; i++) {
        // Somebody who gets no answer may ask again, or not.
        await view.answerQuestion(answer, clock.now()).catch(() => null);
      }
    }
  }
}
