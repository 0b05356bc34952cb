/** @module States of a task instance and every legal move between them. */
import { IllegalTransitionError } from "./errors.ts";

/** Airflow 3's states, with `none` for its null, plus `cancelling` and `cancelled`. */
export const taskStates = [
  "none",
  "scheduled",
  "queued",
  "running",
  "cancelling",
  "success",
  "failed",
  "cancelled",
  "skipped",
  "upstream_failed",
  "removed",
  "up_for_retry",
  "up_for_reschedule",
  "deferred",
  "awaiting_input",
] as const;
/** One of {@link taskStates}. */
export type TaskState = (typeof taskStates)[number];

/** What can happen to a task instance. */
export type TaskEvent =
  | "schedule"
  | "queue"
  | "run"
  | "succeed"
  | "skip"
  | "retry"
  | "reschedule"
  | "defer"
  | "ask"
  | "resume"
  | "fail"
  | "lose"
  | "cancel"
  | "confirm_cancelled"
  | "confirm_cleared"
  | "upstream_fail"
  | "remove"
  | "clear"
  | "set_success"
  | "set_failed"
  | "set_skipped"
  | "confirm_success"
  | "confirm_failed"
  | "confirm_skipped";

/** States that a person may give to a task instance. */
export const handStates = ["success", "failed", "skipped"] as const;
/** One of {@link handStates}. */
export type HandState = (typeof handStates)[number];

type Moves = Readonly<Partial<Record<TaskEvent, TaskState>>>;

const byHand: Moves = { set_success: "success", set_failed: "failed", set_skipped: "skipped" };
const waiting: Moves = {
  ...byHand,
  schedule: "scheduled",
  skip: "skipped",
  upstream_fail: "upstream_failed",
  // It cannot be started at all: what it is mapped over is too long, or no array.
  fail: "failed",
  remove: "removed",
  cancel: "cancelled",
  clear: "none",
};
/** It has no attempt, slot or process; something else happens first, or its time is up. */
const parked: Moves = {
  ...byHand,
  resume: "scheduled",
  // Its run fails fast.
  skip: "skipped",
  remove: "removed",
  cancel: "cancelled",
  clear: "none",
};
const ended: Moves = { ...byHand, clear: "none", remove: "removed" };

/** Every legal move; docs, the SQL check and the UI legend are printed from this. */
export const taskTransitions: Readonly<Record<TaskState, Moves>> = {
  none: waiting,
  scheduled: { ...waiting, queue: "queued" },
  queued: { ...byHand, run: "running", lose: "scheduled", cancel: "cancelled", clear: "none" },
  running: {
    succeed: "success",
    skip: "skipped",
    retry: "up_for_retry",
    reschedule: "up_for_reschedule",
    defer: "deferred",
    ask: "awaiting_input",
    fail: "failed",
    lose: "scheduled",
    cancel: "cancelling",
    set_success: "cancelling",
    set_failed: "cancelling",
    set_skipped: "cancelling",
  },
  cancelling: {
    confirm_cancelled: "cancelled",
    confirm_cleared: "none",
    set_success: "cancelling",
    set_failed: "cancelling",
    set_skipped: "cancelling",
    confirm_success: "success",
    confirm_failed: "failed",
    confirm_skipped: "skipped",
  },
  up_for_retry: waiting,
  up_for_reschedule: waiting,
  deferred: parked,
  awaiting_input: parked,
  success: ended,
  failed: ended,
  cancelled: ended,
  skipped: ended,
  upstream_failed: ended,
  removed: { clear: "none" },
};

/** The state after `event`; throws {@link IllegalTransitionError} where there is none. */
export function nextTaskState(from: TaskState, event: TaskEvent): TaskState {
  const to = taskTransitions[from][event];
  if (to === undefined) throw new IllegalTransitionError("task instance", from, event);
  return to;
}

/** States that nothing but a person or a changed DAG leaves. */
export const finishedTaskStates: ReadonlySet<TaskState> = new Set(
  [
    "success",
    "failed",
    "cancelled",
    "skipped",
    "upstream_failed",
    "removed",
  ] as const,
);

/** States that take a slot of a pool and of the DAG's limit. */
export const occupyingTaskStates: ReadonlySet<TaskState> = new Set(
  [
    "queued",
    "running",
    "cancelling",
  ] as const,
);

/** States without an attempt that end with an event, an answer or a deadline. */
export const parkedTaskStates: ReadonlySet<TaskState> = new Set(
  ["deferred", "awaiting_input"] as const,
);

/** Has the task instance ended? */
export function isFinished(state: TaskState): boolean {
  return finishedTaskStates.has(state);
}
