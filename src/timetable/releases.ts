/**
 * @module Dated releases: of figures, rates, minutes, whose dates are data.
 *
 * Where a release is due depends on what was known: a date counts from when it was announced, and a
 * change that came after the date then known came too late, since the run has been. So the due instant
 * of a release does not change any more once it has passed, and a moved release runs once.
 */
import type { ReleasesSpec } from "../model/schedule_spec.ts";
import { type Grid, listed, type Tick, type Timetable } from "./timetable.ts";

/** A releases schedule, as its dates were known at an instant. */
export interface ReleasesTimetable extends Timetable {
  /** The instants at which its runs are due. */
  due: Grid;
}

/** See {@link ReleasesTimetable}. */
export function releasesTimetable(spec: ReleasesSpec, knownAtMs: number): ReleasesTimetable {
  const instants = new Set(
    spec.releases.map((release) => dueOf(release, spec.offsetMs, knownAtMs))
      .filter((at) => at !== null),
  );
  const ticks = [...instants].sort((a, b) => a - b).map((at): Tick => ({
    startMs: at,
    endMs: at,
    dueMs: at + spec.offsetMs,
  }));
  return {
    next: (fromMs) => ticks.find((tick) => tick.startMs >= fromMs) ?? null,
    latest: (untilMs) => ticks.findLast((tick) => tick.dueMs <= untilMs) ?? null,
    due: listed(ticks.map((tick) => tick.dueMs)),
  };
}

/** The next instant at which something new becomes known; null: all is. */
export function releaseNewsAt({ releases }: ReleasesSpec, now: Date): Date | null {
  const news = releases.flatMap(({ announced, changes = [] }) => [
    ...(announced === undefined ? [] : [announced]),
    ...changes.map((change) => change.announced),
  ]).filter((at) => Date.parse(at) > now.getTime()).sort();
  return news.length === 0 ? null : new Date(news[0]);
}

/** The last instant that the data knows of, as a horizon. */
export function releasesHorizon({ until, releases }: ReleasesSpec): Date {
  if (until !== null) return new Date(until);
  const last = releases.flatMap(({ at, changes = [] }) => [at, ...changes.map((one) => one.at)])
    .filter((at) => at !== null).sort().at(-1)!;
  return new Date(last);
}

/** When a release takes place, as known; null: not known of, or called off. */
function dueOf(
  { at, announced, changes = [] }: ReleasesSpec["releases"][number],
  offsetMs: number,
  knownAtMs: number,
): number | null {
  const announcedMs = announced === undefined ? -Infinity : Date.parse(announced);
  if (knownAtMs < announcedMs) return null;
  let dueMs: number | null = Math.max(Date.parse(at), announcedMs);
  for (const change of changes) {
    const changedMs = Date.parse(change.announced);
    // The run may be due before the release itself.
    const hasBeen = dueMs !== null && changedMs >= dueMs + Math.min(offsetMs, 0);
    if (knownAtMs < changedMs || hasBeen) break;
    dueMs = change.at === null ? null : Math.max(Date.parse(change.at), changedMs);
  }
  return dueMs;
}
