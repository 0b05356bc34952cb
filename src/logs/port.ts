/** @module Logs of attempts: written from the first line, read while they grow, kept for ever after. */
import type { LogLine } from "../contract/execution.ts";

/** A line as it is stored; `n` numbers the lines of one attempt from 0. */
export type StoredLine = LogLine & { n: number };

/** What one append did. */
export interface Appended {
  /** Number of the line that is expected next. */
  next: number;
  /** False: the log is closed, since the attempt ended and its log was put away. */
  open: boolean;
}

/** A piece of a log. */
export interface LogChunk {
  lines: StoredLine[];
  /** Byte offset to go on from. */
  nextOffset: number;
  /** Is there more now, beyond `nextOffset`? */
  more: boolean;
}

/** Where an attempt stands, as far as its log cares; `missing`: its run was deleted. */
export type AttemptPhase = "live" | "ended" | "missing";

/** The logs of all attempts. */
export interface AttemptLogs {
  /** Say that an attempt is new, so that its first append need not look for an older log. */
  begin(attemptId: string): void;
  /** Store lines; those stored before (by number) are dropped. Throws DISK_FULL. */
  append(attemptId: string, from: number, lines: readonly LogLine[]): Promise<Appended>;
  /** Read whole lines from a byte offset, about `bytesMax` of them. No log yet: no lines. */
  read(attemptId: string, offset: number, options?: { bytesMax?: number }): Promise<LogChunk>;
  /** The attempt ended: put its log into object storage soon. */
  end(attemptId: string): void;
  /** Resolve when lines came, the attempt ended, or `ms` passed. */
  changed(attemptId: string, ms: number, signal?: AbortSignal): Promise<void>;
  /** Put away what ended while nobody was looking (restarts, lost workers). */
  sweep(): Promise<void>;
  /** Wait until all that ended is put away. */
  settle(): Promise<void>;
}
