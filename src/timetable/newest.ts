/** @module Is a run for the newest interval of its DAG? */
import type { DagSpec } from "../model/dag_spec.ts";
import { type Interval, isPeriodic, nextRunOf } from "./next_run.ts";

/**
 * Is no later run due yet at `now`? Schedules without intervals of their own have no later ones, and
 * what missed intervals are made up for does not matter: those that are left out were due too.
 */
export function isNewestInterval(
  spec: Omit<DagSpec, "tasks">,
  interval: Interval,
  now: Date,
): boolean {
  if (!isPeriodic(spec.schedule)) return true;
  const next = nextRunOf({ ...spec, catchup: true }, { lastInterval: interval, now });
  return next === null || next.runAfter > now;
}
