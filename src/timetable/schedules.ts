/** @module From a schedule's description to its timetable. */
import { AppError } from "../model/errors.ts";
import type { ScheduleSpec } from "../model/schedule_spec.ts";
import { parseCron } from "./cron.ts";
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

/** A schedule that fires by itself at known instants. */
export type PeriodicSchedule = Exclude<
  ScheduleSpec,
  { kind: "none" | "once" | "continuous" | "datasets" }
>;

/** The timetable of a schedule; intervals count from `start`, calendars are as known at `now`. */
export function timetableOf(schedule: PeriodicSchedule, start: Date | null, now: Date): Timetable {
  if (schedule.kind === "sessions") return sessionsTimetable(schedule, now.getTime());
  const grid = gridOf(schedule, start, now);
  return schedule.kind === "events" ? pointsOf(grid) : intervalsOf(grid);
}

const endOfTime = new Date(8.64e15);

/** Throws INVALID when a schedule cannot be used or never fires. */
export function checkSchedule(schedule: ScheduleSpec, start: Date | null): void {
  const { kind } = schedule;
  if (kind === "none" || kind === "once" || kind === "continuous" || kind === "datasets") return;
  if (schedule.kind === "cron") checkTimezone(schedule.timezone);
  const from = start ?? new Date(0);
  if (timetableOf(schedule, start, endOfTime).next(from.getTime()) !== null) return;
  const text = schedule.kind === "cron"
    ? `the cron expression "${schedule.cron}"`
    : textOf(schedule);
  throw new AppError(
    "INVALID",
    `Cannot schedule by ${text}: it is never due${start ? ` after ${start.toISOString()}` : ""}`,
    { detail: { schedule } },
  );
}

function gridOf(schedule: PeriodicSchedule, start: Date | null, now: Date): Grid {
  switch (schedule.kind) {
    case "cron":
      return cronGrid(schedule.cron, schedule.timezone);
    case "interval":
      return everyGrid(schedule.everyMs, start?.getTime() ?? 0);
    case "events":
      return listed(schedule.at.map((at) => Date.parse(at)));
    case "sessions":
      return sessionsTimetable(schedule, now.getTime()).due;
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
