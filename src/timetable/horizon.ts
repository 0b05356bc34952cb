/** @module How far the calendars of a schedule go. */
import type { ScheduleSpec } from "../model/schedule_spec.ts";
import { readCalendar } from "./bundled_calendars.ts";

/** The calendar of a schedule that ends first, and its last date; null for a schedule without. */
export function calendarHorizon(schedule: ScheduleSpec): { name: string; until: string } | null {
  const ends = namesOf(schedule).map((name) => ({ name, until: readCalendar(name).until }));
  return ends.sort((a, b) => (a.until < b.until ? -1 : 1))[0] ?? null;
}

function namesOf(schedule: ScheduleSpec): string[] {
  if (schedule.kind === "sessions") return schedule.calendars;
  return schedule.kind === "any" || schedule.kind === "all" ? schedule.of.flatMap(namesOf) : [];
}
