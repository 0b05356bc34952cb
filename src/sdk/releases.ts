/** @module Dated releases as a schedule. */
import { z } from "zod";
import type { ReleasesSpec } from "../model/schedule_spec.ts";
import { type Duration, durationMs } from "./duration.ts";
import { checkTimezone, instantOf, type Schedule, scheduleBrand } from "./schedule.ts";
import { problemsOf } from "./zod_problems.ts";

const When = z.string().min(1);

/** Dates of releases, as data: a literal, a JSON file, or YAML that the bundle reads. */
const ReleaseCalendarShape = z.strictObject({
  id: z.string().min(1).max(100),
  name: z.string().optional(),
  /** IANA zone of times without an offset; the DAG's when left out. */
  timezone: z.string().optional(),
  /** Where the dates are from. */
  source: z.string().optional(),
  /** The horizon: nothing is known after it. The last date when left out. */
  until: When.optional(),
  releases: z.array(z.strictObject({
    /** What is released: the period, `"2026-01"`. */
    for: z.string().min(1),
    at: When,
    /** When the date became known; always when left out. */
    announced: When.optional(),
    /** Later changes of the date, oldest first; `at: null` calls it off. */
    changes: z.array(z.strictObject({ announced: When, at: When.nullable() })).optional(),
  })).min(1).max(5000),
});

/** Dates of releases, as data: a literal, a JSON file, or YAML that the bundle reads. */
export type ReleaseCalendar = z.input<typeof ReleaseCalendarShape>;

/** Options of {@link releases}. */
export interface ReleasesOptions {
  /** The run is due `by` before the release; with neither, `by` after it. */
  before?: Duration;
  /** The run is due so long after the release; 0. */
  after?: Duration;
}

/** Longest time between a release and its run. */
const OFFSET_DAYS_MAX = 7;

/**
 * A run for each release of a calendar: figures, rate decisions, minutes. Its interval is empty and
 * begins at the release. A date counts from when it was announced; a release that is moved runs once, at the
 * date that was known when it came. Throws RangeError for what cannot be.
 *
 * @example
 * ```ts
 * import { dag, releases, task } from "tidewheel";
 *
 * const fomc = {
 *   id: "us.fomc",
 *   timezone: "America/New_York",
 *   source: "https://www.federalreserve.gov/monetarypolicy/fomccalendars.htm",
 *   releases: [
 *     { for: "2024-11", at: "2024-11-07T14:00" },
 *     { for: "2024-12", at: "2024-12-18T14:00" },
 *   ],
 * };
 * export default dag({ id: "rate", schedule: releases(fomc, { after: { minutes: 1 } }) }, () => {
 *   task({ id: "read" }, (ctx) => ctx.interval.date);
 * });
 * ```
 */
export function releases(calendar: ReleaseCalendar, options: ReleasesOptions = {}): Schedule {
  const parsed = ReleaseCalendarShape.safeParse(calendar);
  if (!parsed.success) {
    throw new RangeError(`releases() has a calendar that is none: ${problemsOf(parsed.error)}`);
  }
  const offsetMs = offsetOf(options);
  return {
    [scheduleBrand]: true,
    spec: (timezone) => specOf(parsed.data, { timezone, offsetMs }),
  };
}

function offsetOf({ before, after, ...rest }: ReleasesOptions): number {
  const stranger = Object.keys(rest)[0];
  if (stranger !== undefined) {
    throw new RangeError(`releases() has no option "${stranger}"; there are before, after`);
  }
  if (before !== undefined && after !== undefined) {
    throw new RangeError("releases() takes one of before and after");
  }
  const ms = durationMs(before ?? after ?? 0, "releases() before or after");
  if (ms > OFFSET_DAYS_MAX * 86_400_000) {
    throw new RangeError(`releases() is more than ${OFFSET_DAYS_MAX} days from the release`);
  }
  return before === undefined || ms === 0 ? ms : -ms;
}

type Parsed = z.output<typeof ReleaseCalendarShape>;

function specOf(
  { id, timezone: own, until, releases: given }: Parsed,
  { timezone, offsetMs }: { timezone: string; offsetMs: number },
): ReleasesSpec {
  const zone = own ?? timezone;
  checkTimezone(zone);
  const seen = new Set<string>();
  const made = given.map(({ for: period, at, announced, changes = [] }) => {
    if (seen.has(period)) {
      throw new RangeError(`its releases ${id} name "${period}" twice; give it changes instead`);
    }
    seen.add(period);
    const instant = (text: string) => instantOf(text, zone, `release ${id} "${period}"`);
    const moves = changes.map((one) => ({
      announced: instant(one.announced),
      at: one.at === null ? null : instant(one.at),
    }));
    if (moves.some((move, i) => i > 0 && move.announced < moves[i - 1].announced)) {
      throw new RangeError(`its release ${id} "${period}" has changes that are not oldest first`);
    }
    return {
      at: instant(at),
      ...(announced === undefined ? {} : { announced: instant(announced) }),
      ...(moves.length > 0 ? { changes: moves } : {}),
    };
  });
  made.sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
  const end = until === undefined ? null : instantOf(until, zone, `horizon of ${id}`);
  return { kind: "releases", id, releases: made, offsetMs, until: end };
}
