/** @module When a DAG's runs are due, as authors say it. */
import type { ScheduleSpec } from "../model/dag_spec.ts";
import type { DatasetsSpec, TimeSpec } from "../model/schedule_spec.ts";
import { cronProblem } from "./cron_check.ts";
import { type Duration, durationMs } from "./duration.ts";

/** Marks a {@link Schedule}, of whichever copy of this module. */
export const scheduleBrand = Symbol.for("tidewheel.schedule");

/** A schedule that is not a cron string; made by {@link every}, {@link sessions} and others. */
export interface Schedule {
  readonly [scheduleBrand]: true;
  /** Its description, for a DAG of this time zone. */
  spec(timezone: string): ScheduleSpec;
}

/**
 * A schedule: five cron fields, six with seconds first, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@quarterly`,
 * `@yearly`, read in the DAG's time zone; {@link sessions}, {@link releases}, {@link every}, {@link once}, {@link continuous},
 * {@link events}, {@link allOf}; a list: whenever one of its schedules is due; null for runs by hand
 * only.
 */
export type ScheduleOption = string | Schedule | readonly (string | Schedule)[] | null;

/** Runs at a fixed distance, whatever the clock's changes: `every({ minutes: 15 })`. */
export function every(interval: Duration): Schedule {
  const everyMs = durationMs(interval, "every()");
  if (everyMs < 1000) {
    throw new RangeError(`every() is ${everyMs} ms; the shortest interval is 1 second`);
  }
  return { [scheduleBrand]: true, spec: () => ({ kind: "interval", everyMs }) };
}

/** One run, as soon as the DAG is there and its start has come. */
export function once(): Schedule {
  return { [scheduleBrand]: true, spec: () => ({ kind: "once" }) };
}

/** A run after the other: the next begins when one has ended. It takes `maxActiveRuns: 1`. */
export function continuous(): Schedule {
  return { [scheduleBrand]: true, spec: () => ({ kind: "continuous" }) };
}

/** Runs at listed instants; dates without a zone are read in the DAG's. */
export function events(at: readonly (string | Date)[]): Schedule {
  if (at.length === 0) throw new RangeError("events() lists no instant; give at least one");
  return {
    [scheduleBrand]: true,
    spec: (timezone) => ({
      kind: "events",
      at: [...new Set(at.map((one) => instantOf(one, timezone, "event")))].sort(),
    }),
  };
}

/** How {@link allOf} combines time with datasets. */
export interface AllOfOptions {
  /** The local time, `"21:00"`, from which on a run no longer waits for the datasets. */
  orAt?: string;
}

/**
 * Runs at the instants at which all of the schedules are due: `allOf("0 6 13 * *", "0 6 * * 5")`.
 * With datasets, `allOf("0 18 * * 1-5", onDatasets("prices.daily"), { orAt: "21:00" })`, the run of
 * an instant waits until they have been published since the run before, or for `orAt`; it has the
 * data interval of its instant and takes what was published. With `partition: each()` it waits for
 * the partition of its own date (of sessions: the trade date), with `rollup(…)` for all of its span;
 * a partition that comes after its run, or once more, has a run of its own at once.
 */
export function allOf(
  ...given: readonly (string | Schedule)[] | readonly [...(string | Schedule)[], AllOfOptions]
): Schedule {
  const last = given.at(-1);
  const options = typeof last === "object" && !(scheduleBrand in last) ? last : null;
  const schedules = (options ? given.slice(0, -1) : given) as readonly (string | Schedule)[];
  return {
    [scheduleBrand]: true,
    spec: (timezone) => combined("all", schedules, timezone, options ?? {}),
  };
}

/**
 * Runs whenever one of the schedules is due; the same as a list of them. With datasets,
 * `anyOf("0 6 * * *", onDatasets("prices.daily"))`, also whenever these are published; a run that is
 * due by time leaves what was published to the next one that is due by it.
 */
export function anyOf(...schedules: readonly (string | Schedule)[]): Schedule {
  return {
    [scheduleBrand]: true,
    spec: (timezone) => combined("any", schedules, timezone),
  };
}

function combined(
  kind: "any" | "all",
  schedules: readonly (string | Schedule)[],
  timezone: string,
  { orAt }: AllOfOptions = {},
): ScheduleSpec {
  const specs = schedules.map((one) => scheduleSpec(one, timezone));
  const data = specs.filter((one) => one.kind === "datasets");
  const of = specs.filter((one) => one.kind !== "datasets").flatMap((one) => {
    if (one.kind === kind) return one.of;
    if (isPeriodic(one)) return [one];
    throw new RangeError(`it combines a schedule "${one.kind}" with others; that one stands alone`);
  });
  if (data.length > 0) {
    const time = of.length === 0 ? null : of.length === 1 ? of[0] : { kind, of };
    return withData(kind, data, time, { timezone, orAt });
  }
  if (orAt !== undefined) {
    throw new RangeError("it has orAt but waits for no datasets; leave it out");
  }
  if (of.length === 0) throw new RangeError("its list of schedules is empty; give null for none");
  return of.length === 1 ? of[0] : { kind, of };
}

function withData(
  kind: "any" | "all",
  data: readonly DatasetsSpec[],
  time: TimeSpec | null,
  { timezone, orAt }: { timezone: string; orAt?: string },
): ScheduleSpec {
  const [one] = data;
  if (data.length > 1 || one.or || one.at) {
    throw new RangeError(
      "it combines several schedules of datasets; name all datasets in one onDatasets(…)",
    );
  }
  if (!time) throw new RangeError("it combines datasets with no time; leave anyOf or allOf out");
  if (kind === "any") return { ...one, or: time };
  if (one.partition?.kind === "groups" || one.watch) {
    throw new RangeError(
      "it waits for a time and for what has none: partitions must be dates, by each() or " +
        "rollup(…) of days; leave the time out",
    );
  }
  if (orAt !== undefined && !/^([01]\d|2[0-3]):[0-5]\d$/.test(orAt)) {
    throw new RangeError(`its orAt is ${JSON.stringify(orAt)}; give a time such as "21:00"`);
  }
  return { ...one, at: { time, orAt: orAt ?? null, timezone } };
}

type Periodic = (ScheduleSpec & { kind: "any" })["of"][number];

function isPeriodic(spec: ScheduleSpec): spec is Periodic {
  return ["cron", "interval", "events", "sessions", "releases"].includes(spec.kind);
}

const presets: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@quarterly": "0 0 1 */3 *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};

/** The description of a schedule; throws RangeError for one that cannot be. */
export function scheduleSpec(schedule: ScheduleOption, timezone: string): ScheduleSpec {
  if (schedule === null) return { kind: "none" };
  if (Array.isArray(schedule)) return combined("any", schedule, timezone);
  if (typeof schedule === "object" && scheduleBrand in schedule) return schedule.spec(timezone);
  if (typeof schedule !== "string") {
    throw new RangeError(
      `its schedule is ${JSON.stringify(schedule)}; ` +
        `give a cron string, every({ … }), sessions(…), once() or null`,
    );
  }
  const text = schedule.trim();
  if (text === "@once") return { kind: "once" };
  if (text === "@continuous") return { kind: "continuous" };
  if (text.startsWith("@") && !Object.hasOwn(presets, text)) {
    throw new RangeError(
      `its schedule is "${text}"; of such names there are @once, @continuous, ${
        Object.keys(presets).join(", ")
      }`,
    );
  }
  const cron = (presets[text] ?? text).split(/\s+/).join(" ").toUpperCase();
  const problem = cronProblem(cron);
  if (problem) throw new RangeError(`its schedule "${schedule}" is not a cron string: ${problem}`);
  return { kind: "cron", cron, timezone };
}

/** Throws RangeError for a time zone that does not exist. */
export function checkTimezone(timezone: string): void {
  try {
    // An offset such as "+02:00" is a zone to Temporal, not one that has a name.
    if (/^[+-]/.test(timezone)) throw new RangeError("an offset");
    new Temporal.ZonedDateTime(0n, timezone);
  } catch {
    throw new RangeError(
      `its timezone ${JSON.stringify(timezone)} does not exist; ` +
        `give an IANA name such as "Europe/Berlin"`,
    );
  }
}

/**
 * An instant as ISO 8601 in UTC, from a Date, an ISO instant, or a date or date-time that is read
 * in `timezone`. Throws RangeError with `what` in its message.
 */
export function instantOf(value: string | Date, timezone: string, what: string): string {
  try {
    if (value instanceof Date) return value.toISOString();
    const hasOffset = /(Z|[+-]\d\d(:?\d\d)?)$/i.test(value) && /[T ]\d\d/i.test(value);
    const instant = hasOffset
      ? Temporal.Instant.from(value)
      : Temporal.PlainDateTime.from(value).toZonedDateTime(timezone).toInstant();
    return new Date(instant.epochMilliseconds).toISOString();
  } catch {
    throw new RangeError(
      `its ${what} is ${JSON.stringify(value)}; ` +
        `give a date such as "2026-01-02", an ISO 8601 instant or a Date`,
    );
  }
}
