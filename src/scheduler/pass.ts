/** @module One pass of the leader: everything that follows from what changed, as one set of writes. */
import type { Ids } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import { messageOf } from "../model/errors.ts";
import { runEvents } from "../model/notice_spec.ts";
import { isRunFinished } from "../model/run_state.ts";
import type { HandOver } from "../store/hand_over.ts";
import type {
  NewRun,
  RunMove,
  TaskCancel,
  TaskMove,
  TickResult,
  TickWrites,
} from "../store/port.ts";
import { awaitedEnd } from "./decide_dataset_runs.ts";
import { decideRuns } from "./decide_runs.ts";
import { decideRunState } from "./decide_run_state.ts";
import { ExpansionRoom } from "./decide_mapping.ts";
import { type Cancel, decideTasks } from "./decide_tasks.ts";
import { failedFastBy } from "./fail_fast.ts";
import type { Instance, Run } from "./instance.ts";
import type { EngineState } from "./state.ts";

/** What a pass decided. */
export interface Pass {
  writes: TickWrites;
  /** Nothing to write. */
  isEmpty: boolean;
  /** Attempts queued; when that is `limits.queueBatch`, more may follow at once. */
  queued: number;
  /** The next pass has more to do: instances of mapped tasks, or runs in the place of ended ones. */
  isShort: boolean;
  moved: readonly Instance[];
  movedRuns: readonly Run[];
}

/** What a pass goes by beside the state. */
export interface PassOptions {
  now: Date;
  ids: Ids;
  log: Logger;
  /** Claims that wait in this process; none when left out. */
  handOver?: HandOver;
}

/** Tasks moved to `scheduled` in one pass; those beyond wait for their turn as they are. */
const SCHEDULED_MAX = 4 * limits.queueBatch;

/**
 * Decide on all that changed or is due. The state is as if the writes had been made; hand their
 * result to {@link settle}.
 */
export function decidePass(state: EngineState, options: PassOptions): Pass {
  const writes: TickWrites = {
    newRuns: [],
    runMoves: [],
    taskMoves: [],
    expansions: [],
    nextRuns: [],
  };
  const ready: Instance[] = [];
  const cancels: Cancel[] = [];
  const room = new ExpansionRoom();
  state.wake(options.now);
  state.tendPools(options.now);
  state.wakeExpanding();
  while (state.dirtyDags.size > 0 || state.dirtyRuns.size > 0) {
    decideDirtyDags(state, writes, options);
    decideDirtyRuns(state, writes, { ready, cancels, room }, options);
  }
  state.expanding = room.next;
  const queues = decideQueue(state, options);
  let scheduled = 0;
  for (const instance of ready) {
    if (instance.place === null || instance.state === "scheduled") continue;
    if (++scheduled > SCHEDULED_MAX) break;
    state.schedule(instance);
  }
  const moved = [...state.changedInstances];
  const movedRuns = [...state.changedRuns];
  writes.taskMoves = moved.map((instance) => taskMove(instance, queues.get(instance), options.ids));
  const cancelled = cancels.map(({ instance }) => instance);
  const touched = new Set([...moved, ...cancelled].map((instance) => instance.task.run.row));
  if (cancels.length > 0) writes.cancels = cancels.map(taskCancel);
  if (touched.size > 0) {
    writes.fences = Array.from(
      touched,
      ({ id, queuedAt, cancelRequestedAt }) => ({ id, queuedAt, cancelRequestedAt }),
    );
  }
  writes.runMoves = movedRuns.map((run) => ({
    ...runMove(run, moved),
    ...(run.plan.hasDeadlines ? { hasDeadlines: true } : {}),
    ...told(run, options.ids),
    ...awaitedEnd(state, run, options.ids),
  }));
  const due = [...state.dueDeadlines].slice(0, limits.deadlineBatch);
  if (due.length > 0) {
    writes.deadlines = due.map(({ id }) => ({ id, eventId: options.ids.uuid() }));
  }
  const isEmpty = Object.values(writes).every((list: unknown[]) => list.length === 0);
  return {
    writes,
    isEmpty,
    queued: queues.size,
    isShort: state.expanding.length > 0 || due.length === limits.deadlineBatch ||
      movedRuns.some((run) => run.holdsPlace),
    moved,
    movedRuns,
  };
}

function runMove(run: Run, moved: readonly Instance[]): RunMove {
  const { row, plan, isFailing, storedState: from, state: to } = run;
  if (!isRunFinished(to)) return { id: row.id, from, to };
  const taskMoves = moved.filter((instance) => instance.task.run.row === row).length;
  const { maxConsecutiveFailedDagRuns: pauseAfter } = plan.spec;
  return {
    ...{ id: row.id, from, to, taskMoves, queuedAt: row.queuedAt },
    ...(isFailing && pauseAfter !== undefined ? { pauseAfter } : {}),
  };
}

function taskCancel({ instance, by }: Cancel): TaskCancel {
  return { id: instance.id, attemptId: instance.row.attemptId!, by };
}

/** A new attempt of an instance, for a worker that waits for it or for whoever claims it. */
type NewAttempt = Pick<TaskMove, "queue" | "start">;

function taskMove(instance: Instance, attempt: NewAttempt | undefined, ids: Ids): TaskMove {
  const { id, storedState: from, state: to, note } = instance;
  if (attempt) return { id, from, to, ...attempt };
  const isHeard = to === "failed" && instance.task.plan.spec.callbacks?.failure;
  return {
    ...{ id, from, to },
    ...(note === null ? {} : { note }),
    ...(isHeard ? { eventId: ids.uuid() } : {}),
  };
}

/** Failed tasks that an event names. */
const FAILED_NAMED = 20;

/** The event of a run's move, where the DAG has callbacks for it. */
function told({ plan, state, tasks, endedWhy }: Run, ids: Ids): Pick<RunMove, "event"> {
  const { callbacks } = plan.spec;
  if (!callbacks || state === "queued" || !callbacks[runEvents[state].listener]) return {};
  if (state !== "failed") return { event: { id: ids.uuid(), data: {} } };
  const failed = tasks.filter(({ counts }) => counts.of("failed") > 0)
    .slice(0, FAILED_NAMED).map((task) => task.plan.spec.taskId);
  return { event: { id: ids.uuid(), data: { reason: endedWhy, failed_tasks: failed } } };
}

function decideDirtyDags(state: EngineState, writes: TickWrites, { now, ids, log }: PassOptions) {
  for (const dag of state.dirtyDags) {
    state.dirtyDags.delete(dag);
    try {
      const { newRuns, nextRuns } = decideRuns(state, dag, { now, ids });
      writes.newRuns.push(...newRuns);
      writes.nextRuns.push(...nextRuns);
    } catch (error) {
      log.error("Could not decide on the runs of a DAG; its schedule is left out", {
        dagId: dag.dagId,
        error: messageOf(error),
      });
    }
  }
}

function decideDirtyRuns(
  state: EngineState,
  writes: TickWrites,
  { ready, cancels, room }: { ready: Instance[]; cancels: Cancel[]; room: ExpansionRoom },
  { ids, log }: PassOptions,
) {
  for (const run of state.dirtyRuns) {
    state.dirtyRuns.delete(run);
    const decided = decideTasks(state, run, { ids, log, room });
    writes.expansions.push(...decided.expansions);
    for (const instance of decided.ready) ready.push(instance);
    cancels.push(...decided.cancels);
    const end = decideRunState({
      state: run.state,
      isCancelled: run.row.cancelRequestedAt !== null,
      unfinished: run.counts.unfinished,
      idle: room.isShort(run) ? 0 : run.idle,
      hasTasks: run.counts.total > 0,
      waitsForPast: run.plan.pastDependents.some((index) => run.tasks[index].idle.size > 0),
      failedLeaves: run.failedLeaves,
      isFailedFast: failedFastBy(run) !== null,
    });
    if (!end) continue;
    run.endedWhy = end.to === "failed" ? end.why : null;
    state.moveRun(run, end.to);
    run.isFailing = end.to === "failed" && end.why !== "cancelled";
    log.info("Run ended", {
      dagId: run.row.dagId,
      runId: run.row.runId,
      state: end.to,
      ...(end.to === "failed" ? { why: end.why } : {}),
    });
  }
}

/** Give ready tasks their turn, each with a new attempt; it starts where a claim waits for it. */
function decideQueue(
  state: EngineState,
  { ids, handOver }: PassOptions,
): Map<Instance, NewAttempt> {
  const queues = new Map<Instance, NewAttempt>();
  if (state.isDraining) return queues;
  state.ready.pick(limits.queueBatch, (waiting) => {
    const instance = waiting as Instance;
    const { spec } = instance.task.plan;
    const { row } = instance;
    row.attemptId = ids.uuid();
    row.tryNumber++;
    row.nextTryAt = null;
    const queue = {
      attemptId: row.attemptId,
      tryNumber: row.tryNumber,
      queue: spec.queue,
      pool: spec.pool,
      poolSlots: spec.poolSlots,
      priorityWeight: spec.priorityWeight,
    };
    // In a run with more than it may start, claims of many at once do better than starts one by one.
    const isBacklogged = instance.task.run.counts.of("scheduled") > 0;
    const start = isBacklogged ? null : handOver?.promise(spec.queue, row.attemptId);
    queues.set(instance, start ? { queue, start } : { queue });
    state.move(instance, start ? "running" : "queued");
  });
  // Neither state sets anything off: no task waits for one.
  state.dirtyRuns.clear();
  return queues;
}

/**
 * Take in what became of a pass's writes. Returns the runs of which something did not apply: they
 * must be loaded anew.
 */
export function settle(state: EngineState, pass: Pass, result: TickResult): string[] {
  const reload = new Set<string>();
  unapplied(pass.writes.newRuns, result.newRuns, ({ id }: NewRun) => reload.add(id));
  unapplied(pass.writes.expansions, result.expansions, (e) => reload.add(e.dagRunId));
  const failedTasks = unapplied(pass.writes.taskMoves, result.taskMoves);
  // How a cancelled attempt stands now, the store knows: it may have been claimed meanwhile.
  for (const { id } of pass.writes.cancels ?? []) {
    const run = state.instances.get(id)?.task.run;
    if (run) reload.add(run.row.id);
  }
  const failedRuns = unapplied(pass.writes.runMoves, result.runMoves);
  for (const instance of pass.moved) {
    if (failedTasks.has(instance.id)) reload.add(instance.task.run.row.id);
    instance.storedState = instance.state;
    instance.note = null;
  }
  state.changedInstances.clear();
  for (const run of pass.movedRuns) {
    if (failedRuns.has(run.row.id)) reload.add(run.row.id);
    run.storedState = run.state;
    if (isRunFinished(run.state)) state.dropRun(run.row.id);
  }
  state.changedRuns.clear();
  settleDeadlines(state, pass, result);
  return [...reload];
}

/** What was asked about is settled or gone; deadlines of runs that succeeded never come. */
function settleDeadlines(state: EngineState, { writes }: Pass, { runMoves }: TickResult) {
  for (const { id } of writes.deadlines ?? []) {
    const deadline = state.deadlines.get(id);
    if (deadline) state.dropDeadline(deadline);
  }
  const ended = new Set(
    writes.runMoves.filter((move) =>
      move.hasDeadlines && move.to === "success" && runMoves.includes(move.id)
    ).map(({ id }) => id),
  );
  if (ended.size === 0) return;
  for (const deadline of state.deadlines.values()) {
    if (ended.has(deadline.dagRunId)) state.dropDeadline(deadline);
  }
}

/** Runs of which the pass made deadlines, or set them by starting. */
export function withNewDeadlines({ writes }: Pass, result: TickResult): string[] {
  const made = writes.newRuns.filter((run) => run.deadlines && result.newRuns.includes(run.id));
  const started = writes.runMoves.filter((move) =>
    move.hasDeadlines && move.to === "running" && result.runMoves.includes(move.id)
  );
  return [...new Set([...made, ...started].map(({ id }) => id))];
}

function unapplied<T extends { id: string }>(
  written: readonly T[],
  applied: readonly string[],
  onMissing: (one: T) => void = () => {},
): Set<string> {
  if (applied.length === written.length) return new Set();
  const done = new Set(applied);
  const missing = written.filter((one) => !done.has(one.id));
  missing.forEach(onMissing);
  return new Set(missing.map((one) => one.id));
}
