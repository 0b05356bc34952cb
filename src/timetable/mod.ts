/** @module Timetables: from a schedule to the next data interval. Pure. */
export { checkSchedule, manualInterval, nextRun, runsBetween } from "./next_run.ts";
export type { DueRun, Interval, NextRunOptions } from "./next_run.ts";
export { parseCron } from "./cron.ts";
export { checkTimezone } from "./zone.ts";
