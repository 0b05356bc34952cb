/** @module Backfills as nouns: what becomes of a date, why one is left out, how one ends. */
import { isRunFinished, type RunState } from "./run_state.ts";

/** What to do with dates whose run is finished. */
export const reprocessBehaviors = ["none", "failed", "completed"] as const;
/** One of {@link reprocessBehaviors}. */
export type ReprocessBehavior = (typeof reprocessBehaviors)[number];

/** Why a date of a backfill got no run. */
export const backfillExceptions = [
  "in flight",
  "already exists",
  "unknown",
  "cancelled",
  "upstream failed",
  "other product",
  "nothing published",
  "waits for others",
] as const;
/** One of {@link backfillExceptions}. */
export type BackfillException = (typeof backfillExceptions)[number];

/** How a backfill ended. */
export const backfillEnds = ["completed", "cancelled", "upstream_failed"] as const;
/** One of {@link backfillEnds}. */
export type BackfillEnd = (typeof backfillEnds)[number];

/** What happens to a date. */
export type Fate = "create" | "again" | "in flight" | "already exists" | "other product";

/**
 * What happens to a date: its run is made, or run again, or left as it is for a reason. `isRerun`:
 * somebody asked for what failed to run again, whatever the backfill did with finished runs before.
 */
export function fateOf(
  run: { state: RunState } | undefined,
  { reprocess, isRerun = false, isOtherProduct = false }: {
    reprocess: ReprocessBehavior;
    isRerun?: boolean;
    /** It is to run as it was, and ran on another version of the product than this one. */
    isOtherProduct?: boolean;
  },
): Fate {
  if (!run) return "create";
  if (!isRunFinished(run.state)) return "in flight";
  const isFailed = run.state === "failed";
  const isWanted = isRerun
    ? isFailed
    : reprocess === "completed" || reprocess === "failed" && isFailed;
  if (!isWanted) return "already exists";
  return isOtherProduct ? "other product" : "again";
}

/** What a backfill is doing, or how it ended. */
export type BackfillState = "waiting" | "paused" | "running" | BackfillEnd;

/** Slots of `of` that a backfill's tasks may take at a time: its share, but one at least. */
export function shareOf(of: number, share: number): number {
  if (share >= 1 || of < 0 || of === Infinity) return Infinity;
  return Math.max(1, Math.floor(of * share));
}
