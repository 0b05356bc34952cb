/** @module The nouns of the metadata database as the engine sees them. */
import type { EndEvidence, EndReason } from "./end_reason.ts";
import type { RunState, RunType } from "./run_state.ts";
import type { PoolClosings } from "./schedule_spec.ts";
import type { TaskState } from "./task_state.ts";

/** One execution of a DAG for a data interval. `id` is a UUIDv7; `runId` the name that people see. */
export interface DagRun {
  id: string;
  dagId: string;
  runId: string;
  runType: RunType;
  state: RunState;
  /** Of a run for one partition of the datasets that it waits for: its key. */
  partitionKey: string | null;
  logicalDate: Date | null;
  dataIntervalStart: Date | null;
  dataIntervalEnd: Date | null;
  runAfter: Date;
  queuedAt: Date;
  startDate: Date | null;
  endDate: Date | null;
  conf: Record<string, unknown>;
  dagVersionId: string;
  backfillId: string | null;
  /** Its place among the runs of its backfill, from 1; left out or null elsewhere. */
  backfillOrdinal?: number | null;
  /** Asked to stop: its unfinished tasks are cancelled, then it fails. */
  cancelRequestedAt: Date | null;
  /** W3C traceparent that started it. */
  traceParent: string | null;
}

/** One task of one run; `mapIndex` is -1 when not mapped or not yet expanded. */
export interface TaskInstance {
  id: string;
  dagRunId: string;
  taskId: string;
  mapIndex: number;
  state: TaskState;
  /** The attempt that may speak for it; null before the first. */
  attemptId: string | null;
  /** Attempts that count: 0 before the first. */
  tryNumber: number;
  /** Last try number that may be followed by a retry: retries, raised by each clear. */
  maxTries: number;
  /** Requeues after infrastructure losses; they do not count as tries. */
  infraLosses: number;
  /** Not before this instant: retries and reschedules; of a parked one: when its wait is over. */
  nextTryAt: Date | null;
  /** Length of the array that it put out, for tasks mapped over it; null when not an array. */
  outputLength: number | null;
  /** For a branch: the direct downstream tasks that go on. */
  chosen: string[] | null;
  queuedAt: Date | null;
  startDate: Date | null;
  endDate: Date | null;
  /** Starts without a look at what comes before it: somebody asked for it alone. */
  isForced: boolean;
}

/** One try of a task instance. */
export interface Attempt {
  id: string;
  taskInstanceId: string;
  tryNumber: number;
  state: "queued" | "running" | "cancelling" | "ended";
  endReason: EndReason | null;
  evidence: EndEvidence;
  workerId: string | null;
  hostname: string | null;
  pid: number | null;
  queuedAt: Date;
  startDate: Date | null;
  endDate: Date | null;
}

/** A pool's limit; -1 is without limit. */
export interface Pool {
  name: string;
  slots: number;
  /** Null, or left out: it is never closed. */
  closings?: PoolClosings | null;
  /** Deferred instances keep their slots; left out: they do not. */
  includeDeferred?: boolean;
}

/** Something new in a dataset, as those see it that wait for it: a version, or word from outside. */
export interface DatasetEvent {
  id: string;
  dataset: string;
  /** Null: it is of no partition. */
  partition: string | null;
  /** Null: it came from outside, with no version. */
  version: number | null;
  /** What tells it from others of its dataset, where its source gave that: once only. */
  key: string | null;
  extra: Record<string, unknown>;
  createdAt: Date;
}
