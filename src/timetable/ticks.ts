/**
 * @module Ticks of a cron in a time zone, as instants.
 *
 * Where clocks go forward, a fixed hour that is skipped fires once, at the first valid instant. Where
 * they go back, a fixed hour that comes twice fires the first time only. Crons without a fixed hour
 * (every quarter of an hour, say) just go on, through both.
 */
import type { Cron } from "./cron.ts";
import { nextLocalTick, previousLocalTick } from "./local_ticks.ts";
import { type Stretch, stretchAt } from "./zone.ts";

/** The first tick at or after `fromMs`; null when there is none. */
export function nextTick(cron: Cron, timezone: string, fromMs: number): number | null {
  let stretch = stretchAt(timezone, fromMs);
  let from = fromMs;
  while (true) {
    if (from === stretch.startMs && firesAtStart(cron, timezone, stretch)) return from;
    const local = nextLocalTick(cron, earliestLocal(cron, timezone, stretch, from));
    if (local === null) return null;
    if (local - stretch.offsetMs < stretch.endMs) return local - stretch.offsetMs;
    from = stretch.endMs;
    stretch = stretchAt(timezone, from);
  }
}

/** The last tick at or before `untilMs`; null when there is none. */
export function previousTick(cron: Cron, timezone: string, untilMs: number): number | null {
  let stretch = stretchAt(timezone, untilMs);
  let until = untilMs;
  while (true) {
    const local = previousLocalTick(cron, until + stretch.offsetMs);
    if (local === null) return null;
    if (local >= earliestLocal(cron, timezone, stretch, stretch.startMs)) {
      return local - stretch.offsetMs;
    }
    if (firesAtStart(cron, timezone, stretch)) return stretch.startMs;
    until = stretch.startMs - 1;
    stretch = stretchAt(timezone, until);
  }
}

/** The local time from which ticks of this stretch count: after a repeated hour, for fixed hours. */
function earliestLocal(cron: Cron, timezone: string, stretch: Stretch, fromMs: number): number {
  const local = fromMs + stretch.offsetMs;
  if (cron.hourly || stretch.startMs === -Infinity) return local;
  const before = stretchAt(timezone, stretch.startMs - 1);
  return Math.max(local, stretch.startMs + before.offsetMs);
}

/** Did the change of clocks at the start of this stretch skip a tick with a fixed hour? */
function firesAtStart(cron: Cron, timezone: string, stretch: Stretch): boolean {
  if (cron.hourly || stretch.startMs === -Infinity) return false;
  const before = stretchAt(timezone, stretch.startMs - 1);
  const skippedFrom = stretch.startMs + before.offsetMs;
  const skippedUntil = stretch.startMs + stretch.offsetMs;
  if (skippedUntil <= skippedFrom) return false;
  const skipped = nextLocalTick(cron, skippedFrom);
  return skipped !== null && skipped < skippedUntil;
}
