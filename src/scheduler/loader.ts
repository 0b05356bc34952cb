/** @module Brings the scheduler's state up to date with the store: what changed, no more. */
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import { messageOf } from "../model/errors.ts";
import { occupyingTaskStates } from "../model/task_state.ts";
import type { EngineStore, Outline, RunSnapshot, SchedulableDag } from "../store/port.ts";
import {
  nextRunOf,
  partitionOfTick,
  partitionQuestions,
  type PendingPartition,
} from "../timetable/mod.ts";
import type { Changes } from "./inbox.ts";
import type { Run, RunTask } from "./instance.ts";
import { partitionName } from "./decide_dataset_runs.ts";
import { makePlan } from "./plan.ts";
import type { EngineState } from "./state.ts";

/** What loading needs. */
export interface Loading {
  store: EngineStore;
  log: Logger;
  now: Date;
}

/** Task instances that one sweep looks at again, beside what its outline shows. */
const SWEPT_INSTANCES_MAX = 1_000;

/** Read what changed into the state. */
export async function loadChanges(state: EngineState, changes: Changes, loading: Loading) {
  const { store } = loading;
  if (changes.all) return await loadAll(state, loading);
  if (changes.drain) state.isDraining = await store.readDrain() !== null;
  // The usual case by far: some attempts of known runs ended, and the hint says how.
  const instances = new Set(changes.instances);
  for (const ended of changes.ended) {
    if (!state.endAttempt(ended)) instances.add(ended.taskInstanceId);
  }
  const [rows] = await Promise.all([
    instances.size > 0 ? store.loadTasks([...instances]) : [],
    changes.dags.size > 0 ? loadDags(state, [...changes.dags], loading) : null,
  ]);
  const runs = new Set(changes.runs);
  for (const id of changes.runsOfInstances) if (!state.runs.has(id)) runs.add(id);
  for (const row of rows) {
    if (runs.has(row.dagRunId)) continue;
    if (!state.putInstance(row)) runs.add(row.dagRunId);
  }
  if (runs.size > 0) await loadRuns(state, [...runs], loading);
}

async function loadAll(state: EngineState, loading: Loading) {
  const [dags, pools, backfills, runs, deadlines, drain] = await Promise.all([
    loading.store.loadDags(),
    loading.store.loadPools(),
    loading.store.loadBackfills(),
    loading.store.loadRuns(),
    loading.store.loadDeadlines(),
    loading.store.readDrain(),
  ]);
  state.isDraining = drain !== null;
  putDags(state, dags, loading);
  await loadPartitions(state, dags, loading);
  state.putPools(pools);
  state.putBackfills(backfills);
  await putRuns(state, runs, loading);
  state.putDeadlines(deadlines);
}

async function loadDags(state: EngineState, ids: string[], loading: Loading) {
  const [dags, pools, backfills] = await Promise.all([
    loading.store.loadDags(ids),
    loading.store.loadPools(),
    loading.store.loadBackfills(),
  ]);
  const found = new Set(dags.map((dag) => dag.dagId));
  for (const id of ids) if (!found.has(id)) state.dag(id).row = null;
  putDags(state, dags, loading);
  await loadPartitions(state, dags, loading);
  state.putPools(pools);
  state.putBackfills(backfills);
}

/** Ask which partitions are there that DAGs wait for, beside those whose events wait for them. */
async function loadPartitions(
  state: EngineState,
  dags: readonly SchedulableDag[],
  { store, now, log }: Loading,
) {
  const asked = new Map<string, PendingPartition>();
  const asking: SchedulableDag[] = [];
  for (const row of dags) {
    const { schedule } = row.spec;
    if (schedule.kind !== "datasets" || !schedule.partition) continue;
    if (!schedule.at && !row.pending?.length) continue;
    if (row.pending?.length === limits.pendingPartitions) {
      log.warn("Too many partitions wait for a DAG: newer ones are not looked at yet", {
        dagId: row.dagId,
        waiting: row.pending.length,
      });
    }
    const due = schedule.at ? nextRunOf(row.spec, { lastInterval: row.lastInterval, now }) : null;
    const also = due && partitionOfTick(schedule, due.interval, row.spec.timezone);
    const questions = partitionQuestions(schedule, row.pending ?? [], now, also);
    for (const one of questions) asked.set(partitionName(one), one);
    if (questions.length > 0) asking.push(row);
  }
  if (asked.size === 0) return;
  const found = new Set((await store.findPartitions([...asked.values()])).map(partitionName));
  for (const { dagId } of asking) state.dag(dagId).partitions = found;
}

function putDags(state: EngineState, dags: readonly SchedulableDag[], { log, now }: Loading) {
  for (const row of dags) {
    const dag = state.putDag(row);
    if (dag.horizonAt && dag.horizonAt.getTime() - now.getTime() < limits.calendarHorizonMs) {
      log.warn("The releases that a DAG's schedule goes by end soon; it makes no runs after that", {
        dagId: row.dagId,
        until: dag.horizonAt.toISOString(),
      });
    }
    try {
      state.plan(row.dagId, row.dagVersionId);
    } catch (error) {
      dag.row = null;
      log.error("Could not plan a DAG; its runs are left out", {
        dagId: row.dagId,
        error: messageOf(error),
      });
    }
  }
}

/** Read runs anew; those that the store does not have (any more) are forgotten. */
export async function loadRuns(state: EngineState, ids: string[], loading: Loading) {
  const found = await loading.store.loadRuns(ids);
  const names = new Set(found.map(({ run }) => run.id));
  for (const id of ids) if (!names.has(id)) state.dropRun(id);
  await putRuns(state, found, loading);
  await loadDeadlines(state, found.map(({ run }) => run.id), loading);
}

/** Read the deadlines of these runs, where their DAG has any. */
export async function loadDeadlines(state: EngineState, runIds: string[], { store }: Loading) {
  const ids = runIds.filter((id) => state.runs.get(id)?.plan.hasDeadlines);
  if (ids.length > 0) state.putDeadlines(await store.loadDeadlines(ids));
}

async function putRuns(state: EngineState, found: readonly RunSnapshot[], loading: Loading) {
  const { store, log } = loading;
  await loadPlans(state, found, loading);
  // Anew each time: one that was paused when it was done holds back no run that is cleared later.
  if (found.some(({ run }) => run.backfillId !== null)) {
    state.putBackfills(await store.loadBackfills());
  }
  for (const snapshot of found) {
    const { run } = snapshot;
    const plan = state.plan(run.dagId, run.dagVersionId);
    if (plan) state.putRun(snapshot, plan);
    else {
      log.error("Could not take up a run: its DAG version cannot be read", {
        dagId: run.dagId,
        runId: run.runId,
        dagVersionId: run.dagVersionId,
      });
    }
  }
}

async function loadPlans(state: EngineState, found: readonly RunSnapshot[], loading: Loading) {
  const dagIds = new Set(
    found.map(({ run }) => run.dagId).filter((id) => !state.dags.get(id)?.row),
  );
  if (dagIds.size > 0) await loadDags(state, [...dagIds], loading);
  const missing = new Set<string>();
  for (const { run } of found) {
    if (!state.plan(run.dagId, run.dagVersionId)) missing.add(run.dagVersionId);
  }
  if (missing.size === 0) return;
  for (const version of await loading.store.loadDagVersions([...missing])) {
    try {
      state.plans.set(version.id, makePlan(version.id, version.spec));
    } catch (error) {
      loading.log.error("Could not plan a DAG version", {
        dagId: version.dagId,
        dagVersionId: version.id,
        error: messageOf(error),
      });
    }
  }
}

/** Read the runs before those that wait for one. */
export async function loadPast(state: EngineState, { store }: Loading): Promise<void> {
  const wanted = [...state.past.wanted];
  if (wanted.length === 0) return;
  for (const found of await store.loadPast(wanted)) {
    const run = state.runs.get(found.dagRunId);
    if (!run) continue;
    state.past.put(run, found);
    state.lookAtPast(run);
  }
}

/** What one sweep leaves for the next. */
export interface SweepNotes {
  /** How often each run had changed. */
  changes: ReadonlyMap<string, number>;
  /** How many of the instances held by workers were read, all sweeps together. */
  read: number;
}

/**
 * Find what hints did not tell. Runs that changed since the last sweep are busy, their counts differ
 * from the store's all the time; of those only what workers hold is read again. A quiet run whose
 * counts differ is read anew.
 */
export async function sweep(
  state: EngineState,
  notes: SweepNotes,
  loading: Loading,
): Promise<SweepNotes> {
  const { store } = loading;
  const [outline, pools, backfills] = await Promise.all([
    store.loadOutline(),
    store.loadPools(),
    store.loadBackfills(),
  ]);
  state.isDraining = outline.isDraining;
  state.putPools(pools);
  state.putBackfills(backfills);
  state.past.disturbAll();
  // A closing that is known late may make a partition whole.
  for (const dag of state.dags.values()) if (dag.row?.pending?.length) state.dirtyDags.add(dag);
  const allHeld = heldInstances(state);
  const held = nextSlice(allHeld, notes.read, SWEPT_INSTANCES_MAX);
  const dags = changedDags(state, outline);
  const runs = changedRuns(state, outline, notes);
  if (held.length > 0) {
    for (const row of await store.loadTasks(held)) {
      if (!state.putInstance(row)) runs.add(row.dagRunId);
    }
  }
  if (dags.length > 0) await loadDags(state, dags, loading);
  if (runs.size > 0) await loadRuns(state, [...runs], loading);
  forgetPlans(state);
  const changes = new Map([...state.runs.values()].map((run) => [run.row.id, run.changes]));
  return { changes, read: notes.read + held.length };
}

/** Up to `max` items, going on after the first `read`, round and round. */
function nextSlice<T>(items: readonly T[], read: number, max: number): T[] {
  if (items.length <= max) return [...items];
  const start = read % items.length;
  return [...items.slice(start), ...items.slice(0, start)].slice(0, max);
}

function changedDags(state: EngineState, { dags }: Outline): string[] {
  const known = new Set<string>();
  for (const dag of state.dags.values()) if (dag.row) known.add(dag.dagId);
  const changed = dags.filter((dag) => {
    const row = state.dags.get(dag.dagId)?.row;
    known.delete(dag.dagId);
    return row?.dagVersionId !== dag.dagVersionId || row.isPaused !== dag.isPaused ||
      row.isStale !== dag.isStale ||
      (row.pendingMark ?? "") !== dag.pendingMark;
  });
  return [...changed.map((dag) => dag.dagId), ...known];
}

function changedRuns(state: EngineState, { runs }: Outline, notes: SweepNotes): Set<string> {
  const gone = new Set(state.runs.keys());
  const changed = new Set<string>();
  for (const outlined of runs) {
    gone.delete(outlined.id);
    const run = state.runs.get(outlined.id);
    if (!run || run.state !== outlined.state) changed.add(outlined.id);
    else if (run.plan.dagVersionId !== outlined.dagVersionId) changed.add(outlined.id);
    else if ((run.row.cancelRequestedAt !== null) !== outlined.isCancelled) {
      changed.add(outlined.id);
    } else if (notes.changes.get(outlined.id) === run.changes && !sameCounts(run, outlined.tasks)) {
      changed.add(outlined.id);
    }
  }
  return changed.union(gone);
}

/** Nobody tells that a queued attempt was claimed, so queued and running count as one. */
function sameCounts(run: Run, tasks: Outline["runs"][number]["tasks"]): boolean {
  const { queued = 0, running = 0, ...others } = tasks;
  if (queued + running !== run.counts.of("queued") + run.counts.of("running")) return false;
  const rest = Object.entries(others) as [keyof typeof others, number][];
  return rest.every(([name, count]) => run.counts.of(name) === count);
}

/** Instances that workers hold, as far as is known here. */
function heldInstances(state: EngineState): string[] {
  const isHeld = ({ counts }: Run | RunTask) =>
    counts.of("queued") + counts.of("running") + counts.of("cancelling") > 0;
  return [...state.runs.values()].filter(isHeld).flatMap((run) =>
    run.tasks.filter(isHeld).flatMap((task) =>
      task.instances.filter(({ state }) => occupyingTaskStates.has(state)).map(({ id }) => id)
    )
  );
}

/** Plans of versions that no run and no DAG uses. */
function forgetPlans(state: EngineState) {
  const used = new Set<string>();
  for (const run of state.runs.values()) used.add(run.plan.dagVersionId);
  for (const dag of state.dags.values()) if (dag.row) used.add(dag.row.dagVersionId);
  for (const id of state.plans.keys()) if (!used.has(id)) state.plans.delete(id);
}
