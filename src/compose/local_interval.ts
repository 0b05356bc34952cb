/** @module Which data interval a run by hand without a server is for. */
import { AppError } from "../model/errors.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import {
  type DueRun,
  type Interval,
  manualInterval,
  runsBetween,
  sessionDateOf,
} from "../timetable/mod.ts";

const DAY = 86_400_000;
/** A run by hand may be for an interval that has not ended. */
const END_OF_TIME = new Date("9999-01-01T00:00:00Z");

/**
 * The schedule's interval of a date (of a session: its trade date) or the one that begins at an
 * instant; without a text the last complete one. Throws INVALID for a text that is neither, and for
 * a day without a session.
 */
export function localInterval(
  { schedule, timezone }: Pick<DagSpec, "schedule" | "timezone">,
  text: string | undefined,
  now: Date,
): Interval {
  if (text === undefined) return manualInterval(schedule, now);
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
  const at = instantOf(text, timezone);
  if (at === null) {
    throw new AppError("INVALID", `Cannot use the date ${text}: give one such as 2026-01-05`);
  }
  const between = { start: null, end: null, now: END_OF_TIME };
  if (!isDate) {
    const [run] = runsBetween(schedule, { ...between, from: at, to: at });
    return run?.interval ?? manualInterval(schedule, at);
  }
  const dateOf = ({ interval: { start } }: DueRun) =>
    schedule.kind === "sessions"
      ? sessionDateOf(schedule, start.getTime())
      : Temporal.Instant.fromEpochMilliseconds(start.getTime()).toZonedDateTimeISO(timezone)
        .toPlainDate().toString();
  // A session can open on the day before.
  const from = new Date(at.getTime() - DAY);
  const to = new Date(at.getTime() + 2 * DAY);
  const found = runsBetween(schedule, { ...between, from, to }).find((run) => dateOf(run) === text);
  if (found) return found.interval;
  if (schedule.kind === "sessions") {
    throw new AppError(
      "INVALID",
      `Cannot run for ${text}: ${schedule.calendars.join(", ")} has no session on that day` +
        `${schedule.nth === null ? "" : " that the schedule takes"}`,
    );
  }
  return manualInterval(schedule, at);
}

/** A date or a date-time in the zone, or an instant; null for what is neither. */
function instantOf(text: string, timezone: string): Date | null {
  try {
    const instant = /(Z|[+-]\d\d(:?\d\d)?)$/i.test(text) && text.includes("T")
      ? Temporal.Instant.from(text)
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timezone).toInstant();
    return new Date(instant.epochMilliseconds);
  } catch {
    return null;
  }
}
