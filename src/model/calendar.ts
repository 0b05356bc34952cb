/** @module A calendar as data: of an exchange, of a settlement system, of a desk's own. */
import { z } from "zod";

const LocalTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time like 09:30");
const Break = z.array(LocalTime).length(2);
/** Days as a list, or by year: `{ "2026": "01-01 12-25" }`. */
const Days = z.union([
  z.array(z.iso.date()).max(20_000),
  z.record(
    z.string().regex(/^\d{4}$/),
    z.string().regex(/^(\d\d-\d\d)( \d\d-\d\d)*$/, "must be days like 01-01 12-25"),
  ).transform((years) =>
    Object.entries(years).flatMap(([year, days]) => days.split(" ").map((day) => `${year}-${day}`))
  ).pipe(z.array(z.iso.date())),
], { error: "must be a list of dates, or days by year: { 2026: 01-01 12-25 }" });

/** What a calendar says, and a file of configs/calendars holds. Times are local to the venue. */
export const Calendar = z.strictObject({
  id: z.string(),
  name: z.string().optional(),
  timezone: z.string(),
  source: z.string().optional().meta({ doc: "Where the dates are from" }),
  from: z.iso.date(),
  until: z.iso.date().meta({ doc: "The horizon: nothing is known after it" }),
  weekdays: z.array(z.strictObject({ from: z.iso.date(), days: z.array(z.int().min(1).max(7)) }))
    .min(1).meta({ doc: "Days of the week with a session, Monday is 1; the last one counts" }),
  hours: z.array(z.strictObject({
    from: z.iso.date(),
    open: LocalTime,
    close: LocalTime,
    break: Break.optional(),
    openDayOffset: z.int().min(-1).max(0).default(0).meta({ doc: "-1: opens on the day before" }),
    closeDayOffset: z.int().min(0).max(1).default(0),
  })).min(1),
  closed: Days,
  extra: Days.optional().meta({ doc: "Sessions on days that are none by the weekday" }),
  special: z.array(z.strictObject({
    open: LocalTime.optional(),
    close: LocalTime.optional(),
    break: Break.nullable().optional(),
    dates: Days,
  })).default([]).meta({ doc: "Early closes, late opens" }),
  announced: z.record(z.iso.date(), z.iso.datetime({ offset: true })).default({}).meta({
    doc: "Closed days that became known late, and when",
  }),
});
/** See {@link Calendar}. */
export type Calendar = z.infer<typeof Calendar>;
