/** @module How long a schedule's calendars still know their sessions. */
import { limits } from "../base/limits.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import type { ScheduleSpec } from "../model/schedule_spec.ts";
import { type OwnCalendars, readCalendar } from "./bundled_calendars.ts";
import { timeOf } from "./schedules.ts";

/** What of a DAG decides how long it goes on. */
export type HorizonSpec = Pick<DagSpec, "dagId" | "schedule" | "end">;

/** A calendar that a schedule goes by, and the last day that it knows. */
export interface Horizon {
  calendar: string;
  until: string;
  /** It does not come with the product. */
  isOwn: boolean;
}

/** The calendars that end within 90 days of `now` and before the DAG does, soonest first. */
export function endingCalendars(spec: HorizonSpec, now: Date): Horizon[] {
  const soon = dateOf(now.getTime() + limits.calendarHorizonMs);
  return horizonsOf(spec.schedule)
    .filter(({ until }) => until < soon && (spec.end === null || spec.end.slice(0, 10) > until))
    .sort((a, b) => (a.until < b.until ? -1 : 1));
}

/** What an author should know of a schedule that still runs: one sentence each. */
export function scheduleWarnings(spec: HorizonSpec, now: Date): string[] {
  return endingCalendars(spec, now).map((horizon) =>
    `The calendar ${horizon.calendar} of DAG "${spec.dagId}" ends on ${horizon.until}: ` +
    `its schedule makes no runs after that; ${adviceOf(horizon)}`
  );
}

/** The DAG whose runs a schedule waits for, by `afterRun`; null: it waits for none. */
export function awaitedDag(schedule: ScheduleSpec): string | null {
  const watch = schedule.kind === "datasets" ? schedule.watch : undefined;
  return watch?.kind === "run" ? watch.dagId : null;
}

/** What an author should know where a schedule waits for a DAG that is not there; null: nothing. */
export function awaitedWarning(
  spec: Pick<DagSpec, "dagId" | "schedule">,
  isThere: (dagId: string) => boolean,
): string | null {
  const awaited = awaitedDag(spec.schedule);
  if (awaited === null || isThere(awaited)) return null;
  return `DAG "${spec.dagId}" runs after "${awaited}", and there is no DAG of that id: ` +
    "it has no runs until there is one";
}

/**
 * Throws INVALID when no run of the DAG can come any more since a calendar that it goes by has
 * ended: such a schedule would be silent for ever.
 */
export function checkHorizon(spec: HorizonSpec, now: Date): void {
  const time = timeOf(spec.schedule);
  if (time?.kind !== "sessions") return;
  const [first] = endingCalendars(spec, now);
  // Late runs of the last session may still be due within days of it.
  if (!first || first.until >= dateOf(now.getTime() - REACH_MS)) return;
  throw new AppError(
    "INVALID",
    `Cannot schedule by ${first.calendar}: its calendar ended on ${first.until}, so that no session ` +
      `is left; ${adviceOf(first)}`,
    { detail: { calendar: first.calendar, until: first.until } },
  );
}

function adviceOf({ isOwn }: Horizon): string {
  return isOwn ? "add its next dates" : "update Tidewheel";
}

const REACH_MS = 10 * 86_400_000;

function horizonsOf(schedule: ScheduleSpec): Horizon[] {
  const time = timeOf(schedule);
  const timed = time === null ? [] : time.kind === "any" || time.kind === "all" ? time.of : [time];
  const used = new Map<string, OwnCalendars>();
  for (const one of timed) {
    if (one.kind !== "sessions") continue;
    for (const name of one.calendars) used.set(name, one.own);
  }
  const partition = schedule.kind === "datasets" ? schedule.partition : undefined;
  if (partition?.kind === "rollup" && partition.sessions !== null) {
    used.set(partition.sessions, partition.own);
  }
  return [...used].map(([calendar, own]) => ({
    calendar,
    until: readCalendar(calendar, own).until,
    isOwn: own !== undefined && Object.hasOwn(own, calendar),
  }));
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
