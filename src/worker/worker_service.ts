/**
 * @module The worker: claims attempts while it has free slots, runs them, and tells the API how they
 * fare. It has no database; all it knows comes from and goes to the Task Execution API.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Health, Service } from "../base/service.ts";
import type { Workload } from "../contract/execution.ts";
import type { EnginePool } from "../engine/pool.ts";
import { type Metrics, noMetrics } from "../metrics/registry.ts";
import { noTracer, type Tracer } from "../metrics/trace.ts";
import type { ObjectStore } from "../objects/port.ts";
import { type ExecutionApi, executionApi, type Fetch } from "./api_client.ts";
import { Attempt, type AttemptParts } from "./attempt.ts";
import { type Bundles, cachedBundles } from "./bundles.ts";
import { ClaimLoop } from "./claim_loop.ts";
import type { Executor } from "./executor.ts";
import { Outbox } from "./outbox.ts";

/** Options of {@link workerService}. */
export interface WorkerOptions {
  /** How requests reach the API: `fetch` itself, or the API's handler in the same process. */
  fetch: Fetch;
  /**
   * The two calls that every task costs, where the API is in this process: the same messages without
   * the way through a request and JSON. Default: they go through `fetch` like all others.
   */
  direct?: Pick<ExecutionApi, "claim" | "batch">;
  workerToken: string;
  /** Base URL of the API; the default is for a handler in the same process. */
  apiUrl?: string;
  /** Unique among workers, the same for as long as the process lives. */
  workerId: string;
  hostname: string;
  pid: number;
  /** Product version. */
  version: string;
  queues: readonly string[];
  /** Attempts at a time. */
  slots: number;
  executor: Executor;
  objects: ObjectStore;
  /** Cache of bundles on disk; null where the executor imports by other means. */
  bundleCacheDir: string | null;
  /** For tasks that run SQL; null: none can. */
  engine: Pick<EnginePool, "start"> | null;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Spans of attempts; the default makes none. */
  tracer?: Tracer;
  /** The default counts nothing. */
  metrics?: Metrics;
  /** How long running attempts may go on after {@link Service.stop}; 2,000. */
  drainMs?: number;
  /** Between two heartbeats of an attempt; `limits.heartbeatMs`. */
  heartbeatMs?: number;
  /** From asking a task to stop until its process is killed; 2,000. */
  killGraceMs?: number;
}

/** A worker, with figures for metrics. */
export interface WorkerService extends Service {
  stats(): { running: number; slots: number; busy: number; idle: number; starting: number };
}

/** How long the last reports may take to reach the API when the worker stops. */
const FLUSH_MS = 5_000;

/** A worker. */
export function workerService(options: WorkerOptions): WorkerService {
  return new Worker(options);
}

class Worker implements WorkerService {
  readonly name = "worker";
  readonly #options: WorkerOptions;
  readonly #attempts = new Map<string, Attempt>();
  readonly #outbox: Outbox;
  readonly #claims: ClaimLoop;
  readonly #parts: AttemptParts;
  /** Attempts whose processes are not gone yet: what slots are for. */
  #live = 0;
  #uncollect: () => void = () => {};
  #isWatching = false;
  #isStarted = false;
  #isStopping = false;
  #lastBeatMs = 0;

  constructor(options: WorkerOptions) {
    const { clock, random, log, executor, objects, engine, bundleCacheDir } = options;
    const { fetch, workerToken, apiUrl, tracer = noTracer, metrics = noMetrics } = options;
    this.#options = options;
    const api = {
      ...executionApi({ fetch, workerToken, baseUrl: apiUrl }),
      ...options.direct,
    };
    this.#outbox = new Outbox({ api, clock, random, log });
    const bundles = bundlesOf(api, bundleCacheDir);
    const outbox = this.#outbox;
    this.#parts = {
      ...{ api, outbox, bundles, executor, objects, engine, clock, random, log, tracer, metrics },
      killGraceMs: options.killGraceMs ?? limits.killGraceMs,
    };
    const { workerId, hostname, pid, version } = options;
    this.#claims = new ClaimLoop({
      ...{ api, clock, random, log },
      worker: { workerId, hostname, pid, version, queues: [...options.queues] },
      freeSlots: () => options.slots - this.#live,
      onWork: (workloads) => workloads.forEach((workload) => this.#begin(workload)),
      onStop: (ids) => ids.forEach((id) => this.#attempts.get(id)?.heartbeat()),
    });
  }

  async start(): Promise<void> {
    await this.#options.executor.start();
    this.#uncollect = this.#parts.metrics.collect(() => this.#measure());
    this.#isStarted = true;
    this.#claims.start();
  }

  /** Attempts get some time to end by themselves; the rest is stopped and handed back. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#uncollect();
    await this.#claims.stop();
    const { clock, drainMs = 2_000, executor } = this.#options;
    if (this.#live > 0) {
      await this.#allEnded(drainMs);
      for (const attempt of this.#attempts.values()) attempt.stop({ reason: "drained" });
      await this.#allEnded(this.#parts.killGraceMs + FLUSH_MS);
    }
    await executor.stop();
    const finished = new AbortController();
    const all = Promise.all([...this.#attempts.values()].map((attempt) => attempt.finished));
    all.then(() => finished.abort());
    await this.#outbox.close(FLUSH_MS);
    await Promise.race([all, clock.sleep(100, { signal: finished.signal })]);
  }

  health(): Health {
    const isReachable = this.#claims.isReachable && this.#outbox.isReachable;
    const { trouble } = this.#outbox;
    return {
      started: this.#isStarted && this.#claims.hasAnswered,
      ready: this.#isStarted && !this.#isStopping && isReachable && trouble === null,
      detail: {
        ...this.stats(),
        apiReachable: isReachable,
        queues: this.#options.queues,
        draining: this.#isStopping,
        ...(trouble === null ? {} : { trouble }),
      },
    };
  }

  stats() {
    const { slots, executor } = this.#options;
    return { running: this.#live, slots, ...executor.stats() };
  }

  #measure(): void {
    const { metrics } = this.#parts;
    const { running, slots, busy, idle, starting } = this.stats();
    const queue = this.#options.queues.join(",");
    metrics.set("tidewheel_executor_running_tasks", { queue }, running);
    metrics.set("tidewheel_executor_open_slots", { queue }, slots - running);
    for (const [state, count] of Object.entries({ busy, idle, starting })) {
      metrics.set("tidewheel_worker_children", { state }, count);
    }
  }

  #begin(workload: Workload): void {
    const attempt = new Attempt(workload, this.#parts);
    this.#attempts.set(attempt.id, attempt);
    this.#live++;
    attempt.ended.then(() => {
      this.#live--;
      this.#claims.slotFreed();
    });
    attempt.finished.then(() => this.#attempts.delete(attempt.id));
    if (this.#isStopping) attempt.stop({ reason: "drained" });
    if (!this.#isWatching) this.#watch();
  }

  /** One loop for all: deadlines, memory and heartbeats cost nothing to attempts that are short. */
  async #watch(): Promise<void> {
    const { clock, heartbeatMs = limits.heartbeatMs } = this.#options;
    this.#isWatching = true;
    this.#lastBeatMs = clock.monotonicMs();
    let nextMs = 250;
    while (this.#attempts.size > 0) {
      await clock.sleep(nextMs);
      nextMs = 250;
      for (const attempt of this.#attempts.values()) nextMs = Math.min(nextMs, attempt.watch());
      if (clock.monotonicMs() - this.#lastBeatMs < heartbeatMs) continue;
      this.#lastBeatMs = clock.monotonicMs();
      for (const attempt of this.#attempts.values()) attempt.heartbeat();
    }
    this.#isWatching = false;
  }

  async #allEnded(ms: number): Promise<void> {
    const waited = new AbortController();
    const all = Promise.all([...this.#attempts.values()].map((attempt) => attempt.ended));
    all.then(() => waited.abort());
    await Promise.race([all, this.#options.clock.sleep(ms, { signal: waited.signal })]);
  }
}

function bundlesOf(
  api: ReturnType<typeof executionApi>,
  cacheDir: string | null,
): Bundles {
  if (cacheDir !== null) return cachedBundles({ api, cacheDir });
  return { get: () => Promise.resolve({ dir: "", args: [], env: {} }), forget() {} };
}
