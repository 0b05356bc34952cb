/** @module Logs of attempts. */
export { fileLogs, type FileLogsParts } from "./file_logs.ts";
export { logKey } from "./log_key.ts";
export type { AttemptLogs, AttemptPhase, LogChunk, StoredLine } from "./port.ts";
