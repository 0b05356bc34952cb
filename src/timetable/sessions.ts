/** @module Trading time: runs for the sessions of calendars. */
import type { SessionsSpec } from "../model/schedule_spec.ts";
import { calendarOf } from "./bundled_calendars.ts";
import type { Session } from "./calendar.ts";
import type { Grid, Tick, Timetable } from "./timetable.ts";

const DAY = 86_400_000;
/** A session begins and ends within so many days of its day's midnight in UTC. */
const REACH_DAYS = 2;

/** The session of a day over all calendars of the schedule. */
type SessionOn = (day: number) => Session | null;

/** A sessions schedule, with the closings that were known at an instant. */
export interface SessionsTimetable extends Timetable {
  /** The instants at which its runs are due. */
  due: Grid;
}

/** See {@link SessionsTimetable}. */
export function sessionsTimetable(spec: SessionsSpec, knownAtMs: number): SessionsTimetable {
  const calendars = spec.calendars.map((name) => calendarOf(name, spec.own));
  const firstDay = Math.max(...calendars.map((calendar) => calendar.firstDay));
  const lastDay = Math.min(...calendars.map((calendar) => calendar.lastDay));
  const sessionOn: SessionOn = (day) =>
    day < firstDay || day > lastDay
      ? null
      : merged(calendars.map((calendar) => calendar.sessionOn(day, knownAtMs)), spec.open);
  const dayOfMs = (ms: number) => Math.floor(ms / DAY);

  function first(fromDay: number, fits: (tick: Tick) => boolean): Tick | null {
    for (let day = Math.max(firstDay, fromDay - REACH_DAYS); day <= lastDay; day++) {
      const found = ticksOfDay(spec, day, sessionOn).find(fits);
      if (found) return found;
    }
    return null;
  }

  function latest(untilMs: number): Tick | null {
    let day = Math.min(lastDay, dayOfMs(untilMs - spec.offsetMs) + REACH_DAYS);
    for (; day >= firstDay; day--) {
      const found = ticksOfDay(spec, day, sessionOn).findLast((tick) => tick.dueMs <= untilMs);
      if (found) return found;
    }
    return null;
  }

  return {
    next: (fromMs) => first(dayOfMs(fromMs), (tick) => tick.startMs >= fromMs),
    latest,
    due: {
      next: (ms) => first(dayOfMs(ms - spec.offsetMs), (tick) => tick.dueMs >= ms)?.dueMs ?? null,
      previous: (ms) => latest(ms)?.dueMs ?? null,
    },
  };
}

/**
 * The date of the session that an instant lies in: the trade date, also of a session that opens on
 * the evening before; null where there is none.
 */
export function sessionDateOf(spec: SessionsSpec, atMs: number): string | null {
  const calendars = spec.calendars.map((name) => calendarOf(name, spec.own));
  const today = Math.floor(atMs / DAY);
  for (let day = today - REACH_DAYS; day <= today + REACH_DAYS; day++) {
    const session = merged(calendars.map((one) => one.sessionOn(day, Infinity)), spec.open);
    if (session && session.openMs <= atMs && atMs < session.closeMs) {
      return new Date(day * DAY).toISOString().slice(0, 10);
    }
  }
  return null;
}

/** One session of several calendars: from the first open to the last close. */
function merged(sessions: readonly (Session | null)[], open: "all" | "any"): Session | null {
  const given = sessions.filter((session) => session !== null);
  if (given.length === 0 || (open === "all" && given.length < sessions.length)) return null;
  if (given.length === 1) return given[0];
  return {
    openMs: Math.min(...given.map((session) => session.openMs)),
    closeMs: Math.max(...given.map((session) => session.closeMs)),
    break: null,
  };
}

function ticksOfDay(spec: SessionsSpec, day: number, sessionOn: SessionOn): Tick[] {
  const session = sessionOn(day);
  if (!session || (spec.nth !== null && !isNth(spec.nth, day, sessionOn))) return [];
  if (spec.everyMs !== null) return slices(session, spec.everyMs, spec.offsetMs);
  const edge = edgeOf(session, spec.edge);
  const interval = spec.interval === "session" ? session : sessionBefore(day, sessionOn);
  if (edge === null || interval === null) return [];
  return [{ startMs: interval.openMs, endMs: interval.closeMs, dueMs: edge + spec.offsetMs }];
}

function edgeOf(session: Session, edge: SessionsSpec["edge"]): number | null {
  switch (edge) {
    case "open":
      return session.openMs;
    case "close":
      return session.closeMs;
    case "break_start":
      return session.break?.startMs ?? null;
    case "break_end":
      return session.break?.endMs ?? null;
  }
}

/** Stretches of `everyMs`, from the open and from the end of the break; the last may be shorter. */
function slices({ openMs, closeMs, break: rest }: Session, everyMs: number, offsetMs: number) {
  const halves = rest ? [[openMs, rest.startMs], [rest.endMs, closeMs]] : [[openMs, closeMs]];
  const ticks: Tick[] = [];
  for (const [from, to] of halves) {
    for (let startMs = from; startMs < to; startMs += everyMs) {
      const endMs = Math.min(startMs + everyMs, to);
      ticks.push({ startMs, endMs, dueMs: endMs + offsetMs });
    }
  }
  return ticks;
}

/** Is the session of this day the nth of its month, or the nth from the month's end? */
function isNth(nth: number, day: number, sessionOn: SessionOn): boolean {
  const step = nth > 0 ? -1 : 1;
  const month = monthOf(day);
  let rank = 1;
  for (let other = day + step; monthOf(other) === month; other += step) {
    if (sessionOn(other)) rank++;
  }
  return rank === Math.abs(nth);
}

function monthOf(day: number): number {
  return new Date(day * DAY).getUTCMonth();
}

/** Longest closing to look over for the session before. */
const CLOSING_DAYS_MAX = 60;

function sessionBefore(day: number, sessionOn: SessionOn): Session | null {
  for (let i = 1; i <= CLOSING_DAYS_MAX; i++) {
    const session = sessionOn(day - i);
    if (session) return session;
  }
  return null;
}
