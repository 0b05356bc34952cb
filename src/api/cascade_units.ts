/** @module The dates and partitions of a cascade's DAGs, and which of those above each of them needs. */
import { limits } from "../base/limits.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import type { DatasetsSpec } from "../model/schedule_spec.ts";
import type { PlannedDate } from "../store/backfill_port.ts";
import type { DagRow } from "../store/dag_query.ts";
import type { ReadingRun } from "../store/downstream_query.ts";
import {
  type Interval,
  partitionFor,
  partitionInterval,
  runsBetween,
  sessionDateOf,
  timeOf,
} from "../timetable/mod.ts";
import type { CascadeNode } from "./cascade.ts";

/** One date of a DAG, by its logical date as ISO 8601, or one partition. */
interface Unit {
  key: string;
  /** Null: it stands for no days. */
  interval: Interval | null;
  /** The partition that it most likely publishes, where its last run does not tell; null: unknown. */
  likely: string | null;
}

/** What of a DAG is made anew. */
export interface Affected {
  units: readonly Unit[];
  /** Runs that they have had → which. */
  unitOf: ReadonlyMap<string, Unit>;
}

/** A DAG above, and who has read what its runs have published. */
export interface Below {
  fromDag: string;
  from: Affected;
  reading: readonly ReadingRun[];
  /** Run → partitions. */
  published: ReadonlyMap<string, readonly string[]>;
}

type Needs = CascadeNode["needs"];
type Spec = Pick<DagSpec, "schedule" | "timezone">;

/** Dates of a DAG with a schedule of its own. */
export function unitsOfDates(
  spec: Spec,
  dates: readonly PlannedDate[],
  runOf: (date: PlannedDate) => string | undefined,
): Affected {
  const unitOf = new Map<string, Unit>();
  const units = dates.map((date) => {
    const { logicalDate, interval } = date;
    const likely = dayOf(spec, interval.start);
    const unit: Unit = { key: logicalDate.toISOString(), interval, likely };
    const run = runOf(date);
    if (run !== undefined) unitOf.set(run, unit);
    return unit;
  });
  return { units, unitOf };
}

/** The day that a task has as the interval's date. */
function dayOf({ schedule, timezone }: Spec, start: Date): string {
  const time = timeOf(schedule);
  const session = time?.kind === "sessions" ? sessionDateOf(time, start.getTime()) : null;
  return session ?? Temporal.Instant.fromEpochMilliseconds(start.getTime())
    .toZonedDateTimeISO(timezone).toPlainDate().toString();
}

/** Partitions of a DAG that datasets start, with the runs that it has had for them. */
export function unitsOfPartitions(
  { schedule, timezone }: Spec,
  partitions: readonly string[],
  runs: readonly ReadingRun[],
): Affected {
  const by = schedule.kind === "datasets" ? schedule.partition : undefined;
  const units = new Map(partitions.map((key) => [key, {
    key,
    interval: by ? partitionInterval(by, key, timezone) : null,
    likely: by ? key : null,
  }]));
  const unitOf = new Map<string, Unit>();
  for (const { id, partitionKey } of runs) {
    const unit = units.get(by ? partitionKey ?? "" : "");
    if (unit) unitOf.set(id, unit);
  }
  return { units: [...units.values()], unitOf };
}

/**
 * What a DAG that datasets start runs for. By partition: each that something above publishes, after all
 * above that publish for it. Else once, after everything above.
 */
export function partitionsBelow(
  { partition: by }: DatasetsSpec,
  below: readonly Below[],
): { partitions: string[]; needs: Needs } {
  const needs: Needs = [];
  const partitions = new Set<string>(by ? [] : [""]);
  for (const { fromDag, from: { units, unitOf }, published } of below) {
    const told = new Map<Unit, Set<string>>();
    for (const [run, unit] of unitOf) {
      const known = told.get(unit) ?? new Set();
      for (const one of published.get(run) ?? []) known.add(one);
      told.set(unit, known);
    }
    for (const unit of units) {
      const known = [...told.get(unit) ?? []];
      const source = known.length > 0 ? known : unit.likely === null ? [] : [unit.likely];
      const keys = by ? source.map((one) => partitionFor(by, one)) : [""];
      for (const key of new Set(keys)) {
        if (key === null) continue;
        partitions.add(key);
        needs.push({ unit: key, upstream: { dagId: fromDag, unit: unit.key } });
      }
    }
  }
  return { partitions: [...partitions].sort(), needs };
}

/** How far before a date another DAG's interval may begin that overlaps with it. */
const LOOK_BACK_MS = 370 * 86_400_000;

/** Dates of a DAG with a schedule of its own that follow from what is above it, in their order. */
export function datesBelow(
  { dagId, spec: { schedule, start, end } }: DagRow,
  below: readonly Below[],
  now: Date,
): { dates: PlannedDate[]; needs: Needs } {
  const wanted = new Map<number, { fromDag: string; unit: Unit }[]>();
  const unread: { fromDag: string; unit: Unit; interval: Interval }[] = [];
  for (const { fromDag, from: { units, unitOf }, reading } of below) {
    const read = new Set<Unit>();
    for (const { logicalDate, from } of reading) {
      const sources = new Set(from.map((run) => unitOf.get(run)!));
      for (const unit of sources) read.add(unit);
      if (!logicalDate) continue;
      const known = wanted.get(+logicalDate) ?? [];
      wanted.set(+logicalDate, [...known, ...[...sources].map((unit) => ({ fromDag, unit }))]);
    }
    for (const unit of units) {
      if (!read.has(unit) && unit.interval) unread.push({ fromDag, unit, interval: unit.interval });
    }
  }
  const edges = [
    ...wanted.keys(),
    ...unread.flatMap(({ interval }) => [+interval.start, +interval.end]),
  ];
  if (edges.length === 0) return { dates: [], needs: [] };
  const from = new Date(edges.reduce((least, ms) => Math.min(least, ms)) - LOOK_BACK_MS);
  const to = new Date(edges.reduce((most, ms) => Math.max(most, ms)));
  const bounds = { start: start ? new Date(start) : null, end: end ? new Date(end) : null };
  const overlapping = overlaps(unread);
  const dates: PlannedDate[] = [];
  const needs: Needs = [];
  for (const date of runsBetween(schedule, { from, to, ...bounds, now })) {
    const needed = [...wanted.get(+date.logicalDate) ?? [], ...overlapping(date)];
    if (needed.length === 0) continue;
    dates.push(date);
    const unit = date.logicalDate.toISOString();
    for (const { fromDag, unit: { key } } of needed) {
      needs.push({ unit, upstream: { dagId: fromDag, unit: key } });
    }
    if (dates.length <= limits.backfillDates) continue;
    throw new AppError(
      "INVALID",
      `Cannot cascade to DAG "${dagId}": more than ${limits.backfillDates} dates of it follow`,
    );
  }
  return { dates, needs };
}

/** Which of these an interval overlaps with. Intervals must be asked for in their order. */
function overlaps<T extends { interval: Interval }>(
  given: readonly T[],
): (date: PlannedDate) => T[] {
  const sorted = given.toSorted((a, b) => +a.interval.start - +b.interval.start);
  let first = 0;
  return ({ interval: { start, end } }) => {
    const isOver = ({ interval }: T) => +interval.end <= +start && !isAt(interval, start);
    while (first < sorted.length && isOver(sorted[first])) first++;
    const found: T[] = [];
    for (let i = first; i < sorted.length; i++) {
      const { interval } = sorted[i];
      if (+interval.start >= +end && !isAt(interval, start)) break;
      if (!isOver(sorted[i])) found.push(sorted[i]);
    }
    return found;
  };
}

/** An empty interval is the instant that it starts at. */
function isAt({ start, end }: Interval, at: Date): boolean {
  return +start === +at && +end === +at;
}
