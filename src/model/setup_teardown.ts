/** @module What setup and teardown tasks stand for in a DAG: whom a setup serves, which tasks decide. */
import type { TaskSpec } from "./dag_spec.ts";

/** The part of a task that this goes by. */
export type ScopedTask = Pick<
  TaskSpec,
  "taskId" | "upstream" | "isSetup" | "isTeardown" | "onFailureFailDagRun"
>;

/** A setup with those that it matters to. */
export interface SetupScope {
  setup: string;
  /** Teardowns right after it. */
  teardowns: readonly string[];
  /**
   * Tasks that need it: all after it, and where it has teardowns only those that one of them comes
   * after. Neither it nor its teardowns are among them.
   */
  serves: ReadonlySet<string>;
}

/** The scopes of a DAG's setups, in the order of its tasks. */
export function setupScopes(tasks: readonly ScopedTask[]): SetupScope[] {
  const setups = tasks.filter((task) => task.isSetup);
  if (setups.length === 0) return [];
  const above = new Map(tasks.map((task) => [task.taskId, task.upstream]));
  const below = downstreamOf(tasks);
  const isTeardown = new Set(tasks.filter((task) => task.isTeardown).map((task) => task.taskId));
  return setups.map(({ taskId }) => {
    const teardowns = (below.get(taskId) ?? []).filter((id) => isTeardown.has(id));
    const after = reach([taskId], below);
    const serves = teardowns.length === 0 ? after : after.intersection(reach(teardowns, above));
    return { setup: taskId, teardowns, serves: serves.difference(new Set(teardowns)) };
  });
}

/** Does the end of this task say nothing about how its run ended? */
export function isIgnorable(task: ScopedTask): boolean {
  return task.isTeardown === true && !task.onFailureFailDagRun;
}

/**
 * Tasks whose ends decide how a run ended: those with nothing after them. Teardowns do not count: a
 * task before them does in their place. In a DAG of nothing but teardowns the last of them decide.
 */
export function decidingTasks(tasks: readonly ScopedTask[]): Set<string> {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const below = downstreamOf(tasks);
  const after = (task: ScopedTask) => (below.get(task.taskId) ?? []).map((id) => byId.get(id)!);
  const deciding = tasks.filter((task) => !isIgnorable(task) && after(task).every(isIgnorable));
  const found = deciding.length > 0 ? deciding : tasks.filter((task) => after(task).length === 0);
  return new Set(found.map((task) => task.taskId));
}

/** Which tasks a clear of some of them runs again. */
export interface ClearReach {
  tasks: readonly string[];
  includeUpstream: boolean;
  includeDownstream: boolean;
}

/**
 * Setups and teardowns that must run again with these tasks, as in Airflow: what a task needs is set
 * up anew, and whatever is set up is torn down.
 */
export function clearedAlong(tasks: readonly ScopedTask[], reached: ClearReach): Set<string> {
  const scopes = setupScopes(tasks);
  const along = new Set<string>();
  if (scopes.length === 0 && !tasks.some((task) => task.isTeardown)) return along;
  const special = new Set(
    tasks.filter((task) => task.isSetup || task.isTeardown).map((task) => task.taskId),
  );
  const above = new Map(tasks.map((task) => [task.taskId, task.upstream]));
  const below = downstreamOf(tasks);
  const addScope = ({ setup, teardowns }: SetupScope) =>
    [setup, ...teardowns].forEach((id) => along.add(id));
  const addNeeds = (taskId: string) => {
    if (special.has(taskId)) return;
    scopes.filter(({ serves }) => serves.has(taskId)).forEach(addScope);
  };
  for (const taskId of reached.tasks) {
    const own = scopes.find(({ setup }) => setup === taskId);
    if (own) own.teardowns.forEach((id) => along.add(id));
    if (reached.includeUpstream) {
      const before = reach([taskId], above);
      scopes.filter(({ setup }) => before.has(setup)).forEach(addScope);
    } else addNeeds(taskId);
    if (reached.includeDownstream) reach([taskId], below).forEach(addNeeds);
  }
  return along;
}

function downstreamOf(tasks: readonly ScopedTask[]): Map<string, string[]> {
  const below = new Map(tasks.map((task) => [task.taskId, [] as string[]]));
  for (const { taskId, upstream } of tasks) {
    for (const id of upstream) below.get(id)?.push(taskId);
  }
  return below;
}

/** All that is reached from these, without them unless one leads to another. */
function reach(from: readonly string[], edges: ReadonlyMap<string, readonly string[]>) {
  const seen = new Set<string>();
  const open = [...from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const next of edges.get(id) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return seen;
}
