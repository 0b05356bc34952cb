/** @module The Task Execution API by itself: what workers call, over HTTP or within the process. */
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type {
  BatchResponse,
  ClaimRequest,
  ClaimResponse,
  ConnectionSecret,
  Workload,
} from "../../contract/execution.ts";
import type { DatasetVersionInfo } from "../../contract/dataset.ts";
import type { TaskSpec } from "../../model/dag_spec.ts";
import { AppError } from "../../model/errors.ts";
import type { AttemptLogs } from "../../logs/port.ts";
import type { Metrics } from "../../metrics/registry.ts";
import type { Tracer } from "../../metrics/trace.ts";
import type { ObjectStore } from "../../objects/port.ts";
import type { HandOver } from "../../store/hand_over.ts";
import type { EngineStore } from "../../store/port.ts";
import type { AttemptClaims, TokenMint } from "../attempt_token.ts";
import { type Calls, executionCalls, type RawCall } from "./batch.ts";
import { claimDesk } from "./claim.ts";
import type { Versions } from "./versions.ts";
import { workloadBuilder } from "./workload.ts";

/** What attempts may read beside their workload. */
export interface ExecutionLookups {
  /** With its secrets; the read is audited. Throws NOT_FOUND. */
  connection(connectionId: string, reader: AttemptClaims): Promise<ConnectionSecret>;
  /** Throws NOT_FOUND. */
  variable(key: string, reader: AttemptClaims): Promise<unknown>;
  latestDataset(dataset: string, partition: string | null): Promise<DatasetVersionInfo | null>;
}

/** What it needs. */
export interface ExecutionParts {
  store: EngineStore;
  objects: ObjectStore;
  logs: AttemptLogs;
  mint: TokenMint;
  versions: Versions;
  clock: Clock;
  random: Random;
  log: Logger;
  metrics: Metrics;
  tracer: Tracer;
  handOver?: HandOver;
}

/** The calls of workers and attempts, past the check of their tokens but for the batch's own. */
export interface Execution {
  readonly calls: Calls;
  /** `allowed`: queues of the worker's token. Throws FORBIDDEN for another queue. */
  claim(
    allowed: readonly string[],
    request: ClaimRequest,
    signal?: AbortSignal,
  ): Promise<ClaimResponse>;
  /** Throws INVALID when it is not a list of calls at all. */
  batch(request: unknown): Promise<BatchResponse>;
  /** The workload of an attempt that runs; throws STALE_ATTEMPT or GONE. */
  workload(attempt: AttemptClaims): Promise<Workload>;
  /** The attempt, when it runs; throws STALE_ATTEMPT or GONE. */
  running(attempt: AttemptClaims): Promise<AttemptClaims>;
  taskOf(attempt: AttemptClaims): Promise<TaskSpec>;
  /** Output of a task in the attempt's run; undefined where there is none. */
  output(attempt: AttemptClaims, taskId: string, mapIndex: number): Promise<unknown>;
  /** Listen for hints; without it claims see new work at their sweeps only. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** An execution API over the store. */
export function createExecution(parts: ExecutionParts): Execution {
  const { store, versions, objects } = parts;
  const workloads = workloadBuilder(parts);
  const desk = claimDesk({ ...parts, workloads });
  const calls = executionCalls({ ...parts, onEnded: desk.forget });
  let subscription: { stop(): Promise<void> } | null = null;

  async function running(attempt: AttemptClaims): Promise<AttemptClaims> {
    const { status, reason } = await calls.heartbeat(attempt);
    if (status === 204) return attempt;
    throw new AppError(
      status === 410 ? "GONE" : "STALE_ATTEMPT",
      `Cannot act for attempt ${attempt.attemptId} of task "${attempt.taskId}": it is ` +
        (reason === "cancelling" ? "being cancelled" : "over"),
      { detail: { reason } },
    );
  }

  return {
    calls,
    async claim(allowed, request, signal) {
      const queue = request.queues.find((each) =>
        !allowed.includes("*") && !allowed.includes(each)
      );
      if (queue === undefined) return await desk.claim(request, signal);
      throw new AppError(
        "FORBIDDEN",
        `Cannot claim from the queue "${queue}": the worker's token is for ${allowed.join(", ")}`,
      );
    },
    async batch(request) {
      const list = (request as { calls?: unknown } | null)?.calls;
      if (!Array.isArray(list) || list.length === 0 || list.length > limits.executionBatch) {
        throw new AppError(
          "INVALID",
          `Cannot read the batch: "calls" must be a list of 1 to ${limits.executionBatch} calls`,
        );
      }
      parts.metrics.observe("tidewheel_execution_batch_calls", undefined, list.length);
      return { results: await calls.run(list as RawCall[]) };
    },
    async workload(attempt) {
      await running(attempt);
      const [[task], [snapshot]] = await Promise.all([
        store.loadTasks([attempt.taskInstanceId]),
        store.loadRuns([attempt.dagRunId]),
      ]);
      const { clock } = parts;
      const { dagId, taskId, mapIndex } = attempt;
      const [built] = await workloads.build([{
        task,
        run: snapshot.run,
        state: await store.loadTaskState(dagId, taskId, mapIndex),
        resumption: await store.loadResumption(attempt.taskInstanceId),
        attempt: {
          id: attempt.attemptId,
          taskInstanceId: attempt.taskInstanceId,
          tryNumber: attempt.tryNumber,
          state: "running",
          endReason: null,
          evidence: {},
          workerId: null,
          hostname: null,
          pid: null,
          queuedAt: task.queuedAt ?? clock.now(),
          startDate: task.startDate,
          endDate: null,
        },
      }]);
      if (built instanceof AppError) throw built;
      return built;
    },
    running,
    async taskOf(attempt) {
      const version = await versions.get(attempt.dagVersionId);
      const task = version.tasks.get(attempt.taskId);
      if (task) return task;
      throw new AppError("NOT_FOUND", `Cannot find task "${attempt.taskId}" in its DAG's version`);
    },
    async output(attempt, taskId, mapIndex) {
      await running(attempt);
      const [found] = await store.loadOutputs(attempt.dagRunId, [taskId], mapIndex);
      if (!found) return undefined;
      if (found.outputKey === null) return found.output;
      return JSON.parse(new TextDecoder().decode(await objects.get(found.outputKey)));
    },
    async start() {
      subscription ??= await store.listen(desk.onHint);
    },
    async stop() {
      desk.close();
      await subscription?.stop();
      subscription = null;
    },
  };
}
