/** @module Deadlines of runs and tasks, as authors say them. */
import { type DeadlineSpec, type DeadlineStart, deadlineStarts } from "../model/deadline_spec.ts";
import type { SessionEdge, SessionsSpec } from "../model/schedule_spec.ts";
import type { CalendarOption } from "./calendar.ts";
import { type Notices, targetsOf } from "./callbacks.ts";
import { type Duration, durationMs } from "./duration.ts";
import { checkTimezone, instantOf } from "./schedule.ts";
import { sessions } from "./sessions.ts";

interface DeadlineBase {
  /** Shown where it was missed; made from the rest by default. */
  name?: string;
  /** Who is told when it is missed. */
  notify?: Notices;
}

/** So long after an instant of the run: it was queued, is due, has started, or its logical date. */
export interface AfterDeadline extends DeadlineBase {
  after: DeadlineStart;
  within: Duration;
}

/**
 * So much later than runs take on average, counted from when the run is made. Without as many
 * successful runs as it is the average of, there is no deadline.
 */
export interface AverageDeadline extends DeadlineBase {
  after: "averageRuntime";
  within: Duration;
  /** Newest successful runs of which the average is made; 10. */
  runs?: number;
}

/**
 * A time, `"18:30"` in the DAG's zone or `"18:30 Europe/London"`: the first one after the run is due.
 * Or an instant, the same for all runs.
 */
export interface ClockDeadline extends DeadlineBase {
  at: string | Date;
}

/** An edge of a session, or `by` before or after it: the first one after the run is due. */
export interface SessionDeadline extends DeadlineBase {
  session: CalendarOption;
  before?: SessionEdge;
  after?: SessionEdge;
  by?: Duration;
}

/** When a run, or a task of it, must have succeeded. */
export type DeadlineOption = AfterDeadline | AverageDeadline | ClockDeadline | SessionDeadline;

/** Deadlines of one DAG or task, at most. */
const DEADLINES_MAX = 20;
const WITHIN_DAYS_MAX = 366;

/** Deadlines as data; throws RangeError for what is none. `what` names whose they are. */
export function deadlineSpecs(
  options: readonly DeadlineOption[],
  { timezone, what }: { timezone: string; what: string },
): DeadlineSpec[] {
  if (!Array.isArray(options) || options.length === 0 || options.length > DEADLINES_MAX) {
    throw new RangeError(`${what} deadlines must be a list of 1 to ${DEADLINES_MAX}`);
  }
  const specs = options.map((option) => deadlineSpec(option, timezone, `${what} deadline`));
  const names = specs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return specs;
  throw new RangeError(`${what} deadlines have the name "${twice}" twice; give each a name`);
}

function deadlineSpec(option: DeadlineOption, timezone: string, what: string): DeadlineSpec {
  const { name, notify } = option;
  const made = byOf(option, timezone, what);
  return {
    name: name ?? made.text,
    by: made.by,
    notify: notify === undefined ? [] : targetsOf(notify, `${what} "${name ?? made.text}" notify`),
  };
}

function byOf(
  option: DeadlineOption,
  timezone: string,
  what: string,
): { by: DeadlineSpec["by"]; text: string } {
  checkNames(option, what);
  if ("session" in option) return sessionOf(option, what);
  if ("at" in option) return clockOf(option, timezone, what);
  const withinMs = durationMs(option.within, `${what} within`);
  if (withinMs > WITHIN_DAYS_MAX * 86_400_000) {
    throw new RangeError(`${what} is within more than ${WITHIN_DAYS_MAX} days; give less`);
  }
  const text = `${option.after} + ${lengthText(withinMs)}`;
  if (option.after === "averageRuntime") {
    const { runs = 10 } = option;
    if (!Number.isInteger(runs) || runs < 1 || runs > 1000) {
      throw new RangeError(`${what} is after the average of ${runs} runs; give 1 to 1000`);
    }
    return { by: { kind: "averageRuntime", withinMs, runs }, text };
  }
  if (!(deadlineStarts as readonly string[]).includes(option.after)) {
    throw new RangeError(
      `${what} is after ${JSON.stringify(option.after)}; ` +
        `give one of ${deadlineStarts.join(", ")}, averageRuntime`,
    );
  }
  return { by: { kind: option.after, withinMs }, text };
}

function sessionOf({ session, before, after, by }: SessionDeadline, what: string) {
  if (before === undefined && after === undefined) {
    throw new RangeError(`${what} names a session but no edge; give before or after`);
  }
  const spec = sessions(session, {
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(by === undefined ? {} : { by }),
  }).spec("UTC") as SessionsSpec;
  const offset = spec.offsetMs === 0
    ? ""
    : ` ${spec.offsetMs < 0 ? "-" : "+"} ${lengthText(Math.abs(spec.offsetMs))}`;
  return {
    by: { kind: "session", session: spec } as const,
    text: `${spec.calendars[0]} ${spec.edge}${offset}`,
  };
}

function clockOf({ at }: ClockDeadline, timezone: string, what: string) {
  const match = typeof at === "string" && /^(\S+?)(?:\s+([A-Za-z]\S*))?$/.exec(at.trim());
  const time = match ? match[1] : "";
  if (match && /^([01]\d|2[0-3]):[0-5]\d$/.test(time)) {
    const zone = match[2] ?? timezone;
    checkTimezone(zone);
    return { by: { kind: "clock", time, timezone: zone } as const, text: `${time} ${zone}` };
  }
  if (typeof at === "string" && !/^\d{4}-/.test(at)) {
    throw new RangeError(
      `${what} is at ${JSON.stringify(at)}; give "18:30", "18:30 Europe/London" or an instant`,
    );
  }
  const instant = instantOf(at, timezone, "deadline");
  return { by: { kind: "instant", at: instant } as const, text: instant };
}

function checkNames(option: DeadlineOption, what: string) {
  const names = "session" in option
    ? ["session", "before", "after", "by"]
    : "at" in option
    ? ["at"]
    : ["after", "within", ...(option.after === "averageRuntime" ? ["runs"] : [])];
  const known = [...names, "name", "notify"];
  const stranger = Object.keys(option).find((name) => !known.includes(name));
  if (stranger === undefined) return;
  throw new RangeError(`${what} has no option "${stranger}" here; there are ${known.join(", ")}`);
}

function lengthText(ms: number): string {
  for (const [unit, size] of [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000]] as const) {
    if (ms > 0 && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms / 1000}s`;
}
