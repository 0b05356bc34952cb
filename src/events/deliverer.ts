/**
 * @module Delivers events from the outbox, at least once each: any number of processes share the
 * work. An event that was taken by a process that died is due again when its lease ends.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Health, Service } from "../base/service.ts";
import { type Metrics, noMetrics } from "../metrics/registry.ts";
import { messageOf } from "../model/errors.ts";
import {
  type OutboxStore,
  type ReadConnection,
  type StartRun,
  type TakenEvent,
  targetKey,
} from "./port.ts";
import { DeliveryError, sendWebhook } from "./webhook.ts";

/** What {@link Deliverer} is made of. */
export interface DelivererParts {
  outbox: OutboxStore;
  startRun: StartRun;
  readConnection: ReadConnection;
  /** Calls back when events may have been written; returns how to end that. */
  subscribe(onEvents: () => void): () => void;
  clock: Clock;
  random: Random;
  log: Logger;
  metrics?: Metrics;
  /** How requests are sent. */
  send?: typeof fetch;
}

/** See the module. */
export class Deliverer implements Service {
  readonly name = "deliverer";
  readonly #parts: DelivererParts & { metrics: Metrics };
  readonly #underWay = new Map<number, { key: string; done: Promise<void> }>();
  #stop: AbortController | null = null;
  #wake: AbortController | null = null;
  #running: Promise<void> | null = null;
  #unsubscribe: () => void = () => {};
  #isHinted = false;
  #hasLooked = false;
  #trouble: string | null = null;

  constructor(parts: DelivererParts) {
    this.#parts = { metrics: noMetrics, ...parts };
  }

  start(): Promise<void> {
    if (this.#running) return Promise.resolve();
    this.#stop = new AbortController();
    this.#unsubscribe = this.#parts.subscribe(() => this.#look());
    this.#running = this.#loop(this.#stop.signal);
    return Promise.resolve();
  }

  /** Tries that are under way are cut; their events are due again when their lease ends. */
  async stop(): Promise<void> {
    this.#stop?.abort();
    this.#wake?.abort();
    this.#unsubscribe();
    await this.#running;
    await this.settled();
    this.#running = null;
  }

  health(): Health {
    return {
      started: this.#hasLooked,
      ready: this.#trouble === null,
      detail: { underWay: this.#underWay.size, ...(this.#trouble ? { error: this.#trouble } : {}) },
    };
  }

  /** Begin to deliver what is due; how many tries were begun. */
  async runOnce(): Promise<number> {
    const { outbox, clock } = this.#parts;
    const room = limits.deliveriesAtOnce - this.#underWay.size;
    if (room <= 0) return 0;
    const now = clock.now();
    const counts = new Map<string, number>();
    for (const { key } of this.#underWay.values()) counts.set(key, (counts.get(key) ?? 0) + 1);
    const busy = [...counts].filter(([, n]) => n >= limits.deliveriesPerTarget)
      .map(([key]) => key);
    const taken = await outbox.take({
      now,
      leaseUntil: new Date(now.getTime() + limits.deliveryLeaseMs),
      max: room,
      perTarget: limits.deliveriesPerTarget,
      busy,
    });
    for (const event of taken) {
      const done = this.#deliver(event).catch((error) => {
        // Its lease ends, and it is tried again.
        this.#parts.log.warn("Could not put a delivery on record", { error: messageOf(error) });
      }).finally(() => {
        this.#underWay.delete(event.seq);
        this.#look();
      });
      this.#underWay.set(event.seq, { key: targetKey(event.target), done });
    }
    return taken.length;
  }

  /** Resolves when no try is under way. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ done }) => done));
  }

  #look() {
    this.#isHinted = true;
    this.#wake?.abort();
  }

  async #loop(signal: AbortSignal) {
    const { clock, outbox, log } = this.#parts;
    while (!signal.aborted) {
      this.#isHinted = false;
      let waitMs: number = limits.sweepMs;
      try {
        const begun = await this.runOnce();
        this.#hasLooked = true;
        this.#trouble = null;
        if (begun > 0) continue;
        const dueAt = this.#underWay.size > 0 ? null : await outbox.nextDueAt();
        if (dueAt) waitMs = Math.min(waitMs, Math.max(50, dueAt.getTime() - clock.now().getTime()));
      } catch (error) {
        this.#trouble = messageOf(error);
        log.warn("Could not look for events to deliver", { error: this.#trouble });
      }
      if (this.#isHinted || signal.aborted) continue;
      this.#wake = new AbortController();
      await clock.sleep(waitMs, { signal: this.#wake.signal });
      this.#wake = null;
    }
  }

  async #deliver(event: TakenEvent): Promise<void> {
    const { outbox, clock, log, metrics } = this.#parts;
    const error = await this.#try(event);
    const at = clock.now();
    const isCut = error !== null && this.#stop?.signal.aborted;
    if (isCut) return;
    const result = { seq: event.seq, tries: event.tries, at, nextAt: at };
    const labels = { target: event.target.kind };
    const facts = { type: event.type, dagId: event.dagId, subject: event.subject };
    if (error === null) {
      await outbox.settle({ ...result, state: "delivered", error: null });
      metrics.inc("tidewheel_event_deliveries_total", { ...labels, result: "delivered" });
      const tookMs = Math.max(0, at.getTime() - event.occurredAt.getTime());
      metrics.observe("tidewheel_event_delivery_delay_seconds", undefined, tookMs / 1000);
    } else if (error.isFinal || event.tries >= limits.deliveryTries) {
      await outbox.settle({ ...result, state: "dead", error: error.message });
      metrics.inc("tidewheel_event_deliveries_total", { ...labels, result: "dead" });
      log.error("Gave up on an event", { ...facts, tries: event.tries, error: error.message });
    } else {
      const waitMs = this.#waitMs(event.tries, error.waitMs);
      const nextAt = new Date(at.getTime() + waitMs);
      await outbox.settle({ ...result, state: "pending", nextAt, error: error.message });
      metrics.inc("tidewheel_event_deliveries_total", { ...labels, result: "failed" });
      log.warn("Could not deliver an event; trying again", {
        ...facts,
        tries: event.tries,
        error: error.message,
        nextAt: nextAt.toISOString(),
      });
    }
  }

  /** Twice as long each time, with jitter; as long as the receiver asks for. */
  #waitMs(tries: number, asked: number | null): number {
    const grown = Math.min(limits.deliveryRetryMsMax, 1000 * 2 ** (tries - 1));
    const waitMs = Math.max(grown * (0.75 + this.#parts.random.next() / 2), asked ?? 0);
    return Math.ceil(Math.min(waitMs, limits.deliveryRetryMsMax));
  }

  async #try(event: TakenEvent): Promise<DeliveryError | null> {
    const { target } = event;
    const { startRun, readConnection, clock, send } = this.#parts;
    try {
      if (target.kind === "run_dag") {
        await startRun(target, event);
        return null;
      }
      const connection = target.connection === null
        ? null
        : await readConnection(target.connection, event);
      const signal = this.#stop?.signal ?? new AbortController().signal;
      await sendWebhook(target, event, { connection, now: clock.now(), signal, send });
      return null;
    } catch (error) {
      return error instanceof DeliveryError ? error : new DeliveryError(messageOf(error));
    }
  }
}
