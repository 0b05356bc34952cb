/** @module Runs of one DAG that share a limit: its own runs, or those of one backfill. */
import type { Run } from "./instance.ts";

/** Runs that wait to start, earliest first (of a backfill: in its order), and the number of those that run. */
export class RunQueue {
  running = 0;
  #waiting: Run[] = [];
  #isSorted = true;

  /** Running and waiting. */
  get active(): number {
    return this.running + this.#waiting.length;
  }

  add(run: Run): void {
    this.#waiting.push(run);
    this.#isSorted = false;
  }

  remove(run: Run): void {
    const at = this.#waiting.indexOf(run);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** The run that starts next; undefined when none waits. */
  first(): Run | undefined {
    if (!this.#isSorted) {
      this.#waiting.sort((a, b) =>
        (a.row.backfillOrdinal ?? 0) - (b.row.backfillOrdinal ?? 0) ||
        a.row.runAfter.getTime() - b.row.runAfter.getTime() || (a.row.id < b.row.id ? -1 : 1)
      );
      this.#isSorted = true;
    }
    return this.#waiting[0];
  }
}
