/** @module From a schedule's description to its timetable. */
import { AppError } from "../model/errors.ts";
import type { ScheduleSpec, TimeSpec } from "../model/schedule_spec.ts";
import { parseCron } from "./cron.ts";
import { releaseNewsAt, releasesHorizon, releasesTimetable } from "./releases.ts";
import { sessionsTimetable } from "./sessions.ts";
import { nextTick, previousTick } from "./ticks.ts";
import {
  allOf,
  anyOf,
  type Grid,
  intervalsOf,
  listed,
  pointsOf,
  type Timetable,
} from "./timetable.ts";
import { checkTimezone } from "./zone.ts";

/** The part of a schedule that fires by itself at known instants; null: it has none. */
export function timeOf(schedule: ScheduleSpec): TimeSpec | null {
  switch (schedule.kind) {
    case "none":
    case "once":
    case "continuous":
      return null;
    case "datasets":
      return schedule.or ?? schedule.at?.time ?? null;
    default:
      return schedule;
  }
}

/** After which instant a schedule's releases are not known any more; null: it goes by none. */
export function horizonOf(schedule: ScheduleSpec): Date | null {
  const ends = releasesOf(schedule).map(releasesHorizon);
  return ends.length === 0 ? null : new Date(Math.min(...ends.map(Number)));
}

/** When a date of a schedule becomes known next, so that its next run may be another; null: never. */
export function newsOf(schedule: ScheduleSpec, now: Date): Date | null {
  const news = releasesOf(schedule).map((one) => releaseNewsAt(one, now))
    .filter((at) => at !== null);
  return news.length === 0 ? null : new Date(Math.min(...news.map(Number)));
}

function releasesOf(schedule: ScheduleSpec) {
  const time = timeOf(schedule);
  const of = time?.kind === "any" || time?.kind === "all" ? time.of : time ? [time] : [];
  return of.filter((one) => one.kind === "releases");
}

/** The timetable of a schedule; intervals count from `start`, calendars are as known at `now`. */
export function timetableOf(schedule: TimeSpec, start: Date | null, now: Date): Timetable {
  if (schedule.kind === "sessions") return sessionsTimetable(schedule, now.getTime());
  if (schedule.kind === "releases") return releasesTimetable(schedule, now.getTime());
  const grid = gridOf(schedule, start, now);
  return schedule.kind === "events" ? pointsOf(grid) : intervalsOf(grid);
}

const endOfTime = new Date(8.64e15);

/** Throws INVALID when a schedule cannot be used or never fires. */
export function checkSchedule(given: ScheduleSpec, start: Date | null): void {
  const schedule = timeOf(given);
  if (!schedule) return;
  if (schedule.kind === "cron") checkTimezone(schedule.timezone);
  const from = start ?? new Date(0);
  if (timetableOf(schedule, start, endOfTime).next(from.getTime()) !== null) return;
  const text = schedule.kind === "cron"
    ? `the cron expression "${schedule.cron}"`
    : schedule.kind === "releases"
    ? `the releases "${schedule.id}"`
    : textOf(schedule);
  throw new AppError(
    "INVALID",
    `Cannot schedule by ${text}: it is never due${start ? ` after ${start.toISOString()}` : ""}`,
    { detail: { schedule } },
  );
}

function gridOf(schedule: TimeSpec, start: Date | null, now: Date): Grid {
  switch (schedule.kind) {
    case "cron":
      return cronGrid(schedule.cron, schedule.timezone);
    case "interval":
      return everyGrid(schedule.everyMs, start?.getTime() ?? 0);
    case "events":
      return listed(schedule.at.map((at) => Date.parse(at)));
    case "sessions":
      return sessionsTimetable(schedule, now.getTime()).due;
    case "releases":
      return releasesTimetable(schedule, now.getTime()).due;
    case "any":
    case "all": {
      const grids = schedule.of.map((one) => gridOf(one, start, now));
      return schedule.kind === "any" ? anyOf(grids) : allOf(grids);
    }
  }
}

function cronGrid(text: string, timezone: string): Grid {
  const cron = parseCron(text);
  return {
    next: (ms) => nextTick(cron, timezone, ms),
    previous: (ms) => previousTick(cron, timezone, ms),
  };
}

function everyGrid(every: number, anchor: number): Grid {
  return {
    next: (ms) => anchor + Math.ceil((ms - anchor) / every) * every,
    previous: (ms) => anchor + Math.floor((ms - anchor) / every) * every,
  };
}

function textOf(schedule: ScheduleSpec): string {
  return JSON.stringify(schedule);
}
