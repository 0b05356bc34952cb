/** @module Task instances as people want them, in memory: the same as `engine_by_hand.ts`. */
import type { DagRun } from "../model/rows.ts";
import { isRunFinished } from "../model/run_state.ts";
import type { TaskState } from "../model/task_state.ts";
import { endQueued, type Row, type Try } from "./memory_rows.ts";
import type { HandSet, RunClear } from "./port_by_hand.ts";

/** What of the memory store is changed by hand. */
export interface MemoryByHand {
  runs: ReadonlyMap<string, DagRun>;
  tasks: ReadonlyMap<string, Row>;
  tasksOfRun: ReadonlyMap<string, Row[]>;
  attempts: ReadonlyMap<string, Try>;
  outputs: Map<string, unknown>;
  setState(row: Row, state: TaskState): void;
  /** What waits for an instance that waits without a slot waits no longer. */
  dropTrigger(id: string): void;
  addTask(run: DagRun, taskId: string, maxTries: number): void;
}

/** What workers must stop, and which runs changed. */
export interface ByHand {
  dagRunIds: string[];
  stop: string[];
}

/** Ask a running instance's attempt to end. */
export function stopRunning(store: MemoryByHand, row: Row, by: string): string {
  store.setState(row, "cancelling");
  Object.assign(store.attempts.get(row.attemptId!)!, { state: "cancelling", evidence: { by } });
  return row.attemptId!;
}

/** Run instances again. */
export function clearRuns(store: MemoryByHand, clears: readonly RunClear[], now: Date): ByHand {
  const known = clears.filter((each) => store.runs.has(each.dagRunId));
  const stop = known.flatMap((each) => clearRun(store, each, now));
  return { dagRunIds: known.map((each) => each.dagRunId), stop };
}

function clearRun(store: MemoryByHand, clear: RunClear, now: Date): string[] {
  const run = store.runs.get(clear.dagRunId)!;
  const retries = new Map(clear.spec.tasks.map((task) => [task.taskId, task.retry.retries]));
  const rows = store.tasksOfRun.get(run.id)!;
  const stop: string[] = [];
  for (const id of new Set(clear.ids)) {
    const row = store.tasks.get(id);
    store.dropTrigger(id);
    if (row?.dagRunId !== run.id) continue;
    if (row.state === "running") stop.push(stopRunning(store, row, "clear"));
    row.maxTries = row.tryNumber + (retries.get(row.taskId) ?? 0);
    row.isForced = clear.force === true;
    store.outputs.delete(row.id);
    if (row.state === "cancelling") {
      Object.assign(row, { clearRequested: true, cancelTo: null });
      continue;
    }
    if (row.state === "queued") {
      endQueued(store.attempts.get(row.attemptId!)!, "cleared", now, "clear");
    }
    store.setState(row, "none");
    Object.assign(row, {
      resumption: null,
      endDate: null,
      startDate: null,
      queuedAt: null,
      nextTryAt: null,
      infraLosses: 0,
      outputLength: null,
      chosen: null,
    });
  }
  const isOver = isRunFinished(run.state);
  Object.assign(run, {
    state: "queued",
    startDate: isOver ? null : run.startDate,
    queuedAt: queuedAnew(run, now),
    endDate: null,
    cancelRequestedAt: null,
    dagVersionId: clear.dagVersionId ?? run.dagVersionId,
  });
  const have = new Set(rows.map((row) => row.taskId));
  for (const [taskId, maxTries] of retries) {
    if (!have.has(taskId)) store.addTask(run, taskId, maxTries);
  }
  return stop;
}

/** Give instances a state. */
export function setTasks(
  store: MemoryByHand,
  { ids, to, by, note, clears = [] }: HandSet,
  now: Date,
): ByHand {
  const changed = new Set<DagRun>();
  const stop: string[] = [];
  for (const id of new Set(ids)) {
    const row = store.tasks.get(id);
    store.dropTrigger(id);
    if (!row || row.state === to || row.state === "removed") continue;
    changed.add(store.runs.get(row.dagRunId)!);
    const kept = note ?? row.note;
    Object.assign(row, { isForced: false, nextTryAt: null, resumption: null, note: kept });
    if (row.state === "running") stop.push(stopRunning(store, row, by));
    if (row.state === "cancelling") {
      Object.assign(row, { cancelTo: to, clearRequested: false, endDate: null });
      continue;
    }
    if (row.state === "queued") {
      endQueued(store.attempts.get(row.attemptId!)!, "set_by_hand", now, by);
    }
    store.setState(row, to);
    row.endDate = now;
  }
  for (const run of changed) {
    Object.assign(run, {
      state: "queued",
      queuedAt: queuedAnew(run, now),
      cancelRequestedAt: isRunFinished(run.state) ? null : run.cancelRequestedAt,
      endDate: null,
    });
  }
  const cleared = clearRuns(store, clears, now);
  const dagRunIds = new Set([...[...changed].map((run) => run.id), ...cleared.dagRunIds]);
  return { dagRunIds: [...dagRunIds], stop: [...stop, ...cleared.stop] };
}

/** Later than before, so that what was decided before it does not count. */
function queuedAnew({ queuedAt }: DagRun, now: Date): Date {
  return new Date(Math.max(now.getTime(), queuedAt.getTime() + 1));
}
