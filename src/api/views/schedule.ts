/** @module A schedule in a few words. */
import type { ScheduleSpec } from "../../model/dag_spec.ts";
import type { DatasetsSpec, ReleasesSpec, SessionsSpec } from "../../model/schedule_spec.ts";
import { releasesHorizon } from "../../timetable/mod.ts";

/** The schedule as a list shows it; null where it has none. */
export function scheduleText(schedule: ScheduleSpec): string | null {
  switch (schedule.kind) {
    case "none":
      return null;
    case "once":
      return "@once";
    case "continuous":
      return "@continuous";
    case "datasets":
      return [datasetsText(schedule, " + ", " | "), ...timesText(schedule, scheduleText)].join(" ");
    case "cron":
      return schedule.cron;
    case "interval":
      return durationText(schedule.everyMs);
    case "events":
      return `${schedule.at.length} events`;
    case "sessions":
      return sessionsText(schedule);
    case "releases":
      return releasesText(schedule);
    case "any":
    case "all":
      return schedule.of.map(scheduleText).join(schedule.kind === "any" ? " or " : " and ");
  }
}

/** The schedule as a sentence. */
export function scheduleDescription(schedule: ScheduleSpec): string {
  switch (schedule.kind) {
    case "none":
      return "Never, external triggers only";
    case "once":
      return "Once, as soon as possible";
    case "continuous":
      return "Again as soon as a run has ended";
    case "datasets":
      return [
        `When these are published: ${datasetsText(schedule, " and ", ", or ")}`,
        ...partitionText(schedule),
        ...timesText(schedule, scheduleDescription),
      ].join(" ");
    case "cron":
      return `Cron ${schedule.cron} in ${schedule.timezone}`;
    case "interval":
      return `Every ${durationText(schedule.everyMs)}`;
    case "events":
      return `At ${schedule.at.length} instants, the first at ${schedule.at[0]}`;
    case "sessions":
      return `For each session: ${sessionsText(schedule)}`;
    case "releases":
      return `For each release: ${releasesText(schedule)}, known until ${
        releasesHorizon(schedule).toISOString().slice(0, 10)
      }`;
    case "any":
      return `Whenever one of these is due: ${schedule.of.map(scheduleDescription).join("; ")}`;
    case "all":
      return `When all of these are due: ${schedule.of.map(scheduleDescription).join("; ")}`;
  }
}

function partitionText({ partition }: DatasetsSpec): string[] {
  if (!partition) return [];
  if (partition.kind === "each") return ["(a run for each partition)"];
  if (partition.kind === "groups") {
    return [`(a run for each of ${Object.keys(partition.groups).join(", ")})`];
  }
  const of = partition.sessions === null ? "days" : `sessions of ${partition.sessions}`;
  return [`(a run for each ${partition.over}, once all ${of} are there)`];
}

function timesText({ or, at }: DatasetsSpec, textOf: (one: ScheduleSpec) => string | null) {
  if (or) return [`or ${textOf(or)}`];
  if (!at) return [];
  return [`and ${textOf(at.time)}${at.orAt === null ? "" : `, at the latest at ${at.orAt}`}`];
}

function datasetsText({ anyOf }: DatasetsSpec, and: string, or: string): string {
  return anyOf.map((all) => all.join(and)).join(or);
}

function sessionsText({ calendars, open, edge, offsetMs, everyMs, nth }: SessionsSpec): string {
  const names = calendars.join(open === "all" ? "+" : "|");
  const rank = nth === null ? "" : `, session ${nth} of the month`;
  if (everyMs !== null) return `${names} every ${durationText(everyMs)}${rank}`;
  const offset = offsetMs === 0
    ? ""
    : `${offsetMs < 0 ? "-" : "+"}${durationText(Math.abs(offsetMs))}`;
  return `${names} ${edge}${offset}${rank}`;
}

function releasesText({ id, offsetMs }: ReleasesSpec): string {
  if (offsetMs === 0) return id;
  return `${id} ${offsetMs < 0 ? "-" : "+"}${durationText(Math.abs(offsetMs))}`;
}

function durationText(ms: number): string {
  for (const [unit, size] of [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000]] as const) {
    if (ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms / 1000}s`;
}
