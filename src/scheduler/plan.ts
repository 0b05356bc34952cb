/** @module A DAG version made ready for deciding: tasks by number, edges both ways. */
import { type DagSpec, dependsOnPast, type TaskSpec } from "../model/dag_spec.ts";
import { decidingTasks, setupScopes } from "../model/setup_teardown.ts";
import { hasDeadlines } from "../timetable/mod.ts";

/** Where the number of a mapped task's instances comes from. */
export type LengthSource =
  | { kind: "literal"; length: number }
  | { kind: "task"; index: number }
  /** Every combination of these. */
  | { kind: "product"; of: LengthSource[] };

/** Tasks before a task, by number. */
export interface PlanBefore {
  readonly upstream: readonly number[];
  /** Setups further up that it needs to have succeeded, beside its direct upstreams. */
  readonly setups: readonly number[];
  /** Short circuits before it that skip all that comes after them when they stop. */
  readonly gates: readonly number[];
}

/** One task of a plan. `index` is its place in topological order. */
export interface PlanTask extends PlanBefore {
  readonly index: number;
  readonly spec: TaskSpec;
  readonly downstream: readonly number[];
  /** Of the tasks before it those of its own mapped group, of which only its own index counts. */
  readonly inside: PlanBefore;
  /** And all others. */
  readonly outside: PlanBefore;
  /** Tasks to look at again when it ends: those after it, and those that it sets up for. */
  readonly wakes: readonly number[];
  /** Its end says how the run ended: nothing comes after it but teardowns. */
  readonly isLeaf: boolean;
  /** Null when the task is not mapped. */
  readonly lengthFrom: LengthSource | null;
}

/** A DAG version as the scheduler uses it; immutable. */
export interface Plan {
  readonly dagVersionId: string;
  readonly spec: DagSpec;
  readonly tasks: readonly PlanTask[];
  readonly indexOf: ReadonlyMap<string, number>;
  /** Tasks that wait for the run before. */
  readonly pastDependents: readonly number[];
  readonly teardowns: readonly number[];
  /** Its runs can have deadlines. */
  readonly hasDeadlines: boolean;
  /** Tasks reachable from `index`, without itself. */
  descendants(index: number): ReadonlySet<number>;
}

/** Make a plan; throws when the tasks are not in topological order. */
export function makePlan(dagVersionId: string, spec: DagSpec): Plan {
  const indexOf = new Map(spec.tasks.map((task, index) => [task.taskId, index]));
  const upstream = spec.tasks.map((task, index) => upstreamOf(task, index, indexOf, spec.dagId));
  const downstream: number[][] = spec.tasks.map(() => []);
  upstream.forEach((ups, index) => ups.forEach((up) => downstream[up].push(index)));
  const setups = indirectSetups(spec, upstream, indexOf);
  const wakes = downstream.map((below) => [...below]);
  setups.forEach((needed, index) => needed.forEach((setup) => wakes[setup].push(index)));
  const deciding = decidingTasks(spec.tasks);
  const gates = gatesBefore(spec, downstream);
  const tasks = spec.tasks.map((task, index): PlanTask => {
    const before = { upstream: upstream[index], setups: setups[index], gates: gates[index] };
    const isInside = (other: number) =>
      task.mappedGroup !== undefined && spec.tasks[other].mappedGroup === task.mappedGroup;
    return {
      index,
      spec: task,
      ...before,
      inside: only(before, isInside),
      outside: only(before, (other) => !isInside(other)),
      downstream: downstream[index],
      wakes: wakes[index],
      isLeaf: deciding.has(task.taskId),
      lengthFrom: lengthSource(task, indexOf),
    };
  });
  const reached = new Map<number, ReadonlySet<number>>();
  return {
    dagVersionId,
    spec,
    tasks,
    indexOf,
    hasDeadlines: hasDeadlines(spec),
    teardowns: tasks.filter((task) => task.spec.isTeardown).map((task) => task.index),
    pastDependents: tasks.filter((task) => dependsOnPast(task.spec)).map((task) => task.index),
    descendants(index) {
      let set = reached.get(index);
      if (!set) reached.set(index, set = reachableFrom(index, downstream));
      return set;
    },
  };
}

function only(before: PlanBefore, isWanted: (index: number) => boolean): PlanBefore {
  return {
    upstream: before.upstream.filter(isWanted),
    setups: before.setups.filter(isWanted),
    gates: before.gates.filter(isWanted),
  };
}

function gatesBefore(spec: DagSpec, downstream: readonly (readonly number[])[]): number[][] {
  const found: number[][] = spec.tasks.map(() => []);
  spec.tasks.forEach((task, gate) => {
    if (!task.ignoreDownstreamTriggerRules) return;
    for (const index of reachableFrom(gate, downstream)) found[index].push(gate);
  });
  return found;
}

function upstreamOf(
  task: TaskSpec,
  index: number,
  indexOf: ReadonlyMap<string, number>,
  dagId: string,
): number[] {
  const ids = task.upstream.map((id) => indexOf.get(id) ?? Infinity);
  const all = new Set([...ids, ...sourceTasks(lengthSource(task, indexOf))]);
  for (const up of all) {
    if (up < index) continue;
    throw new Error(
      `Cannot plan DAG "${dagId}": task "${task.taskId}" stands before an upstream of it, ` +
        `tasks must be in topological order`,
    );
  }
  return [...all].toSorted((a, b) => a - b);
}

/** For each task the setups that serve it from further up. Teardowns go by their own rule. */
function indirectSetups(
  spec: DagSpec,
  upstream: readonly (readonly number[])[],
  indexOf: ReadonlyMap<string, number>,
): number[][] {
  const needed: number[][] = spec.tasks.map(() => []);
  for (const { setup, serves } of setupScopes(spec.tasks)) {
    const from = indexOf.get(setup)!;
    for (const taskId of serves) {
      const index = indexOf.get(taskId)!;
      if (spec.tasks[index].isTeardown || upstream[index].includes(from)) continue;
      needed[index].push(from);
    }
  }
  return needed;
}

function lengthSource(task: TaskSpec, indexOf: ReadonlyMap<string, number>): LengthSource | null {
  if (task.mappedOver === null) return null;
  const of = (task.mapProduct ?? [task.mappedOver]).flatMap((name): LengthSource[] => {
    const input = task.inputs[name];
    if (input?.kind === "itemOf") return [{ kind: "literal", length: input.items.length }];
    if (input?.kind !== "item") return [];
    return [{ kind: "task", index: indexOf.get(input.taskId) ?? Infinity }];
  });
  return of.length > 1 ? { kind: "product", of } : of[0] ?? null;
}

function sourceTasks(source: LengthSource | null): number[] {
  if (source?.kind === "product") return source.of.flatMap(sourceTasks);
  return source?.kind === "task" ? [source.index] : [];
}

function reachableFrom(index: number, downstream: readonly (readonly number[])[]) {
  const seen = new Set<number>();
  const open = [...downstream[index]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...downstream[next]);
  }
  return seen;
}
