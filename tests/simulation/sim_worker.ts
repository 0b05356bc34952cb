/** @module A worker without processes: claims, beats, ends as the dice say, and has bad days. */
import { limits } from "../../src/base/limits.ts";
import type { DagSpec } from "../../src/model/dag_spec.ts";
import type { TriggerSpec } from "../../src/model/trigger.ts";
import type { HandOver } from "../../src/store/hand_over.ts";
import type { AttemptEnding, Claimed, EndingResult, EngineStore } from "../../src/store/port.ts";
import { endingOf } from "../support/scheduler_world.ts";
import { dataDag, type Dice, partitions } from "./dag_maker.ts";
import type { Link } from "./link.ts";

/** What a worker is made of. */
export interface SimWorkerParts {
  id: string;
  link: Link;
  dice: Dice;
  /** The spec of a DAG version. */
  specOf(dagVersionId: string): DagSpec;
  /** Wall time; it may jump. */
  now(): Date;
  /** Where a claim may wait for what a scheduler starts; null when none runs. */
  handOver(): HandOver | null;
}

interface Held {
  claimed: Claimed;
  /** Set when it must stop. */
  isStopped: boolean;
}

/** See the module. It lives until its link is killed. */
export class SimWorker {
  readonly #parts: SimWorkerParts;
  readonly #store: EngineStore;
  readonly #held = new Map<string, Held>();
  /** Every ending sent, to send again out of the blue. */
  readonly #sent: AttemptEnding[] = [];

  constructor(parts: SimWorkerParts) {
    this.#parts = parts;
    this.#store = parts.link.view();
  }

  /** Start its two loops. */
  start(): void {
    void this.#claimLoop();
    void this.#beatLoop();
  }

  get #clock() {
    return this.#parts.link.world.clock;
  }

  async #claimLoop() {
    const { dice, id, link } = this.#parts;
    while (link.isAlive) {
      await this.#clock.sleep(dice.int(20, 300));
      const slots = 4 - this.#held.size;
      if (slots <= 0) continue;
      const claim = { workerId: id, hostname: id, pid: 1, queues: ["default"], slots };
      try {
        const started = await this.#waitFor(slots);
        const claimed = started.length > 0
          ? started
          : await this.#store.claim(claim, this.#parts.now());
        for (const each of claimed) this.#hold(each);
      } catch {
        // What an answer that was lost gave out is found by its silence.
      }
    }
  }

  #hold(claimed: Claimed) {
    const held = { claimed, isStopped: false };
    this.#held.set(claimed.attempt.id, held);
    void this.#run(held);
  }

  /** Half of the time: wait at a scheduler for what it starts; it may be killed meanwhile. */
  async #waitFor(slots: number): Promise<readonly Claimed[]> {
    const { dice, id, link } = this.#parts;
    const handOver = dice.chance(0.5) ? this.#parts.handOver() : null;
    if (!handOver) return [];
    let given: readonly Claimed[] = [];
    const place = {
      claimer: { workerId: id, hostname: id, pid: 1 },
      queues: new Set(["default"]),
      slots,
      deliver(started: readonly Claimed[]) {
        given = started;
      },
    };
    handOver.open(place);
    await this.#clock.sleep(dice.int(20, 1_000));
    if (handOver.close(place)) await this.#clock.sleep(5_000);
    if (given.length > 0) link.world.count("started at once");
    if (dice.chance(link.world.rates.answerLost)) return [];
    return given;
  }

  async #beatLoop() {
    const { link } = this.#parts;
    while (link.isAlive) {
      await this.#clock.sleep(limits.heartbeatMs);
      const ids = [...this.#held.keys()];
      try {
        const answers = await this.#store.heartbeat(ids);
        answers.forEach((answer, i) => {
          const held = this.#held.get(ids[i]);
          if (!held || answer === "running") return;
          held.isStopped = true;
          if (answer !== "cancelling") this.#held.delete(ids[i]);
        });
      } catch {
        // The next beat says the same.
      }
    }
  }

  async #run(held: Held) {
    const { dice, now } = this.#parts;
    const { attempt } = held.claimed;
    const untilMs = this.#clock.monotonicMs() +
      (dice.chance(0.1) ? dice.int(2_000, 12_000) : dice.int(1, 400));
    while (!held.isStopped && this.#clock.monotonicMs() < untilMs) {
      await this.#clock.sleep(Math.min(untilMs - this.#clock.monotonicMs(), 1_000));
    }
    if (!this.#held.has(attempt.id)) return;
    const ending = held.isStopped
      ? { ...endingOf(attempt.id, "fail", now()), endReason: "cancelled" as const }
      : this.#ending(held.claimed);
    await this.#send(ending);
    this.#held.delete(attempt.id);
  }

  /** At least once, until the store has said anything; sometimes an old word again. */
  async #send(ending: AttemptEnding) {
    const { dice, now } = this.#parts;
    this.#sent.push(ending);
    const endings = dice.chance(0.1) ? [ending, dice.pick(this.#sent)] : [ending];
    for (let tries = 0; tries < 20; tries++) {
      try {
        const _results: EndingResult[] = await this.#store.endAttempts(endings, now());
        return;
      } catch {
        await this.#clock.sleep(dice.int(10, 2_000));
      }
    }
  }

  #ending({ attempt, task, run, resumption }: Claimed): AttemptEnding {
    const { dice, specOf, now } = this.#parts;
    const { tasks } = specOf(run.dagVersionId);
    const spec = tasks.find((each) => each.taskId === task.taskId);
    // Queued before the run was cleared onto a version without it: there is nothing to hand out.
    if (!spec) return { ...endingOf(attempt.id, "fail", now()), endReason: "bundle" };
    const face = dice.random.next();
    if (face < 0.12) {
      const ending = endingOf(attempt.id, { retryInMs: dice.int(0, 3_000) }, now());
      const { retryBudget } = specOf(run.dagVersionId);
      return retryBudget ? { ...ending, retryBudget } : ending;
    }
    if (face < 0.15) return endingOf(attempt.id, "fail", now());
    if (face < 0.2) return endingOf(attempt.id, "skip", now());
    if (face < 0.25) return endingOf(attempt.id, { rescheduleInMs: dice.int(0, 2_000) }, now());
    if (face < 0.27) return endingOf(attempt.id, "lose", now());
    // One that goes on may wait once more.
    if (resumption === null || dice.chance(0.2)) {
      const timeoutMs = dice.int(1_000, 30_000);
      if (spec.taskId.startsWith("waits")) {
        const defer = this.#trigger();
        // An instant comes in any case.
        const isSure = defer.kind === "time" && dice.chance(0.5);
        return endingOf(attempt.id, { defer, ...(isSure ? {} : { timeoutMs }) }, now());
      }
      const ask = { subject: "Go on?", options: ["yes", "no"] };
      if (spec.taskId.startsWith("asks")) return endingOf(attempt.id, { ask, timeoutMs }, now());
    }
    if (spec.taskId.startsWith("list")) {
      return endingOf(attempt.id, { length: dice.int(0, 4) }, now());
    }
    if (!spec.isBranch) return this.#success(attempt.id, run.dagId);
    const after = tasks.filter((each) => each.upstream.includes(spec.taskId));
    const chosen = dice.some(after.map((each) => each.taskId), 0.5);
    return endingOf(attempt.id, { chosen }, now());
  }

  /** Some successes publish; not those of the DAG that waits for it, which would run for ever. */
  #success(attemptId: string, dagId: string): AttemptEnding {
    const { dice, now } = this.#parts;
    const ending = endingOf(attemptId, "succeed", now());
    if (dagId === dataDag || !dice.chance(0.2)) return ending;
    const intent = {
      ...{ dataset: "inside", partition: dice.pick(partitions), kind: "table" as const },
      ...{ schema: null, rows: 1, files: [], lineageFiles: [], inputs: [], columns: [] },
      metrics: {},
    };
    return { ...ending, effects: { publish: [intent] } };
  }

  /** Something that comes, or maybe does not. */
  #trigger(): TriggerSpec {
    const { dice, now } = this.#parts;
    switch (dice.int(0, 2)) {
      case 0: {
        const at = new Date(now().getTime() + dice.int(-1_000, 20_000)).toISOString();
        return { kind: "time", at };
      }
      case 1: {
        const partition = dice.chance(0.5) ? null : dice.pick([...partitions]);
        return { kind: "dataset", dataset: dice.pick(["inside", "outside"]), partition };
      }
      default:
        return { kind: "run", dagId: "dag0", runId: "none", states: ["success"] };
    }
  }
}
