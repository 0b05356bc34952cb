/** @module States and kinds of a DAG run. */

/** Airflow 3's DAG run states. */
export const runStates = ["queued", "running", "success", "failed"] as const;
/** One of {@link runStates}. */
export type RunState = (typeof runStates)[number];

/** Why a run exists. */
export const runTypes = [
  "scheduled",
  "manual",
  "backfill",
  "asset_triggered",
  "asset_materialization",
] as const;
/** One of {@link runTypes}. */
export type RunType = (typeof runTypes)[number];

/** Has the run ended? */
export function isRunFinished(state: RunState): boolean {
  return state === "success" || state === "failed";
}
