/**
 * @module When runs of a schedule are due, and for which data interval.
 *
 * A run's logical date is the start of its data interval, and it is due at the interval's end: the
 * daily run of 1 January starts on 2 January at 00:00.
 */
import type { ScheduleSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import { parseCron } from "./cron.ts";
import { nextTick, previousTick } from "./ticks.ts";
import { checkTimezone } from "./zone.ts";

/** A data interval: [start, end). */
export interface Interval {
  start: Date;
  end: Date;
}

/** One run that a schedule calls for. */
export interface DueRun {
  logicalDate: Date;
  interval: Interval;
  /** Not before this instant. */
  runAfter: Date;
}

/** What {@link nextRun} goes by. */
export interface NextRunOptions {
  /** Interval of the newest automatic run. */
  lastInterval: Interval | null;
  /** No logical date before this. */
  start: Date | null;
  /** No logical date after this. */
  end: Date | null;
  /** True: each missing interval from `start` on. False: none before the latest complete one. */
  catchup: boolean;
  now: Date;
}

/** The next automatic run, due now or later; null when there is none any more. */
export function nextRun(schedule: ScheduleSpec, options: NextRunOptions): DueRun | null {
  const { lastInterval, start, end, now } = options;
  if (schedule.kind === "none") return null;
  if (schedule.kind === "once") {
    const at = start ?? now;
    return lastInterval !== null || (end && at > end) ? null : dueRun(at.getTime(), at.getTime());
  }
  const grid = gridOf(schedule, start);
  const fromMs = firstStart(grid, options);
  if (fromMs === null) return null;
  return runAt(grid, fromMs, end);
}

/** Runs with a logical date in [from, to] whose interval is over: the plan of a backfill. */
export function* runsBetween(
  schedule: ScheduleSpec,
  { from, to, start, end, now }: {
    from: Date;
    to: Date;
    start: Date | null;
    end: Date | null;
    now: Date;
  },
): Generator<DueRun> {
  if (schedule.kind === "none" || schedule.kind === "once") return;
  const grid = gridOf(schedule, start);
  const until = end && end < to ? end : to;
  let startMs = grid.next(Math.max(from.getTime(), start?.getTime() ?? -Infinity));
  while (startMs !== null) {
    const run = runAt(grid, startMs, until);
    if (!run || run.runAfter > now) return;
    yield run;
    startMs = run.interval.end.getTime();
  }
}

/**
 * The data interval of a run started by hand at `at` (or for that logical date): the last complete
 * one; the empty one where the schedule has none.
 */
export function manualInterval(schedule: ScheduleSpec, at: Date): Interval {
  if (schedule.kind === "interval") {
    return { start: new Date(at.getTime() - schedule.everyMs), end: at };
  }
  if (schedule.kind === "cron") {
    const grid = gridOf(schedule, null);
    const endMs = grid.previous(at.getTime());
    const startMs = endMs === null ? null : grid.previous(endMs - 1);
    if (endMs !== null && startMs !== null) {
      return { start: new Date(startMs), end: new Date(endMs) };
    }
  }
  return { start: at, end: at };
}

/** Throws INVALID when a schedule's cron or time zone cannot be used or never fires. */
export function checkSchedule(schedule: ScheduleSpec): void {
  if (schedule.kind !== "cron") return;
  checkTimezone(schedule.timezone);
  if (nextTick(parseCron(schedule.cron), schedule.timezone, 0) === null) {
    throw new AppError(
      "INVALID",
      `Cannot schedule by the cron expression "${schedule.cron}": no day matches it`,
      { detail: { cron: schedule.cron } },
    );
  }
}

/** Where intervals begin and end. */
interface Grid {
  /** First tick at or after. */
  next(ms: number): number | null;
  /** Last tick at or before. */
  previous(ms: number): number | null;
}

function gridOf(schedule: ScheduleSpec & { kind: "cron" | "interval" }, start: Date | null): Grid {
  if (schedule.kind === "cron") {
    const cron = parseCron(schedule.cron);
    return {
      next: (ms) => nextTick(cron, schedule.timezone, ms),
      previous: (ms) => previousTick(cron, schedule.timezone, ms),
    };
  }
  const every = schedule.everyMs;
  const anchor = start?.getTime() ?? 0;
  return {
    next: (ms) => anchor + Math.ceil((ms - anchor) / every) * every,
    previous: (ms) => anchor + Math.floor((ms - anchor) / every) * every,
  };
}

/** Where the next interval starts: after the last run, not before the start, and see catchup. */
function firstStart(grid: Grid, options: NextRunOptions): number | null {
  const { lastInterval, start, catchup, now } = options;
  let fromMs = Math.max(
    lastInterval?.end.getTime() ?? -Infinity,
    start?.getTime() ?? -Infinity,
  );
  // With neither a last run nor a start there is nothing to catch up from.
  if (!catchup || fromMs === -Infinity) {
    const endMs = grid.previous(now.getTime());
    const latestMs = endMs === null ? null : grid.previous(endMs - 1);
    fromMs = Math.max(fromMs, latestMs ?? now.getTime());
  }
  return grid.next(fromMs);
}

function runAt(grid: Grid, startMs: number, end: Date | null): DueRun | null {
  if (end && startMs > end.getTime()) return null;
  const endMs = grid.next(startMs + 1);
  return endMs === null ? null : dueRun(startMs, endMs);
}

function dueRun(startMs: number, endMs: number): DueRun {
  const interval = { start: new Date(startMs), end: new Date(endMs) };
  return { logicalDate: interval.start, interval, runAfter: interval.end };
}
