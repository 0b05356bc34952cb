/** @module Days and times as workbooks count them, as texts of ISO 8601. */

/** What a number format shows of a number. */
export interface TimeParts {
  hasDate: boolean;
  hasTime: boolean;
  /** Hours that go past a day: a duration. */
  isElapsed: boolean;
}

const DAY_MS = 86_400_000;
/** 1970-01-01 in days of 1900. */
const UNIX_DAY = 25_569;
/** Days from the epoch of 1900 to that of 1904. */
const DAYS_1904 = 1462;
/** The day that 1900 did not have, and Lotus 1-2-3 had. */
const LEAP_DAY_1900 = 60;
/** 9999-12-31 and a day. */
const SERIAL_MAX = 2_958_466;

/**
 * A serial number as its date, time or both. Null for one that is no date: before the first day, or
 * past the year 9999.
 */
export function serialText(serial: number, parts: TimeParts, is1904: boolean): string | null {
  if (!Number.isFinite(serial)) return null;
  if (parts.isElapsed) return elapsedText(serial);
  const from1900 = is1904 ? serial + DAYS_1904 : serial;
  if (from1900 < 0 || from1900 >= SERIAL_MAX) return null;
  let days = Math.floor(from1900);
  // Written by clocks of milliseconds: the rest of a double's digits is noise.
  let ms = Math.round((from1900 - days) * DAY_MS);
  if (ms === DAY_MS) {
    days++;
    ms = 0;
  }
  if (!parts.hasDate && days === (is1904 ? DAYS_1904 : 0)) return clockText(ms);
  const date = dateText(days, is1904);
  return parts.hasTime || ms !== 0 ? `${date} ${clockText(ms)}` : date;
}

/** Texts of days that came before, since most columns have few. */
const knownDays = new Map<number, string>();
const KNOWN_DAYS_MAX = 50_000;

function dateText(days: number, is1904: boolean): string {
  if (days <= LEAP_DAY_1900) return newDateText(days, is1904);
  let text = knownDays.get(days);
  if (text === undefined) {
    if (knownDays.size === KNOWN_DAYS_MAX) knownDays.clear();
    knownDays.set(days, text = newDateText(days, is1904));
  }
  return text;
}

function newDateText(days: number, is1904: boolean): string {
  if (!is1904 && days === LEAP_DAY_1900) return "1900-02-29";
  const shift = !is1904 && days < LEAP_DAY_1900 ? 1 : 0;
  return new Date((days + shift - UNIX_DAY) * DAY_MS).toISOString().slice(0, 10);
}

function clockText(ms: number): string {
  const [hours, minutes, seconds] = [ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60];
  const fraction = ms % 1000 === 0 ? "" : `.${two(ms % 1000, 3)}`.replace(/0+$/, "");
  return `${two(hours)}:${two(minutes)}:${two(seconds)}${fraction}`;
}

function elapsedText(serial: number): string {
  return `${serial < 0 ? "-" : ""}${clockText(Math.round(Math.abs(serial) * DAY_MS))}`;
}

function two(value: number, width = 2): string {
  return String(Math.floor(value)).padStart(width, "0");
}
