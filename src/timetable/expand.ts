/** @module All runs that a DAG's schedule makes in a stretch of time, by a clock that jumps. */
import type { DagSpec } from "../model/dag_spec.ts";
import { type DueRun, type Interval, nextRunOf } from "./next_run.ts";

/** A run, and when it would be made. */
export interface ExpandedRun extends DueRun {
  /** It was due before the first instant: made at once, to catch up. */
  isCatchup: boolean;
}

/** Runs in order, as made by a scheduler that comes up at `from`, sees the DAG, and never stops. */
export function* expandRuns(spec: DagSpec, from: Date, to: Date): Generator<ExpandedRun> {
  let now = from;
  let lastInterval: Interval | null = null;
  while (true) {
    const run: DueRun | null = nextRunOf(spec, { lastInterval, now });
    if (!run || run.runAfter > to) return;
    const isCatchup = run.runAfter < from;
    if (run.runAfter > now) now = run.runAfter;
    yield { ...run, isCatchup };
    lastInterval = run.interval;
  }
}
