/** @module One text as a date, a time or both: every format of strptime that it may be in. */
import { monthNames } from "../month_names.ts";

/** A text read by one format. */
export interface DateText {
  format: string;
  kind: "date" | "time" | "timestamp";
  year: number;
  month: number;
  day: number;
  /** Of numbers that do not say it themselves; null where the layout is plain. */
  order: "dm" | "md" | "ymd" | null;
  isShortYear: boolean;
  fractionDigits: number;
  zone: "" | "utc" | "offset";
}

type DatePart = Pick<DateText, "format" | "year" | "month" | "day" | "order" | "isShortYear">;
type TimePart = Pick<DateText, "format" | "fractionDigits" | "zone">;

const monthWord = "([A-Za-z]{3,9})";
const weekday = /^((?:mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?)(,? +)(?=\S)/i;
const TEXT_CHARS_MAX = 48;

/** Formats that the text is in; none: it is no date. */
export function dateTexts(text: string): DateText[] {
  if (text.length > TEXT_CHARS_MAX || !/\d/.test(text)) return [];
  const time = timePart(text);
  if (time) return [{ ...time, kind: "time", year: 0, month: 0, day: 0, ...noOrder }];
  const { prefix, rest } = withoutWeekday(text);
  const late = yearAtEnd(rest);
  if (late.length > 0) return late.map((form) => ({ ...form, format: prefix + form.format }));
  return datesAtStart(rest).flatMap(({ length, parts }) => {
    const after = rest.slice(length);
    const timed = after === "" ? null : timeAfter(after, /^\d{8}$/.test(rest.slice(0, length)));
    if (after !== "" && timed === null) return [];
    return parts.map((part): DateText => ({
      ...part,
      format: prefix + part.format + (timed?.format ?? ""),
      kind: timed ? "timestamp" : "date",
      fractionDigits: timed?.fractionDigits ?? 0,
      zone: timed?.zone ?? "",
    }));
  });
}

const noOrder = { order: null, isShortYear: false } as const;

function withoutWeekday(text: string): { prefix: string; rest: string } {
  const match = text.match(weekday);
  if (!match) return { prefix: "", rest: text };
  const [whole, day, space] = match;
  return { prefix: (day.length === 3 ? "%a" : "%A") + space, rest: text.slice(whole.length) };
}

const lateYear = new RegExp(
  `^${monthWord}( {1,2})(\\d{1,2}) (\\d{1,2}:\\d{2}:\\d{2})( (?:UTC|GMT|[+-]\\d{4}))? (\\d{4})$`,
);

/** As programs print it: `Jan 05 16:00:00 UTC 2026`. */
function yearAtEnd(text: string): DateText[] {
  const match = text.match(lateYear);
  if (!match) return [];
  const [, word, gap, day, clock, zone = "", year] = match;
  const time = timePart(clock + zone);
  if (!time) return [];
  return named(word, (month, m) => [part(`${month}${gap}%d ${time.format} %Y`, year, m, day)])
    .filter(isDate)
    .map((found) => ({ ...found, ...time, format: found.format, kind: "timestamp" }));
}

/** Dates that the text begins with, with how many characters they take. */
function datesAtStart(text: string): { length: number; parts: DatePart[] }[] {
  const found: { length: number; parts: DatePart[] }[] = [];
  for (const [pattern, read] of layouts) {
    const match = text.match(pattern);
    if (!match) continue;
    const parts = read(match).filter(isDate);
    if (parts.length > 0) found.push({ length: match[0].length, parts });
  }
  return found;
}

const layouts: readonly [RegExp, (match: RegExpMatchArray) => DatePart[]][] = [
  [
    /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)/,
    ([, y, s, m, d]) => [part(`%Y${s}%m${s}%d`, y, m, d)],
  ],
  [/^(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})(?!\d)/, inAnyOrder],
  [
    new RegExp(`^(\\d{1,2})([-/ .]?)${monthWord}([-/ ,.]{0,2})(\\d{4}|\\d{2})(?!\\d)`),
    ([, d, s, word, t, y]) =>
      named(word, (b, m) => [part(`%d${s}${b}${t}${yearFormat(y)}`, y, m, d)]),
  ],
  [
    new RegExp(`^${monthWord}([ .-]{1,2})(\\d{1,2})(, ?| |-)(\\d{4})(?!\\d)`),
    ([, word, s, d, t, y]) => named(word, (b, m) => [part(`${b}${s}%d${t}%Y`, y, m, d)]),
  ],
  [
    new RegExp(`^(\\d{4})([-/ ])${monthWord}\\2(\\d{1,2})(?!\\d)`),
    ([, y, s, word, d]) => named(word, (b, m) => [part(`%Y${s}${b}${s}%d`, y, m, d)]),
  ],
  [
    /^((?:19|20)\d{2})(\d{2})(\d{2})(?=$|\d{6}$|[ T:_-])/,
    ([, y, m, d]) => [part("%Y%m%d", y, m, d)],
  ],
];

function inAnyOrder([, a, s, b, y]: RegExpMatchArray): DatePart[] {
  const year = yearFormat(y);
  const parts: DatePart[] = [
    { ...part(`%d${s}%m${s}${year}`, y, b, a), order: "dm" },
    { ...part(`%m${s}%d${s}${year}`, y, a, b), order: "md" },
  ];
  if (y.length === 2 && a.length === 2) {
    parts.push({ ...part(`%y${s}%m${s}%d`, a, b, y), order: "ymd" });
  }
  return parts;
}

function yearFormat(year: string): string {
  return year.length === 4 ? "%Y" : "%y";
}

function named(word: string, of: (format: string, month: string) => DatePart[]): DatePart[] {
  const lower = word.toLowerCase();
  const index = monthNames.findIndex((name) => name === lower || name.slice(0, 3) === lower);
  if (index < 0) return [];
  const month = String(index + 1);
  const formats = lower === "may" ? ["%b", "%B"] : [lower.length === 3 ? "%b" : "%B"];
  return formats.flatMap((format) => of(format, month));
}

function part(format: string, year: string, month: string, day: string): DatePart {
  const isShortYear = year.length === 2;
  const short = Number(year);
  return {
    format,
    // As strptime takes two digits.
    year: isShortYear ? (short < 69 ? 2000 : 1900) + short : short,
    month: Number(month),
    day: Number(day),
    order: null,
    isShortYear,
  };
}

function isDate({ year, month, day }: DatePart): boolean {
  if (year < 1000 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= days[month - 1];
}

function timeAfter(text: string, isCompact: boolean): TimePart | null {
  if (isCompact && /^\d{6}$/.test(text)) return compactTime(text, "");
  const match = text.match(/^(T|,? +|-|:|_| at )(?=\d)/);
  if (!match) return zoneOnly(text);
  const rest = text.slice(match[0].length);
  const time = timePart(rest) ?? (isCompact ? compactTime(rest, match[0]) : null);
  if (!time) return null;
  return { ...time, format: match[0] + time.format };
}

function compactTime(text: string, separator: string): TimePart | null {
  const match = text.match(/^(\d{2})(\d{2})(\d{2})(Z?)$/);
  if (!match) return null;
  const [, hour, minute, second, zone] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const format = separator === "" ? "%H%M%S" : `%H%M%S`;
  return { format: format + zone, fractionDigits: 0, zone: zone === "" ? "" : "utc" };
}

/** A date with a zone and no time is none that strptime reads. */
function zoneOnly(_text: string): null {
  return null;
}

const timeForm =
  /^(\d{1,2}):(\d{2})(?::(\d{2})(?:([.,])(\d{1,9}))?)?( ?)([AaPp][Mm])?( ?)(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/;

/** The whole text as a time of day. */
function timePart(text: string): TimePart | null {
  const match = text.match(timeForm);
  if (!match) return null;
  const [, hour, minute, second, mark, fraction = "", gap, half, zoneGap, zone] = match;
  const hours = Number(hour);
  if (hours > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return null;
  if (half !== undefined && (hours < 1 || hours > 12)) return null;
  if (half === undefined && gap !== "" && zone === undefined) return null;
  if (zone === undefined && zoneGap !== "") return null;
  const isNamed = zone !== undefined && /^[A-Z]/.test(zone);
  const format = (half === undefined ? "%H:%M" : "%I:%M") +
    (second === undefined ? "" : ":%S") +
    (mark === undefined ? "" : `${mark}${fraction.length > 6 ? "%n" : "%f"}`) +
    (half === undefined ? gap : `${gap}%p`) + zoneGap +
    (zone === undefined ? "" : isNamed ? zone : "%z");
  return {
    format,
    fractionDigits: fraction.length,
    zone: zone === undefined ? "" : isNamed ? "utc" : "offset",
  };
}
