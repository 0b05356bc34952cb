/** @module Which runs to create, and which to start. */
import type { Ids } from "../base/ids.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { DagRun, TaskInstance } from "../model/rows.ts";
import type { NewRun, TickWrites } from "../store/port.ts";
import { deadlinesOf, type DueRun, newsOf, nextRunOf, timeOf } from "../timetable/mod.ts";
import { dataFor, decideDatasetRuns } from "./decide_dataset_runs.ts";
import type { Dag, EngineState } from "./state.ts";

/** What decisions go by beside the state. */
export interface Deciding {
  now: Date;
  ids: Ids;
}

/** Runs made and due instants changed; the writes of {@link decideRuns}. */
export type RunWrites = Pick<TickWrites, "newRuns" | "nextRuns">;

/**
 * Create the runs of a DAG that are due, as far as its limit of active runs allows, and start those
 * that wait. A paused DAG does neither.
 */
export function decideRuns(state: EngineState, dag: Dag, deciding: Deciding): RunWrites {
  const writes: RunWrites = { newRuns: [], nextRuns: [] };
  if (dag.row && !dag.row.isPaused && !dag.row.isStale) {
    const { schedule } = dag.row.spec;
    if (timeOf(schedule) || schedule.kind !== "datasets") {
      createDueRuns(state, dag, deciding, writes);
    }
    for (const made of decideDatasetRuns(dag, deciding)) {
      const run = withDeadlines(dag.row.spec, made, deciding);
      writes.newRuns.push(run);
      state.putRun(snapshotOf(run, deciding.now), state.plan(dag.row.dagId, dag.row.dagVersionId)!);
    }
  }
  if (!dag.row?.isPaused) startRuns(state, dag, deciding.now);
  return writes;
}

function createDueRuns(state: EngineState, dag: Dag, deciding: Deciding, writes: RunWrites) {
  const row = dag.row!;
  const queue = dag.queue(null);
  let due = dueRun(dag, deciding.now);
  let created: DueRun | null = null;
  while (due && due.runAfter <= deciding.now && queue.active < row.spec.maxActiveRuns) {
    const data = dataFor(dag, due, deciding.now);
    if (data.untilAt !== undefined) {
      if (data.untilAt) state.wakeAt(data.untilAt, dag);
      break;
    }
    const run = withDeadlines(row.spec, {
      ...newRun(dag, due, deciding.ids),
      ...data.takes,
    }, deciding);
    writes.newRuns.push(run);
    state.putRun(snapshotOf(run, deciding.now), state.plan(row.dagId, row.dagVersionId)!);
    row.lastInterval = due.interval;
    created = due;
    due = dueRun(dag, deciding.now);
  }
  dag.next = due;
  const waitsUntil = due && due.runAfter > deciding.now ? due.runAfter : null;
  const wakes = [waitsUntil, newsOf(row.spec.schedule, deciding.now)].filter((at) => at !== null);
  if (wakes.length > 0) state.wakeAt(new Date(Math.min(...wakes.map(Number))), dag);
  if (!created && due?.runAfter.getTime() === row.nextRunAt?.getTime()) return;
  row.nextRunAt = due?.runAfter ?? null;
  writes.nextRuns.push({
    dagId: row.dagId,
    nextRunAt: row.nextRunAt,
    ...(created ? { lastInterval: created.interval } : {}),
  });
}

function withDeadlines(spec: DagSpec, run: NewRun, { now, ids }: Deciding): NewRun {
  return { ...run, ...deadlinesOf(spec, run, { now, newId: () => ids.uuid() }) };
}

function dueRun({ row }: Dag, now: Date): DueRun | null {
  return nextRunOf(row!.spec, { lastInterval: row!.lastInterval, now });
}

/** Each backfill has a limit of its own, and a pause. */
function startRuns(state: EngineState, dag: Dag, now: Date) {
  for (const [backfillId, queue] of dag.queues) {
    const max = backfillId === ""
      ? dag.row?.spec.maxActiveRuns ?? Infinity
      : backfillMax(state, backfillId);
    while (queue.running < max) {
      const run = queue.first();
      if (!run) break;
      if (run.row.runAfter > now) {
        state.wakeAt(run.row.runAfter, run);
        break;
      }
      state.moveRun(run, "running");
      run.row.startDate = now;
    }
  }
}

function backfillMax(state: EngineState, backfillId: string): number {
  const backfill = state.backfills.get(backfillId);
  if (!backfill) return 1;
  return backfill.isPaused ? 0 : backfill.maxActiveRuns;
}

/** A run of a version's spec for an interval; its name is Airflow's. */
function newRun(dag: Dag, due: DueRun, ids: Ids): NewRun {
  return {
    ...newRunOf(dag, ids),
    id: ids.uuid(),
    runId: `scheduled__${airflowTime(due.logicalDate)}`,
    runType: "scheduled",
    logicalDate: due.logicalDate,
    dataIntervalStart: due.interval.start,
    dataIntervalEnd: due.interval.end,
    runAfter: due.runAfter,
  };
}

/** What every run of a DAG's current version begins with. */
export function newRunOf({ row }: Dag, ids: Ids) {
  const trace = ids.uuid().replaceAll("-", "");
  const span = ids.uuid().replaceAll("-", "").slice(16);
  return {
    dagId: row!.dagId,
    conf: {},
    dagVersionId: row!.dagVersionId,
    backfillId: null,
    traceParent: `00-${trace}-${span}-01`,
    tasks: newTasks(row!.spec, ids),
  };
}

/** An instant as Airflow's run ids have it. */
export function airflowTime(at: Date): string {
  return at.toISOString().replace(/(\.000)?Z$/, "+00:00");
}

function newTasks(spec: DagSpec, ids: Ids): NewRun["tasks"] {
  return spec.tasks.map(({ taskId, retry }) => ({
    id: ids.uuid(),
    taskId,
    maxTries: retry.retries,
  }));
}

/** The rows that the store makes of a new run. */
function snapshotOf({ tasks, takes: _t, deadlines: _d, ...rest }: NewRun, now: Date) {
  const run: DagRun = {
    ...rest,
    partitionKey: rest.partitionKey ?? null,
    state: "queued",
    queuedAt: now,
    startDate: null,
    endDate: null,
    cancelRequestedAt: null,
  };
  return { run, tasks: tasks.map((task) => instanceRow(run.id, { ...task, mapIndex: -1 })) };
}

/** A task instance as it is when it is made. */
export function instanceRow(
  dagRunId: string,
  given: Pick<TaskInstance, "id" | "taskId" | "mapIndex" | "maxTries">,
): TaskInstance {
  return {
    ...given,
    dagRunId,
    state: "none",
    attemptId: null,
    tryNumber: 0,
    infraLosses: 0,
    nextTryAt: null,
    outputLength: null,
    chosen: null,
    queuedAt: null,
    startDate: null,
    endDate: null,
    isForced: false,
  };
}
