import { assertEquals, assertThrows } from "@std/assert";
import { calendarNames } from "../model/calendar_names.ts";
import { AppError } from "../model/errors.ts";
import type { SessionsSpec } from "../model/schedule_spec.ts";
import { calendarOf, readCalendar } from "./bundled_calendars.ts";
import { dayOf } from "./calendar.ts";
import { nextRun, runsBetween } from "./next_run.ts";
import { sessionDateOf, sessionsTimetable } from "./sessions.ts";

const DAY = 86_400_000;

function spec(given: Partial<SessionsSpec> & { calendars: string[] }): SessionsSpec {
  return {
    ...{ kind: "sessions", open: "all", edge: "close", offsetMs: 0, everyMs: null },
    ...{ nth: null, interval: "session", ...given },
  } as SessionsSpec;
}

/** `start/end @ due` of each run whose session begins in [from, to]. */
function runs(schedule: SessionsSpec, from: string, to: string): string[] {
  const short = (at: Date) => at.toISOString().slice(5, 16);
  return [...runsBetween(schedule, {
    ...{ from: new Date(from), to: new Date(to), start: null, end: null },
    now: new Date("2031-01-01"),
  })].map(({ interval, runAfter }) =>
    `${short(interval.start)}/${short(interval.end)} @ ${short(runAfter)}`
  );
}

/** Open, break and close in local time on a date; null: closed. */
function hours(name: string, date: string, knownAt = "2031-01-01T00:00Z"): string | null {
  const session = calendarOf(name).sessionOn(dayOf(date), Date.parse(knownAt));
  if (!session) return null;
  const zone = readCalendar(name).timezone;
  return [session.openMs, session.break?.startMs, session.break?.endMs, session.closeMs]
    .filter((ms) => ms !== undefined)
    .map((ms) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone))
    .map((at) => at.toPlainTime().toString().slice(0, 5)).join(" ");
}

Deno.test("calendars have the hours that were in force on a date", () => {
  assertEquals(hours("XNYS", "2026-07-02"), "09:30 16:00");
  assertEquals(hours("XNYS", "2025-07-03"), "09:30 13:00");
  assertEquals(hours("XLON", "2026-12-24"), "08:00 12:30");
  assertEquals(hours("XETR", "2026-03-02"), "09:00 17:30");
  assertEquals(hours("XETR", "2025-12-30"), "09:00 14:00");
  assertEquals(hours("XPAR", "2026-12-24"), "09:00 14:05");
  assertEquals(hours("XTKS", "2024-11-01"), "09:00 11:30 12:30 15:00");
  assertEquals(hours("XTKS", "2024-11-05"), "09:00 11:30 12:30 15:30");
  assertEquals(hours("XHKG", "2026-03-02"), "09:30 12:00 13:00 16:00");
  assertEquals(hours("XCME", "2022-10-19"), "17:00 17:00");
});

Deno.test("calendars have the hours of half days, and those that were before", () => {
  assertEquals(hours("XHKG", "2011-03-04"), "10:00 12:30 14:30 16:00");
  assertEquals(hours("XHKG", "2011-03-07"), "09:30 12:00 13:30 16:00");
  assertEquals(hours("XHKG", "2012-03-05"), "09:30 12:00 13:00 16:00");
  assertEquals(hours("XHKG", "2026-12-24"), "09:30 12:00");
  assertEquals(hours("XNYS", "2026-11-27"), "09:30 13:00");
  assertEquals(hours("XLON", "2026-12-31"), "08:00 12:30");
  assertEquals(hours("XETR", "2026-12-30"), "09:00 14:00");
  assertEquals(hours("XPAR", "2026-12-31"), "09:00 14:05");
});

Deno.test("Athens keeps Orthodox Easter, and was closed for five weeks of 2015", () => {
  assertEquals(hours("ASEX", "2026-04-10"), null);
  assertEquals(hours("ASEX", "2026-04-14"), "10:00 17:20");
  assertEquals(
    ["2015-06-26", "2015-06-29", "2015-07-31", "2015-08-03"].map((date) =>
      hours("ASEX", date) !== null
    ),
    [true, false, false, true],
  );
});

Deno.test("New York opens an hour closer to London in the weeks in which one of them has changed its clocks", () => {
  const apart = (date: string) => {
    const at = (mic: string) => calendarOf(mic).sessionOn(dayOf(date), Infinity)!.openMs;
    return (at("XNYS") - at("XLON")) / 3_600_000;
  };
  // 08:00 in London to 09:30 in New York: 6.5 hours, one less while only one side has changed.
  assertEquals(["2026-03-06", "2026-03-09", "2026-03-27", "2026-03-30"].map(apart), [
    ...[6.5, 5.5, 5.5, 6.5],
  ]);
  assertEquals(["2026-10-23", "2026-10-26", "2026-10-30", "2026-11-02"].map(apart), [
    ...[6.5, 5.5, 5.5, 6.5],
  ]);
});

Deno.test("calendars of payment systems and bond markets know their days", () => {
  assertEquals(hours("TARGET", "2026-04-03"), null);
  assertEquals(hours("TARGET", "2026-05-01"), null);
  assertEquals(hours("TARGET", "2026-05-25"), "07:00 18:00");
  assertEquals(hours("UKBANK", "2023-05-08"), null);
  // On a Good Friday with figures on employment, trading is recommended until noon.
  assertEquals(hours("SIFMA", "2026-04-03"), "08:00 12:00");
  assertEquals(hours("SIFMA", "2025-04-18"), null);
  assertEquals(hours("SIFMA", "2026-11-27"), "08:00 14:00");
  assertEquals(hours("USFED", "2026-04-03"), "09:00 17:00");
  assertEquals(hours("24x7", "2026-12-25"), "00:00 00:00");
});

Deno.test("every bundled calendar reads, and goes on beyond a year from its making", () => {
  for (const name of calendarNames) {
    const { id, until } = readCalendar(name);
    assertEquals([id, until >= "2026-12-31"], [name, true]);
  }
  const files = [...Deno.readDirSync(new URL("../../configs/calendars/", import.meta.url))];
  assertEquals(
    files.map((file) => file.name.replace(".json", "")).sort(),
    [...calendarNames].sort(),
  );
});

Deno.test("calendarOf() names what there is, for a name that is none", () => {
  assertThrows(() => calendarOf("XXXX"), AppError, 'Cannot use "XXXX" as a calendar');
});

Deno.test("a closing that is announced late is a session to whoever asks before", () => {
  assertEquals(hours("XNYS", "2025-01-09", "2024-12-29T00:00Z"), "09:30 16:00");
  assertEquals(hours("XNYS", "2025-01-09", "2024-12-31T00:00Z"), null);
});

Deno.test("sessions carry the session: after Friday's comes Monday's", () => {
  const schedule = spec({ calendars: ["XNYS"], offsetMs: 45 * 60_000 });
  assertEquals(runs(schedule, "2026-03-06T00:00Z", "2026-03-10T00:00Z"), [
    "03-06T14:30/03-06T21:00 @ 03-06T21:45",
    "03-09T13:30/03-09T20:00 @ 03-09T20:45",
  ]);
});

Deno.test("sessions run before the open, for the session before", () => {
  const schedule = spec({
    ...{ calendars: ["XNYS"], edge: "open", offsetMs: -3_600_000, interval: "previous" },
  });
  assertEquals(runs(schedule, "2026-07-02T00:00Z", "2026-07-06T00:00Z"), [
    "07-02T13:30/07-02T20:00 @ 07-06T12:30",
  ]);
});

Deno.test("sessions of several calendars need all of them, or any", () => {
  const both = { calendars: ["XLON", "XNYS"], edge: "close" as const };
  const from = ["2026-05-25T00:00Z", "2026-05-27T00:00Z"] as const; // a holiday in both
  assertEquals(runs(spec(both), ...from), ["05-26T07:00/05-26T20:00 @ 05-26T20:00"]);
  const fourth = ["2026-07-03T00:00Z", "2026-07-04T00:00Z"] as const; // New York is closed
  assertEquals(runs(spec(both), ...fourth), []);
  assertEquals(runs(spec({ ...both, open: "any" }), ...fourth), [
    "07-03T07:00/07-03T15:30 @ 07-03T15:30",
  ]);
});

Deno.test("sessions go through the weeks in which London and New York change clocks apart", () => {
  const due = (from: string) =>
    runs(spec({ calendars: ["XLON"] }), from, `${from.slice(0, 11)}12:00Z`)[0].slice(-5);
  assertEquals(["2026-03-27T00:00Z", "2026-03-30T00:00Z"].map(due), ["16:30", "15:30"]);
});

Deno.test("sessions run every so often within the session, but not in its break", () => {
  const schedule = spec({ calendars: ["XTKS"], everyMs: 3_600_000 });
  assertEquals(runs(schedule, "2026-03-02T00:00Z", "2026-03-02T23:00Z"), [
    "03-02T00:00/03-02T01:00 @ 03-02T01:00",
    "03-02T01:00/03-02T02:00 @ 03-02T02:00",
    "03-02T02:00/03-02T02:30 @ 03-02T02:30",
    "03-02T03:30/03-02T04:30 @ 03-02T04:30",
    "03-02T04:30/03-02T05:30 @ 03-02T05:30",
    "03-02T05:30/03-02T06:30 @ 03-02T06:30",
  ]);
});

Deno.test("sessions can be the nth of the month, or the last", () => {
  const third = spec({ calendars: ["XNYS"], nth: 3 });
  const last = spec({ calendars: ["XNYS"], nth: -1 });
  const dates = (schedule: SessionsSpec) =>
    runs(schedule, "2026-01-01T00:00Z", "2026-05-31T23:00Z").map((run) => run.slice(0, 5));
  assertEquals(dates(third), ["01-06", "02-04", "03-04", "04-06", "05-05"]);
  assertEquals(dates(last), ["01-30", "02-27", "03-31", "04-30", "05-29"]);
});

Deno.test("a trade date is that of the session, which may have begun the evening before", () => {
  const cme = spec({ calendars: ["XCME"] });
  assertEquals(sessionDateOf(cme, Date.parse("2022-10-18T22:00Z")), "2022-10-19");
  assertEquals(runs(cme, "2022-10-18T20:00Z", "2022-10-18T23:00Z"), [
    "10-18T22:00/10-19T22:00 @ 10-19T22:00",
  ]);
  assertEquals(
    sessionDateOf(spec({ calendars: ["XASX"] }), Date.parse("2026-01-04T23:00Z")),
    "2026-01-05",
  );
});

Deno.test("nextRun() of sessions ends with the calendar", () => {
  const schedule = spec({ calendars: ["XNYS"] });
  const at = (now: string) =>
    nextRun(schedule, {
      ...{ lastInterval: null, start: null, end: null, catchup: "none" as const },
      now: new Date(now),
    })?.runAfter.toISOString();
  assertEquals(at("2026-07-02T20:30Z"), "2026-07-06T20:00:00.000Z");
  assertEquals(at("2031-01-02T00:00Z"), undefined);
});

Deno.test("latest() of sessions is the inverse of next()", () => {
  const schedule = spec({ calendars: ["XHKG"], edge: "break_end", offsetMs: 5 * DAY });
  const timetable = sessionsTimetable(schedule, Infinity);
  for (let tick = timetable.next(Date.parse("2026-01-01")), i = 0; tick && i < 250; i++) {
    assertEquals(timetable.latest(tick.dueMs), tick);
    assertEquals(timetable.due.next(tick.dueMs), tick.dueMs);
    const following = timetable.next(tick.endMs)!;
    assertEquals(timetable.latest(following.dueMs - 1), tick);
    tick = following;
  }
});
