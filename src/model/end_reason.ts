/** @module Why an attempt ended: one word, the same in log, API, UI and alert. */
import type { Outcome } from "./outcome.ts";

/** The reasons, with the sentence that docs and pages show. */
export const endReasons = {
  success: "The task returned done",
  skipped: "The task returned skip",
  rescheduled: "The task asked to be started again later",
  deferred: "The task gave its slot up until its trigger fires",
  awaiting_input: "The task gave its slot up until a person answers",
  task_error: "The task's code threw",
  invalid_outcome: "The task returned something that is not an outcome, or broke its row equation",
  timeout: "The task ran longer than its timeout",
  memory_limit: "The task's process went past its limit of resident memory and was killed",
  child_exit: "The task's process ended by itself without an outcome",
  child_killed: "The task's process was killed by a signal from outside",
  permission: "The task asked for something that it did not declare",
  bundle: "The task's code could not be fetched, verified or imported",
  cancelled: "A person or the API cancelled it",
  cleared: "It was cleared while it ran",
  set_by_hand: "A person gave its task a state while it waited or ran",
  worker_lost: "The worker's heartbeat stood still; its process or machine is gone",
  drained: "The worker was stopped and gave the attempt back",
  never_started: "The attempt was handed out and its worker died before the task's code ran",
} as const;
/** One of {@link endReasons}. */
export type EndReason = keyof typeof endReasons;

/** The reason of an attempt that came back with an outcome, by the outcome's kind. */
export const outcomeReasons = {
  done: "success",
  skip: "skipped",
  retryAt: "rescheduled",
  defer: "deferred",
  ask: "awaiting_input",
} as const satisfies Record<Outcome["kind"], EndReason>;

/** Reasons that say nothing about the task: they never use up a retry. */
export const infrastructureReasons: ReadonlySet<EndReason> = new Set(
  ["worker_lost", "drained", "never_started"] as const,
);

/** Reasons by which a retry rule can tell failures apart: those that another try may change. */
export const retryableReasons = [
  "task_error",
  "invalid_outcome",
  "timeout",
  "memory_limit",
  "child_exit",
  "child_killed",
  "bundle",
] as const satisfies readonly EndReason[];

/** What is known of an error by which retry rules go. */
export interface ErrorFacts {
  name: string;
  code?: string;
  /** Names of its class and of those that this one extends. */
  classes: string[];
}

/** What backs an end reason up; every field that is known. */
export interface EndEvidence {
  message?: string;
  /** The error that the task's code threw. */
  error?: ErrorFacts;
  /** Why it is tried again, or not, where a rule or a budget decided that. */
  retryReason?: string;
  exitCode?: number;
  signal?: string;
  rssBytesMax?: number;
  limitBytes?: number;
  timeoutMs?: number;
  stack?: string;
  lastHeartbeatAt?: string;
  by?: string;
}
