/** @module A run, its tasks and their instances as the scheduler keeps them in memory. */
import { Cap, type Demand, type Waiting } from "../dispatcher/ready_queue.ts";
import type { DagRun, TaskInstance } from "../model/rows.ts";
import type { RunState } from "../model/run_state.ts";
import { TaskSpec } from "../model/dag_spec.ts";
import { isFinished, type TaskState, taskStates } from "../model/task_state.ts";
import { Heap } from "../base/heap.ts";
import type { Plan, PlanTask } from "./plan.ts";

const stateNumber = new Map(taskStates.map((state, i) => [state, i]));

/** How many instances are in each state. */
export class StateCounts {
  readonly #counts = new Int32Array(taskStates.length);
  total = 0;
  finished = 0;

  of(state: TaskState): number {
    return this.#counts[stateNumber.get(state)!];
  }

  add(state: TaskState, by: 1 | -1): void {
    this.#counts[stateNumber.get(state)!] += by;
    this.total += by;
    if (isFinished(state)) this.finished += by;
  }

  get unfinished(): number {
    return this.total - this.finished;
  }
}

/** One task instance. `state` is as decided; `storedState` as the database has it. */
export class Instance implements Waiting {
  place: Waiting["place"] = null;
  storedState: TaskState;
  wakeAtMs: number | null = null;
  /** To be stored with the next move. */
  note: string | null = null;

  constructor(
    readonly task: RunTask,
    readonly id: string,
    public mapIndex: number,
    public state: TaskState,
    public row: TaskInstance,
  ) {
    this.storedState = state;
  }

  get demand(): Demand {
    return this.task.demand;
  }
}

/** One task of a run: its instances and their counts. */
export class RunTask {
  readonly instances: Instance[] = [];
  readonly counts = new StateCounts();
  /** Instances that wait for their upstreams: `none`, or due for another try. */
  readonly idle = new Set<Instance>();
  readonly demand: Demand;

  constructor(readonly run: Run, readonly plan: PlanTask) {
    const { spec } = plan;
    this.demand = {
      pool: spec.pool,
      slots: spec.poolSlots,
      priority: spec.priorityWeight,
      dagId: run.row.dagId,
      backfillId: run.row.backfillId,
      run,
      caps: capsOf(run, spec),
    };
  }

  /** Of a mapped group's task: instances that something has changed for since they were decided on. */
  readonly #touched = new Set<Instance>();
  #mark: string | null = null;

  /** Have an instance decided on again; nothing for tasks outside of mapped groups. */
  touch(instance: Instance | undefined): void {
    if (instance && this.plan.spec.mappedGroup !== undefined) this.#touched.add(instance);
  }

  /** Have all of them decided on again. */
  touchAll(): void {
    this.#mark = null;
  }

  /** Those to decide on: where `mark` is not what it was, all that are idle. */
  takeTouched(mark: string): Instance[] {
    const taken = [...this.#mark === mark ? this.#touched : this.idle];
    this.#mark = mark;
    this.#touched.clear();
    return taken;
  }

  /** The instance of a map index; indexes have no gaps. */
  at(mapIndex: number): Instance | undefined {
    const instance = this.instances[mapIndex];
    return instance?.mapIndex === mapIndex ? instance : undefined;
  }

  /** The one instance of a task without indexes. */
  get unexpanded(): Instance | undefined {
    const [first] = this.instances;
    return this.instances.length === 1 && first.mapIndex < 0 ? first : undefined;
  }

  /** Does the task have an instance for each index, rather than one for all? */
  get isExpanded(): boolean {
    return this.instances.length > 0 && this.instances[0].mapIndex >= 0;
  }
}

/** One run. */
export class Run {
  state: RunState;
  storedState: RunState;
  wakeAtMs: number | null = null;
  /** Why it was decided that it failed. */
  endedWhy: string | null = null;
  readonly tasks: RunTask[];
  readonly counts = new StateCounts();
  /** Tasks that the run's version does not have, with instances from another one. */
  readonly vanished: RunTask[] = [];
  /** Instances in any task's `idle`. */
  idle = 0;
  /** Leaf instances that ended badly. */
  failedLeaves = 0;
  /** Decided to end, but by moves of its tasks that may be refused: it counts as active until then. */
  holdsPlace = false;
  /** Decided to end as failed, and not because somebody cancelled it. */
  isFailing = false;
  /** The run before, as last read; null: to be read, as far as its plan asks for it. */
  past: { previousId: string | null; unmet: ReadonlySet<string> } | null = null;
  /** Grows with each change of an instance. */
  changes = 0;
  /** Indexes of tasks to look at again, in topological order. */
  readonly #dirty = new Heap<number>();
  readonly #isDirty: Uint8Array;

  /** `caps`: limits that its tasks share with those of the DAG's other runs, by task. */
  constructor(
    readonly row: DagRun,
    readonly plan: Plan,
    readonly caps: Map<string, Cap>,
    /** Limits of its backfill's tasks in a pool. */
    readonly shareOf: (pool: string) => readonly Cap[] = () => [],
  ) {
    this.state = row.state;
    this.storedState = row.state;
    this.tasks = plan.tasks.map((task) => new RunTask(this, task));
    this.#isDirty = new Uint8Array(plan.tasks.length);
  }

  /** The task of that name; one that the version does not have is made. */
  task(taskId: string): RunTask {
    const index = this.plan.indexOf.get(taskId);
    if (index !== undefined) return this.tasks[index];
    let task = this.vanished.find((each) => each.plan.spec.taskId === taskId);
    if (!task) this.vanished.push(task = new RunTask(this, vanishedTask(taskId)));
    return task;
  }

  /** Have a task looked at again; nothing for one that the version does not have. */
  markDirty(index: number): void {
    if (index < 0 || this.#isDirty[index]) return;
    this.#isDirty[index] = 1;
    this.#dirty.push(index, index);
  }

  /** The first task to look at again; undefined when there is none. */
  nextDirty(): RunTask | undefined {
    const index = this.#dirty.pop();
    if (index === undefined) return undefined;
    this.#isDirty[index] = 0;
    return this.tasks[index];
  }
}

/** Its limits on instances at work: of the task in all runs, and in this one. */
function capsOf({ caps, shareOf }: Run, spec: TaskSpec): Cap[] {
  const { taskId, maxActiveTisPerDag: perDag, maxActiveTisPerDagrun: perRun } = spec;
  const found = [...shareOf(spec.pool), ...(perRun ? [new Cap(perRun)] : [])];
  // Also without a limit of its own: other versions' instances wait for what runs of this one.
  let shared = caps.get(taskId);
  if (!shared && !perDag) return found;
  if (!shared) caps.set(taskId, shared = new Cap(Infinity));
  shared.max = perDag ?? Infinity;
  return [...found, shared];
}

function vanishedTask(taskId: string): PlanTask {
  const spec = TaskSpec.parse({ taskId, operator: "", upstream: [], retry: {} });
  const before = { upstream: [], setups: [], gates: [] };
  const nothing = { upstream: [], downstream: [], setups: [], wakes: [], gates: [] };
  return {
    index: -1,
    spec,
    ...nothing,
    inside: before,
    outside: before,
    isLeaf: false,
    lengthFrom: null,
  };
}
