/** @module The session of a day, by a calendar's data. */
import type { Calendar } from "../model/calendar.ts";

const DAY = 86_400_000;
/** A session, as instants. */
export interface Session {
  openMs: number;
  closeMs: number;
  /** Null where it has no break. */
  break: { startMs: number; endMs: number } | null;
}

/** Sessions of a calendar by day; a day is a number of days since 1970. */
export interface CalendarSessions {
  /** The first and the last day that the calendar knows. */
  firstDay: number;
  lastDay: number;
  /** The session of a day, as it was known at an instant; null: closed. */
  sessionOn(day: number, knownAtMs: number): Session | null;
}

/** The number of an ISO date's day. */
export function dayOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY;
}

/** Read a calendar's days. */
export function calendarSessions(calendar: Calendar): CalendarSessions {
  const closed = new Set(calendar.closed.map(dayOf));
  const extra = new Set((calendar.extra ?? []).map(dayOf));
  const special = new Map(
    calendar.special.flatMap((one) => one.dates.map((date) => [dayOf(date), one])),
  );
  const announced = new Map(
    Object.entries(calendar.announced).map(([date, at]) => [dayOf(date), Date.parse(at)]),
  );
  const weekdays = dated(calendar.weekdays);
  const hours = dated(calendar.hours);
  const firstDay = dayOf(calendar.from);
  const lastDay = dayOf(calendar.until);
  const built = new Map<number, Session>();

  function build(day: number): Session {
    const regular = hours(day);
    const given = special.get(day);
    const rest = given?.break === undefined ? regular.break : given.break;
    const at = (time: string, offset = 0) => instant(day + offset, time, calendar.timezone);
    return {
      openMs: at(given?.open ?? regular.open, regular.openDayOffset),
      closeMs: at(given?.close ?? regular.close, regular.closeDayOffset),
      break: rest ? { startMs: at(rest[0]), endMs: at(rest[1]) } : null,
    };
  }

  return {
    firstDay,
    lastDay,
    sessionOn(day, knownAtMs) {
      if (day < firstDay || day > lastDay) return null;
      const isClosed = closed.has(day) && !(knownAtMs < (announced.get(day) ?? -Infinity));
      if (isClosed || (!extra.has(day) && !weekdays(day).days.includes(weekdayOf(day)))) {
        return null;
      }
      const known = built.get(day);
      if (known) return known;
      const session = build(day);
      built.set(day, session);
      return session;
    },
  };
}

/** The last of dated entries that is in force on a day. */
function dated<T extends { from: string }>(entries: readonly T[]): (day: number) => T {
  const days = entries.map((entry) => dayOf(entry.from));
  return (day) => entries[Math.max(0, days.findLastIndex((from) => from <= day))];
}

/** Monday is 1. */
function weekdayOf(day: number): number {
  return (day + 3) % 7 + 1;
}

function instant(day: number, time: string, timezone: string): number {
  const date = new Date(day * DAY).toISOString().slice(0, 10);
  return Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(timezone).epochMilliseconds;
}
