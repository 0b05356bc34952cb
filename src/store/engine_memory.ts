/**
 * @module The engine's store in memory: `tidewheel run` and the simulation. Same fences, same
 * answers as on PostgreSQL; one suite holds both to it. Every method is one atomic step.
 */
import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/ids.ts";
import type { EndReason } from "../model/end_reason.ts";
import { AppError } from "../model/errors.ts";
import type { DagRun, Pool } from "../model/rows.ts";
import { isRunFinished } from "../model/run_state.ts";
import { isFinished, parkedTaskStates, type TaskState } from "../model/task_state.ts";
import type { Claimer } from "./hand_over.ts";
import {
  effectHints,
  endedHint,
  endedRuns,
  isTelling,
  localHintBus,
  waitingDags,
} from "./hints.ts";
import { memoryBudget } from "./memory_budget.ts";
import { type MemoryTriggers, memoryTriggers } from "./memory_triggers.ts";
import { memoryDatasetQueue } from "./memory_dataset_queue.ts";
import { memoryDeadlines } from "./memory_deadlines.ts";
import { type MemoryDoors, memoryDoors } from "./memory_doors.ts";
import { memoryOutbox } from "./memory_outbox.ts";
import {
  countStates,
  endQueued,
  failingDags,
  newAttempt,
  pastRuns,
  type Row,
  stateAfter,
  type Try,
} from "./memory_rows.ts";
import { memoryOutputs } from "./memory_outputs.ts";
import {
  type ByHand,
  clearRuns,
  type MemoryByHand,
  setTasks,
  stopRunning,
} from "./memory_by_hand.ts";
import { memoryDatasets } from "./memory_datasets.ts";
import type { Drain } from "./port_drain.ts";
import type {
  AttemptEnding,
  BackfillLimits,
  Claimed,
  DagVersion,
  EndingResult,
  EngineStore,
  Hint,
  Lease,
  NewDatasetEvent,
  NewRun,
  RecordedEvent,
  RunFence,
  SchedulableDag,
  TaskCancel,
  TickResult,
  TickWrites,
} from "./port.ts";

/** The store with its doors for tests and `tidewheel run`. */
export interface MemoryEngineStore extends EngineStore, MemoryDoors {
  /** The question that an instance asked last, and its reply. */
  asked: MemoryTriggers["asked"];
}

/** Why an attempt that was asked to end has ended, by what became of its instance. */
const stopReasons: Partial<Record<TaskState, EndReason>> = {
  cancelled: "cancelled",
  none: "cleared",
};

/** An empty store with the default pool. */
export function memoryEngineStore({ clock, ids }: { clock: Clock; ids: Ids }): MemoryEngineStore {
  const hints = localHintBus();
  const dags = new Map<string, SchedulableDag>();
  const versions = new Map<string, DagVersion>();
  const runs = new Map<string, DagRun>();
  const tasks = new Map<string, Row>();
  const tasksOfRun = new Map<string, Row[]>();
  const attempts = new Map<string, Try>();
  const outputs = new Map<string, { output: unknown; outputKey: string | null }>();
  const taskState = new Map<string, Record<string, unknown>>();
  const pools = new Map<string, Pool>([["default_pool", { name: "default_pool", slots: 128 }]]);
  const backfills = new Map<string, BackfillLimits>();
  const published = memoryDatasets(ids);
  const budget = memoryBudget();
  const datasetQueue = memoryDatasetQueue();
  const outbox = memoryOutbox(versions);
  const deadlines = memoryDeadlines();
  const queued = new Set<Row>();
  let lease: Lease | null = null;
  let drain: Drain | null = null;
  const triggers = memoryTriggers({
    row: (id) => tasks.get(id),
    runs: () => runs.values(),
    tasksOf: (dagRunId) => tasksOfRun.get(dagRunId) ?? [],
    dataset: newestOf,
    resume(row) {
      setState(row, "scheduled");
      row.nextTryAt = null;
      publish({ topic: "runs", ids: [row.dagRunId], taskInstanceIds: [row.id] });
    },
  });

  const publish = (hint: Hint) => hint.ids.length > 0 && hints.publish(hint);
  const stateKey = (dagId: string, taskId: string, index: number) =>
    `${dagId}\n${taskId}\n${index}`;

  function addTask(run: DagRun, id: string, taskId: string, mapIndex: number, maxTries: number) {
    const row: Row = {
      id,
      dagRunId: run.id,
      dagId: run.dagId,
      taskId,
      mapIndex,
      state: "none",
      attemptId: null,
      tryNumber: 0,
      maxTries,
      infraLosses: 0,
      nextTryAt: null,
      outputLength: null,
      chosen: null,
      queuedAt: null,
      startDate: null,
      endDate: null,
      clearRequested: false,
      cancelTo: null,
      isForced: false,
      note: null,
      resumption: null,
      queue: "default",
      priorityWeight: 1,
    };
    tasks.set(id, row);
    tasksOfRun.get(run.id)!.push(row);
  }

  function setState(row: Row, state: TaskState) {
    row.state = state;
    if (state === "queued") queued.add(row);
    else queued.delete(row);
  }

  function insertRun(run: NewRun, now: Date): boolean {
    for (const other of runs.values()) {
      if (other.dagId !== run.dagId) continue;
      if (other.runId === run.runId) return false;
      if (run.logicalDate && other.logicalDate?.getTime() === run.logicalDate.getTime()) {
        return false;
      }
    }
    const { tasks: given, takes, deadlines: _, ...rest } = run;
    if (takes && datasetQueue.take(run) === 0 && takes.isRequired) return false;
    const made: DagRun = {
      ...rest,
      partitionKey: rest.partitionKey ?? null,
      state: "queued",
      queuedAt: now,
      startDate: null,
      endDate: null,
      cancelRequestedAt: null,
    };
    runs.set(run.id, made);
    tasksOfRun.set(run.id, []);
    deadlines.add(run, runs.values(), now);
    for (const task of given) addTask(made, task.id, task.taskId, -1, task.maxTries);
    return true;
  }

  function expand(expansion: TickWrites["expansions"][number]): boolean {
    const row = tasks.get(expansion.id);
    if (!row || row.mapIndex !== expansion.mapIndex.from) return false;
    row.mapIndex = expansion.mapIndex.to;
    const run = runs.get(row.dagRunId)!;
    expansion.ids.forEach((id, i) =>
      addTask(run, id, row.taskId, expansion.firstIndex + i, expansion.maxTries)
    );
    return true;
  }

  /** May an instance be moved: is its run as it was when the pass was decided? */
  function fenceOf({ fences }: TickWrites): (id: string) => boolean {
    if (!fences) return () => true;
    const isAsItWas = ({ id, queuedAt, cancelRequestedAt }: RunFence) => {
      const run = runs.get(id);
      return run?.queuedAt.getTime() === queuedAt.getTime() &&
        run.cancelRequestedAt?.getTime() === cancelRequestedAt?.getTime();
    };
    const free = new Set(fences.filter(isAsItWas).map(({ id }) => id));
    return (id) => free.has(tasks.get(id)?.dagRunId ?? "");
  }

  function moveTask(move: TickWrites["taskMoves"][number], now: Date): boolean {
    const row = tasks.get(move.id);
    if (!row || row.state !== move.from) return false;
    setState(row, move.to);
    row.endDate = isFinished(move.to) ? now : null;
    row.note = move.note ?? row.note;
    if (move.queue) {
      const { attemptId, tryNumber, queue, priorityWeight } = move.queue;
      Object.assign(row, {
        attemptId,
        tryNumber,
        queue,
        priorityWeight,
        queuedAt: now,
        startDate: null,
        nextTryAt: null,
      });
      attempts.set(attemptId, newAttempt(row, attemptId, tryNumber, now));
    }
    if (move.eventId) {
      const { eventId, to } = move;
      const ended = { eventId, to, at: now, endReason: null, message: row.note, nextTryAt: null };
      outbox.tellOfTask(runs.get(row.dagRunId)!, row, ended);
    }
    return true;
  }

  function start(row: Row, { workerId, hostname, pid }: Claimer, now: Date): Claimed {
    setState(row, "running");
    row.startDate = now;
    const attempt = attempts.get(row.attemptId!)!;
    Object.assign(attempt, { state: "running", startDate: now, workerId, hostname, pid });
    return {
      attempt: { ...attempt },
      task: { ...row },
      run: { ...runs.get(row.dagRunId)! },
      state: { ...taskState.get(stateKey(row.dagId, row.taskId, row.mapIndex)) },
      resumption: row.resumption,
    };
  }

  function moveRun(
    { id, from, to, queuedAt, event, hasDeadlines }: TickWrites["runMoves"][number],
    now: Date,
  ): boolean {
    const run = runs.get(id);
    if (!run || run.state !== from) return false;
    if (queuedAt && run.queuedAt.getTime() !== queuedAt.getTime()) return false;
    run.state = to;
    if (to === "queued") Object.assign(run, { queuedAt: now, startDate: null, endDate: null });
    else run.startDate ??= now;
    if (isRunFinished(to)) run.endDate = now;
    if (hasDeadlines) deadlines.moveWith(run, now);
    if (event) outbox.tellOfRun(run, event, now);
    return true;
  }

  /** The runs of deadlines that are due, as they are before the moves: a statement sees no other. */
  function dueRuns({ deadlines: due }: TickWrites) {
    const found = deadlines.all().filter((one) => due?.some(({ id }) => id === one.id));
    return new Map(found.map(({ dagRunId: id }) => [id, {
      run: { ...runs.get(id)! },
      tasks: tasksOfRun.get(id)!.map((row) => ({ ...row })),
    }]));
  }

  function settle(writes: TickWrites, due: ReturnType<typeof dueRuns>, now: Date): string[] {
    const given = {
      run: (id: string) => runs.get(id)?.state === "success" ? undefined : due.get(id)?.run,
      tasks: (id: string) => due.get(id)?.tasks ?? [],
    };
    return (writes.deadlines ?? []).flatMap(({ id, eventId }) => {
      const missed = deadlines.settle(id, given, now);
      if (!missed) return [];
      outbox.tellOfMiss(given.run(missed.dagRunId)!, missed, eventId, now);
      return [id];
    });
  }

  function end(given: AttemptEnding, now: Date): EndingResult {
    const attempt = attempts.get(given.attemptId);
    const row = attempt && tasks.get(attempt.taskInstanceId);
    if (!attempt || !row || row.attemptId !== attempt.id) return { result: "gone" };
    const place = { dagRunId: row.dagRunId, taskInstanceId: row.id };
    if (attempt.state === "ended") {
      return attempt.endReason === given.endReason
        ? { result: "repeat", ...place, state: row.state }
        : { result: "gone" };
    }
    if (attempt.state === "queued" && given.result !== "lose") return { result: "not_running" };
    const run = runs.get(row.dagRunId)!;
    const budgeted = budget.judge(given, run, now);
    const { ending } = budgeted;
    const to = stateAfter(row, ending.result);
    const wasStopped = row.state === "cancelling";
    const isDone = to === "success" && !wasStopped;
    const endReason = wasStopped ? stopReasons[to] ?? "set_by_hand" : ending.endReason;
    if (ending.isHeard !== false) tell(row, to, { ...ending, endReason });
    const isParked = parkedTaskStates.has(to);
    const isRepeated = isParked || to === "scheduled" || to === "up_for_reschedule";
    Object.assign(row, {
      clearRequested: false,
      cancelTo: null,
      endDate: isFinished(to) ? ending.endDate : null,
      nextTryAt: isParked || to === "up_for_retry" || to === "up_for_reschedule"
        ? ending.nextTryAt
        : null,
      tryNumber: row.tryNumber - (isRepeated ? 1 : 0),
      resumption: to === "scheduled" ? row.resumption : ending.parked?.timeout ?? null,
      infraLosses: row.infraLosses + (to === "scheduled" ? 1 : 0),
      outputLength: isDone ? ending.outputLength : null,
      chosen: isDone ? ending.chosen : null,
    });
    setState(row, to);
    Object.assign(attempt, {
      state: "ended",
      endDate: ending.endDate,
      evidence: { ...attempt.evidence, ...ending.evidence },
      endReason,
    });
    budget.use(budgeted, run, to, now);
    if (to === "failed") row.note = budgeted.usedUp ?? row.note;
    if (isDone) keep(row, attempt, ending, now);
    if (isParked) triggers.park(row, ending);
    const datasets = (isDone && ending.effects?.publish || [])
      .map(({ dataset }) => dataset);
    const waitingDags = datasets.flatMap(dagsWaitingFor);
    return {
      result: "ok",
      ...place,
      state: to,
      ...(wasStopped ? { byHand: true as const } : {}),
      ...(waitingDags.length > 0 ? { waitingDags } : {}),
      ...(datasets.length > 0 ? { datasets } : {}),
    };
  }

  function tell(
    row: Row,
    to: TaskState,
    { endDate, endReason, evidence, nextTryAt }: AttemptEnding,
  ) {
    outbox.tellOfTask(runs.get(row.dagRunId)!, row, {
      eventId: ids.uuid(),
      to,
      at: endDate,
      endReason,
      message: evidence.message ?? null,
      nextTryAt,
    });
  }

  function keep(row: Row, attempt: Try, ending: AttemptEnding, now: Date) {
    if (ending.output != null || ending.outputKey) {
      outputs.set(row.id, { output: ending.output, outputKey: ending.outputKey });
    }
    for (const intent of ending.effects?.publish ?? []) {
      const { id, version } = published.publish(intent, attempt.id, now);
      const { dataset, partition } = intent;
      datasetQueue.record(
        { id, dataset, partition, version, key: null, extra: {}, createdAt: now },
        dagsWaitingFor(dataset),
      );
    }
    const key = stateKey(row.dagId, row.taskId, row.mapIndex);
    const state = { ...taskState.get(key), ...ending.effects?.state };
    for (const name of Object.keys(state)) if (state[name] === null) delete state[name];
    taskState.set(key, state);
  }

  function recordEvent(
    { key, ...event }: NewDatasetEvent,
    now: Date,
    id = ids.uuid(),
  ): RecordedEvent {
    const known = key === null ? undefined : datasetQueue.keyed(event.dataset, key);
    if (known) return { id: known.id, isNew: false, waitingDags: [] };
    const waitingDags = dagsWaitingFor(event.dataset);
    datasetQueue.record({ id, ...event, key, version: null, createdAt: now }, waitingDags);
    return { id, isNew: true, waitingDags };
  }

  function newestOf(dataset: string, partition: string | null) {
    const of = (each: { partition: string | null }) =>
      partition === null || each.partition === partition;
    const version = published.all().findLast(({ intent }) =>
      intent.dataset === dataset && of(intent)
    );
    if (version) return { partition: version.intent.partition, version: version.version };
    const word = datasetQueue.all().findLast((event) => event.dataset === dataset && of(event));
    return word ? { partition: word.partition, version: null } : null;
  }

  function dagsWaitingFor(dataset: string): string[] {
    const waits = ({ spec: { schedule }, isStale }: SchedulableDag) =>
      !isStale && schedule.kind === "datasets" && schedule.datasets.includes(dataset);
    return [...dags.values()].filter(waits).map(({ dagId }) => dagId);
  }

  const byHand: MemoryByHand = {
    ...{ runs, tasks, tasksOfRun, attempts, outputs, setState },
    addTask: (run, taskId, maxTries) => addTask(run, ids.uuid(), taskId, -1, maxTries),
    dropTrigger: (id) => triggers.drop(id),
  };
  const changedByHand = ({ dagRunIds, stop }: ByHand) => {
    publish({ topic: "cancel", ids: stop });
    publish({ topic: "runs", ids: dagRunIds });
    return Promise.resolve();
  };

  function cancel(ids: string[], now: Date, by: string) {
    const moved: Row[] = [];
    for (const id of ids) {
      const row = tasks.get(id);
      if (!row || isFinished(row.state) || row.state === "cancelling") continue;
      triggers.drop(row.id);
      const attempt = row.attemptId ? attempts.get(row.attemptId) : undefined;
      if (row.state === "running") {
        stopRunning(byHand, row, by);
        Object.assign(row, { clearRequested: false, cancelTo: null });
      } else {
        if (row.state === "queued") endQueued(attempt!, "cancelled", now, by);
        setState(row, "cancelled");
        row.endDate = now;
      }
      moved.push(row);
    }
    publish({
      topic: "cancel",
      ids: moved.filter((row) => row.state === "cancelling").map((row) => row.attemptId!),
    });
    return moved;
  }

  /** The same as in `engine_stop.ts`. */
  function cancelAttempts(cancels: TaskCancel[], isFree: (id: string) => boolean, now: Date) {
    const moved = cancels.flatMap(({ id, attemptId, by }) => {
      const row = tasks.get(id);
      const isMeant = row?.attemptId === attemptId && isFree(id) &&
        (row.state === "queued" || row.state === "running");
      return isMeant ? cancel([id], now, by) : [];
    });
    const taskInstanceIds = moved.map((row) => row.id);
    publish({
      topic: "runs",
      ids: [...new Set(moved.map((row) => row.dagRunId))],
      taskInstanceIds,
    });
    return moved;
  }

  const { park: _park, drop: _drop, asked, ...triggerStore } = triggers;
  return {
    ...triggerStore,
    asked,
    takeLease(holder, expected) {
      if (lease && lease.holder !== "" && lease.epoch !== expected) return Promise.resolve(null);
      lease = { holder, epoch: (lease?.epoch ?? 0) + 1, renewals: (lease?.renewals ?? 0) + 1 };
      return Promise.resolve({ ...lease });
    },
    renewLease(held) {
      if (!lease || lease.holder !== held.holder || lease.epoch !== held.epoch) {
        return Promise.resolve(null);
      }
      lease.renewals++;
      return Promise.resolve({ ...lease });
    },
    readLease: () => Promise.resolve(lease && { ...lease }),
    releaseLease(held) {
      if (lease?.epoch === held.epoch) lease.holder = "";
      return Promise.resolve();
    },

    loadDags: (which) =>
      Promise.resolve(
        [...dags.values()].filter((dag) => !which || which.includes(dag.dagId)).map((dag) => ({
          ...dag,
          pending: datasetQueue.pending(
            dag.dagId,
            dag.spec.schedule.kind === "datasets" && dag.spec.schedule.partition !== undefined,
          ),
          pendingMark: datasetQueue.mark(dag.dagId),
        })),
      ),
    loadDagVersions: (which) =>
      Promise.resolve(which.flatMap((id) => versions.get(id) ? [versions.get(id)!] : [])),
    loadRuns: (which) =>
      Promise.resolve(
        [...runs.values()]
          .filter((run) => which ? which.includes(run.id) : !isRunFinished(run.state))
          .map((run) => ({
            run: { ...run },
            tasks: tasksOfRun.get(run.id)!.map((row) => ({ ...row })),
          })),
      ),
    loadPast: (which) => Promise.resolve(pastRuns(which, runs, tasksOfRun)),
    loadTasks: (which) =>
      Promise.resolve(which.flatMap((id) => tasks.get(id) ? [{ ...tasks.get(id)! }] : [])),
    loadPools: () => Promise.resolve([...pools.values()]),
    loadOutline: () =>
      Promise.resolve({
        isDraining: drain !== null,
        runs: [...runs.values()].filter((run) => !isRunFinished(run.state)).map((run) => ({
          id: run.id,
          state: run.state,
          dagVersionId: run.dagVersionId,
          isCancelled: run.cancelRequestedAt !== null,
          tasks: countStates(tasksOfRun.get(run.id)!),
        })),
        dags: [...dags.values()].map(({ dagId, dagVersionId, isPaused, isStale }) => ({
          dagId,
          dagVersionId,
          isPaused,
          isStale,
          pendingMark: datasetQueue.mark(dagId),
        })),
      }),
    loadDeadlines: (which) => Promise.resolve(deadlines.pending(which)),
    loadBackfills: () => Promise.resolve([...backfills.values()]),
    readHeartbeats: () =>
      Promise.resolve(
        new Map(
          [...attempts.values()]
            .filter(({ state }) => state === "running" || state === "cancelling")
            .map(({ id, beats, workerId }) => [id, { beats, workerId }]),
        ),
      ),
    applyTick(epoch, writes, now): Promise<TickResult> {
      if (lease?.epoch !== epoch) {
        return Promise.reject(
          new AppError(
            "LEASE_LOST",
            `Cannot write as the scheduler with epoch ${epoch}: another holds the lease`,
          ),
        );
      }
      const newRuns = writes.newRuns.filter((run) => insertRun(run, now)).map((run) => run.id);
      const isFree = fenceOf(writes);
      const result = {
        newRuns,
        expansions: writes.expansions.filter(expand).map((e) => e.id),
        taskMoves: [] as string[],
        runMoves: [] as string[],
        started: [] as Claimed[],
        ...(drain ? { isDraining: true } : {}),
      };
      const due = dueRuns(writes);
      const mayMove = (move: TickWrites["taskMoves"][number]) =>
        isFree(move.id) && !(move.queue && drain);
      result.taskMoves = writes.taskMoves.filter((move) => mayMove(move) && moveTask(move, now))
        .map((move) => move.id);
      const movedIn = Map.groupBy(result.taskMoves, (id) => tasks.get(id)!.dagRunId);
      result.runMoves = writes.runMoves.filter((move) =>
        (move.taskMoves ?? 0) <= (movedIn.get(move.id)?.length ?? 0) && moveRun(move, now)
      ).map((move) => move.id);
      const missed = settle(writes, due, now);
      const cancelled = writes.cancels && cancelAttempts(writes.cancels, isFree, now);
      const ended = writes.runMoves.filter((move) => result.runMoves.includes(move.id));
      const pausedDags = failingDags(ended, runs).filter((id) => !dags.get(id)?.isPaused);
      for (const id of pausedDags) dags.get(id)!.isPaused = true;
      const waiting = ended.flatMap(({ awaited }) =>
        awaited ? recordEvent(awaited.event, now, awaited.id).waitingDags : []
      );
      const waitingDags = [...new Set(waiting)].sort();
      for (const { dagId, nextRunAt, lastInterval } of writes.nextRuns) {
        const dag = dags.get(dagId);
        if (dag) Object.assign(dag, { nextRunAt }, lastInterval && { lastInterval });
      }
      const moved = new Set(result.taskMoves);
      const starting = writes.taskMoves.filter((move) => move.start && moved.has(move.id));
      result.started = starting.map((move) => start(tasks.get(move.id)!, move.start!, now));
      const queues = writes.taskMoves.filter((m) => m.to === "queued" && m.queue && moved.has(m.id))
        .map((m) => m.queue!.queue);
      publish({ topic: "queued", ids: [...new Set(queues)] });
      publish({ topic: "dags", ids: [...pausedDags, ...waitingDags] });
      if (isTelling(writes)) publish({ topic: "outbox", ids: ["tick"] });
      publish({ topic: "ended", ids: endedRuns(writes, result) });
      return Promise.resolve({
        ...result,
        ...(cancelled ? { cancels: cancelled.map((row) => row.id) } : {}),
        ...(pausedDags.length > 0 ? { pausedDags } : {}),
        ...(waitingDags.length > 0 ? { waitingDags } : {}),
        ...(missed.length > 0 ? { missed } : {}),
      });
    },

    claim({ queues, slots, ...claimer }, now): Promise<Claimed[]> {
      if (drain) return Promise.resolve([]);
      const isOurs = (row: Row) => queues.includes("*") || queues.includes(row.queue);
      const ready = [...queued].filter(isOurs)
        .sort((a, b) =>
          b.priorityWeight - a.priorityWeight ||
          a.queuedAt!.getTime() - b.queuedAt!.getTime() || (a.id < b.id ? -1 : 1)
        ).slice(0, slots);
      return Promise.resolve(ready.map((row) => start(row, claimer, now)));
    },
    heartbeat: (which) =>
      Promise.resolve(which.map((id) => {
        const attempt = attempts.get(id);
        const row = attempt && tasks.get(attempt.taskInstanceId);
        if (!attempt || row?.attemptId !== id) return "gone";
        if (attempt.state === "ended") return "ended";
        attempt.beats++;
        return row.state === "cancelling" ? "cancelling" : "running";
      })),
    endAttempts(endings, now) {
      const results = endings.map((ending) => end(ending, now));
      const hint = endedHint(endings, results);
      if (hint) publish(hint);
      publish({ topic: "dags", ids: waitingDags(results) });
      if (endings.some((one) => one.isHeard !== false)) publish({ topic: "outbox", ids: ["end"] });
      for (const hint of effectHints(endings, results)) publish(hint);
      return Promise.resolve(results);
    },
    recordEvents(events, now) {
      const recorded = events.map((event) => recordEvent(event, now));
      publish({ topic: "dags", ids: recorded.flatMap((one) => one.waitingDags) });
      publish({ topic: "datasets", ids: events.map(({ dataset }) => dataset) });
      return Promise.resolve(recorded);
    },
    findPartitions: (asked) =>
      Promise.resolve(
        asked.filter(({ dataset, partition }) => datasetQueue.hasPartition(dataset, partition)),
      ),
    loadDatasetEvents: (dagRunId) => Promise.resolve(datasetQueue.takenBy(dagRunId)),
    ...memoryOutputs({ tasksOf: (dagRunId) => tasksOfRun.get(dagRunId) ?? [], outputs }),
    loadTaskState: (dagId, taskId, index) =>
      Promise.resolve({ ...taskState.get(stateKey(dagId, taskId, index)) }),
    loadResumption: (id) => Promise.resolve(tasks.get(id)?.resumption ?? null),
    previousSuccess(dagId, before) {
      const at = (run: DagRun) => (run.logicalDate ?? run.runAfter).getTime();
      const found = [...runs.values()].filter((run) =>
        run.dagId === dagId && run.state === "success" &&
        (!before || run.logicalDate !== null && run.logicalDate < before)
      ).sort((a, b) => at(b) - at(a));
      return Promise.resolve(found[0] ?? null);
    },

    createRun(run) {
      if (!insertRun(run, clock.now())) {
        return Promise.reject(
          new AppError(
            "CONFLICT",
            `Cannot create run "${run.runId}" of DAG "${run.dagId}": its id or logical date is taken`,
          ),
        );
      }
      publish({ topic: "runs", ids: [run.id] });
      if (run.takes) publish({ topic: "dags", ids: [run.dagId] });
      return Promise.resolve({ ...runs.get(run.id)! });
    },
    cancelRun(dagRunId, { now, by, spared = [] }) {
      const run = runs.get(dagRunId);
      const isFirst = run?.state === "running" && run.cancelRequestedAt === null;
      if (run && !isRunFinished(run.state)) run.cancelRequestedAt = now;
      const open = (tasksOfRun.get(dagRunId) ?? [])
        .filter((row) => !isFirst || !spared.includes(row.taskId));
      cancel(open.map((row) => row.id), now, by);
      publish({ topic: "runs", ids: [dagRunId] });
      return Promise.resolve();
    },
    cancelRuns(dagRunIds, { now, by }) {
      for (const id of dagRunIds) {
        const run = runs.get(id);
        const isFirst = run?.state === "running" && run.cancelRequestedAt === null;
        if (run && !isRunFinished(run.state)) run.cancelRequestedAt = now;
        const spared = isFirst ? teardownsOf(versions.get(run!.dagVersionId)!.spec) : [];
        const open = (tasksOfRun.get(id) ?? []).filter((row) => !spared.includes(row.taskId));
        cancel(open.map((row) => row.id), now, by);
      }
      publish({ topic: "runs", ids: dagRunIds });
      return Promise.resolve();
    },
    cancelTasks(which, now, by) {
      const moved = cancel(which, now, by);
      publish({
        topic: "runs",
        ids: [...new Set(moved.map((row) => row.dagRunId))],
        taskInstanceIds: moved.map((row) => row.id),
      });
      return Promise.resolve();
    },
    readDrain: () => Promise.resolve(drain && { ...drain }),
    setDrain(wanted) {
      drain = wanted && { ...wanted, at: drain?.at ?? wanted.at };
      publish({ topic: "drain", ids: ["drain"] });
      if (!drain) publish({ topic: "queued", ids: [...new Set([...queued].map((r) => r.queue))] });
      return Promise.resolve();
    },
    clearTasks: (dagRunId, which, options, now) =>
      changedByHand(clearRuns(byHand, [{ dagRunId, ids: which, ...options }], now)),
    clearRuns: (clears, now) => changedByHand(clearRuns(byHand, clears, now)),
    setTasks: (set, now) => changedByHand(setTasks(byHand, set, now)),
    listen(onHint) {
      const stop = hints.subscribe(onHint);
      return Promise.resolve({ stop: () => Promise.resolve(stop()) });
    },

    ...memoryDoors({
      ...{ dags, versions, runs, tasks, attempts, pools, backfills, publish },
      ...{ published, outbox, deadlines, datasetQueue },
    }),
  };
}

function teardownsOf({ tasks }: DagVersion["spec"]): string[] {
  return tasks.filter((task) => task.isTeardown).map((task) => task.taskId);
}
