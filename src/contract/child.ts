/**
 * @module Frames between a supervisor and its child.
 *
 * One frame a line on the child's standard input and output: `\x1e<nonce> <json>\n`. The nonce is the
 * first line that the child gets; what the child prints without it is the user's own output and goes
 * into the log. The child holds no token: whatever it needs it asks its supervisor for.
 */
import type { Workload } from "./execution.ts";
import type { FileRef } from "../model/data.ts";
import type { Outcome } from "../model/outcome.ts";
import type { LogLine } from "./execution.ts";

/** Opens each frame. */
export const frameMark = "\x1e";

/** What a child is given to run: the workload without its token, and its folders. */
export interface ChildTask {
  workload: Omit<Workload, "token">;
  /** Folder with the verified bundle, read only. */
  bundleDir: string;
  /** The attempt's own folder; the only one that it may write. */
  workDir: string;
}

/** Supervisor → child. */
export type ToChild =
  | { type: "run"; task: ChildTask }
  | { type: "cancel"; reason: string }
  | { type: "reply"; id: number; value?: unknown; error?: ChildError };

/** Child → supervisor. */
export type FromChild =
  | { type: "ready" }
  | { type: "log"; level: LogLine["level"]; message: string; fields?: LogLine["fields"] }
  | { type: "ask"; id: number; ask: Ask }
  | { type: "outcome"; outcome: Outcome }
  /** `exiting`: an error that nobody caught; the child ends itself and takes no further task. */
  | { type: "failed"; error: ChildError; exiting?: true };

/** An error that crossed the boundary. */
export interface ChildError {
  name: string;
  code?: string;
  /** Names of its class and of those that this one extends. */
  classes?: string[];
  message: string;
  stack?: string;
  /** Thrown as final: no retry. */
  final?: boolean;
  detail?: Record<string, unknown>;
}

/** What a child may ask for; the supervisor checks each against the task's declaration. */
export type Ask =
  | { what: "connection"; connectionId: string }
  /** A local path at which the stored file can be read. */
  | { what: "file.open"; key: string }
  /** Hash a file of the work folder and move it into object storage. */
  | { what: "file.put"; path: string; name?: string; mediaType?: string; rows?: number }
  /** A run of statements in the attempt's engine process. */
  | { what: "engine"; request: EngineRequest }
  | { what: "dataset.latest"; dataset: string; partition: string | null }
  | { what: "variable"; key: string }
  /** What the instance is shown by from now on. */
  | { what: "label"; label: string };

/** What the engine process is asked for; see `src/engine/`. */
export interface EngineRequest {
  sql: string;
  params?: unknown[];
  /** Rows wanted back: at most this many, values as {@link EngineValue}. */
  rowsMax?: number;
  /** `sql` is one SELECT, whose rows go into a new file; `rowsChanged` is their number. */
  to?: EngineTarget;
}

/** A file that the engine writes. Only this writes files: SQL itself never does. */
export interface EngineTarget {
  /** In the work folder; no file may be there yet. */
  path: string;
  format: "parquet" | "text";
  /** Parquet; the default is lz4, for files between tasks. */
  compression?: "lz4" | "zstd" | "snappy";
  /** Parquet: plain pages in small row groups, for a reader that is not the engine. */
  isPlain?: boolean;
  /** Text: one line a row, with quotes where they are needed. */
  text?: {
    /** Between columns; the default is a comma. */
    delimiter?: string;
    /** First line with the columns' names; the default is true. */
    header?: boolean;
    /** `false`: the rows have one column of finished text, written as it is. */
    quote?: boolean;
    /** Text before the first row, between rows (a line's end) and after the last. */
    prefix?: string;
    newLine?: string;
    suffix?: string;
  };
}

/** JSON-safe values: integers past 2^53, decimals, dates and timestamps come as strings. */
export type EngineValue = string | number | boolean | null | EngineValue[] | {
  [key: string]: EngineValue;
};

/** Answer of the engine. */
export interface EngineResult {
  columns: { name: string; type: string }[];
  rows: EngineValue[][];
  rowsChanged: number;
}

/** Types of the answers, by question. */
export interface Answers {
  "connection": import("./execution.ts").ConnectionSecret;
  "file.open": string;
  "file.put": FileRef;
  "engine": EngineResult;
  "dataset.latest": import("./dataset.ts").DatasetVersionInfo | null;
  "variable": unknown;
  "label": null;
}
