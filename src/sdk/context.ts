/** @module What a task sees while it runs. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { EngineResult, EngineTarget } from "../contract/child.ts";
import type { DatasetVersionInfo } from "../contract/dataset.ts";
import type { ConnectionSecret } from "../contract/execution.ts";
import type { FileRef } from "../model/data.ts";
import type { RefValue } from "./ref.ts";

/** The data interval of a run: [start, end). `date` is the start's date in the DAG's time zone. */
export interface DataInterval {
  start: Date;
  end: Date;
  /** The start's date in the DAG's zone; of a session: its trade date. */
  date: string;
}

/** Facts of the run, all that a parameter function may depend on: same facts, same value. */
export interface RunFacts<Params = Record<string, unknown>> {
  dagId: string;
  runId: string;
  taskId: string;
  mapIndex: number;
  logicalDate: Date | null;
  /** Of a run for one partition of the datasets that it waits for: its key; else null. */
  partition: string | null;
  /** For a run without a logical date: the empty interval at `runAfter`. */
  interval: DataInterval;
  runAfter: Date;
  /** The DAG's params: defaults with the run's conf over them. */
  params: Params;
}

/** Files of the attempt and of its inputs. */
export interface TaskFiles {
  /** A local path at which a stored file can be read. */
  open(file: FileRef): Promise<string>;
  /** Hash a file in the work folder and move it into object storage, where it never changes. */
  put(
    path: string,
    options?: { name?: string; mediaType?: string; rows?: number },
  ): Promise<FileRef>;
}

/** SQL on files, in an engine process of its own: it sees the work folder and opened files only. */
export interface TaskEngine {
  /**
   * Run statements (DuckDB's dialect) and return the last one's rows, at most `rowsMax` (0).
   * Statements read files, and make tables, views and macros of their own; they write no files and
   * change no setting. `to` writes the rows of one SELECT into a new file of the work folder.
   */
  run(
    sql: string,
    options?: { params?: unknown[]; rowsMax?: number; to?: EngineTarget },
  ): Promise<EngineResult>;
}

/** Small durable values of a task that outlive its runs: cursors, watermarks, offsets. */
export interface TaskStateStore {
  get<T = unknown>(key: string): T | undefined;
  /** Written in the transaction of the task's success, never before; `null` removes. */
  set(key: string, value: unknown): void;
}

/** What a run was started for: a published version, or an event from outside. */
export interface DatasetEventFacts {
  dataset: string;
  partition: string | null;
  /** Null: it came from outside, with no version. */
  version: number | null;
  /** What tells it from the others of its source, where that says so. */
  key: string | null;
  /** What came with it. */
  extra: Readonly<Record<string, unknown>>;
  /** What a webhook's caller sent, or a message's value: JSON, or text; else null. */
  payload: unknown;
  createdAt: Date;
}

/** What ended a wait. */
export interface ResumedWith {
  /** What the trigger saw; null when time was up. */
  event: unknown;
  /** What `defer({ resume })` put aside. */
  data: unknown;
  timedOut: boolean;
  onTimeout: "fail" | "resume";
}

/** Everything a running task has. Nothing else is to be had: no token, no database, no network. */
export interface TaskContext<Params = Record<string, unknown>> extends RunFacts<Params> {
  attemptId: string;
  /** From 1. */
  tryNumber: number;
  log: Logger;
  /** Aborts on cancel, timeout and drain. */
  signal: AbortSignal;
  clock: Clock;
  /** The newest successful earlier run of the DAG. */
  previousSuccess: { runId: string; logicalDate: Date | null; dataIntervalEnd: Date | null } | null;
  /** Published versions that the run was started for, oldest first; see `onDatasets()`. */
  datasetEvents: readonly DatasetEventFacts[];
  /** The newest of them that came from outside: a webhook's call, a file, a message; else null. */
  event: DatasetEventFacts | null;
  state: TaskStateStore;
  /** Of an attempt that goes on after `defer()`: what happened; null when the task begins. */
  resumedWith: ResumedWith | null;
  /** The attempt's own empty folder; gone when the attempt ends. */
  workDir: string;
  files: TaskFiles;
  engine: TaskEngine;
  /** A connection that the task declared; FORBIDDEN for any other. */
  connection(connectionId: string): Promise<ConnectionSecret>;
  /** The newest version of a dataset's partition (of any partition: null), or null. */
  dataset(name: string, partition?: string | null): Promise<DatasetVersionInfo | null>;
  variable(key: string): Promise<unknown>;
}

/**
 * A parameter: a constant, a function of the run's facts (same facts, same value), or a value taken
 * from a task's output (`ref.value(…)`).
 */
export type Param<T> = T | ((facts: RunFacts) => T) | RefValue<T>;
