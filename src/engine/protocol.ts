/**
 * @module Messages between the engine's client and its process: one JSON object a line.
 *
 * The process takes one message at a time, but `interrupt` at any time.
 */
import type { EngineRequest, EngineResult } from "../contract/child.ts";
import type { ErrorCode } from "../model/errors.ts";

/** What an engine may use; fixed when it opens. */
export interface EngineSettings {
  /** Folders whose files SQL can read. Links that lead out of them are refused. */
  allowedDirectories: string[];
  /** Single files that SQL can read. */
  allowedPaths: string[];
  /** Data that queries hold in memory; past it they go to `tempDir`, then fail. */
  memoryBytes: number;
  threads: number;
  /** Where queries put what does not fit into memory, up to `tempBytesMax`. */
  tempDir: string;
  tempBytesMax: number;
}

/** A request as the process runs it: the target's statement is made here, its path is checked. */
export type ToEngine =
  | { type: "open"; settings: EngineSettings }
  | { type: "run"; request: EngineRequest }
  | { type: "interrupt" }
  | { type: "close" };

/** Answers, in the order of `open`, `run` and `close`; `ready` comes once, at the start. */
export type FromEngine =
  | { type: "ready" }
  | { type: "opened" }
  | { type: "result"; result: EngineResult }
  | { type: "failed"; code: ErrorCode; message: string }
  | { type: "closed" };

/** Rows of one answer at most. */
export const resultRowsMax = 100_000;
/** Characters of one answer at most. */
export const resultCharsMax = 64 * 1024 * 1024;
