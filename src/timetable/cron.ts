/** @module Cron expressions as sets of numbers: the only door to the cron parser. */
import { CronExpressionParser } from "cron-parser";
import { AppError, messageOf } from "../model/errors.ts";

/** A cron expression of five fields, or of six with seconds first, read. */
export interface Cron {
  /** 0-59, ascending; 0 alone where the expression has five fields. */
  seconds: readonly number[];
  /** 0-59, ascending. */
  minutes: readonly number[];
  /** 0-23, ascending. */
  hours: readonly number[];
  /** 1-12. */
  months: ReadonlySet<number>;
  /** 1-31, and `"L"`: the month's last day. */
  monthDays: ReadonlySet<number | "L">;
  /** 0-6, Sunday is 0; `"5L"`: the month's last Friday. */
  weekDays: ReadonlySet<number | string>;
  /** `MON#2`: only the second such weekday of the month. */
  weekOfMonth: number | null;
  /** Are days of the month, days of the week restricted? Both: either one is enough. */
  monthDaysGiven: boolean;
  weekDaysGiven: boolean;
  /**
   * The hour is not fixed (`*`, `*` with a step): such a cron goes by elapsed time through a change
   * of the clocks; one with fixed hours fires once for each local time.
   */
  hourly: boolean;
}

const aliases: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const parsed = new Map<string, Cron>();
const PARSED_MAX = 4096;

/** Read a cron expression; throws INVALID with the text and what is wrong with it. */
export function parseCron(text: string): Cron {
  const known = parsed.get(text);
  if (known) return known;
  const cron = readFields(text);
  if (parsed.size >= PARSED_MAX) parsed.clear();
  parsed.set(text, cron);
  return cron;
}

function readFields(text: string): Cron {
  const plain = aliases[text.trim().toLowerCase()] ?? text.trim();
  const fields = plain.split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    const count = plain === "" ? 0 : fields.length;
    throw invalid(text, `it has ${count} fields, five are expected, or six with seconds first`);
  }
  if (/(^|[,\s])H/.test(plain)) throw invalid(text, "a hashed field (H) is not supported");
  let read;
  try {
    read = CronExpressionParser.parse(plain, { tz: "UTC" }).fields;
  } catch (error) {
    throw invalid(text, messageOf(error));
  }
  const hours = numbers(read.hour.values);
  return {
    seconds: fields.length === 6 ? numbers(read.second.values) : [0],
    minutes: numbers(read.minute.values),
    hours,
    months: new Set(numbers(read.month.values)),
    monthDays: new Set(read.dayOfMonth.values as (number | "L")[]),
    weekDays: new Set(
      (read.dayOfWeek.values as (number | string)[]).map((day) => day === 7 ? 0 : day),
    ),
    weekOfMonth: read.dayOfWeek.nthDay > 0 ? read.dayOfWeek.nthDay : null,
    monthDaysGiven: !read.dayOfMonth.isWildcard,
    weekDaysGiven: !read.dayOfWeek.isWildcard,
    hourly: fields.at(-4)!.startsWith("*") || hours.length === 24,
  };
}

function numbers(values: readonly unknown[]): number[] {
  return (values as number[]).toSorted((a, b) => a - b);
}

function invalid(text: string, why: string) {
  return new AppError(
    "INVALID",
    `Cannot read the cron expression "${text}": ${why}; ` +
      `write minute, hour, day of month, month, day of week, such as "30 6 * * 1-5"`,
    { detail: { cron: text } },
  );
}
