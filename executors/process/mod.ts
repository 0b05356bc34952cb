/** @module Runs attempts in child processes of this machine, warm ones where that is safe. */
export { processExecutor, type ProcessExecutorOptions, type TaskUser } from "./process_executor.ts";
