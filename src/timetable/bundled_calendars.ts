/** @module The calendars that come with the product; each is read when it is first asked for. */
import { AppError } from "../model/errors.ts";
import { calendarNames } from "../model/calendar_names.ts";
import { Calendar, type CalendarSessions, calendarSessions } from "./calendar.ts";

const folder = new URL("../../configs/calendars/", import.meta.url);
const read = new Map<string, CalendarSessions>();

/** Sessions of a calendar; throws INVALID for a name that is none. */
export function calendarOf(name: string): CalendarSessions {
  const known = read.get(name);
  if (known) return known;
  const sessions = calendarSessions(readCalendar(name));
  read.set(name, sessions);
  return sessions;
}

/** The data of a calendar; throws INVALID for a name that is none. */
export function readCalendar(name: string): Calendar {
  if (!(calendarNames as readonly string[]).includes(name)) {
    throw new AppError(
      "INVALID",
      `Cannot use "${name}" as a calendar: it is not known; there are ${calendarNames.join(", ")}`,
    );
  }
  return Calendar.parse(JSON.parse(Deno.readTextFileSync(new URL(`${name}.json`, folder))));
}
