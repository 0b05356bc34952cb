/** @module Columns of dates and timestamps. */
import { IntegerRuns } from "./integer_runs.ts";
import type { Stripe } from "./stripe.ts";
import type { OrcType } from "./tail.ts";
import { Misfit, stagedTypeOf } from "./types.ts";

/** 2015-01-01 00:00 UTC, from which ORC counts, in seconds of Unix. */
const EPOCH = 1_420_070_400;
/** Seconds that nanoseconds in 64 bits reach. */
const NANOSECOND_SECONDS_MAX = 9_223_372_035;
/** Seconds that microseconds in 64 bits reach. */
const MICROSECOND_SECONDS_MAX = 9_223_372_036_853;
const DAY = 86_400;
/** 1582-10-15, when the Gregorian calendar began. */
const GREGORIAN_DAY = -141_427;

/** Reads days since 1970-01-01. */
export function dateReader(type: OrcType, stripe: Stripe): (count: number) => Int32Array {
  const { version } = stripe.encoding(type.id);
  const days = new IntegerRuns(stripe.stream(type.id, "data"), { version, isSigned: true });
  return (count) => {
    const values = days.takeInt32(count);
    if (stripe.tail.isJulian) values.forEach((day, i) => values[i] = sameLabel(day));
    return values;
  };
}

/** Reads instants in the units of the column's type, or as texts. */
export function timestampReader(
  type: OrcType,
  stripe: Stripe,
): (count: number) => BigInt64Array | string[] {
  const { version } = stripe.encoding(type.id);
  const data = stripe.stream(type.id, "data");
  const seconds = new IntegerRuns(data, { version, isSigned: true });
  const nanoseconds = new IntegerRuns(stripe.stream(type.id, "secondary"), {
    version,
    isSigned: false,
  });
  const isInstant = type.kind === "timestamp_instant";
  const zone = zoneOf(isInstant ? "" : stripe.writerZone, (why) => data.fail(why));
  const make = makers[stagedTypeOf(type, stripe.wider) as keyof typeof makers];
  return (count) => {
    const whole = seconds.takeNumbers(count);
    const encoded = nanoseconds.takeNumbers(count);
    for (let i = 0; i < count; i++) {
      let nanos = decodeNanos(encoded[i]);
      if (Math.abs(nanos) > 999_999_999) data.fail(`${nanos} nanoseconds are over a second`);
      let utc = whole[i] + zone.epoch;
      // Writers cut seconds before 1970 towards zero; some then count nanoseconds back from there.
      if (nanos < 0) {
        utc--;
        nanos += 1_000_000_000;
      } else if (utc < 0 && nanos > 999_999) utc--;
      const local = utc + zone.offsetAt(utc);
      if (!Number.isSafeInteger(local)) data.fail(`a timestamp of ${local} seconds`);
      whole[i] = stripe.tail.isJulian ? sameInstantLabel(local) : local;
      encoded[i] = nanos;
    }
    return make(type, whole, encoded);
  };
}

/** The lowest three bits count the zeros that were cut off, less one; 0 for none. */
function decodeNanos(encoded: number): number {
  const zeros = ((encoded % 8) + 8) % 8;
  const digits = (encoded - zeros) / 8;
  return zeros === 0 ? digits : digits * 10 ** (zeros + 1);
}

const makers = {
  TIMESTAMP_NS: nanoseconds,
  TIMESTAMP: microseconds,
  "TIMESTAMP WITH TIME ZONE": microseconds,
  "TIMESTAMP_NS WITH TIME ZONE": nanoseconds,
  VARCHAR({ kind }: OrcType, seconds: Float64Array, nanos: Float64Array) {
    const zone = kind === "timestamp_instant" ? "Z" : "";
    return Array.from(seconds, (second, i) => `${isoText(second, nanos[i])}${zone}`);
  },
};

function nanoseconds(
  { id, kind }: OrcType,
  seconds: Float64Array,
  nanos: Float64Array,
): BigInt64Array {
  const values = new BigInt64Array(seconds.length);
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(seconds[i]) > NANOSECOND_SECONDS_MAX) {
      throw new Misfit(id, kind === "timestamp" ? "TIMESTAMP" : "VARCHAR");
    }
    values[i] = BigInt(seconds[i]) * 1_000_000_000n + BigInt(nanos[i]);
  }
  return values;
}

function microseconds(
  { id, kind }: OrcType,
  seconds: Float64Array,
  nanos: Float64Array,
): BigInt64Array {
  const values = new BigInt64Array(seconds.length);
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(seconds[i]) > MICROSECOND_SECONDS_MAX || nanos[i] % 1000 !== 0) {
      const isNear = Math.abs(seconds[i]) <= NANOSECOND_SECONDS_MAX;
      const isInstant = kind === "timestamp_instant";
      throw new Misfit(id, isInstant && isNear ? "TIMESTAMP_NS WITH TIME ZONE" : "VARCHAR");
    }
    values[i] = BigInt(seconds[i]) * 1_000_000n + BigInt(nanos[i] / 1000);
  }
  return values;
}

function isoText(second: number, nanos: number): string {
  const days = Math.floor(second / DAY);
  const [year, month, day] = civilOf(days, "gregorian");
  const rest = second - days * DAY;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const years = year < 0 || year > 9999
    ? `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`
    : String(year).padStart(4, "0");
  const fraction = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${years}-${two(month)}-${two(day)} ${two(rest / 3600)}:${two(rest / 60 % 60)}:` +
    `${two(rest % 60)}${fraction}`;
}

interface Zone {
  /** 2015-01-01 00:00 of the zone, in seconds of Unix. */
  epoch: number;
  /** Seconds that the zone's clock is ahead at an instant. */
  offsetAt(second: number): number;
}

const utcZone: Zone = { epoch: EPOCH, offsetAt: () => 0 };
const zones = new Map<string, Zone>();

function zoneOf(name: string, fail: (why: string) => never): Zone {
  if (/^(|UTC|GMT|Etc\/UTC|Etc\/GMT|Z)$/.test(name)) return utcZone;
  let zone = zones.get(name);
  if (!zone) {
    const known = zoneIds(name).find(isZone);
    if (known === undefined) fail(`there is no time zone "${name}"`);
    zones.set(name, zone = namedZone(known));
  }
  return zone;
}

/** Also as Java writes offsets, and abbreviations that it takes for places. */
function zoneIds(name: string): string[] {
  const offset = name.match(/^(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})$/);
  const java: Readonly<Record<string, string>> = {
    PST: "America/Los_Angeles",
    CST: "America/Chicago",
    IST: "Asia/Kolkata",
    JST: "Asia/Tokyo",
    CTT: "Asia/Shanghai",
    ECT: "Europe/Paris",
    AET: "Australia/Sydney",
    BST: "Asia/Dhaka",
    PRT: "America/Puerto_Rico",
  };
  return [
    ...(offset ? [`${offset[1]}${offset[2].padStart(2, "0")}:${offset[3]}`] : []),
    ...(Object.hasOwn(java, name) ? [java[name]] : []),
    name,
  ];
}

function isZone(name: string): boolean {
  try {
    new Temporal.ZonedDateTime(0n, name);
    return true;
  } catch {
    return false;
  }
}

/** Looks up each span between two changes of the clock once. */
function namedZone(name: string): Zone {
  const spans: { from: number; to: number; offset: number }[] = [];
  let last = { from: 0, to: 0, offset: 0 };
  const lookUp = (second: number) => {
    const within = Math.min(Math.max(second, -8e12), 8e12);
    const at = new Temporal.ZonedDateTime(BigInt(within) * 1_000_000_000n, name);
    const secondOf = (time: Temporal.ZonedDateTime | null, none: number) =>
      time === null ? none : Math.floor(time.epochMilliseconds / 1000);
    const span = {
      // A change at this very second begins its span.
      from: secondOf(at.add({ seconds: 1 }).getTimeZoneTransition("previous"), -Infinity),
      to: secondOf(at.getTimeZoneTransition("next"), Infinity),
      offset: Math.round(at.offsetNanoseconds / 1e9),
    };
    spans.push(span);
    return span;
  };
  const offsetAt = (second: number) => {
    if (second >= last.from && second < last.to) return last.offset;
    last = spans.find(({ from, to }) => second >= from && second < to) ?? lookUp(second);
    return last.offset;
  };
  const local = Temporal.PlainDateTime.from("2015-01-01T00:00").toZonedDateTime(name);
  return { epoch: Math.floor(local.epochMilliseconds / 1000), offsetAt };
}

/** The Gregorian day with the label that the Julian calendar gave to this one. */
function sameLabel(day: number): number {
  if (day >= GREGORIAN_DAY) return day;
  const [year, month, date] = civilOf(day, "julian");
  return dayOf(year, month, date);
}

function sameInstantLabel(second: number): number {
  const day = Math.floor(second / DAY);
  return day >= GREGORIAN_DAY ? second : second + (sameLabel(day) - day) * DAY;
}

/** Year, month and day of a day since 1970-01-01. */
function civilOf(day: number, calendar: "gregorian" | "julian"): [number, number, number] {
  // Days since 0000-03-01 of the calendar, so that leap days end years.
  const from = day + (calendar === "gregorian" ? 719_468 : 719_470);
  const era = Math.floor(from / (calendar === "gregorian" ? 146_097 : 1461));
  const within = from - era * (calendar === "gregorian" ? 146_097 : 1461);
  const yearOfEra = calendar === "gregorian"
    ? Math.floor(
      (within - Math.floor(within / 1460) + Math.floor(within / 36_524) -
        Math.floor(within / 146_096)) / 365,
    )
    : Math.floor((within - Math.floor(within / 1460)) / 365);
  const leaps = Math.floor(yearOfEra / 4) -
    (calendar === "gregorian" ? Math.floor(yearOfEra / 100) : 0);
  const dayOfYear = within - (365 * yearOfEra + leaps);
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const year = yearOfEra + era * (calendar === "gregorian" ? 400 : 4) + (month >= 10 ? 1 : 0);
  return [
    year,
    month < 10 ? month + 3 : month - 9,
    dayOfYear - Math.floor((153 * month + 2) / 5) + 1,
  ];
}

/** Days since 1970-01-01 of a Gregorian date. */
function dayOf(year: number, month: number, date: number): number {
  const years = month <= 2 ? year - 1 : year;
  const era = Math.floor(years / 400);
  const yearOfEra = years - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + date - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) +
    dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
