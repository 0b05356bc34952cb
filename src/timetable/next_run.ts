/**
 * @module When runs of a schedule are due, and for which data interval.
 *
 * A run's logical date is the start of its data interval. It is due at the interval's end (the daily
 * run of 1 January starts on 2 January at 00:00), or when its session's schedule says.
 */
import { sha256 } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { Catchup, ScheduleSpec } from "../model/schedule_spec.ts";
import { quietTimeAt } from "./quiet_time.ts";
import { timeOf, timetableOf } from "./schedules.ts";
import { afterTick, type Tick, type Timetable } from "./timetable.ts";

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

/** What of a DAG moves or drops the runs of its schedule. */
export type RunRules = Pick<
  DagSpec,
  "dagId" | "timezone" | "jitterMs" | "maintenance" | "blackout"
>;

/** What {@link nextRun} goes by. */
export interface NextRunOptions {
  /** Interval of the newest automatic run. */
  lastInterval: Interval | null;
  /** No logical date before this. */
  start: Date | null;
  /** No logical date after this. */
  end: Date | null;
  /** Which of the intervals missed so far are made up for. */
  catchup: Catchup;
  /** Also what calendars were known at. */
  now: Date;
  rules?: RunRules;
}

/** The next automatic run of a DAG; null when there is none any more. */
export function nextRunOf(
  spec: Omit<DagSpec, "tasks">,
  { lastInterval, now }: Pick<NextRunOptions, "lastInterval" | "now">,
): DueRun | null {
  return nextRun(spec.schedule, {
    lastInterval,
    start: spec.start === null ? null : new Date(spec.start),
    end: spec.end === null ? null : new Date(spec.end),
    catchup: spec.catchup,
    now,
    rules: spec,
  });
}

/** The next automatic run, due now or later; null when there is none any more. */
export function nextRun(schedule: ScheduleSpec, options: NextRunOptions): DueRun | null {
  const { lastInterval, start, end, now } = options;
  if (schedule.kind === "datasets") {
    const time = timeOf(schedule);
    return time && nextRun(time, options);
  }
  if (schedule.kind === "none") return null;
  if (schedule.kind === "once") {
    const at = (start ?? now).getTime();
    if (lastInterval !== null || (end && at > end.getTime())) return null;
    return placed({ startMs: at, endMs: at, dueMs: at }, options);
  }
  if (schedule.kind === "continuous") return continuousRun(options);
  const timetable = timetableOf(schedule, start, now);
  const fromMs = firstStart(timetable, options);
  for (let tick = timetable.next(fromMs), i = 0; tick && i < limits.ticksSkipped; i++) {
    if (end && tick.startMs > end.getTime()) return null;
    const following = timetable.next(afterTick(tick));
    if (!isDropped(tick, following, options.rules)) return placed(tick, options);
    tick = following;
  }
  return null;
}

/** Runs with a logical date in [from, to] that are due by now: the plan of a backfill. */
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
  const time = timeOf(schedule);
  if (!time) return;
  const timetable = timetableOf(time, start, now);
  const untilMs = (end && end < to ? end : to).getTime();
  let tick = timetable.next(Math.max(from.getTime(), start?.getTime() ?? -Infinity));
  while (tick && tick.startMs <= untilMs && tick.dueMs <= now.getTime()) {
    yield dueRun(tick, tick.dueMs);
    tick = timetable.next(afterTick(tick));
  }
}

/**
 * The data interval of a run started by hand at `at` (or for that logical date): the last complete
 * one; the empty one where the schedule has none.
 */
export function manualInterval(schedule: ScheduleSpec, at: Date): Interval {
  const time = timeOf(schedule);
  if (time?.kind === "interval") {
    return { start: new Date(at.getTime() - time.everyMs), end: at };
  }
  const tick = time ? timetableOf(time, null, at).latest(at.getTime()) : null;
  if (tick) return dueRun(tick, tick.dueMs).interval;
  return { start: at, end: at };
}

/**
 * The data interval of a logical date: the scheduled run's of that date, where there is one, else
 * the one that a run by hand at that time gets.
 */
export function intervalOf(
  spec: Pick<DagSpec, "schedule" | "start" | "end">,
  logicalDate: Date,
): Interval {
  const due = runsBetween(spec.schedule, {
    from: logicalDate,
    to: logicalDate,
    start: spec.start ? new Date(spec.start) : null,
    end: spec.end ? new Date(spec.end) : null,
    now: endOfTime,
  }).next();
  const isTick = !due.done && due.value.logicalDate.getTime() === logicalDate.getTime();
  return isTick ? due.value.interval : manualInterval(spec.schedule, logicalDate);
}

const endOfTime = new Date(8.64e15);

/** Does a schedule have data intervals of its own, so that it can be backfilled? */
export function isPeriodic(schedule: ScheduleSpec): boolean {
  return timeOf(schedule) !== null;
}

/** From the end of the last run's interval to now: due at once, but not in a whirl of empty runs. */
function continuousRun(options: NextRunOptions): DueRun | null {
  const { lastInterval, start, end, now } = options;
  const startMs = Math.max(
    lastInterval?.end.getTime() ?? start?.getTime() ?? now.getTime(),
    start?.getTime() ?? -Infinity,
  );
  if (end && startMs > end.getTime()) return null;
  const earliestMs = (lastInterval?.start.getTime() ?? -Infinity) + limits.continuousEveryMsMin;
  const dueMs = Math.max(startMs, earliestMs);
  return placed({ startMs, endMs: Math.max(now.getTime(), startMs + 1), dueMs }, options);
}

/** Where the next interval starts: after the last run, not before the start, and see catchup. */
function firstStart(timetable: Timetable, options: NextRunOptions): number {
  const { lastInterval, start, catchup, now } = options;
  const fromMs = Math.max(
    lastInterval
      ? afterTick({ startMs: lastInterval.start.getTime(), endMs: lastInterval.end.getTime() })
      : -Infinity,
    start?.getTime() ?? -Infinity,
  );
  const nowMs = now.getTime();
  // With neither a last run nor a start there is nothing to catch up from.
  if (fromMs === -Infinity && (catchup === true || typeof catchup === "object")) {
    return timetable.latest(nowMs)?.startMs ?? nowMs;
  }
  if (catchup === true) return fromMs;
  if (typeof catchup === "object") {
    const tooOld = timetable.latest(nowMs - catchup.windowMs - 1);
    return Math.max(fromMs, tooOld ? afterTick(tooOld) : -Infinity);
  }
  const latest = timetable.latest(nowMs);
  if (!latest) return Math.max(fromMs, fromMs === -Infinity ? nowMs : fromMs);
  const isLate = catchup === "none" && latest.dueMs < nowMs - limits.onTimeMs;
  return Math.max(fromMs, isLate ? afterTick(latest) : latest.startMs);
}

/** Does quiet time leave this tick without a run? */
function isDropped(tick: Tick, following: Tick | null, rules?: RunRules): boolean {
  if (!rules) return false;
  const quiet = quietTimeAt(rules, tick.dueMs);
  if (!quiet) return false;
  if (quiet.then === "run_after") return following !== null && following.dueMs < quiet.endMs;
  return quiet.then === "skip";
}

/** The run of a tick, later by jitter, and held while quiet time goes on. */
function placed(tick: Tick, { now, rules }: NextRunOptions): DueRun {
  if (!rules) return dueRun(tick, tick.dueMs);
  let dueMs = tick.dueMs + jitterOf(tick, rules);
  for (let i = 0; i < limits.quietTimesInARow; i++) {
    const quiet = quietTimeAt(rules, dueMs) ?? quietTimeAt(rules, Math.max(dueMs, now.getTime()));
    if (!quiet) break;
    dueMs = quiet.endMs;
  }
  return dueRun(tick, dueMs);
}

/** The same for a run whoever asks, and spread evenly over DAGs and intervals. */
function jitterOf(tick: Tick, { dagId, jitterMs }: RunRules): number {
  if (jitterMs === undefined) return 0;
  const share = parseInt(sha256(`${dagId} ${tick.startMs}`).slice(0, 8), 16) / 0x1_0000_0000;
  return Math.floor(share * jitterMs);
}

function dueRun({ startMs, endMs }: Tick, dueMs: number): DueRun {
  const interval = { start: new Date(startMs), end: new Date(endMs) };
  return { logicalDate: interval.start, interval, runAfter: new Date(dueMs) };
}
