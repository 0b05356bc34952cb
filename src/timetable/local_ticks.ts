/**
 * @module Ticks of a cron on a plain wall clock without zone: milliseconds as if local time were
 * UTC.
 */
import type { Cron } from "./cron.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** How far to look for a tick: 29 February on a given weekday comes once in up to 40 years. */
const DAYS_MAX = 366 * 41;

/** The first tick at or after `fromMs`; null when there is none within 41 years. */
export function nextLocalTick(cron: Cron, fromMs: number): number | null {
  let from = Math.ceil(fromMs / SECOND) * SECOND;
  let day = Math.floor(from / DAY) * DAY;
  for (let i = 0; i < DAYS_MAX; i++, day += DAY, from = day) {
    if (!matchesDay(cron, day)) continue;
    const tick = firstOfDay(cron, day, from - day);
    if (tick !== null) return tick;
  }
  return null;
}

/** The last tick at or before `untilMs`; null when there is none within 41 years. */
export function previousLocalTick(cron: Cron, untilMs: number): number | null {
  let until = Math.floor(untilMs / SECOND) * SECOND;
  let day = Math.floor(until / DAY) * DAY;
  for (let i = 0; i < DAYS_MAX; i++, day -= DAY, until = day + DAY - SECOND) {
    if (!matchesDay(cron, day)) continue;
    const tick = lastOfDay(cron, day, until - day);
    if (tick !== null) return tick;
  }
  return null;
}

function firstOfDay(cron: Cron, day: number, fromMs: number): number | null {
  for (const hour of cron.hours) {
    if ((hour + 1) * HOUR <= fromMs) continue;
    for (const minute of cron.minutes) {
      const at = hour * HOUR + minute * MINUTE;
      if (at + MINUTE <= fromMs) continue;
      const second = cron.seconds.find((s) => at + s * SECOND >= fromMs);
      if (second !== undefined) return day + at + second * SECOND;
    }
  }
  return null;
}

function lastOfDay(cron: Cron, day: number, untilMs: number): number | null {
  for (const hour of cron.hours.toReversed()) {
    if (hour * HOUR > untilMs) continue;
    for (const minute of cron.minutes.toReversed()) {
      const at = hour * HOUR + minute * MINUTE;
      if (at > untilMs) continue;
      const second = cron.seconds.findLast((s) => at + s * SECOND <= untilMs);
      if (second !== undefined) return day + at + second * SECOND;
    }
  }
  return null;
}

function matchesDay(cron: Cron, dayMs: number): boolean {
  const date = new Date(dayMs);
  if (!cron.months.has(date.getUTCMonth() + 1)) return false;
  if (!cron.monthDaysGiven && !cron.weekDaysGiven) return true;
  const isMonthDay = cron.monthDaysGiven && matchesMonthDay(cron, date);
  const isWeekDay = cron.weekDaysGiven && matchesWeekDay(cron, date);
  return isMonthDay || isWeekDay;
}

function matchesMonthDay(cron: Cron, date: Date): boolean {
  return cron.monthDays.has(date.getUTCDate()) ||
    (cron.monthDays.has("L") && date.getUTCDate() === lastDay(date));
}

function matchesWeekDay(cron: Cron, date: Date): boolean {
  const weekDay = date.getUTCDay();
  const isLast = date.getUTCDate() > lastDay(date) - 7;
  if (isLast && (cron.weekDays.has(`${weekDay}L`) || (weekDay === 0 && cron.weekDays.has("7L")))) {
    return true;
  }
  return cron.weekDays.has(weekDay) &&
    (cron.weekOfMonth === null || Math.ceil(date.getUTCDate() / 7) === cron.weekOfMonth);
}

function lastDay(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}
