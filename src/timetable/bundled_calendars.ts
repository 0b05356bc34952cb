/**
 * @module The calendars of a schedule: its own, or those that come with the product; each is read when it
 * is first asked for.
 */
import { AppError } from "../model/errors.ts";
import { calendarNames } from "../model/calendar_names.ts";
import { Calendar } from "../model/calendar.ts";
import { type CalendarSessions, calendarSessions } from "./calendar.ts";

const folder = new URL("../../configs/calendars/", import.meta.url);
const read = new Map<string, CalendarSessions>();

/** Calendars of a schedule's own by name. */
export type OwnCalendars = Readonly<Record<string, Calendar>> | undefined;
const ofOwn = new WeakMap<Calendar, CalendarSessions>();

/** Sessions of a calendar; throws INVALID for a name that is none. */
export function calendarOf(name: string, own?: OwnCalendars): CalendarSessions {
  if (own && Object.hasOwn(own, name)) return sessionsOf(own[name]);
  const known = read.get(name);
  if (known) return known;
  const sessions = calendarSessions(readCalendar(name));
  read.set(name, sessions);
  return sessions;
}

function sessionsOf(calendar: Calendar): CalendarSessions {
  const known = ofOwn.get(calendar);
  if (known) return known;
  const sessions = calendarSessions(calendar);
  ofOwn.set(calendar, sessions);
  return sessions;
}

/** The data of a calendar; throws INVALID for a name that is none. */
export function readCalendar(name: string, own?: OwnCalendars): Calendar {
  if (own && Object.hasOwn(own, name)) return own[name];
  if (!(calendarNames as readonly string[]).includes(name)) {
    throw new AppError(
      "INVALID",
      `Cannot use "${name}" as a calendar: it is not known; there are ${calendarNames.join(", ")}`,
    );
  }
  return Calendar.parse(JSON.parse(Deno.readTextFileSync(new URL(`${name}.json`, folder))));
}
