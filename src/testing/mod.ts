/**
 * @module What tests of DAGs import: the package `tidewheel/testing`. It runs a DAG as a scheduler
 * and a worker would, without a server and without a network.
 */
export { runDag } from "./run_dag.ts";
export type { DagTestRun, PublishedVersion, RunDagOptions, RunLogLine } from "./run_dag.ts";
export type { HttpReplies, HttpReply } from "./replies.ts";
