/** @module Partitions of datasets and of the DAGs that wait for them: days, sessions, roll-ups. */
import type { DatasetsSpec, PartitionSpec, RollupSpan } from "../model/schedule_spec.ts";
import { calendarOf } from "./bundled_calendars.ts";
import { dayOf } from "./calendar.ts";
import type { Interval } from "./next_run.ts";
import { sessionDateOf } from "./sessions.ts";

const DAY = 86_400_000;

/** A dataset's partition with an event that no run has taken; "": of no partition. */
export interface PendingPartition {
  dataset: string;
  partition: string;
}

/** How far a partition of a waiting DAG has come. */
export interface PartitionState {
  partition: string;
  /** Partitions of datasets with events that a run for it takes. */
  from: string[];
  /** Null: its calendar does not reach so far. */
  needs: string[] | null;
  /** By dataset, those that are not there yet; of the way to be met that lacks least. */
  missing: { dataset: string; partitions: string[] }[];
  isWhole: boolean;
}

/** The DAG's partition that an event's partition belongs to; null: to none. */
export function partitionFor(spec: PartitionSpec, key: string): string | null {
  switch (spec.kind) {
    case "each":
      return key === "" ? null : key;
    case "groups":
      return Object.entries(spec.groups).find(([, keys]) => keys.includes(key))?.[0] ?? null;
    case "rollup":
      return isDate(key) ? spanOf(spec.over, dayOf(key)).name : null;
  }
}

/**
 * The partitions that a DAG's partition needs, as calendars were known at an instant; null when its
 * calendar ends before it.
 */
export function partitionNeeds(spec: PartitionSpec, partition: string, now: Date): string[] | null {
  switch (spec.kind) {
    case "each":
      return [partition];
    case "groups":
      return spec.groups[partition] ?? null;
    case "rollup": {
      const span = spanNamed(spec.over, partition);
      if (!span) return null;
      const days = Array.from({ length: span.endDay - span.firstDay }, (_, i) => span.firstDay + i);
      if (spec.sessions === null) return days.map(dateOf);
      const calendar = calendarOf(spec.sessions, spec.own);
      if (span.firstDay < calendar.firstDay || span.endDay - 1 > calendar.lastDay) return null;
      return days.filter((day) => calendar.sessionOn(day, now.getTime())).map(dateOf);
    }
  }
}

/**
 * The days of a partition in a zone, where it stands for days; or the interval that it is, as ISO 8601
 * writes one; else null.
 */
export function partitionInterval(
  spec: PartitionSpec,
  partition: string,
  timezone: string,
): Interval | null {
  const [start, end] = partition.split("/").map((text) => new Date(text));
  if (spec.kind === "each" && partition.includes("/") && start < end) return { start, end };
  const span = spec.kind === "rollup"
    ? spanNamed(spec.over, partition)
    : isDate(partition)
    ? { firstDay: dayOf(partition), endDay: dayOf(partition) + 1 }
    : null;
  if (!span) return null;
  const midnight = (day: number) =>
    new Date(Temporal.PlainDate.from(dateOf(day)).toZonedDateTime(timezone).epochMilliseconds);
  return { start: midnight(span.firstDay), end: midnight(span.endDay) };
}

/**
 * The DAG's partitions that events wait for, oldest event first. One is whole when all that it needs
 * is there, whether or not an earlier run has taken it: so a correction runs it once more.
 */
export function partitionStates(
  schedule: DatasetsSpec,
  pending: readonly PendingPartition[],
  isThere: (dataset: string, partition: string) => boolean,
  now: Date,
): PartitionState[] {
  const spec = schedule.partition;
  if (!spec) return [];
  const waiting = new Set(pending.map(({ dataset, partition }) => `${dataset}\n${partition}`));
  const sources = new Map<string, Set<string>>();
  for (const { partition } of pending) {
    const to = partitionFor(spec, partition);
    if (to !== null) sources.set(to, (sources.get(to) ?? new Set()).add(partition));
  }
  return [...sources].map(([partition, from]) => {
    const needs = partitionNeeds(spec, partition, now);
    const lacks = schedule.anyOf.map((datasets) =>
      datasets.flatMap((dataset) => {
        const partitions = (needs ?? []).filter((key) =>
          !waiting.has(`${dataset}\n${key}`) && !isThere(dataset, key)
        );
        return partitions.length > 0 ? [{ dataset, partitions }] : [];
      })
    );
    const count = (lack: (typeof lacks)[number]) =>
      lack.reduce((sum, { partitions }) => sum + partitions.length, 0);
    const missing = lacks.reduce((least, lack) => count(lack) < count(least) ? lack : least);
    const isWhole = needs !== null && needs.length > 0 && missing.length === 0;
    return { partition, from: [...from], needs, missing, isWhole };
  });
}

/** Is all there that a partition needs, of the datasets of one way to be met? */
export function isWhole(
  schedule: DatasetsSpec,
  partition: string,
  isThere: (dataset: string, partition: string) => boolean,
  now: Date,
): boolean {
  const needs = partitionNeeds(schedule.partition!, partition, now);
  if (needs === null || needs.length === 0) return false;
  return schedule.anyOf.some((datasets) =>
    datasets.every((dataset) => needs.every((key) => isThere(dataset, key)))
  );
}

/** The partition that a run of a schedule's time is for: that of the date on which its interval starts. */
export function partitionOfTick(
  schedule: DatasetsSpec,
  { start }: Interval,
  timezone: string,
): string | null {
  const time = schedule.at?.time;
  if (!time || !schedule.partition) return null;
  const session = time.kind === "sessions" ? sessionDateOf(time, start.getTime()) : null;
  const local = Temporal.Instant.fromEpochMilliseconds(start.getTime())
    .toZonedDateTimeISO(timezone).toPlainDate().toString();
  return partitionFor(schedule.partition, session ?? local);
}

/** Is there something of each dataset of one of these? */
export function isMet(
  anyOf: readonly (readonly string[])[],
  datasets: ReadonlySet<string>,
): boolean {
  return anyOf.some((all) => all.every((dataset) => datasets.has(dataset)));
}

/** What must be asked for to know the states of these partitions: nothing that waits itself. */
export function partitionQuestions(
  schedule: DatasetsSpec,
  pending: readonly PendingPartition[],
  now: Date,
  /** A partition that is asked for though nothing waits for it. */
  also: string | null = null,
): PendingPartition[] {
  const asked: PendingPartition[] = [];
  const seen = new Set(pending.map(({ dataset, partition }) => `${dataset}\n${partition}`));
  const needs = also === null ? [] : partitionNeeds(schedule.partition!, also, now) ?? [];
  for (const dataset of schedule.datasets) {
    for (const partition of needs) {
      const key = `${dataset}\n${partition}`;
      if (!seen.has(key)) asked.push({ dataset, partition });
      seen.add(key);
    }
  }
  partitionStates(schedule, pending, (dataset, partition) => {
    const key = `${dataset}\n${partition}`;
    if (!seen.has(key)) asked.push({ dataset, partition });
    seen.add(key);
    return false;
  }, now);
  return asked;
}

interface Span {
  name: string;
  firstDay: number;
  /** Not in it any more. */
  endDay: number;
}

function spanOf(over: RollupSpan, day: number): Span {
  const date = Temporal.PlainDate.from(dateOf(day));
  switch (over) {
    case "week": {
      const first = day - date.dayOfWeek + 1;
      const name = `${date.yearOfWeek}-W${String(date.weekOfYear).padStart(2, "0")}`;
      return { name, firstDay: first, endDay: first + 7 };
    }
    case "month":
      return months(date.toString().slice(0, 7), date.with({ day: 1 }), 1);
    case "quarter": {
      const quarter = Math.ceil(date.month / 3);
      const first = date.with({ month: quarter * 3 - 2, day: 1 });
      return months(`${date.year}-Q${quarter}`, first, 3);
    }
    case "year":
      return months(String(date.year).padStart(4, "0"), date.with({ month: 1, day: 1 }), 12);
  }
}

function months(name: string, first: Temporal.PlainDate, count: number): Span {
  const end = first.add({ months: count });
  return { name, firstDay: dayOf(first.toString()), endDay: dayOf(end.toString()) };
}

/** The span of that name; null for a name that is none. */
function spanNamed(over: RollupSpan, name: string): Span | null {
  const parts = /^(\d{4})(?:-(W|Q)?(\d\d?))?$/.exec(name);
  if (!parts) return null;
  const [, year, letter, number] = parts;
  // 4 January is always in week 1.
  const days = {
    week: letter === "W" ? dayOf(`${year}-01-04`) + (Number(number) - 1) * 7 : NaN,
    month: letter === undefined ? dayOf(`${year}-${number}-01`) : NaN,
    quarter: letter === "Q"
      ? dayOf(`${year}-${String(Number(number) * 3).padStart(2, "0")}-01`)
      : NaN,
    year: dayOf(`${year}-01-01`),
  };
  const day = days[over];
  if (Number.isNaN(day)) return null;
  const span = spanOf(over, day);
  return span.name === name ? span : null;
}

function isDate(key: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(key) && !Number.isNaN(dayOf(key)) && dateOf(dayOf(key)) === key;
}

function dateOf(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}
