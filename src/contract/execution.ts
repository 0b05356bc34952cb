/**
 * @module Task Execution API: every message between a worker's supervisor and the API.
 *
 * The shape is AIP-72's. `{id}` in its paths is the attempt's UUID. A worker token claims work; all
 * else carries the token of one attempt. Single routes (`PATCH /execution/task-instances/{id}/run`,
 * `…/state`, `PUT …/heartbeat`, …) and `POST /execution/batch` run the same calls.
 */
import { z } from "zod";
import { EndEvidenceShape, EndReasonShape } from "./shapes.ts";
import { Outcome } from "../model/outcome.ts";
import { Resumption } from "../model/trigger.ts";
import { TaskSpec } from "../model/dag_spec.ts";

const Instant = z.iso.datetime({ offset: true });

/** Where an attempt's code comes from. */
export const BundleRef = z.object({
  hash: z.string().regex(/^[0-9a-f]{64}$/).meta({ doc: "GET /execution/bundles/{hash}" }),
  entry: z.string().meta({ doc: "Module that exports the DAG", example: "eod_prices.ts" }),
});
/** See {@link BundleRef}. */
export type BundleRef = z.infer<typeof BundleRef>;

/** What a supervisor needs to run one attempt; the answer to a claim and to `run`. */
export const Workload = z.object({
  attemptId: z.uuid(),
  token: z.string(),
  taskInstanceId: z.uuid(),
  dagId: z.string(),
  runId: z.string(),
  dagRunId: z.uuid(),
  mapIndex: z.int(),
  tryNumber: z.int(),
  maxTries: z.int(),
  task: TaskSpec,
  bundle: BundleRef,
  run: z.object({
    runType: z.string(),
    logicalDate: Instant.nullable(),
    dataIntervalStart: Instant.nullable(),
    dataIntervalEnd: Instant.nullable(),
    runAfter: Instant,
    conf: z.record(z.string(), z.json()),
    timezone: z.string(),
    intervalDate: z.iso.date().optional().meta({
      doc: "Of a session: its trade date; without it, the interval's start in the zone",
    }),
    partition: z.string().optional().meta({ doc: "Of a run for one partition of its datasets" }),
    datasetEvents: z.array(z.object({
      dataset: z.string(),
      partition: z.string().nullable(),
      version: z.int().nullable().meta({ doc: "Null: word from outside, of no version" }),
      key: z.string().nullable().default(null),
      extra: z.record(z.string(), z.json()).default({}),
      createdAt: Instant,
    })).optional().meta({ doc: "Of a run that datasets started: the events that it has taken" }),
    isNewest: z.boolean().optional().meta({
      doc: "For a task that goes by it: no later run of the DAG is due yet",
    }),
    previousSuccess: z.object({
      runId: z.string(),
      logicalDate: Instant.nullable(),
      dataIntervalEnd: Instant.nullable(),
    }).nullable(),
  }),
  /**
   * Inputs by name. An output above the inline limit is `{"$object": key}` in object storage, alone
   * or inside an array of outputs.
   */
  inputs: z.record(z.string(), z.json()),
  /** The task's durable state as left by its last success. */
  state: z.record(z.string(), z.json()),
  resumption: Resumption.optional().meta({ doc: "Of an attempt that goes on after a wait" }),
  traceParent: z.string().nullable(),
});
/** See {@link Workload}. */
export type Workload = z.infer<typeof Workload>;

/** `POST /execution/claim`: give this worker up to `slots` queued attempts, and mark them running. */
export const ClaimRequest = z.object({
  workerId: z.string().min(1).max(200),
  hostname: z.string(),
  pid: z.int(),
  queues: z.array(z.string()).min(1).meta({ doc: "Queues to take from; `*`: all" }),
  slots: z.int().min(0).max(1024).meta({ doc: "0: only wait for `stop`" }),
  waitMs: z.int().min(0).default(0),
  version: z.string().meta({ doc: "Product version of the worker" }),
});
/** See {@link ClaimRequest}. */
export type ClaimRequest = z.infer<typeof ClaimRequest>;

/** Answer to {@link ClaimRequest}. */
export const ClaimResponse = z.object({
  workloads: z.array(Workload),
  /** Attempts of this worker that were cancelled or cleared: heartbeat them now to learn why. */
  stop: z.array(z.uuid()).default([]),
});
/** See {@link ClaimResponse}. */
export type ClaimResponse = z.infer<typeof ClaimResponse>;

/** One log line of an attempt. */
export const LogLine = z.object({
  at: Instant,
  level: z.enum(["DEBUG", "INFO", "WARN", "ERROR"]),
  /** `task`: the user's code; `worker`: the supervisor. */
  from: z.enum(["task", "worker"]),
  message: z.string(),
  fields: z.record(z.string(), z.json()).optional(),
});
/** See {@link LogLine}. */
export type LogLine = z.infer<typeof LogLine>;

/** How an attempt ended, as the supervisor saw it. */
export const AttemptEnd = z.object({
  outcome: Outcome.nullable().meta({ doc: "Null when the task failed or was stopped" }),
  /** Set when the output was too large to go inline and was put into object storage. */
  outputKey: z.string().nullable().default(null),
  outputLength: z.int().nullable().default(null),
  endReason: EndReasonShape,
  evidence: EndEvidenceShape.default({}),
  /** A retry is pointless: the task said so. */
  final: z.boolean().default(false),
  endDate: Instant,
  renderedMapIndex: z.string().max(250).optional().meta({
    doc: "What the instance of a mapped task is shown by",
  }),
  rssBytesMax: z.int().nullable().default(null),
  cpuMs: z.number().nullable().default(null),
});
/** See {@link AttemptEnd}. */
export type AttemptEnd = z.infer<typeof AttemptEnd>;

/** One call inside a batch. */
export const ExecutionCall = z.discriminatedUnion("call", [
  z.object({ call: z.literal("heartbeat"), attemptId: z.uuid(), token: z.string() }),
  z.object({ call: z.literal("end"), attemptId: z.uuid(), token: z.string(), end: AttemptEnd }),
  z.object({
    call: z.literal("log"),
    attemptId: z.uuid(),
    token: z.string(),
    /** Number of the first line within the attempt, from 0: repeats are recognised and dropped. */
    from: z.int().nonnegative(),
    lines: z.array(LogLine).max(1000),
  }),
]);
/** See {@link ExecutionCall}. */
export type ExecutionCall = z.infer<typeof ExecutionCall>;

/** `POST /execution/batch`: calls of several attempts, fenced one by one, answered after commit. */
export const BatchRequest = z.object({ calls: z.array(ExecutionCall).min(1).max(256) });
/** See {@link BatchRequest}. */
export type BatchRequest = z.infer<typeof BatchRequest>;

/** Result of one call, in the order of the calls: an HTTP status with its reason. */
export const CallResult = z.object({
  status: z.union([
    z.literal(200),
    z.literal(204),
    z.literal(400),
    z.literal(401),
    z.literal(409),
    z.literal(410),
    z.literal(413),
    z.literal(500),
    z.literal(507),
  ]),
  reason: z.string().optional().meta({
    example: "not_running",
    doc: "With 409 (cancelling, not_running) and 410 (a newer attempt speaks): stop the task",
  }),
  token: z.string().optional().meta({
    doc:
      "With a heartbeat, when the attempt's token is past half its life: use this one from now on",
  }),
});
/** See {@link CallResult}. */
export type CallResult = z.infer<typeof CallResult>;

/** Answer to {@link BatchRequest}. */
export const BatchResponse = z.object({ results: z.array(CallResult) });
/** See {@link BatchResponse}. */
export type BatchResponse = z.infer<typeof BatchResponse>;

/** `GET /execution/connections/{id}`: a declared connection with its secrets in clear. */
export const ConnectionSecret = z.object({
  connectionId: z.string(),
  connType: z.string(),
  host: z.string().nullable(),
  port: z.int().nullable(),
  schema: z.string().nullable(),
  login: z.string().nullable(),
  password: z.string().nullable(),
  extra: z.record(z.string(), z.json()),
});
/** See {@link ConnectionSecret}. */
export type ConnectionSecret = z.infer<typeof ConnectionSecret>;
