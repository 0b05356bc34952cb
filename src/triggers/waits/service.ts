/**
 * @module The triggers service: thousands of waits in one process, none of them with a process, a
 * slot or a query of its own.
 *
 * Waits of time lie in one heap. Waits for what the store knows (datasets, runs, tasks) are looked at
 * when a hint says that something happened to it, many in one query, and all of them at each sweep,
 * should a hint have been lost. Files are polled. Several processes share the triggers; what a
 * killed one held goes to the others. Whatever is seen twice resumes its instance once: the store
 * takes an event only while the instance still waits for that very trigger.
 */
import type { Clock } from "../../base/clock.ts";
import type { Ids } from "../../base/ids.ts";
import { limits } from "../../base/limits.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { Health, Service } from "../../base/service.ts";
import { type Metrics, noMetrics } from "../../metrics/registry.ts";
import { messageOf } from "../../model/errors.ts";
import type { EngineStore, FiredTrigger, Hint, TriggerStore } from "../../store/port.ts";
import { Claimant } from "./claimant.ts";
import { lookForFiles } from "./look_files.ts";
import { isStored, type Wait, Waits } from "./waits.ts";

/** What {@link triggersService} is made of. */
export interface TriggersParts {
  store: TriggerStore & Pick<EngineStore, "listen">;
  clock: Clock;
  ids: Ids;
  random: Random;
  log: Logger;
  holder: string;
  metrics?: Metrics;
  /** There is no other process, and no hint is lost: neither beats nor sweeps are needed. */
  isAlone?: boolean;
}

/** The service; `runOnce` is one step of its loop, for tests. */
export interface TriggersService extends Service {
  runOnce(): Promise<void>;
  /** The next instant at which a wait fires or is looked at by the clock; null: there is none. */
  nextDueAt(): Date | null;
}

/** How often triggers are removed that nobody waits for. */
const DROP_MS = 60_000;

/** Make the service. */
export function triggersService(parts: TriggersParts): TriggersService {
  return new TriggersLoop(parts);
}

class TriggersLoop implements TriggersService {
  readonly name = "triggers";
  readonly #parts: Required<TriggersParts>;
  readonly #claimant: Claimant;
  #waits = new Waits();
  #isClaimDue = true;
  #sweepAtMs = 0;
  #dropAtMs = 0;
  #lookAtMs = 0;
  #failures = 0;
  #hasPassed = false;
  #lastError: string | null = null;
  #uncollect: () => void = () => {};
  #wake: () => void = () => {};
  #stop: AbortController | null = null;
  #running: Promise<unknown> | null = null;
  #hints: { stop(): Promise<void> } | null = null;

  constructor(given: TriggersParts) {
    this.#parts = { metrics: noMetrics, isAlone: false, ...given };
    this.#claimant = new Claimant(this.#parts);
  }

  async start(): Promise<void> {
    if (this.#stop) return;
    const stop = this.#stop = new AbortController();
    await this.#listen();
    this.#uncollect = this.#parts.metrics.collect(() => this.#measure());
    const beats = this.#parts.isAlone ? null : this.#beatLoop(stop.signal);
    this.#running = Promise.all([this.#loop(stop.signal), beats]);
  }

  async stop(): Promise<void> {
    if (!this.#stop) return;
    this.#stop.abort();
    this.#wake();
    this.#uncollect();
    await this.#running;
    await this.#hints?.stop();
    this.#hints = null;
    this.#stop = null;
    this.#waits = new Waits();
    await this.#claimant.leave().catch((error) =>
      this.#parts.log.warn("Could not give triggers back; others will take them", {
        error: messageOf(error),
      })
    );
  }

  health(): Health {
    return {
      started: this.#hasPassed,
      ready: this.#hasPassed && this.#failures === 0,
      detail: {
        waits: Object.fromEntries(this.#waits.counts),
        ...(this.#lastError ? { error: this.#lastError } : {}),
      },
    };
  }

  async runOnce(): Promise<void> {
    await this.#listen();
    await this.#step();
  }

  nextDueAt(): Date | null {
    const { nextDueMs } = this.#waits;
    return nextDueMs === Infinity ? null : new Date(nextDueMs);
  }

  async #listen() {
    this.#hints ??= await this.#parts.store.listen((hint) => this.#take(hint));
  }

  #take(hint: Hint) {
    if (hint.topic === "triggers") this.#isClaimDue = true;
    else if (hint.topic === "datasets") this.#stir("dataset", hint.ids);
    else if (hint.topic === "ended" || hint.topic === "runs") this.#stir("run", hint.ids);
    if (this.#isClaimDue || this.#waits.dirty.size > 0) this.#wake();
  }

  #stir(what: "dataset" | "run", ids: readonly string[]) {
    for (const id of ids) this.#waits.stir(what, id);
  }

  async #loop(signal: AbortSignal) {
    while (!signal.aborted) {
      try {
        await this.#step();
        this.#failures = 0;
        this.#lastError = null;
        await this.#rest(signal);
      } catch (error) {
        await this.#parts.clock.sleep(this.#recover(error), { signal });
      }
    }
  }

  async #beatLoop(signal: AbortSignal) {
    const { clock, log, metrics } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(limits.leaseRenewMs, { signal });
      if (signal.aborted || this.#claimant.id === null) continue;
      try {
        const { isAlive, hasFreed } = await this.#claimant.beat();
        metrics.inc("tidewheel_triggerer_heartbeat_total", undefined);
        if (!isAlive || hasFreed) this.#isClaimDue = true;
        if (!isAlive || hasFreed) this.#wake();
      } catch (error) {
        log.warn("Could not beat as a triggers process", { error: messageOf(error) });
      }
    }
  }

  async #step() {
    const { clock } = this.#parts;
    if (this.#claimant.id === null) await this.#join();
    if (clock.monotonicMs() >= this.#sweepAtMs) await this.#sweep();
    if (this.#isClaimDue) await this.#claim();
    await this.#fireDue();
    await this.#lookAtStored();
    await this.#lookAtFiles();
    this.#hasPassed = true;
  }

  async #join() {
    this.#waits = new Waits();
    await this.#claimant.join();
    this.#isClaimDue = true;
  }

  async #claim() {
    const { store, clock } = this.#parts;
    const claimant = this.#claimant.id;
    this.#isClaimDue = false;
    while (claimant !== null && claimant === this.#claimant.id) {
      const room = limits.triggersPerProcess - this.#waits.size;
      const limit = Math.min(room, limits.triggerBatch);
      if (limit <= 0) return;
      const claimed = await store.claimTriggers(claimant, limit);
      const nowMs = clock.now().getTime();
      for (const trigger of claimed) this.#waits.add(trigger, nowMs);
      if (claimed.length < limit) return;
    }
  }

  /** Look for what hints did not tell. */
  async #sweep() {
    const { store, clock, random, isAlone } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#sweepAtMs = isAlone
      ? Infinity
      : nowMs + Math.floor(limits.sweepMs * (0.75 + random.next() / 4));
    this.#isClaimDue = true;
    this.#waits.stirAll();
    if (isAlone) return;
    if (this.#claimant.claims !== this.#waits.size) await this.#compare();
    if (nowMs < this.#dropAtMs) return;
    this.#dropAtMs = nowMs + DROP_MS;
    await store.dropTriggers();
  }

  /** Bring the waits in line with what the store has: cancelled ones go, unknown ones start over. */
  async #compare() {
    const claimant = this.#claimant.id;
    if (claimant === null) return;
    const held = await this.#parts.store.heldTriggers(claimant);
    const attempts = new Map(held.map((one) => [one.taskInstanceId, one.attemptId]));
    for (const { trigger } of [...this.#waits.all()]) {
      if (attempts.get(trigger.taskInstanceId) === trigger.attemptId) {
        attempts.delete(trigger.taskInstanceId);
      } else {
        this.#waits.remove(trigger.taskInstanceId);
      }
    }
    // Claimed, but the answer was lost on its way.
    if (attempts.size > 0) await this.#claimant.leave();
    if (attempts.size > 0) await this.#join();
  }

  async #fireDue() {
    const nowMs = this.#parts.clock.now().getTime();
    const due = this.#waits.takeDue(nowMs);
    await this.#fire(due.map((wait) => ({ wait, event: { at: timeOf(wait) } })))
      .catch((error) => {
        for (const wait of due) this.#waits.dueAgain(wait, nowMs);
        throw error;
      });
  }

  async #lookAtStored() {
    const { clock, store } = this.#parts;
    const { dirty } = this.#waits;
    if (dirty.size === 0 || clock.monotonicMs() < this.#lookAtMs) return;
    this.#lookAtMs = clock.monotonicMs() + limits.triggerLookMsMin;
    const some = [...dirty].filter(isStored);
    for (let from = 0; from < some.length; from += limits.triggerBatch) {
      const batch = some.slice(from, from + limits.triggerBatch);
      for (const wait of batch) dirty.delete(wait);
      try {
        const seen = await store.lookAt(batch.map(({ trigger }) => trigger.spec));
        const fired = batch.flatMap((wait, i) => {
          const { found } = seen[i];
          if (found?.dagRunId) this.#waits.tieTo(wait, found.dagRunId);
          return found && isEnough(wait, found.event) ? [{ wait, event: found.event }] : [];
        });
        await this.#fire(fired);
      } catch (error) {
        for (const wait of batch) if (!wait.isOver) dirty.add(wait);
        throw error;
      }
    }
  }

  async #lookAtFiles() {
    const { clock, metrics, log } = this.#parts;
    const nowMs = clock.now().getTime();
    const polled = this.#waits.takePolled(nowMs);
    if (polled.length === 0) return;
    for (const wait of polled) this.#waits.lookAgain(wait, nowMs + wait.trigger.spec.everyMs);
    const seen = await lookForFiles(polled.map(({ trigger }) => trigger.spec.path));
    const fired = polled.flatMap((wait) => {
      const file = seen.get(wait.trigger.spec.path)!;
      if (file instanceof Error) {
        metrics.inc("tidewheel_triggers_failed_total", { kind: "file" });
        log.warn("Could not look for a file that a task waits for", {
          path: wait.trigger.spec.path,
          error: file.message,
        });
        return [];
      }
      return file === null ? [] : [{ wait, event: { ...file } }];
    });
    await this.#fire(fired);
  }

  async #fire(fired: readonly { wait: Wait; event: FiredTrigger["event"] }[]) {
    const { store, metrics } = this.#parts;
    const claimant = this.#claimant.id;
    if (claimant === null) return;
    for (let from = 0; from < fired.length; from += limits.triggerBatch) {
      const batch = fired.slice(from, from + limits.triggerBatch);
      const done = new Set(
        await store.fireTriggers(
          claimant,
          batch.map(({ wait: { trigger }, event }) => ({
            taskInstanceId: trigger.taskInstanceId,
            attemptId: trigger.attemptId,
            event,
          })),
        ),
      );
      // One that did not resume its instance is a trigger that nobody waits for any more.
      for (const { wait: { trigger } } of batch) {
        const { kind } = trigger.spec;
        if (done.has(trigger.taskInstanceId)) {
          metrics.inc("tidewheel_triggers_succeeded_total", { kind });
        }
        this.#waits.remove(trigger.taskInstanceId, trigger.attemptId);
      }
    }
  }

  #recover(error: unknown): number {
    const { log, random } = this.#parts;
    this.#failures++;
    this.#lastError = messageOf(error);
    this.#isClaimDue = true;
    const waitMs = Math.min(100 * 2 ** Math.min(this.#failures, 10), limits.sweepMs);
    log.error("A pass of the triggers service failed; trying again", {
      error: this.#lastError,
      failures: this.#failures,
    });
    return Math.ceil(waitMs * (0.5 + random.next() / 2));
  }

  #measure() {
    const { metrics } = this.#parts;
    for (const [kind, count] of this.#waits.counts) {
      metrics.set("tidewheel_triggers_running", { kind }, count);
    }
    const left = limits.triggersPerProcess - this.#waits.size;
    metrics.set("tidewheel_triggerer_capacity_left", undefined, left);
  }

  /** Sleep until a hint, the next due instant, or the next sweep. */
  async #rest(signal: AbortSignal) {
    const { clock } = this.#parts;
    const monotonicMs = clock.monotonicMs();
    const isFull = this.#waits.size >= limits.triggersPerProcess;
    if (this.#isClaimDue && !isFull) return;
    const lookMs = this.#waits.dirty.size > 0 ? this.#lookAtMs - monotonicMs : Infinity;
    const sleepMs = Math.min(
      this.#waits.nextDueMs - clock.now().getTime(),
      this.#sweepAtMs - monotonicMs,
      lookMs,
    );
    if (sleepMs <= 0) return;
    const wake = new AbortController();
    const wakeUp = () => wake.abort();
    signal.addEventListener("abort", wakeUp, { once: true });
    // Hints that come close after a look wait for the next one together.
    this.#wake = lookMs < Infinity ? () => this.#isClaimDue && wakeUp() : wakeUp;
    if (!signal.aborted) await sleepFor(clock, sleepMs, wake.signal);
    this.#wake = () => {};
    signal.removeEventListener("abort", wakeUp);
  }
}

/** A timer of the machine takes no more than 24 days; whoever wakes early looks again. */
const SLEEP_MS_MAX = 86_400_000;

/** With nothing due at all there is no timer to wait for. */
function sleepFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms !== Infinity) return clock.sleep(Math.ceil(Math.min(ms, SLEEP_MS_MAX)), { signal });
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}

function timeOf({ trigger: { spec } }: Wait): string | null {
  return spec.kind === "time" ? spec.at : null;
}

/** A dataset is enough when it is there; a run or task when it has ended in one of its states. */
function isEnough({ trigger: { spec } }: Wait, { state }: Record<string, unknown>): boolean {
  if (!("states" in spec)) return true;
  return (spec.states as unknown[]).includes(state);
}
