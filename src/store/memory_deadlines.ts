/** @module Deadlines of the store in memory; see engine_deadlines.ts. */
import type { DagRun, TaskInstance } from "../model/rows.ts";
import type { NewDeadline } from "../timetable/mod.ts";
import type { NewRun, PendingDeadline } from "./port.ts";

/** A deadline as it is kept. */
export interface KeptDeadline extends PendingDeadline, Pick<NewDeadline, "name" | "taskId"> {
  withinMs: number;
  notify: NewDeadline["notify"];
  settledAt: Date | null;
  missed: boolean;
}

/** Deadlines by id. */
export interface MemoryDeadlines {
  add(run: NewRun, runs: Iterable<DagRun>, now: Date): void;
  /** What a run's new state does to its deadlines. */
  moveWith(run: DagRun, now: Date): void;
  /** Settle one that is due; the deadline when it is missed. */
  settle(
    id: string,
    given: { run(id: string): DagRun | undefined; tasks(runId: string): readonly TaskInstance[] },
    now: Date,
  ): KeptDeadline | null;
  pending(runIds?: string[]): PendingDeadline[];
  all(): KeptDeadline[];
}

const settledStates: readonly string[] = ["success", "skipped", "removed"];

/** No deadlines yet. */
export function memoryDeadlines(): MemoryDeadlines {
  const kept = new Map<string, KeptDeadline>();

  return {
    add({ id: dagRunId, dagId, deadlines = [] }, runs, now) {
      for (const { id, name, taskId, withinMs, notify, ...by } of deadlines) {
        let at = by.at;
        if (by.averageOf !== null) {
          const tookMs = averageMs([...runs], dagId, by.averageOf);
          if (tookMs === null) continue;
          at = new Date(now.getTime() + tookMs + withinMs);
        }
        const common = { id, dagRunId, name, taskId, withinMs, notify };
        kept.set(id, { ...common, at, settledAt: null, missed: false });
      }
    },
    moveWith(run, now) {
      for (const one of kept.values()) {
        if (one.dagRunId !== run.id || one.settledAt) continue;
        if (run.state === "success") kept.delete(one.id);
        else if (run.state === "running") one.at ??= new Date(now.getTime() + one.withinMs);
      }
    },
    settle(id, { run: runOf, tasks }, now) {
      const one = kept.get(id);
      const run = one && runOf(one.dagRunId);
      if (!one || !run || one.settledAt || !one.at || one.at > now) return null;
      if (run.state === "success") return null;
      one.settledAt = now;
      one.missed = one.taskId === null ||
        tasks(run.id).some((task) =>
          task.taskId === one.taskId && !settledStates.includes(task.state)
        );
      return one.missed ? one : null;
    },
    pending: (runIds) =>
      [...kept.values()]
        .filter((one) => !one.settledAt && (!runIds || runIds.includes(one.dagRunId)))
        .map(({ id, dagRunId, at }) => ({ id, dagRunId, at })),
    all: () => [...kept.values()].map((one) => ({ ...one })),
  };
}

/** How long the newest successful runs took on average; null where there are too few. */
function averageMs(runs: readonly DagRun[], dagId: string, count: number): number | null {
  const newest = runs
    .filter((run) => run.dagId === dagId && run.state === "success" && run.startDate && run.endDate)
    .sort((a, b) => b.runAfter.getTime() - a.runAfter.getTime() || (a.id < b.id ? 1 : -1))
    .slice(0, count);
  if (newest.length < count) return null;
  const took = newest.map((run) => run.endDate!.getTime() - run.startDate!.getTime());
  return took.reduce((sum, ms) => sum + ms, 0) / count;
}
