/** @module Timetables: from a schedule to the next data interval. Pure but for calendar files. */
export {
  intervalOf,
  isPeriodic,
  manualInterval,
  nextRun,
  nextRunOf,
  runsBetween,
} from "./next_run.ts";
export type { DueRun, Interval, NextRunOptions, RunRules } from "./next_run.ts";
export { isNewestInterval } from "./newest.ts";
export { checkSchedule, horizonOf, newsOf, timeOf } from "./schedules.ts";
export { parseCron } from "./cron.ts";
export { checkTimezone } from "./zone.ts";
export {
  isMet,
  isWhole,
  partitionFor,
  partitionInterval,
  partitionNeeds,
  partitionOfTick,
  partitionQuestions,
  type PartitionState,
  partitionStates,
  type PendingPartition,
} from "./partitions.ts";
export { deadlinesOf, hasDeadlines, type NewDeadline } from "./deadlines.ts";
export { poolClosingAt } from "./pool_closings.ts";
export { releasesHorizon } from "./releases.ts";
export { sessionDateOf } from "./sessions.ts";
export { readCalendar } from "./bundled_calendars.ts";
export { awaitedWarning, endingCalendars, type Horizon, scheduleWarnings } from "./horizon.ts";
export { checkTiming } from "./check.ts";
