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
    if (first) return read.map((forms) => forms.filter(({ order }) => !order || order === first));
    return "day and month may be either way round, as in 1/5/26: say dateFormat";
  }
  return read.map((forms) => forms.filter(({ order }) => order === null || order === orders[0]));
}

const MONTHS_SEEN = 8;

/**
 * The order in which all are the first of some month. In the other order they would all lie in one
 * January, and none after the 12th.
 */
function firstOfMonths(read: readonly DateText[][]): "dm" | "md" | null {
  for (const order of ["dm", "md"] as const) {
    const forms = read.map((each) => each.find((form) => form.order === order));
    const months = new Set(forms.map((form) => form?.month));
    if (forms.every((form) => form?.day === 1) && months.size >= MONTHS_SEEN) return order;
  }
  return null;
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
  if (centuries.some((year) => year > 2037) && centuries.some((year) => year < 2038)) {
    return refused("two-digit years of more than one century: 1/5/38 may be 1938 or 2038");
  }
  const kinds = new Set(forms.map(({ kind }) => kind));
  if (kinds.has("time")) {
    if (kinds.size > 1) return null;
    return typed("TIME", formats, texts, isoTime);
  }
  if (!kinds.has("timestamp")) return typed("DATE", formats, texts, isoDate);
  const zones = new Set(forms.map(({ zone }) => zone));
  if (zones.has("") && zones.size > 1) {
    return refused("some of its times have a zone and some have none");
  }
  const digits = Math.max(...all.map(({ fractionDigits }) => fractionDigits));
  if (digits > 6) return nanoseconds(formats, zones, texts);
  const type = zones.has("") ? "TIMESTAMP" : "TIMESTAMP WITH TIME ZONE";
  return typed(type, formats, texts, isoStamp);
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
): Found {
  const isPlain = [...texts.keys()].every((text) => plain.test(text.trim()));
  const reading = isPlain ? plainReading : { kind: "formats", formats } as const;
  return { type, reading, certainty: formats.length === 1 ? 1 : 0.95 };
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
