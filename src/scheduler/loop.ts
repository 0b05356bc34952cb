/**
 * @module The leader's loop: scheduler and dispatcher as one service.
 *
 * A pass takes in what changed, decides, and writes in one round trip to the store. Hints that come
 * while a pass is under way go into the next one together; between passes the loop sleeps until a
 * hint, the next due instant or the next sweep. See docs/decisions/0005-one-leader-loop.md.
 */
import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Health, Service } from "../base/service.ts";
import { type Metrics, noMetrics } from "../metrics/registry.ts";
import { noTracer, type Tracer } from "../metrics/trace.ts";
import { hasCode, messageOf } from "../model/errors.ts";
import { HandOver } from "../store/hand_over.ts";
import { databaseError } from "../store/errors.ts";
import type { EngineStore } from "../store/port.ts";
import { countPass } from "./figures.ts";
import { endLost, HeartbeatWatch } from "./heartbeat_watch.ts";
import { Inbox } from "./inbox.ts";
import { Leadership } from "./leadership.ts";
import {
  loadChanges,
  loadDeadlines,
  loadPast,
  loadRuns,
  sweep,
  type SweepNotes,
} from "./loader.ts";
import { decidePass, settle, withNewDeadlines } from "./pass.ts";
import { EngineState } from "./state.ts";
import { stuckQueued } from "./stuck.ts";
import { tracePass } from "./trace_pass.ts";

/** What {@link schedulerService} is made of. */
export interface SchedulerParts {
  store: EngineStore;
  clock: Clock;
  ids: Ids;
  random: Random;
  log: Logger;
  /** Name of this process among those that may lead; made unique by the service. */
  holder: string;
  /** Heartbeats that stand still for this long are a lost worker's; `limits.heartbeatTimeoutMs`. */
  heartbeatTimeoutMs?: number;
  /** The default counts nothing. */
  metrics?: Metrics;
  /** The default makes no spans. */
  tracer?: Tracer;
  /** Claims that wait in this process, so that what becomes ready starts at once; none by default. */
  handOver?: HandOver;
}

/** The scheduler; `runOnce` is one step of its loop, for tests. */
export interface SchedulerService extends Service {
  /** Stand by or make one pass; resolves to whether another pass would find more to do now. */
  runOnce(): Promise<boolean>;
}

const noNotes: SweepNotes = { changes: new Map(), read: 0 };

/** Make the scheduler's service. */
export function schedulerService(parts: SchedulerParts): SchedulerService {
  return new SchedulerLoop(parts);
}

class SchedulerLoop implements SchedulerService {
  readonly name = "scheduler";
  readonly #parts: Required<SchedulerParts>;
  readonly #leadership: Leadership;
  readonly #inbox = new Inbox();
  #state = new EngineState();
  #heartbeats: HeartbeatWatch;
  #notes: SweepNotes = noNotes;
  #sweepAtMs = 0;
  #failures = 0;
  #hasPassed = false;
  #lastError: string | null = null;
  #stuck = 0;
  /** Attempts that the last pass queued. */
  #queued = 0;
  #uncollect: () => void = () => {};
  #stop: AbortController | null = null;
  #running: Promise<unknown> | null = null;
  #hints: { stop(): Promise<void> } | null = null;

  constructor(given: SchedulerParts) {
    const parts = this.#parts = {
      heartbeatTimeoutMs: limits.heartbeatTimeoutMs,
      metrics: noMetrics,
      tracer: noTracer,
      handOver: new HandOver(),
      ...given,
    };
    this.#heartbeats = new HeartbeatWatch(parts.heartbeatTimeoutMs);
    const holder = `${parts.holder}/${parts.ids.uuid()}`;
    this.#leadership = new Leadership({ store: parts.store, clock: parts.clock, holder });
  }

  async start(): Promise<void> {
    if (this.#stop) return;
    const stop = this.#stop = new AbortController();
    await this.#listen();
    this.#uncollect = this.#parts.metrics.collect(() => this.#measure());
    this.#running = Promise.all([this.#loop(stop.signal), this.#renewLoop(stop.signal)]);
  }

  async stop(): Promise<void> {
    if (!this.#stop) return;
    this.#stop.abort();
    this.#uncollect();
    await this.#running;
    await this.#hints?.stop();
    this.#hints = null;
    this.#stop = null;
    await this.#leadership.release().catch((error) =>
      this.#parts.log.warn("Could not give the lease up; it will expire", {
        error: messageOf(error),
      })
    );
  }

  health(): Health {
    const { lease } = this.#leadership;
    const pools = this.#state.ready.pools();
    const waiting = pools.reduce((sum, pool) => sum + pool.waiting, 0);
    const unknownPools = pools.filter((pool) => pool.slots === null && pool.waiting > 0);
    return {
      started: this.#hasPassed,
      ready: this.#hasPassed && this.#failures === 0,
      detail: {
        role: lease ? "leader" : "standby",
        ...(lease ? { epoch: lease.epoch } : {}),
        activeRuns: this.#state.runs.size,
        readyTasks: waiting,
        oversizedTasks: pools.reduce((sum, pool) => sum + pool.oversized, 0),
        unknownPools: unknownPools.map((pool) => pool.name),
        stuckQueuedTasks: this.#stuck,
        ...(this.#state.isDraining ? { draining: true } : {}),
        ...(this.#lastError ? { error: this.#lastError } : {}),
      },
    };
  }

  async runOnce(): Promise<boolean> {
    await this.#listen();
    if (!this.#leadership.lease && !await this.#takeOver()) return false;
    return await this.#pass();
  }

  async #listen() {
    this.#hints ??= await this.#parts.store.listen((hint) => this.#inbox.add(hint));
  }

  async #loop(signal: AbortSignal) {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      try {
        const leads = this.#leadership.lease !== null || await this.#takeOver();
        this.#hasPassed ||= !leads;
        const isMore = leads && await this.#pass();
        this.#failures = 0;
        this.#lastError = null;
        if (!leads) await clock.sleep(limits.leaseRenewMs, { signal });
        else if (!isMore) await this.#rest(signal);
      } catch (error) {
        await clock.sleep(this.#recover(error), { signal });
      }
    }
  }

  async #renewLoop(signal: AbortSignal) {
    while (!signal.aborted) {
      await this.#parts.clock.sleep(limits.leaseRenewMs, { signal });
      if (signal.aborted || !this.#leadership.lease) continue;
      if (!await this.#leadership.renew()) {
        this.#parts.log.warn("Lost the scheduler's lease; standing by");
      }
    }
  }

  /** Try to become the leader, with nothing known and everything to read. */
  async #takeOver(): Promise<boolean> {
    if (!await this.#leadership.tryTake()) return false;
    const { log, metrics, heartbeatTimeoutMs } = this.#parts;
    log.info("Leading as the scheduler", { epoch: this.#leadership.lease?.epoch });
    metrics.inc("tidewheel_scheduler_lease_changes_total", undefined);
    this.#forget();
    this.#heartbeats = new HeartbeatWatch(heartbeatTimeoutMs);
    return true;
  }

  #forget() {
    this.#state = new EngineState();
    this.#notes = noNotes;
    this.#sweepAtMs = 0;
    this.#inbox.take();
    this.#inbox.addAll();
  }

  /** How long to wait after an error; what is known may be wrong now. */
  #recover(error: unknown): number {
    const { log, random, metrics, handOver } = this.#parts;
    this.#forget();
    handOver.settle([]);
    if (hasCode(error, "LEASE_LOST")) {
      this.#leadership.drop();
      log.warn("Another scheduler leads; standing by");
      return 0;
    }
    metrics.inc("tidewheel_scheduler_loop_exceptions_total", undefined);
    this.#failures++;
    this.#lastError = messageOf(databaseError(error, "run a pass of the scheduler"));
    const waitMs = Math.min(100 * 2 ** Math.min(this.#failures, 10), limits.sweepMs);
    log.error("A pass of the scheduler failed; trying again", {
      error: this.#lastError,
      failures: this.#failures,
    });
    return Math.ceil(waitMs * (0.5 + random.next() / 2));
  }

  async #pass(): Promise<boolean> {
    const { store, clock, ids, log, metrics, tracer, handOver } = this.#parts;
    const lease = this.#leadership.lease!;
    const startedAtMs = clock.monotonicMs();
    const loading = { store, log, now: clock.now() };
    await loadChanges(this.#state, this.#inbox.take(), loading);
    if (startedAtMs >= this.#sweepAtMs) await this.#sweep();
    await loadPast(this.#state, loading);
    const now = clock.now();
    const pass = decidePass(this.#state, { now, ids, log, handOver });
    this.#hasPassed = true;
    this.#queued = pass.queued;
    metrics.inc("tidewheel_scheduler_heartbeat_total", undefined);
    if (pass.isEmpty) return !this.#inbox.isEmpty;
    const result = await tracePass(
      tracer,
      pass,
      () => store.applyTick(lease.epoch, pass.writes, now),
    );
    handOver.settle(result.started);
    this.#state.isDraining = result.isDraining === true;
    for (const dagId of result.pausedDags ?? []) {
      log.warn("Paused a DAG: as many of its newest runs failed as it allows", { dagId });
    }
    const reload = settle(this.#state, pass, result);
    if (reload.length > 0) await loadRuns(this.#state, reload, loading);
    const late = withNewDeadlines(pass, result);
    await loadDeadlines(this.#state, late, loading);
    const durationMs = clock.monotonicMs() - startedAtMs;
    countPass(metrics, { pass, result, now, durationMs });
    return !this.#inbox.isEmpty || reload.length > 0 || late.length > 0 || pass.isShort ||
      pass.queued >= limits.queueBatch || this.#state.past.wanted.size > 0;
  }

  /** Compare with the store, find lost workers, and set the next sweep. */
  async #sweep() {
    const { store, clock, random, log, metrics, heartbeatTimeoutMs } = this.#parts;
    const now = clock.now();
    this.#notes = await sweep(this.#state, this.#notes, { store, log, now });
    const beats = this.#state.runs.size > 0 ? await store.readHeartbeats() : new Map();
    const lost = this.#heartbeats.look(beats, clock.monotonicMs());
    if (lost.length > 0) {
      for (const attempt of lost) log.warn("Lost an attempt's worker", { ...attempt });
      metrics.inc("tidewheel_scheduler_tasks_lost_total", undefined, lost.length);
      await store.endAttempts(lost.map((attempt) => endLost(attempt, now)), now);
    }
    this.#stuck = stuckQueued(this.#state, now, log);
    const sweepMs = Math.min(limits.sweepMs, heartbeatTimeoutMs / 3);
    const untilNextMs = sweepMs * (0.75 + random.next() / 4);
    this.#sweepAtMs = clock.monotonicMs() + Math.floor(untilNextMs);
  }

  /** Gauges, when somebody scrapes. */
  #measure(): void {
    const { metrics } = this.#parts;
    const pools = this.#state.ready.pools();
    const waiting = pools.reduce((sum, pool) => sum + pool.waiting, 0);
    metrics.set("tidewheel_scheduler_leader", undefined, this.#leadership.lease ? 1 : 0);
    metrics.set("tidewheel_scheduler_tasks_starving", undefined, waiting);
    metrics.reset("tidewheel_dag_horizon_seconds");
    for (const { dagId, horizonAt } of this.#state.dags.values()) {
      if (!horizonAt || !this.#leadership.lease) continue;
      const leftMs = horizonAt.getTime() - this.#parts.clock.now().getTime();
      metrics.set("tidewheel_dag_horizon_seconds", { dag_id: dagId }, Math.round(leftMs / 1000));
    }
    metrics.set("tidewheel_scheduler_tasks_executable", undefined, waiting + this.#queued);
  }

  /** Sleep until a hint, the next due instant or the next sweep. */
  async #rest(signal: AbortSignal) {
    const { clock } = this.#parts;
    const dueAt = this.#state.nextDueAt()?.getTime() ?? Infinity;
    const sleepMs = Math.min(
      dueAt - clock.now().getTime(),
      this.#sweepAtMs - clock.monotonicMs(),
    );
    if (sleepMs <= 0 || !this.#inbox.isEmpty) return;
    const wake = new AbortController();
    const wakeUp = () => wake.abort();
    signal.addEventListener("abort", wakeUp, { once: true });
    this.#inbox.watch(wakeUp);
    await clock.sleep(Math.ceil(sleepMs), { signal: wake.signal });
    this.#inbox.watch(null);
    signal.removeEventListener("abort", wakeUp);
  }
}
