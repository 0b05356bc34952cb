/** @module When a DAG's runs do not start, and what becomes of missed ones, as authors say it. */
import type { BlackoutSpec, Catchup, MaintenanceSpec } from "../model/schedule_spec.ts";
import { type Duration, durationMs } from "./duration.ts";

const weekdays = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;
/** A day of the week. */
export type Weekday = (typeof weekdays)[number];

/**
 * What becomes of intervals that were missed: `"all"` or true; `"latest"` or false; `"none"`, only
 * runs that are at most 5 minutes late; `{ window }`, those that were due in so long a time.
 */
export type CatchupOption = boolean | "all" | "latest" | "none" | { window: Duration };

/** A window of time, in the DAG's zone, in which runs do not start. */
export interface MaintenanceOption {
  /** Its begin: `"22:00"`. */
  from: string;
  /** Its length; at most 7 days. */
  lasts: Duration;
  /** Days on which it begins; every day. */
  on?: readonly Weekday[];
  /** Of the runs due in it: none, each at its end, or the newest at its end. */
  then: "skip" | "delay" | "run_after";
}

/** A date, or the first and the last of several, on which no run is due. */
export type BlackoutOption = string | { from: string; to: string };

/** The description of a catchup policy. */
export function catchupSpec(option: CatchupOption): Catchup {
  if (option === "all") return true;
  if (option === "latest") return false;
  if (typeof option !== "object") return option;
  return { windowMs: durationMs(option.window, "its catchup window") };
}

/** The description of windows; throws RangeError for what is none. */
export function maintenanceSpec(options: readonly MaintenanceOption[]): MaintenanceSpec[] {
  return options.map(({ from, lasts, on = weekdays, then }) => {
    const lengthMs = durationMs(lasts, "its maintenance window");
    if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(from)) {
      throw new RangeError(`its maintenance begins at ${JSON.stringify(from)}; give "22:00"`);
    }
    return {
      from,
      durationMs: lengthMs,
      weekdays: on.map((day) => weekdays.indexOf(day) + 1).sort((a, b) => a - b),
      then,
    };
  });
}

/** The description of blackout dates; throws RangeError for what is no date. */
export function blackoutSpec(options: readonly BlackoutOption[]): BlackoutSpec[] {
  return options.map((option) => {
    const { from, to } = typeof option === "string" ? { from: option, to: option } : option;
    for (const date of [from, to]) {
      try {
        if (Temporal.PlainDate.from(date).toString() !== date) throw new RangeError("not plain");
      } catch {
        throw new RangeError(`its blackout names ${JSON.stringify(date)}; give "2026-12-24"`);
      }
    }
    if (to < from) throw new RangeError(`its blackout ends on ${to}, before it begins on ${from}`);
    return { from, to };
  });
}
