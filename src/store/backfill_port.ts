/**
 * @module What changes a backfill: on PostgreSQL for the product, in memory for the simulation; one
 * suite holds both to the same.
 *
 * A backfill's dates are planned when it is made and get their runs as there is room, so that one of
 * a hundred thousand dates never has more than `limits.backfillQueued` runs in the queue, and whoever
 * makes them may be killed at any moment: a date has its run, or it is still planned.
 */
import type { ReprocessBehavior } from "../model/backfill.ts";

/** A backfill to make. */
export interface NewBackfill {
  dagId: string;
  fromDate: Date;
  toDate: Date;
  dagRunConf: Record<string, unknown>;
  reprocessBehavior: ReprocessBehavior;
  maxActiveRuns: number;
  runBackwards: boolean;
  /** Runs that run again do so on the DAG's newest version; else on their own. */
  runOnLatestVersion: boolean;
  /** On their own also where they ran on another version of the product, or another image. */
  force?: boolean;
  /** Of the slots of each pool and of the DAG's limit of tasks: what its tasks may take. */
  share: number;
  triggeringUserName: string | null;
  isPaused?: boolean;
}

/** A date of a backfill, with the interval that its run is for. */
export interface PlannedDate {
  logicalDate: Date;
  interval: { start: Date; end: Date };
  runAfter: Date;
}

/** What can be changed of a backfill under way. */
export interface BackfillChange {
  isPaused?: boolean;
  maxActiveRuns?: number;
  share?: number;
}

/** What one call of {@link BackfillStore.fill} did. */
export interface Filled {
  /** Dates that were settled: with a run, or with the reason why not. */
  settled: number;
  /** Runs made or run again. */
  runs: number;
}

/** See the module. */
export interface BackfillStore {
  /** Record it with its dates, in the order of their runs. Dates that another one has are in flight. */
  create(backfill: NewBackfill, dates: readonly PlannedDate[], now: Date): Promise<string>;
  /** Add dates after those that it has; a completed one goes on. Null: cancelled or missing. */
  extend(
    id: string,
    range: { fromDate: Date; toDate: Date; dates: readonly PlannedDate[] },
    now: Date,
  ): Promise<number | null>;
  /** False where it is over or missing. */
  change(id: string, change: BackfillChange, now: Date): Promise<boolean>;
  /**
   * End it: what has no run gets none, queued runs are cancelled, running ones only with `isNow`. It
   * stays unpaused, so that a run of it that is cleared later is not held for ever. False where it is
   * over or missing.
   */
  cancel(id: string, how: { isNow: boolean; by: string }, now: Date): Promise<boolean>;
  /**
   * Plan anew the dates whose run failed or that a cancel left without one: how many; null: missing.
   * With `force` also those that were left out since they had run on another product.
   */
  rerunFailed(id: string, now: Date, options?: { force?: boolean }): Promise<number | null>;
  /** Make runs of planned dates as far as there is room: of one backfill, or of any that is due. */
  fill(which: { id?: string }, now: Date): Promise<Filled>;
  /** Mark those that are done: how many there were. */
  complete(now: Date): Promise<number>;
  /** Is one under way that is not paused? */
  isBusy(): Promise<boolean>;
}
