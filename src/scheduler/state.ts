/**
 * @module What the scheduler knows: unfinished runs, DAGs, limits and what may start.
 *
 * Every change goes through {@link EngineState.move}, which keeps all counters, so a pass costs what
 * changed since the last one, whatever the size of the runs.
 */
import { type Cap, ReadyQueue } from "../dispatcher/ready_queue.ts";
import type { Pool, TaskInstance } from "../model/rows.ts";
import { isRunFinished } from "../model/run_state.ts";
import {
  isFinished,
  occupyingTaskStates,
  parkedTaskStates,
  type TaskState,
} from "../model/task_state.ts";
import type {
  BackfillLimits,
  EndedAttempt,
  PendingDeadline,
  RunSnapshot,
  SchedulableDag,
} from "../store/port.ts";
import { type DueRun, horizonOf, poolClosingAt } from "../timetable/mod.ts";
import { Heap } from "../base/heap.ts";
import { Instance, Run, type RunTask } from "./instance.ts";
import { makePlan, type Plan } from "./plan.ts";
import { PastRuns } from "./past.ts";
import { RunQueue } from "./run_queue.ts";
import { Shares } from "./shares.ts";

/** A DAG with what is known of its runs. */
export class Dag {
  /** Null when the DAG is not known to the store (any more) and only its runs are left. */
  row: SchedulableDag | null = null;
  /** The next automatic run, due now or later. */
  next: DueRun | null = null;
  wakeAtMs: number | null = null;
  /** After which its schedule knows of no releases; null: it goes by none. */
  horizonAt: Date | null = null;
  /** Partitions that are there though nothing of them waits, as `dataset\npartition`. */
  partitions: ReadonlySet<string> = new Set();
  /** By backfill id; "" has the runs that are not a backfill's. */
  readonly queues = new Map<string, RunQueue>();
  /** Limits of tasks over all runs, by task. */
  readonly caps = new Map<string, Cap>();

  constructor(readonly dagId: string) {}

  queue(backfillId: string | null): RunQueue {
    const key = backfillId ?? "";
    let queue = this.queues.get(key);
    if (!queue) this.queues.set(key, queue = new RunQueue());
    return queue;
  }
}

/** A deadline that is not settled. */
export class Deadline {
  wakeAtMs: number | null = null;

  constructor(readonly id: string, readonly dagRunId: string) {}
}

/** Something to look at again at an instant. */
type Due = Instance | Run | Dag | Deadline;

/** See the module. */
export class EngineState {
  readonly dags = new Map<string, Dag>();
  readonly runs = new Map<string, Run>();
  readonly instances = new Map<string, Instance>();
  readonly plans = new Map<string, Plan>();
  readonly ready = new ReadyQueue();
  readonly past = new PastRuns();
  readonly deadlines = new Map<string, Deadline>();
  /** Those whose time has come. */
  readonly dueDeadlines = new Set<Deadline>();
  backfills = new Map<string, BackfillLimits>();
  /** Nothing new starts: somebody drains. */
  isDraining = false;
  /** Mapped tasks with more instances to come, in the order of their turns. */
  expanding: RunTask[] = [];

  /** To look at in the next pass. */
  readonly dirtyDags = new Set<Dag>();
  readonly dirtyRuns = new Set<Run>();
  /** With a state that the store does not have yet. */
  readonly changedInstances = new Set<Instance>();
  readonly changedRuns = new Set<Run>();

  readonly #due = new Heap<{ atMs: number; what: Due }>();
  readonly #shares = new Shares(this.ready);
  #poolNames = new Set<string>();
  #pools: readonly Pool[] = [];
  /** When a pool opens or closes next. */
  #poolsChangeAtMs = -Infinity;
  /** DAGs that wait for runs of another, by that one; those that no longer do may be among them. */
  readonly #watchers = new Map<string, Set<Dag>>();

  /** Take in DAGs as they are now. */
  putDag(row: SchedulableDag): Dag {
    const dag = this.dag(row.dagId);
    dag.row = row;
    dag.horizonAt = horizonOf(row.spec.schedule);
    this.ready.setDag(row.dagId, {
      maxActiveTasks: row.spec.maxActiveTasks,
      isPaused: row.isPaused,
    });
    this.#shares.setDag(row.dagId, row.spec.maxActiveTasks);
    this.dirtyDags.add(dag);
    const watched = watchedDag(row);
    if (watched) this.#watchers.set(watched, (this.#watchers.get(watched) ?? new Set()).add(dag));
    return dag;
  }

  /** Does a DAG wait for a run of this one to end so? */
  isAwaited(dagId: string, end: Run["state"]): boolean {
    return [...this.#watchers.get(dagId) ?? []].some(({ row }) => {
      if (!row || row.isStale || watchedDag(row) !== dagId) return false;
      const { schedule } = row.spec;
      const watch = schedule.kind === "datasets" ? schedule.watch : undefined;
      return watch?.kind === "run" && watch.states.some((state) => state === end);
    });
  }

  /** The DAG, made if need be. */
  dag(dagId: string): Dag {
    let dag = this.dags.get(dagId);
    if (!dag) this.dags.set(dagId, dag = new Dag(dagId));
    return dag;
  }

  /** Take in the pools that there are. */
  putPools(pools: readonly Pool[]): void {
    const names = new Set(pools.map((pool) => pool.name));
    for (const gone of this.#poolNames.difference(names)) this.ready.setPool(gone, null);
    for (const { name, slots, includeDeferred } of pools) {
      this.ready.setPool(name, slots, includeDeferred);
      this.#shares.setPool(name, slots);
    }
    this.#poolNames = names;
    this.#pools = pools;
    this.#poolsChangeAtMs = -Infinity;
  }

  /** Close and open pools as their windows begin and end. */
  tendPools(now: Date): void {
    if (now.getTime() < this.#poolsChangeAtMs) return;
    this.#poolsChangeAtMs = Infinity;
    for (const { name, closings } of this.#pools) {
      const closing = closings ? poolClosingAt(closings, now.getTime()) : null;
      this.ready.closePool(name, closing?.isClosed ?? false);
      const changesAtMs = closing?.changesAtMs ?? Infinity;
      this.#poolsChangeAtMs = Math.min(this.#poolsChangeAtMs, changesAtMs);
    }
  }

  /** Take in the limits of the backfills that have unfinished runs. */
  putBackfills(backfills: readonly BackfillLimits[]): void {
    this.backfills = new Map(backfills.map((backfill) => [backfill.id, backfill]));
    this.#shares.setBackfills(backfills);
    for (const dag of this.dags.values()) {
      if (dag.queues.size > (dag.queues.has("") ? 1 : 0)) this.dirtyDags.add(dag);
    }
  }

  /** Take in deadlines that are not settled; those of a run that has ended well never come. */
  putDeadlines(pending: readonly PendingDeadline[]): void {
    for (const { id, dagRunId, at } of pending) {
      let deadline = this.deadlines.get(id);
      if (!deadline) this.deadlines.set(id, deadline = new Deadline(id, dagRunId));
      if (at) this.wakeAt(at, deadline);
    }
  }

  /** Forget a deadline: it is settled, or its run has succeeded. */
  dropDeadline(deadline: Deadline): void {
    deadline.wakeAtMs = null;
    this.deadlines.delete(deadline.id);
    this.dueDeadlines.delete(deadline);
  }

  /** The plan of a DAG version, if its spec is known. */
  plan(dagId: string, dagVersionId: string): Plan | undefined {
    const known = this.plans.get(dagVersionId);
    const row = this.dags.get(dagId)?.row;
    if (known || row?.dagVersionId !== dagVersionId) return known;
    const plan = makePlan(dagVersionId, row.spec);
    this.plans.set(dagVersionId, plan);
    return plan;
  }

  /** Take in a run as it is now, in place of what was known of it. */
  putRun({ run: row, tasks }: RunSnapshot, plan: Plan): Run | null {
    this.dropRun(row.id);
    this.past.disturb(row);
    if (row.state === "success" || row.state === "failed") return null;
    const dag = this.dag(row.dagId);
    const { dagId, backfillId } = row;
    const run = new Run(row, plan, dag.caps, (pool) => this.#shares.of(dagId, backfillId, pool));
    this.runs.set(row.id, run);
    if (run.state === "queued") this.#enqueueRun(dag, run);
    else dag.queue(row.backfillId).running++;
    for (const task of tasks) this.addInstance(run, task);
    for (const { index } of plan.tasks) run.markDirty(index);
    this.dirtyRuns.add(run);
    this.past.add(run);
    return run;
  }

  #enqueueRun(dag: Dag, run: Run) {
    dag.queue(run.row.backfillId).add(run);
    this.dirtyDags.add(dag);
  }

  /** Forget a run: it has ended, or it is about to be taken in anew. */
  dropRun(id: string): void {
    const run = this.runs.get(id);
    if (!run) return;
    for (const task of [...run.tasks, ...run.vanished]) {
      for (const instance of task.instances) {
        this.#leave(instance);
        this.instances.delete(instance.id);
        this.changedInstances.delete(instance);
      }
    }
    const dag = this.dag(run.row.dagId);
    const queue = dag.queue(run.row.backfillId);
    if (run.state === "queued") queue.remove(run);
    if (run.state === "running" || run.holdsPlace) queue.running--;
    this.runs.delete(id);
    this.past.remove(run);
    this.dirtyRuns.delete(run);
    this.changedRuns.delete(run);
    this.dirtyDags.add(dag);
    if (queue.active === 0 && run.row.backfillId) dag.queues.delete(run.row.backfillId);
  }

  /** Add an instance of a run. */
  addInstance(run: Run, row: TaskInstance): Instance {
    const instance = new Instance(run.task(row.taskId), row.id, row.mapIndex, row.state, row);
    instance.task.instances.push(instance);
    this.instances.set(row.id, instance);
    this.#enter(instance);
    return instance;
  }

  /** Take in an instance as it is now; false when it is unknown and its run must be loaded. */
  putInstance(row: TaskInstance): boolean {
    const instance = this.instances.get(row.id);
    if (!instance || instance.mapIndex !== row.mapIndex) return false;
    // Leaving and entering keeps whatever hangs on the row (the due instant) in step with it.
    this.#leave(instance);
    const was = instance.state;
    instance.row = row;
    instance.state = row.state;
    instance.storedState = row.state;
    this.changedInstances.delete(instance);
    this.#enter(instance);
    this.#spread(instance, was);
    return true;
  }

  /**
   * Take in how an attempt ended; false when that is not all there is to know: another attempt is
   * the instance's current one by now, or a person had a hand in it.
   */
  endAttempt(ended: EndedAttempt): boolean {
    const instance = this.instances.get(ended.taskInstanceId);
    if (!instance || instance.row.attemptId !== ended.attemptId) return false;
    if (instance.state !== "queued" && instance.state !== "running") return false;
    const { state, nextTryAt, outputLength, chosen } = ended;
    if (state === "none" || state === "cancelled") return false;
    const { row } = instance;
    const isParked = parkedTaskStates.has(state);
    const isRepeated = isParked || state === "scheduled" || state === "up_for_reschedule";
    const isTimed = isParked || state === "up_for_retry" || state === "up_for_reschedule";
    return this.putInstance({
      ...row,
      id: instance.id,
      taskId: instance.task.plan.spec.taskId,
      mapIndex: instance.mapIndex,
      state,
      tryNumber: row.tryNumber - (isRepeated ? 1 : 0),
      nextTryAt: isTimed ? nextTryAt : null,
      outputLength: state === "success" ? outputLength : null,
      chosen: state === "success" ? chosen : null,
    });
  }

  /** Decide that an instance has this state from now on. */
  move(instance: Instance, to: TaskState): void {
    const was = instance.state;
    if (was === to) return;
    this.#leave(instance);
    instance.state = to;
    this.#enter(instance);
    this.#spread(instance, was);
    if (to === instance.storedState) this.changedInstances.delete(instance);
    else this.changedInstances.add(instance);
  }

  /** Decide that an instance may start: it waits for its turn. */
  makeReady(instance: Instance): void {
    this.#setIdle(instance, false);
    this.ready.add(instance);
  }

  /** Put what may start and has not had its turn yet into `scheduled`; it keeps its place. */
  schedule(instance: Instance): void {
    const { task, state } = instance;
    task.counts.add(state, -1);
    task.run.counts.add(state, -1);
    instance.state = "scheduled";
    task.counts.add("scheduled", 1);
    task.run.counts.add("scheduled", 1);
    this.changedInstances.add(instance);
  }

  /** Have a run's tasks looked at that wait for the run before. */
  lookAtPast(run: Run): void {
    for (const index of run.plan.pastDependents) run.markDirty(index);
    this.dirtyRuns.add(run);
  }

  /** Decide that a run has this state from now on. */
  moveRun(run: Run, to: Run["state"]): void {
    const dag = this.dag(run.row.dagId);
    const queue = dag.queue(run.row.backfillId);
    if (run.state === "queued") queue.remove(run);
    run.holdsPlace = isRunFinished(to) && run.state === "running" && this.#isMoving(run);
    if (run.state === "running" && !run.holdsPlace) queue.running--;
    run.state = to;
    if (to === "running") {
      queue.running++;
      for (const { index } of run.plan.tasks) run.markDirty(index);
    }
    this.changedRuns.add(run);
    this.dirtyRuns.add(run);
    this.dirtyDags.add(dag);
  }

  #isMoving(run: Run): boolean {
    for (const { task } of this.changedInstances) if (task.run === run) return true;
    return false;
  }

  /** Look at something again at an instant; only the newest instant of each counts. */
  wakeAt(at: Date, what: Due): void {
    if (what.wakeAtMs === at.getTime()) return;
    what.wakeAtMs = at.getTime();
    this.#due.push(at.getTime(), { atMs: at.getTime(), what });
  }

  /** The next instant at which something is due; null when nothing is. */
  nextDueAt(): Date | null {
    const atMs = Math.min(this.#due.leastKey, this.#poolsChangeAtMs);
    return Number.isFinite(atMs) ? new Date(atMs) : null;
  }

  /** Mark everything that is due by now. */
  wake(now: Date): void {
    while (this.#due.leastKey <= now.getTime()) {
      const { atMs, what } = this.#due.pop()!;
      if (what.wakeAtMs !== atMs) continue;
      what.wakeAtMs = null;
      if (what instanceof Dag) this.dirtyDags.add(what);
      else if (what instanceof Deadline) this.dueDeadlines.add(what);
      else if (what instanceof Run) this.dirtyDags.add(this.dag(what.row.dagId));
      else this.#wakeInstance(what, now);
    }
  }

  /** Mark what waits for more instances, unless its run was taken in anew since. */
  wakeExpanding(): void {
    for (const { run, plan } of this.expanding) {
      if (this.runs.get(run.row.id) !== run) continue;
      run.markDirty(plan.index);
      this.dirtyRuns.add(run);
    }
  }

  #wakeInstance(instance: Instance, now: Date) {
    const { state, row, task } = instance;
    if (parkedTaskStates.has(state)) return this.#endWait(instance, now);
    if (state !== "up_for_retry" && state !== "up_for_reschedule") return;
    if (this.instances.get(instance.id) !== instance || instance.place) return;
    if (row.nextTryAt && row.nextTryAt > now) return;
    this.#setIdle(instance, true);
    task.run.markDirty(task.plan.index);
    this.dirtyRuns.add(task.run);
  }

  /** Nothing has happened in time: it goes on with what was stored for that when it was parked. */
  #endWait(instance: Instance, now: Date) {
    if (this.instances.get(instance.id) !== instance) return;
    const { nextTryAt } = instance.row;
    if (nextTryAt && nextTryAt <= now) this.move(instance, "scheduled");
  }

  #leave(instance: Instance) {
    const { task, state } = instance;
    const { run } = task;
    task.counts.add(state, -1);
    run.counts.add(state, -1);
    if (task.plan.isLeaf && endedBadly(state)) run.failedLeaves--;
    if (occupyingTaskStates.has(state)) this.ready.release(task.demand);
    if (state === "deferred") this.ready.resume(task.demand);
    this.#setIdle(instance, false);
    this.ready.remove(instance);
  }

  #enter(instance: Instance) {
    const { task, state } = instance;
    const { run } = task;
    task.counts.add(state, 1);
    run.counts.add(state, 1);
    if (task.plan.isLeaf && endedBadly(state)) run.failedLeaves++;
    if (occupyingTaskStates.has(state)) this.ready.occupy(task.demand);
    // What was scheduled is looked at again: an upstream may have been cleared since.
    if (state === "none" || state === "scheduled") this.#setIdle(instance, true);
    if (state === "up_for_retry" || state === "up_for_reschedule") {
      this.wakeAt(instance.row.nextTryAt ?? new Date(0), instance);
    }
    if (state === "deferred") this.ready.defer(task.demand);
    if (parkedTaskStates.has(state) && instance.row.nextTryAt) {
      this.wakeAt(instance.row.nextTryAt, instance);
    }
  }

  /** Have whatever depends on a change looked at again. */
  #spread(instance: Instance, was: TaskState) {
    const { task, state } = instance;
    const { run, plan } = task;
    if (state !== was) run.changes++;
    this.dirtyRuns.add(run);
    if (state === "none" || state === "scheduled") run.markDirty(plan.index);
    if (!isFinished(state) && !isFinished(was)) return;
    for (const index of plan.wakes) {
      run.markDirty(index);
      touchAfter(instance, run.tasks[index]);
    }
    for (const follower of this.past.followersOf(run)) this.lookAtPast(follower);
  }

  #setIdle(instance: Instance, isIdle: boolean) {
    const { idle, run } = instance.task;
    if (idle.has(instance) === isIdle) return;
    if (isIdle) {
      idle.add(instance);
      instance.task.touch(instance);
    } else idle.delete(instance);
    run.idle += isIdle ? 1 : -1;
  }
}

/** The DAG whose runs start this one's. */
function watchedDag({ spec: { schedule } }: SchedulableDag): string | null {
  const watch = schedule.kind === "datasets" ? schedule.watch : undefined;
  return watch?.kind === "run" ? watch.dagId : null;
}

/** In a mapped group the same index after it; all of them after a task that was not expanded. */
function touchAfter({ task, mapIndex }: Instance, after: RunTask) {
  const { mappedGroup } = task.plan.spec;
  if (mappedGroup === undefined || after.plan.spec.mappedGroup !== mappedGroup) return;
  if (mapIndex < 0) after.touchAll();
  else after.touch(after.at(mapIndex));
}

/** Did it end in a way that fails the run when it is a leaf? */
function endedBadly(state: TaskState): boolean {
  return state === "failed" || state === "upstream_failed" || state === "cancelled";
}
