/** @module What must hold after every write, whatever went wrong around it. */
import type { DagSpec } from "../../src/model/dag_spec.ts";
import type { DagRun, TaskInstance } from "../../src/model/rows.ts";
import {
  isFinished,
  occupyingTaskStates,
  type TaskEvent,
  type TaskState,
  taskTransitions,
} from "../../src/model/task_state.ts";
import type { MemoryEngineStore } from "../../src/store/engine_memory.ts";
import type { Claimed, EndingResult } from "../../src/store/port.ts";

/** Something that must hold did not. */
export class Violation extends Error {}

/** Who wrote. */
export type Writer =
  | "scheduler"
  | "worker"
  | "triggers"
  | "user-cancel"
  | "user-clear"
  | "user-set"
  | "user-answer";

/** May they take an instance out of an end? */
const mayReopen: ReadonlySet<Writer> = new Set(["user-clear", "user-set"]);

const waiting: TaskState[] = [
  "none",
  "up_for_retry",
  "up_for_reschedule",
  "removed",
  // Their time was up.
  "deferred",
  "awaiting_input",
];

/** Follows every write to a store. */
export class Checkers {
  readonly #states = new Map<string, TaskState>();
  /** Attempts that their instance's worker may think it runs, as far as the store allowed it. */
  readonly #live = new Map<string, Set<string>>();
  readonly #endedAttempts = new Set<string>();
  readonly #cleared = new Set<string>();
  /** Retries by run, since it was cleared last, and by DAG. */
  readonly #retries = new Map<string, number>();
  /** The version by which an instance was queued. */
  readonly #queuedBy = new Map<string, string>();
  /** Runs of which even the teardowns were stopped. */
  readonly #stopped = new Set<string>();
  #epoch = 0;

  constructor(
    readonly store: MemoryEngineStore,
    /** The spec of a DAG version. */
    readonly specOf: (dagVersionId: string) => DagSpec,
    readonly pools: ReadonlyMap<string, number>,
    /** Those that count what is deferred. */
    readonly withDeferred: ReadonlySet<string>,
  ) {}

  /** Compare every instance with how it was. Returns the moves in words, for the trace. */
  afterWrite(writer: Writer): string[] {
    const moves: string[] = [];
    for (const task of this.store.tasks()) {
      const from = this.#states.get(task.id) ?? "none";
      if (from !== task.state) {
        this.#checkMove(task, from, writer);
        moves.push(`${task.id.slice(-6)} ${task.taskId}[${task.mapIndex}] ${from}>${task.state}`);
      }
      this.#states.set(task.id, task.state);
    }
    if (moves.length > 0) this.#checkLimits();
    this.#checkRuns();
    return moves;
  }

  #checkMove(task: Readonly<TaskInstance>, from: TaskState, writer: Writer) {
    const what = `${task.taskId}[${task.mapIndex}] moved from ${from} to ${task.state}`;
    if (isFinished(from) && task.state !== "removed") {
      const isWanted = from === "removed" && writer === "scheduler";
      if (!mayReopen.has(writer) && !isWanted) {
        throw new Violation(`${what}: only people leave the end`);
      }
    }
    if (task.state === "up_for_retry") this.#checkBudget(task);
    if (!isLegal(from, task.state, writer)) throw new Violation(`${what}: no such move`);
    const isStart = task.state === "queued" || task.state === "running" && writer === "scheduler";
    if (isStart && !task.isForced) this.#checkUpstreams(task);
  }

  /** Whatever the clocks say, a history is shorter than an hour. */
  #checkBudget({ dagRunId }: Readonly<TaskInstance>) {
    const run = this.store.runs().find((each) => each.id === dagRunId)!;
    const { retryBudget } = this.specOf(run.dagVersionId);
    if (!retryBudget) return;
    const count = (key: string, max: number | null) => {
      const used = (this.#retries.get(key) ?? 0) + 1;
      this.#retries.set(key, used);
      if (used > (max ?? Infinity)) throw new Violation(`${used} retries, of ${max}, for ${key}`);
    };
    count(`run ${dagRunId}`, retryBudget.perRun);
    count(`DAG ${run.dagId}`, retryBudget.perHour);
  }

  /** What starts must be right at that very moment, also where somebody has just cleared a task. */
  #checkUpstreams(task: Readonly<TaskInstance>) {
    const run = this.store.runs().find((each) => each.id === task.dagRunId)!;
    this.#queuedBy.set(task.id, run.dagVersionId);
    const spec = this.#taskOf(run, task)!;
    const all = [...this.store.tasks()].filter((each) =>
      each.dagRunId === task.dagRunId && each.state !== "removed"
    );
    const { tasks } = this.specOf(run.dagVersionId);
    const counted = all.filter((each) => isCounted(tasks, spec, task, each));
    for (const up of spec.upstream) {
      if (isOfGroup(tasks, spec, up) && !counted.some((each) => each.taskId === up)) {
        throw new Violation(`${task.taskId}[${task.mapIndex}] starts before ${up} is there`);
      }
    }
    const statesOf = (ids: readonly string[]) =>
      counted.filter((each) => ids.includes(each.taskId)).map((each) => each.state);
    const ups = statesOf(spec.upstream);
    const setups = statesOf(setupsRightBefore(tasks, spec));
    if (!mayHaveRun(spec.triggerRule, ups, setups)) {
      throw new Violation(`${task.taskId} starts by ${spec.triggerRule} over ${ups.join(", ")}`);
    }
    const needed = statesOf(neededSetups(tasks, spec));
    if (spec.triggerRule !== "always" && needed.some((state) => state !== "success")) {
      throw new Violation(`${task.taskId} starts while its setups are ${needed.join(", ")}`);
    }
    if (run.cancelRequestedAt === null) return;
    if (!spec.isTeardown) throw new Violation(`${task.taskId} starts in a cancelled run`);
    const open = all.filter((each) => before(tasks, spec.taskId).includes(each.taskId));
    if (!open.every((each) => isFinished(each.state))) {
      throw new Violation(`${task.taskId} cleans up what is still in use`);
    }
  }

  #taskOf(run: DagRun, { taskId }: Readonly<TaskInstance>) {
    return this.specOf(run.dagVersionId).tasks.find((each) => each.taskId === taskId);
  }

  #checkLimits() {
    const byPool = new Map<string, number>();
    const byDag = new Map<string, number>();
    const runs = new Map(this.store.runs().map((run) => [run.id, run]));
    const limits = new Map<string, number>();
    for (const task of this.store.tasks()) {
      const isDeferred = task.state === "deferred";
      if (!occupyingTaskStates.has(task.state) && !isDeferred) continue;
      const run = runs.get(task.dagRunId)!;
      const { dagId } = run;
      // What was queued by another version than the run has now may have another pool there.
      const isOfVersion = this.#queuedBy.get(task.id) === run.dagVersionId;
      const spec = isOfVersion ? this.#taskOf(run, task) : undefined;
      const isCounted = spec && (!isDeferred || this.withDeferred.has(spec.pool));
      if (isCounted) byPool.set(spec.pool, (byPool.get(spec.pool) ?? 0) + spec.poolSlots);
      if (isDeferred) continue;
      limits.set(dagId, this.specOf(run.dagVersionId).maxActiveTasks);
      byDag.set(dagId, (byDag.get(dagId) ?? 0) + 1);
    }
    for (const [pool, used] of byPool) {
      const slots = this.pools.get(pool)!;
      if (used > slots) throw new Violation(`Pool ${pool} has ${slots} slots, ${used} are used`);
    }
    for (const [dagId, active] of byDag) {
      const maxActiveTasks = limits.get(dagId)!;
      if (active > maxActiveTasks) {
        throw new Violation(`DAG ${dagId} may run ${maxActiveTasks} tasks, ${active} run`);
      }
    }
  }

  #checkRuns() {
    const running = new Map<string, number>();
    const limits = new Map<string, number>();
    for (const run of this.store.runs()) {
      if (run.state !== "running" || run.backfillId !== null) continue;
      running.set(run.dagId, (running.get(run.dagId) ?? 0) + 1);
      limits.set(run.dagId, this.specOf(run.dagVersionId).maxActiveRuns);
    }
    for (const [dagId, active] of running) {
      const maxActiveRuns = limits.get(dagId)!;
      if (active > maxActiveRuns) {
        throw new Violation(`DAG ${dagId} may have ${maxActiveRuns} runs, ${active} run`);
      }
    }
  }

  /** Runs that a pass has just ended must have nothing under way. */
  afterRunsEnded(ids: readonly string[]): void {
    const ended = new Set(ids);
    for (const { dagRunId, taskId, state } of this.store.tasks()) {
      if (ended.has(dagRunId) && !isFinished(state) && state !== "none") {
        throw new Violation(`A run ended while its task ${taskId} was ${state}`);
      }
    }
  }

  afterTick(epoch: number): void {
    if (epoch < this.#epoch) throw new Violation(`Epoch ${epoch} wrote after ${this.#epoch}`);
    this.#epoch = epoch;
  }

  afterClaim(claimed: readonly Claimed[]): void {
    for (const { attempt, task } of claimed) {
      const live = this.#live.get(task.id) ?? new Set();
      if (live.has(attempt.id)) throw new Violation(`${task.taskId} was given to two workers`);
      this.#live.set(task.id, live.add(attempt.id));
      if (live.size > 1) throw new Violation(`${task.taskId} has two running attempts`);
      if (this.#endedAttempts.has(attempt.id)) throw new Violation("An ended attempt was claimed");
    }
  }

  /** What waits for a claim of these queues, in its order: by priority, then who was queued first. */
  claimable(queues: readonly string[]): string[] {
    const order = ({ queuedAt, id }: TaskInstance) => `${queuedAt!.toISOString()} ${id}`;
    return [...this.store.tasks()]
      .filter((task) => task.state === "queued" && queues.includes(task.queue))
      .sort((a, b) => b.priorityWeight - a.priorityWeight || (order(a) < order(b) ? -1 : 1))
      .map((task) => task.id);
  }

  /**
   * A claim takes the first of what waited. So whoever waits is passed by none of its priority that came
   * later: among those nobody starves, however many there are.
   */
  afterClaimOf(waiting: readonly string[], claimed: readonly Claimed[]): void {
    const first = waiting.slice(0, claimed.length);
    if (claimed.every(({ task }, i) => task.id === first[i])) return;
    throw new Violation("A claim took others than the first that waited");
  }

  /** A word is taken from the one current, running attempt of an instance, and once. */
  afterEnd(attemptId: string, result: EndingResult): void {
    const instance = [...this.#live].find(([, live]) => live.has(attemptId))?.[0];
    if (result.result === "ok") {
      if (this.#endedAttempts.has(attemptId)) throw new Violation("A late word was taken");
      this.#endedAttempts.add(attemptId);
      if (instance) this.#live.get(instance)!.delete(attemptId);
    }
  }

  /** Somebody cancels a run: the first time its teardowns are spared, if it is under way. */
  cancelled({ id, state, cancelRequestedAt }: DagRun): void {
    if (state !== "running" || cancelRequestedAt !== null) this.#stopped.add(id);
  }

  /** Somebody cancels a task of a run; it may be a teardown. */
  taskCancelled({ id }: DagRun): void {
    this.#stopped.add(id);
  }

  /** A run whose tasks were cleared is no longer in line with its first decisions. */
  cleared(dagRunId: string): void {
    this.#retries.delete(`run ${dagRunId}`);
    this.#cleared.add(dagRunId);
  }

  /** All is over: every run has ended, and as its tasks say. */
  atEnd(): void {
    for (const run of this.store.runs()) {
      if (run.state !== "success" && run.state !== "failed") {
        throw new Violation(`Run ${run.runId} of ${run.dagId} did not end: it is ${run.state}`);
      }
      this.#checkResult(run.id, this.specOf(run.dagVersionId), run.state);
    }
    this.#checkIntervals();
    const open = this.store.attempts().filter((attempt) => attempt.state !== "ended");
    if (open.length > 0) throw new Violation(`${open.length} attempts did not end`);
  }

  /** The automatic runs of a DAG follow each other: no instant twice, and with catchup none left out. */
  #checkIntervals() {
    const lastEnd = new Map<string, number>();
    const scheduled = this.store.runs().filter((run) => run.runType === "scheduled")
      .toSorted((a, b) => a.logicalDate!.getTime() - b.logicalDate!.getTime());
    for (const run of scheduled) {
      const [startMs, endMs] = [run.dataIntervalStart!.getTime(), run.dataIntervalEnd!.getTime()];
      const { schedule: given, catchup } = this.specOf(run.dagVersionId);
      const schedule = given.kind === "datasets" ? given.at!.time : given;
      const everyMs = schedule.kind === "interval" ? schedule.everyMs : 60_000;
      if (endMs - startMs !== everyMs) {
        throw new Violation(`Run ${run.runId} is for ${endMs - startMs} ms, not for ${everyMs}`);
      }
      const last = lastEnd.get(run.dagId);
      if (last !== undefined && (startMs < last || (catchup && startMs !== last))) {
        throw new Violation(`Run ${run.runId} does not follow the one before it`);
      }
      lastEnd.set(run.dagId, endMs);
    }
  }

  #checkResult(dagRunId: string, spec: DagSpec, state: string) {
    const tasks = [...this.store.tasks()].filter((task) => task.dagRunId === dagRunId);
    const failed = tasks.find((task) =>
      task.state === "failed" &&
      spec.tasks.some((each) => each.taskId === task.taskId && counts(each))
    );
    if (spec.failFast && failed && state === "success") {
      throw new Violation(`A run that fails fast succeeded, though ${failed.taskId} failed`);
    }
    const of = (taskId: string) =>
      tasks.filter((task) => task.taskId === taskId && task.state !== "removed");
    const isLeaf = (taskId: string) =>
      !spec.tasks.some((task) =>
        (task.upstream.includes(taskId) ||
          Object.values(task.inputs).some((input) =>
            input.kind === "item" && input.taskId === taskId
          )) && counts(task)
      ) && spec.tasks.some((task) => task.taskId === taskId && counts(task));
    const bad: TaskState[] = ["failed", "upstream_failed", "cancelled"];
    for (const task of spec.tasks) {
      if (state === "success" && isLeaf(task.taskId)) {
        if (of(task.taskId).some((each) => bad.includes(each.state))) {
          throw new Violation(`A run succeeded whose last task ${task.taskId} did not`);
        }
      }
      if (this.#cleared.has(dagRunId)) continue;
      for (const each of of(task.taskId)) {
        const statesOf = (ids: readonly string[]) =>
          ids.flatMap(of).filter((up) => isCounted(spec.tasks, task, each, up))
            .map((up) => up.state);
        const ups = statesOf(task.upstream);
        const setups = statesOf(setupsRightBefore(spec.tasks, task));
        if (each.attemptId !== null && !mayHaveRun(task.triggerRule, ups, setups)) {
          throw new Violation(`${task.taskId} ran by ${task.triggerRule} over ${ups.join(", ")}`);
        }
        const isDue = task.isTeardown && setups.includes("success");
        if (isDue && each.attemptId === null && !this.#stopped.has(dagRunId)) {
          throw new Violation(`${task.taskId} did not clean up: it is ${each.state}`);
        }
      }
    }
  }
}

type Task = DagSpec["tasks"][number];

/** Is the task before in the same mapped group? */
function isOfGroup(tasks: readonly Task[], { mappedGroup }: Task, before: string): boolean {
  return mappedGroup !== undefined &&
    tasks.find((task) => task.taskId === before)?.mappedGroup === mappedGroup;
}

/** Does this instance of a task before count? In a mapped group only that of the same index does. */
function isCounted(
  tasks: readonly Task[],
  task: Task,
  { mapIndex }: Readonly<TaskInstance>,
  up: Readonly<TaskInstance>,
): boolean {
  return !isOfGroup(tasks, task, up.taskId) || up.mapIndex === mapIndex || up.mapIndex < 0;
}

/** Does how it ends matter to its run? */
function counts(task: Task): boolean {
  return !task.isTeardown || task.onFailureFailDagRun === true;
}

/** All tasks before one, step by step. */
function before(tasks: readonly Task[], taskId: string): string[] {
  const found = new Set<string>();
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const task of tasks) {
      if (task.taskId === taskId || found.has(task.taskId)) {
        task.upstream.forEach((up) => found.add(up));
      }
    }
  }
  return [...found];
}

function setupsRightBefore(tasks: readonly Task[], { upstream }: Task): string[] {
  return tasks.filter((task) => task.isSetup && upstream.includes(task.taskId))
    .map((task) => task.taskId);
}

/** Setups before a task whose teardown comes after it, or that have none. */
function neededSetups(tasks: readonly Task[], task: Task): string[] {
  if (task.isTeardown || task.upstream.length === 0) return [];
  return before(tasks, task.taskId).filter((id) => {
    const teardowns = tasks.filter((each) => each.isTeardown && each.upstream.includes(id));
    const isAfter = (each: Task) => before(tasks, each.taskId).includes(task.taskId);
    return tasks.some((each) => each.taskId === id && each.isSetup) &&
      (teardowns.length === 0 || teardowns.some(isAfter));
  });
}

/** One step of the table, or two or three of the scheduler's in one write. */
function isLegal(from: TaskState, to: TaskState, writer: Writer): boolean {
  const isOf = (event: string) => writer === "user-set" || !event.startsWith("set_");
  const next = (state: TaskState) =>
    Object.entries(taskTransitions[state]).filter(([event]) => isOf(event)).map(([, to]) => to);
  if (next(from).includes(to)) return true;
  // Its time was up in the pass in which a task before it, cleared meanwhile, ended badly.
  if (
    writer === "scheduler" && next(from).includes("scheduled") && next("scheduled").includes(to)
  ) {
    return true;
  }
  if (writer !== "scheduler") return mayReopen.has(writer) && to === "none";
  const isWaiting = waiting.includes(from) || from === "scheduled";
  if (isWaiting && (to === "queued" || to === "scheduled" || to === "running")) return true;
  return from === "removed" && taskTransitions.none["skip" as TaskEvent] !== undefined;
}

/** The rules that wait for all upstreams, as plain conditions on how those ended. */
function mayHaveRun(rule: Task["triggerRule"], ups: TaskState[], setups: TaskState[]): boolean {
  const good = (...states: TaskState[]) => ups.every((up) => states.includes(up));
  const allDone = ups.every(isFinished);
  switch (rule) {
    case "all_success":
      return good("success");
    case "none_failed":
    case "none_failed_min_one_success":
      return good("success", "skipped");
    case "all_skipped":
      return good("skipped");
    case "all_failed":
      return good("failed", "cancelled", "upstream_failed");
    case "none_skipped":
      return allDone && !ups.includes("skipped");
    case "all_done":
      return allDone;
    case "all_done_setup_success":
      return allDone && (setups.length === 0 || setups.includes("success"));
    default:
      return true;
  }
}
