/** @module Runs attempts and tells the Task Execution API how they fare. */
export type { Fetch } from "./api_client.ts";
export type { Executor, ExecutorStats } from "./executor.ts";
export { inProcessExecutor, type InProcessOptions } from "./in_process.ts";
export { type WorkerOptions, type WorkerService, workerService } from "./worker_service.ts";
