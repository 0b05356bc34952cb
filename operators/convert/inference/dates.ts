/** @module Columns of dates, times and timestamps, in the layout that all of their texts share. */
import { type DateText, dateTexts } from "./date_text.ts";
import { type Found, plainReading, type TextCounts } from "./reading.ts";

const FORMATS_MAX = 4;
const isoDate = /^\d{4}-\d{2}-\d{2}$|^\d{4}\/\d{1,2}\/\d{1,2}$|^\d{8}$/;
const isoStamp =
  /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$/;
const isoTime = /^\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?$/;
const dateName =
  /date|(?:^|[_\W])(?:dt|day|dob|asof|as_of|maturity|settle\w*|expir\w*|birth\w*)(?:$|[_\W])|time|stamp/i;

/** What a column of dates or times is; null when a text is none. */
export function findDates(
  name: string,
  texts: TextCounts,
  told: readonly string[] = [],
): Found | null {
  const read: DateText[][] = [];
  for (const text of texts.keys()) {
    const found = dateTexts(text.trim()).filter(({ order, format }) =>
      order === null || told.length === 0 || told.includes(format)
    );
    if (found.length === 0) return null;
    read.push(found);
  }
  if (!isPlausible(name, texts)) return null;
  const ordered = withOneOrder(read);
  if (typeof ordered === "string") return refused(ordered);
  const chosen = fewestFormats(ordered);
  return chosen === null ? null : verdict(texts, chosen);
}

/** Eight or fourteen digits are dates by chance too: it takes several, or the name of the column. */
function isPlausible(name: string, texts: TextCounts): boolean {
  const bare = [...texts.keys()].filter((text) => /^\s*\d+\s*$/.test(text));
  return bare.length === 0 || bare.length >= 3 || dateName.test(name);
}

function refused(note: string): Found {
  return { type: "VARCHAR", reading: plainReading, certainty: 0.5, notes: [note] };
}

/** Leave one order of day and month, the one that all texts allow; or say why there is none. */
function withOneOrder(read: readonly DateText[][]): DateText[][] | string {
  const numeric = read.filter((forms) => forms.some(({ order }) => order !== null));
  if (numeric.length === 0) return [...read];
  const allows = (order: string) =>
    numeric.every((forms) => forms.some((form) => form.order === order));
  const orders = (["dm", "md", "ymd"] as const).filter(allows);
  if (orders.length === 0) {
    return "days and months stand in different orders in it: 13/1 and 1/13";
  }
  const isSame = (forms: readonly DateText[]) =>
    new Set(
      forms.filter(({ order }) => order !== null && orders.includes(order))
        .map(({ year, month, day }) => `${year}-${month}-${day}`),
    ).size === 1;
  if (orders.length > 1 && !numeric.every(isSame)) {
    const first = firstOfMonths(numeric);
    if (first) return withOrder(read, first);
    return "day and month may be either way round, as in 1/5/26: say dateFormat";
  }
  return withOrder(read, orders[0]);
}

function withOrder(read: readonly DateText[][], wanted: string): DateText[][] {
  return read.map((forms) => forms.filter(({ order }) => order === null || order === wanted));
}

/** So many different months are no chance; fewer are none over several years. */
const MONTHS_SURE = 8;
const MONTHS_SEEN = 4;
const MONTHS_IN_A_ROW = 5;

/**
 * The order in which all are the first of some month. In the other order they would all lie in one
 * January, and none after the 12th. A few days in a row of one January are just that, unless some are
 * free everywhere: New Year's Day, Saturdays and Sundays.
 */
function firstOfMonths(read: readonly DateText[][]): "dm" | "md" | null {
  for (const order of ["dm", "md"] as const) {
    const forms = read.flatMap((each) => each.filter((form) => form.order === order));
    if (forms.length < read.length || !forms.every(({ day }) => day === 1)) continue;
    const months = new Set(forms.map(({ month }) => month)).size;
    const years = new Set(forms.map(({ year }) => year)).size;
    if (months >= MONTHS_SURE || (months >= MONTHS_SEEN && years > 1)) return order;
    if (years === 1 && areInARow(forms) && forms.some(isFreeInJanuary)) return order;
  }
  return null;
}

function areInARow(forms: readonly DateText[]): boolean {
  const months = [...new Set(forms.map(({ month }) => month))].sort((a, b) => a - b);
  return months.length >= MONTHS_IN_A_ROW &&
    months.every((month, i) => i === 0 || month === months[i - 1] + 1);
}

function isFreeInJanuary({ year, month }: DateText): boolean {
  const weekday = new Date(Date.UTC(year, 0, month)).getUTCDay();
  return month === 1 || weekday === 0 || weekday === 6;
}

/** The formats that cover all texts, those that most are in first. */
function fewestFormats(read: readonly DateText[][]): DateText[][] | null {
  const chosen: string[] = [];
  let left = read.filter((forms) => forms.length > 0);
  if (left.length < read.length) return null;
  while (left.length > 0 && chosen.length < FORMATS_MAX) {
    const counts = new Map<string, number>();
    for (const { format } of left.flat()) counts.set(format, (counts.get(format) ?? 0) + 1);
    const [best] = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0];
    chosen.push(best);
    left = left.filter((forms) => forms.every(({ format }) => format !== best));
  }
  if (left.length > 0) return null;
  return chosen.map((format) => read.flat().filter((form) => form.format === format));
}

function verdict(texts: TextCounts, chosen: DateText[][]): Found | null {
  const forms = chosen.map(([form]) => form);
  const all = chosen.flat();
  const formats = forms.map(({ format }) => format);
  const centuries = all.filter(({ isShortYear }) => isShortYear).map(({ year }) => year);
  const lastYear = lastShortYear(centuries);
  if (lastYear === null) {
    return refused("two-digit years of more than one century: 1/5/38 may be 1938 or 2038");
  }
  const kinds = new Set(forms.map(({ kind }) => kind));
  if (kinds.has("time")) {
    if (kinds.size > 1) return null;
    return typed("TIME", formats, texts, isoTime);
  }
  if (!kinds.has("timestamp")) return typed("DATE", formats, texts, isoDate, lastYear);
  const zones = new Set(forms.map(({ zone }) => zone));
  if (zones.has("") && zones.size > 1) {
    return refused("some of its times have a zone and some have none");
  }
  const digits = Math.max(...all.map(({ fractionDigits }) => fractionDigits));
  if (digits > 6) return nanoseconds(formats, zones, texts);
  const type = zones.has("") ? "TIMESTAMP" : "TIMESTAMP WITH TIME ZONE";
  return typed(type, formats, texts, isoStamp, lastYear);
}

const LAST_YEAR = 2068;
const NEAR_FUTURE = 2037;
/** Years without a date, of which none is near: where one century's dates end, another's begin. */
const GAP_YEARS = 40;

/**
 * The last year that two digits mean. Strptime takes 69 to 99 as 1969 to 1999; dates from 1960 to 2000
 * show by the years that are not there that 60 is 1960. Null: they could be either.
 */
function lastShortYear(years: readonly number[]): number | null {
  if (!years.some((year) => year > NEAR_FUTURE) || !years.some((year) => year <= NEAR_FUTURE)) {
    return LAST_YEAR;
  }
  const early = Math.min(...years.filter((year) => year > NEAR_FUTURE));
  const last = Math.max(...years.filter((year) => year <= NEAR_FUTURE));
  return early - last >= GAP_YEARS ? last : null;
}

/** The engine's nanoseconds know no zone: in UTC they lose nothing, in another they would. */
function nanoseconds(
  formats: readonly string[],
  zones: ReadonlySet<string>,
  texts: TextCounts,
): Found {
  if (zones.has("offset")) return refused("nanoseconds with offsets: no type holds both");
  if (!zones.has("utc")) return typed("TIMESTAMP_NS", formats, texts, isoStamp);
  return { type: "TIMESTAMP_NS", reading: { kind: "formats", formats }, certainty: 1, unit: "UTC" };
}

function typed(
  type: string,
  formats: readonly string[],
  texts: TextCounts,
  plain: RegExp,
  lastYear = LAST_YEAR,
): Found {
  const isPlain = [...texts.keys()].every((text) => plain.test(text.trim()));
  if (isPlain) return { type, reading: plainReading, certainty: 1 };
  const isShifted = lastYear < LAST_YEAR;
  return {
    type,
    reading: { kind: "formats", formats, ...(isShifted ? { lastYear } : {}) },
    certainty: (formats.length === 1 ? 1 : 0.95) * (isShifted ? 0.9 : 1),
  };
}

/** Does the name say that whole numbers may be instants? */
const instantName =
  /time|stamp|epoch|date|(?:^|[_\W])(?:ts|at|created|updated|modified|when|utc)(?:$|[_\W])|(?<=[a-z])At$/;

/** Least digits before which no epoch is looked for: 2000-01-01 until 2040-01-01. */
const epochs = [
  { unit: "s", digits: 10, type: "TIMESTAMP WITH TIME ZONE" },
  { unit: "ms", digits: 13, type: "TIMESTAMP WITH TIME ZONE" },
  { unit: "us", digits: 16, type: "TIMESTAMP WITH TIME ZONE" },
  { unit: "ns", digits: 19, type: "TIMESTAMP_NS" },
] as const;

/** Whole numbers that count from 1970, by their range and the column's name. */
export function findEpochs(name: string, texts: TextCounts): Found | null {
  if (!instantName.test(name)) return null;
  for (const { unit, digits, type } of epochs) {
    const isInstant = (text: string) => {
      const trimmed = text.trim();
      if (trimmed.length !== digits || !/^\d+$/.test(trimmed)) return false;
      const seconds = Number(trimmed.slice(0, 10));
      return seconds >= 1_000_000_000 && seconds < 2_208_988_800;
    };
    if (![...texts.keys()].every(isInstant)) continue;
    return { type, reading: { kind: "epoch", unit }, certainty: 0.9, unit: `epoch ${unit}` };
  }
  return null;
}
