/** @module Calendars of one's own: a venue, a desk or a vendor that none of the bundled ones is. */
import type { z } from "zod";
import { Calendar } from "../model/calendar.ts";
import { type CalendarName, calendarNames } from "../model/calendar_names.ts";
import { checkTimezone } from "./schedule.ts";
import { problemsOf } from "./zod_problems.ts";

/** Data of a calendar: a literal, a JSON file, or YAML that the bundle reads. */
export type CalendarData = z.input<typeof Calendar>;

const calendarBrand = Symbol.for("tidewheel.calendar");

/** A calendar of one's own; made by {@link calendar}. */
export interface OwnCalendar {
  readonly [calendarBrand]: true;
  readonly id: string;
  readonly data: Calendar;
}

/** A bundled calendar by its name, or one's own. */
export type CalendarOption = CalendarName | OwnCalendar;

/**
 * A calendar of one's own, for {@link sessions}, roll-ups and deadlines: its data is part of the versions
 * of the DAGs that go by it. Throws RangeError for what cannot be, naming each place.
 *
 * @example
 * ```ts
 * import { calendar, dag, sessions, task } from "tidewheel";
 *
 * const acme = calendar({
 *   id: "ACME",
 *   timezone: "Europe/Zurich",
 *   from: "2025-01-01",
 *   until: "2026-12-31",
 *   weekdays: [{ from: "2025-01-01", days: [1, 2, 3, 4, 5] }],
 *   hours: [{ from: "2025-01-01", open: "09:00", close: "17:30", break: ["12:00", "13:00"] }],
 *   closed: ["2025-12-25", "2026-01-01", "2026-12-25"],
 *   special: [{ close: "12:00", break: null, dates: ["2025-12-24", "2026-12-24"] }],
 * });
 * export default dag({ id: "auction", schedule: sessions(acme, { after: "close" }) }, () => {
 *   task({ id: "load" }, ({ interval }) => interval.date);
 * });
 * ```
 */
export function calendar(data: CalendarData): OwnCalendar {
  const parsed = Calendar.safeParse(data);
  const id = (data as { id?: unknown } | null)?.id;
  const what = typeof id === "string" ? `the calendar "${id}"` : "a calendar";
  if (!parsed.success) {
    throw new RangeError(`calendar() has ${what} that is none: ${problemsOf(parsed.error)}`);
  }
  const problems = contradictions(parsed.data);
  if (problems.length > 0) {
    throw new RangeError(
      `calendar() has ${what} that cannot be: ${problems.slice(0, 5).join("; ")}`,
    );
  }
  checkTimezone(parsed.data.timezone);
  return { [calendarBrand]: true, id: parsed.data.id, data: parsed.data };
}

/** Names of calendars, and the data of those among them that are somebody's own. */
export function calendarsOf(
  given: CalendarOption | readonly CalendarOption[],
  what: string,
): { names: string[]; own?: Record<string, Calendar> } {
  const own: Record<string, Calendar> = {};
  const names = new Set<string>();
  for (const one of [given].flat() as CalendarOption[]) {
    if (!isOwn(one)) {
      checkCalendar(one, what);
      names.add(one);
      continue;
    }
    const twin = own[one.id];
    if (twin && JSON.stringify(twin) !== JSON.stringify(one.data)) {
      throw new RangeError(
        `${what} has two calendars "${one.id}" that differ; give each its own id`,
      );
    }
    own[one.id] = one.data;
    names.add(one.id);
  }
  return { names: [...names].sort(), ...(Object.keys(own).length > 0 ? { own } : {}) };
}

function isOwn(given: CalendarOption): given is OwnCalendar {
  return typeof given === "object" && given !== null && given[calendarBrand] === true;
}

/** Throws RangeError for a calendar that is not known; `what` is who asks. */
function checkCalendar(name: string, what: string): asserts name is CalendarName {
  if ((calendarNames as readonly string[]).includes(name)) return;
  throw new RangeError(
    `${what} names a calendar ${JSON.stringify(name)} that is not known; ` +
      `there are ${calendarNames.join(", ")}, or give one of your own, made by calendar()`,
  );
}

/** What its parts say against each other. */
function contradictions(data: Calendar): string[] {
  const { id, from, until, weekdays, hours, closed, extra = [], special, announced } = data;
  const problems: string[] = [];
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$/.test(id)) {
    problems.push("id must be of letters, digits and _ . -, 50 at most");
  }
  if ((calendarNames as readonly string[]).includes(id)) {
    problems.push(`id is that of a calendar that comes with the product; give it another`);
  }
  if (from > until) problems.push(`from ${from} is after until ${until}`);
  const ordered = { weekdays, hours };
  for (const [name, entries] of Object.entries(ordered)) {
    if (entries.some((entry, i) => i > 0 && entry.from <= entries[i - 1].from)) {
      problems.push(`${name} must be in the order of their dates, each from another day`);
    }
  }
  for (const [i, one] of hours.entries()) problems.push(...hoursProblems(one, `hours.${i}`));
  const isClosed = new Set(closed);
  const specials = special.flatMap(({ dates }) => dates);
  const outside = [...closed, ...extra, ...specials].find((date) => date < from || date > until);
  if (outside) problems.push(`${outside} is not between from and until`);
  const both = [...extra, ...specials].find((date) => isClosed.has(date));
  if (both) problems.push(`${both} is closed, and has a session`);
  const twice = specials.find((date, i) => specials.indexOf(date) !== i);
  if (twice) problems.push(`special names ${twice} twice`);
  const open = Object.keys(announced).find((date) => !isClosed.has(date));
  if (open) problems.push(`announced names ${open}, which is not among closed`);
  for (const [i, { dates, ...changed }] of special.entries()) {
    // In force on that day: its break counts where the special day does not change it.
    const regular = (date: string) => hours.findLast((one) => one.from <= date) ?? hours[0];
    const found = dates.flatMap((date) =>
      hoursProblems({ ...regular(date), ...changed }, `special.${i} on ${date}`)
    );
    problems.push(...found.slice(0, 1));
  }
  return problems;
}

type Hours =
  & Pick<Calendar["hours"][number], "open" | "close" | "openDayOffset" | "closeDayOffset">
  & {
    break?: string[] | null;
  };

function hoursProblems(
  { open, close, openDayOffset, closeDayOffset, break: rest }: Hours,
  place: string,
): string[] {
  const at = (time: string, days = 0) =>
    days * 1440 + Number(time.slice(0, 2)) * 60 +
    Number(time.slice(3));
  const opens = at(open, openDayOffset);
  const closes = at(close, closeDayOffset);
  if (closes <= opens) return [`${place} closes at ${close}, which is not after its open, ${open}`];
  if (closes - opens > 1440) return [`${place} is longer than a day`];
  if (!rest) return [];
  const [starts, ends] = rest.map((time) => at(time));
  const isWithin = opens < starts && starts < ends && ends < closes;
  return isWithin ? [] : [`${place} has a break that does not lie within its session`];
}
