/** @module Runs that datasets call for: for all events at once, or for each partition by itself. */
import type { Ids } from "../base/ids.ts";
import { isRunFinished } from "../model/run_state.ts";
import type { DatasetsSpec } from "../model/schedule_spec.ts";
import { runDataset } from "../model/watch_spec.ts";
import type { NewRun, RunMove } from "../store/port.ts";
import {
  type DueRun,
  isMet,
  isWhole,
  partitionFor,
  partitionInterval,
  partitionNeeds,
  partitionOfTick,
  partitionStates,
  type PendingPartition,
} from "../timetable/mod.ts";
import { airflowTime, type Deciding, newRunOf } from "./decide_runs.ts";
import type { Run } from "./instance.ts";
import type { Dag, EngineState } from "./state.ts";

/** Of a partition: the name by which `Dag.partitions` has it. */
export function partitionName({ dataset, partition }: PendingPartition): string {
  return `${dataset}\n${partition}`;
}

/** The runs that a DAG's datasets call for now, as far as its limit of active runs allows. */
export function decideDatasetRuns(dag: Dag, deciding: Deciding): NewRun[] {
  const { schedule, maxActiveRuns } = dag.row!.spec;
  const pending = dag.row!.pending ?? [];
  if (schedule.kind !== "datasets" || pending.length === 0) return [];
  if (schedule.at && !schedule.partition) return [];
  const room = maxActiveRuns - dag.queue(null).active;
  if (room <= 0) return [];
  if (schedule.partition) return partitionRuns(dag, schedule, { ...deciding, room });
  if (!isComplete(schedule, pending)) return [];
  forget(dag, () => true);
  return [
    datasetRun(dag, deciding, {
      takes: { partitions: null, isRequired: true, anyOf: schedule.anyOf },
    }),
  ];
}

/** A partition is run once it is whole; what is published of it later runs it again, once. */
function partitionRuns(
  dag: Dag,
  schedule: DatasetsSpec,
  { room, ...deciding }: Deciding & { room: number },
): NewRun[] {
  const row = dag.row!;
  const isThere = (dataset: string, partition: string) =>
    dag.partitions.has(partitionName({ dataset, partition }));
  const whole = partitionStates(schedule, row.pending!, isThere, deciding.now)
    .filter((one) => one.isWhole && isPast(dag, schedule, one.partition)).slice(0, room);
  if (whole.length === 0) return [];
  // What it needs may have come since the events were read: a later look says that it is there.
  const takenBy = (
    { from, needs }: (typeof whole)[number],
  ) => [...new Set([...from, ...needs ?? []])];
  const taken = new Set(whole.flatMap(takenBy));
  forget(dag, ({ partition }) => taken.has(partition));
  return whole.map((one) => {
    const { partition } = one;
    const interval = partitionInterval(schedule.partition!, partition, row.spec.timezone);
    return datasetRun(dag, deciding, {
      partitionKey: partition,
      dataIntervalStart: interval?.start ?? null,
      dataIntervalEnd: interval?.end ?? null,
      takes: { partitions: takenBy(one), isRequired: true },
    });
  });
}

/** Where partitions have a time: has that one's come? Late and corrected ones run by themselves. */
function isPast({ row, next }: Dag, schedule: DatasetsSpec, partition: string): boolean {
  if (!schedule.at || !next) return true;
  const waitedFor = partitionOfTick(schedule, next.interval, row!.spec.timezone);
  return waitedFor === null || partition < waitedFor;
}

/**
 * Of a run that is due by time and waits for datasets too: what it takes, or until when to wait
 * (null: until they come).
 */
export function dataFor(
  dag: Dag,
  due: DueRun,
  now: Date,
): { takes?: Pick<NewRun, "takes" | "partitionKey">; untilAt?: Date | null } {
  const { schedule, timezone } = dag.row!.spec;
  if (schedule.kind !== "datasets" || !schedule.at) return {};
  const pending = dag.row!.pending ?? [];
  const partition = partitionOfTick(schedule, due.interval, timezone);
  const isReady = partition === null
    ? isComplete(schedule, pending)
    : isTickWhole(dag, schedule, partition, now);
  if (!isReady) {
    const untilAt = latestAt(schedule.at, due);
    if (!untilAt || untilAt > now) return { untilAt };
  }
  const isTheirs = (one: PendingPartition) =>
    partition === null || partitionFor(schedule.partition!, one.partition) === partition;
  const partitions = partition === null ? null : [
    ...new Set([
      ...pending.filter(isTheirs).map((one) => one.partition),
      ...partitionNeeds(schedule.partition!, partition, now) ?? [],
    ]),
  ];
  forget(dag, isTheirs);
  return { takes: { partitionKey: partition, takes: { partitions, isRequired: false } } };
}

function isTickWhole(dag: Dag, schedule: DatasetsSpec, partition: string, now: Date): boolean {
  const waiting = new Set(dag.row!.pending?.map(partitionName));
  return isWhole(schedule, partition, (dataset, key) => {
    const name = partitionName({ dataset, partition: key });
    return waiting.has(name) || dag.partitions.has(name);
  }, now);
}

/** The event of a run's end, where a DAG waits for it: of its interval, and once each time it ends. */
export function awaitedEnd(
  state: EngineState,
  { row, state: end }: Run,
  ids: Ids,
): Pick<RunMove, "awaited"> {
  if (!isRunFinished(end) || !state.isAwaited(row.dagId, end)) return {};
  const { dagId, runId, runType, dataIntervalStart: start, dataIntervalEnd } = row;
  const partition = start && dataIntervalEnd
    ? `${start.toISOString()}/${dataIntervalEnd.toISOString()}`
    : runId;
  const event = {
    ...{ dataset: runDataset(dagId), partition, key: `${row.id}@${row.queuedAt.toISOString()}` },
    extra: { dagId, runId, runType, state: end },
  };
  return { awaited: { id: ids.uuid(), event } };
}

/** The first instant after a run is due at which clocks show `orAt`. */
function latestAt({ orAt, timezone }: NonNullable<DatasetsSpec["at"]>, due: DueRun): Date | null {
  if (orAt === null) return null;
  const local = Temporal.Instant.fromEpochMilliseconds(due.runAfter.getTime())
    .toZonedDateTimeISO(timezone);
  const time = Temporal.PlainTime.from(orAt);
  const same = local.toPlainDate().toZonedDateTime({ timeZone: timezone, plainTime: time });
  const at = Temporal.ZonedDateTime.compare(same, local) < 0 ? same.add({ days: 1 }) : same;
  return new Date(at.epochMilliseconds);
}

function isComplete(schedule: DatasetsSpec, pending: readonly PendingPartition[]): boolean {
  return isMet(schedule.anyOf, new Set(pending.map(({ dataset }) => dataset)));
}

/** What a run is about to take; the next sweep sees whether it did. */
function forget({ row }: Dag, isTaken: (one: PendingPartition) => boolean) {
  row!.pending = (row!.pending ?? []).filter((one) => !isTaken(one));
  row!.pendingMark = "?";
}

function datasetRun(
  dag: Dag,
  { now, ids }: Deciding,
  some: Pick<NewRun, "takes"> & Partial<NewRun>,
): NewRun {
  const id = ids.uuid();
  return {
    ...newRunOf(dag, ids),
    id,
    runId: `asset_triggered__${airflowTime(now)}_${id.slice(-8)}`,
    runType: "asset_triggered",
    logicalDate: null,
    dataIntervalStart: null,
    dataIntervalEnd: null,
    runAfter: now,
    ...some,
  };
}
