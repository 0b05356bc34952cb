/** @module What a task can wait for with `defer()`: data that the triggers service looks at. */
import type { TriggerSpec } from "../model/trigger.ts";
import { type Duration, durationMs } from "./duration.ts";

/** Which run: of its DAG by its id, or by its logical date. */
export type RunOfDag =
  & { dag: string }
  & ({ runId: string; logicalDate?: undefined } | { logicalDate: Date; runId?: undefined });

/** How a run ends. */
export type RunEnd = "success" | "failed";
/** How a task ends; a cancelled one counts as failed. */
export type TaskEnd = "success" | "failed" | "skipped" | "upstream_failed" | "removed";

/**
 * Triggers for `defer({ trigger })`.
 *
 * @example
 * ```ts
 * import { dag, defer, task, triggers } from "tidewheel";
 *
 * export default dag({ id: "nightly", schedule: "@daily", start: "2026-01-01" }, () => {
 *   task({ id: "load" }, (ctx) => {
 *     if (ctx.resumedWith === null) {
 *       const trigger = triggers.dataset("prices.daily", ctx.interval.date);
 *       return defer({ trigger, timeout: { hours: 6 } });
 *     }
 *     return 1;
 *   });
 * });
 * ```
 */
export const triggers = {
  /** An instant. */
  time: (at: Date): TriggerSpec => ({ kind: "time", at: at.toISOString() }),
  /** A dataset's partition has a version, or an event from outside; null: any partition. */
  dataset: (dataset: string, partition: string | null = null): TriggerSpec => ({
    kind: "dataset",
    dataset,
    partition,
  }),
  /** A run has ended in one of these states. Its event is `{ run_id, state }`. */
  run: (run: RunOfDag, states: RunEnd[] = ["success"]): TriggerSpec => ({
    kind: "run",
    ...runOf(run),
    states,
  }),
  /** All instances of a task of a run, or one of them, have ended in one of these states. */
  task: (
    { task, mapIndex, ...run }: RunOfDag & { task: string; mapIndex?: number },
    states: TaskEnd[] = ["success"],
  ): TriggerSpec => ({
    kind: "task",
    ...runOf(run as RunOfDag),
    taskId: task,
    ...(mapIndex === undefined ? {} : { mapIndex }),
    states,
  }),
  /** A file is there, at an absolute path below a folder that the task may read. */
  file: (path: string, { every = { minutes: 1 } }: { every?: Duration } = {}): TriggerSpec => ({
    kind: "file",
    path,
    everyMs: durationMs(every, '"every" of the file trigger'),
  }),
};

function runOf({ dag, runId, logicalDate }: RunOfDag) {
  return runId === undefined
    ? { dagId: dag, logicalDate: logicalDate!.toISOString() }
    : { dagId: dag, runId };
}
