/** @module Structured logs: one JSON object a line, on standard error. */
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";

/** Levels from most to least talkative. */
export const logLevels = ["DEBUG", "INFO", "WARN", "ERROR"] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** Fields that go with a message; values must be safe to show. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes log lines. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  with(fields: LogFields): Logger;
}

/** What a line goes to. */
export type LogSink = (level: LogLevel, message: string, fields: LogFields) => void;

/** A logger over any sink. */
export function logger(sink: LogSink, fields: LogFields = {}): Logger {
  const write = (level: LogLevel) => (message: string, more: LogFields = {}) =>
    sink(level, message, { ...fields, ...more });
  return {
    debug: write("DEBUG"),
    info: write("INFO"),
    warn: write("WARN"),
    error: write("ERROR"),
    with: (more) => logger(sink, { ...fields, ...more }),
  };
}

/** Lines of at least `level` as JSON on standard error. */
export function jsonLogger(
  { level = "INFO", clock = systemClock }: { level?: LogLevel; clock?: Clock } = {},
): Logger {
  const least = logLevels.indexOf(level);
  const encoder = new TextEncoder();
  return logger((at, message, fields) => {
    if (logLevels.indexOf(at) < least) return;
    const line = JSON.stringify({ at: clock.now().toISOString(), level: at, message, ...fields });
    Deno.stderr.writeSync(encoder.encode(line + "\n"));
  });
}

/** A logger that says nothing: for tests. */
export const silentLogger: Logger = logger(() => {});
