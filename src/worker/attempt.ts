/** @module One attempt from its claim to the API's word that its end is written. */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import { residentBytes } from "../base/processes.ts";
import type { AttemptEnd, CallResult, Workload } from "../contract/execution.ts";
import type { Metrics } from "../metrics/registry.ts";
import type { Tracer } from "../metrics/trace.ts";
import { messageOf } from "../model/errors.ts";
import { type AskParts, AttemptAsks } from "./attempt_asks.ts";
import type { Bundles } from "./bundles.ts";
import { resolvePermissions } from "./declared.ts";
import { decideEnd, type EndVerdict, failedEnd, type Stop } from "./ending.ts";
import type { Executor, Job, JobCode, JobEnd, JobSpec } from "./executor.ts";
import { retryWhileAway } from "./retry_away.ts";
import type { Outbox, Sender } from "./outbox.ts";
import { placeOutput } from "./output.ts";

/** What attempts share. */
export interface AttemptParts extends AskParts {
  outbox: Outbox;
  executor: Executor;
  bundles: Bundles;
  clock: Clock;
  log: Logger;
  tracer: Tracer;
  metrics: Metrics;
  /** From asking a task to stop until its process is killed. */
  killGraceMs: number;
}

/** Looks at an attempt this often; oftener when its memory nears the limit. */
const WATCH_MS = 250;
const WATCH_MS_MIN = 25;
/** What an engine may hold beside the memory that its task was given. */
const ENGINE_SLACK_BYTES = 256 * 1024 * 1024;

/** See the module. */
export class Attempt {
  readonly id: string;
  /** Resolves, never rejects, when nothing of it runs and its end is reported. */
  readonly finished: Promise<void>;
  /** Resolves, never rejects, when nothing of it runs any more. */
  readonly ended: Promise<void>;
  readonly #parts: AttemptParts;
  readonly #workload: Workload;
  readonly #sender: Sender;
  readonly #asks: AttemptAsks;
  readonly #startedMs: number;
  readonly #stopping = new AbortController();
  readonly #hasEnded = Promise.withResolvers<void>();
  #job: Job | null = null;
  #stop: Stop | null = null;
  #killAtMs = Infinity;
  #rssBytesMax: number | null = null;
  #cpuMs: number | null = null;

  /** Begins at once. */
  constructor(workload: Workload, parts: AttemptParts) {
    this.id = workload.attemptId;
    this.#parts = parts;
    this.#workload = workload;
    this.#startedMs = parts.clock.monotonicMs();
    this.#sender = parts.outbox.open({
      attemptId: workload.attemptId,
      token: workload.token,
      onRefused: (result) => this.#refused(result),
    });
    this.#asks = new AttemptAsks(parts, workload, () => this.#sender.token);
    this.ended = this.#hasEnded.promise;
    this.finished = this.#live();
  }

  /** Tell the API that it lives; the answer may stop it. */
  heartbeat(): void {
    this.#sender.heartbeat();
  }

  /** Ask it to stop, and kill it when it has not done so in time. Only the first reason counts. */
  stop(stop: Stop, graceMs: number = this.#parts.killGraceMs): void {
    if (this.#stop) return;
    this.#stop = stop;
    this.#killAtMs = this.#parts.clock.monotonicMs() + graceMs;
    this.#stopping.abort();
    if (graceMs > 0) this.#job?.cancel(stop.by ?? stop.reason);
    else this.#kill();
  }

  /** Look at time and memory; returns in how many milliseconds to look again. */
  watch(): number {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs >= this.#killAtMs) {
      this.#killAtMs = Infinity;
      this.#kill();
    }
    const { timeoutMs } = this.#workload.task;
    const leftMs = timeoutMs === null ? Infinity : this.#startedMs + timeoutMs - nowMs;
    if (leftMs <= 0) this.stop({ reason: "timeout" });
    const next = Math.min(
      this.#watchMemory(),
      this.#killAtMs - nowMs,
      this.#stop ? WATCH_MS : leftMs,
    );
    return Math.max(WATCH_MS_MIN, next);
  }

  #kill(): void {
    if (!this.#job) return;
    const reason = this.#stop!.reason;
    this.#parts.metrics.inc("tidewheel_worker_children_killed_total", { reason });
    this.#job.kill();
  }

  #watchMemory(): number {
    const usage = this.#job?.usage();
    if (!usage) return WATCH_MS;
    const { memoryBytesMax } = this.#workload.task;
    const { enginePid } = this.#asks;
    const engineBytes = enginePid === null ? 0 : residentBytes(enginePid) ?? 0;
    const bytes = Math.max(usage.rssBytes, engineBytes - ENGINE_SLACK_BYTES);
    this.#cpuMs = usage.cpuMs;
    this.#rssBytesMax = Math.max(this.#rssBytesMax ?? 0, bytes);
    if (bytes > memoryBytesMax) this.stop({ reason: "memory_limit" }, 0);
    return bytes > memoryBytesMax / 2 ? WATCH_MS_MIN : WATCH_MS;
  }

  async #live(): Promise<void> {
    const { tracer, log, metrics, clock } = this.#parts;
    let end: AttemptEnd;
    try {
      end = this.#endOf(tracer.enabled ? await this.#traced(tracer) : await this.#run(null));
    } catch (error) {
      log.error("Could not run an attempt", { attempt: this.id, error: messageOf(error) });
      end = this.#endOf(failedEnd("never_started", { message: messageOf(error) }));
    }
    this.#hasEnded.resolve();
    const { operator } = this.#workload.task;
    const seconds = (clock.monotonicMs() - this.#startedMs) / 1000;
    metrics.observe("tidewheel_task_duration_seconds", { operator }, seconds);
    if (this.#stop?.reason === "not_ours") return this.#sender.abandon();
    await this.#sender.end(end);
  }

  #traced(tracer: Tracer): Promise<EndVerdict> {
    const { dagId, runId, tryNumber, mapIndex, task, traceParent } = this.#workload;
    const attributes = {
      "tidewheel.dag_id": dagId,
      "tidewheel.run_id": runId,
      "tidewheel.task_id": task.taskId,
      "tidewheel.map_index": mapIndex,
      "tidewheel.try_number": tryNumber,
      "tidewheel.operator": task.operator,
    };
    return tracer.span("attempt", attributes, traceParent, async (span) => {
      const verdict = await this.#run(span.traceParent);
      span.set({ "tidewheel.end_reason": verdict.endReason });
      return verdict;
    });
  }

  async #run(traceParent: string | null): Promise<EndVerdict> {
    const job = await this.#runJob(traceParent);
    if (this.#asks.isOpen) await this.#asks.close();
    const { task, bundle, attemptId } = this.#workload;
    let verdict = decideEnd({ job, stop: this.#stop, task, rssBytesMax: this.#rssBytesMax });
    const bytes = job.kind === "outcome" ? job.bytes : null;
    if (bytes !== null && (bytes === 0 || bytes > limits.outputInlineBytes)) {
      verdict = await placeOutput(verdict, { ...this.#parts, attemptId });
    }
    if (verdict.endReason === "bundle") this.#parts.bundles.forget(bundle.hash);
    if (verdict.outcome === null) this.#explain(verdict);
    return verdict;
  }

  async #runJob(traceParent: string | null): Promise<JobEnd> {
    const { executor, tracer } = this.#parts;
    const prepared = await this.#prepare(traceParent);
    if ("kind" in prepared) return prepared;
    const { log } = this.#sender;
    const { operator } = this.#workload.task;
    const job = this.#job = executor.run(prepared, {
      log: (level, message, fields) => log.add({ level, from: "task", message, fields }),
      ask: (ask, folders) => this.#asks.answer(ask, folders),
      pressure: () => log.pressure(),
    });
    const attributes = { "tidewheel.operator": operator };
    return await tracer.span("operator.run", attributes, traceParent, () => job.ended);
  }

  /** Bring the code and find out what the process may do. */
  async #prepare(traceParent: string | null): Promise<JobSpec | JobEnd> {
    const { clock, random, bundles } = this.#parts;
    const { token: _, ...workload } = this.#workload;
    const { hash } = workload.bundle;
    const retry = { clock, random, signal: this.#stopping.signal };
    let code: JobCode;
    try {
      code = await retryWhileAway(() => bundles.get(hash, this.#sender.token), retry);
    } catch (error) {
      const failure = { name: "Error", message: messageOf(error) };
      return { kind: "failed", error: { ...failure, detail: { endReason: "bundle" } } };
    }
    try {
      const connect = (id: string) => this.#asks.connection(id);
      const permissions = await resolvePermissions(workload.task, connect);
      if (this.#stop) return { kind: "not_started", message: "It was stopped before it began" };
      return { workload: traceParent ? { ...workload, traceParent } : workload, code, permissions };
    } catch (error) {
      const { code: why } = error as { code?: unknown };
      const failure = { name: "Error", message: messageOf(error) };
      return {
        kind: "failed",
        error: typeof why === "string" ? { ...failure, code: why } : failure,
      };
    }
  }

  #endOf(verdict: EndVerdict): AttemptEnd {
    return {
      ...verdict,
      endDate: this.#parts.clock.now().toISOString(),
      ...(this.#asks.label === null ? {} : { renderedMapIndex: this.#asks.label }),
      rssBytesMax: this.#rssBytesMax,
      cpuMs: this.#cpuMs,
    };
  }

  #refused({ status, reason }: CallResult): void {
    if (status === 409 && reason === "cancelling") this.stop({ reason: "cancelled" });
    else this.stop({ reason: "not_ours", by: reason });
  }

  /** The reason goes into the attempt's own log too: that is where its author looks. */
  #explain({ endReason, evidence }: EndVerdict): void {
    const stack = evidence.stack ? `\n${evidence.stack}` : "";
    const message = `${endReason}: ${evidence.message ?? ""}${stack}`;
    this.#sender.log.add({ level: "ERROR", from: "worker", message });
  }
}
