/** @module A task that lets only the newest run of its DAG go on. */
import { currentDag } from "./builder.ts";
import type { TaskOptions } from "./options.ts";
import type { TaskRef } from "./ref.ts";

/** Options of {@link latestOnly}. */
export type LatestOnlyOptions = Omit<TaskOptions, "setup" | "teardown" | "permissions">;

/**
 * Declare a task that skips the tasks right after it unless the run is for the DAG's newest interval:
 * the run after it is not due yet. Those further down go by their trigger rules. Runs by hand, and
 * runs without an interval, always go on.
 *
 * @example
 * ```ts
 * import { dag, latestOnly, task } from "tidewheel";
 *
 * export default dag({ id: "mail", schedule: "@daily", start: "2026-01-01", catchup: true }, () => {
 *   const load = task({ id: "load" }, () => 1);
 *   const latest = latestOnly({ id: "latest" });
 *   task({ id: "send_mail", after: [load, latest] }, () => 1);
 * });
 * ```
 */
export function latestOnly(options: LatestOnlyOptions): TaskRef<boolean> {
  const dag = currentDag(`latest only "${options?.id}"`);
  dag.checkOptions(options);
  return dag.add({
    operator: "latest_only",
    options,
    inputs: {},
    params: {},
    body: { kind: "latest" },
  });
}
