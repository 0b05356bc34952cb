/**
 * @module Runs that DAGs would have over a stretch of time: the scheduler's own decisions on a clock
 * that jumps. There is no store and no worker: what is decided is so, and a task that starts
 * succeeds after its duration.
 */
import { Heap } from "../base/heap.ts";
import type { Ids } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { Pool } from "../model/rows.ts";
import type { NewRun, TaskMove } from "../store/port.ts";
import { isPeriodic, nextRunOf, runsBetween } from "../timetable/mod.ts";
import { decidePass, type Pass, settle } from "./pass.ts";
import { EngineState } from "./state.ts";

/** A stretch of time, both ends as instants. */
export interface Stretch {
  from: Date;
  to: Date;
}

/** What is rehearsed, and how. */
export interface RehearsalOptions extends Stretch {
  /** The scheduler first sees the DAGs at `from`. */
  specs: readonly DagSpec[];
  /** How long a task runs; 0: it ends in the instant in which it starts. */
  durationMs(dagId: string, taskId: string): number;
  /** When no scheduler is up: tasks go on, nothing new starts. */
  down?: readonly Stretch[];
  /** When the DAGs are paused. */
  paused?: readonly Stretch[];
  /** Items of each list that tasks are mapped over; 1. */
  mapped?: number;
  /** Slots of each pool; 128, as of the default pool. */
  slots?: number;
  /** Runs after which it gives up; throws RangeError then. */
  runsMax?: number;
  log?: Logger;
}

/** A run as it went. */
export interface RehearsedRun {
  dagId: string;
  logicalDate: Date;
  interval: { start: Date; end: Date };
  runAfter: Date;
  /** Null: it has not started by the end. */
  startedAt: Date | null;
  /** Null: it has not ended by the end. */
  endedAt: Date | null;
  /** It was due before the scheduler saw the DAG. */
  isCatchup: boolean;
}

/** A DAG as it went. */
export interface RehearsedDag {
  spec: DagSpec;
  runs: number;
  tasks: number;
  unfinished: number;
  /** Most runs at one time that were due and had not started. */
  backlogMax: number;
  /** Runs that are due at the end and not made, for its limit of active runs. */
  waiting: number;
  /** Intervals between the first and the last run that have none: its catchup policy, or quiet time. */
  leftOut: number;
  /** Longest time from due to started. */
  lateMsMax: number;
}

/** What came of it. */
export interface Rehearsal {
  runs: RehearsedRun[];
  dags: RehearsedDag[];
  /** Passes of the scheduler. */
  passes: number;
}

/** Rehearse. DAGs that only datasets start have no runs in it. */
export function rehearse(options: RehearsalOptions): Rehearsal {
  return new Stage(options).play();
}

class Stage {
  readonly #options: RehearsalOptions;
  readonly #state = new EngineState();
  readonly #ids = countingIds();
  readonly #ends = new Heap<string>();
  readonly #runs = new Map<string, RehearsedRun>();
  readonly #tasks = new Map<string, number>();
  #passes = 0;
  #isPaused = false;

  constructor(options: RehearsalOptions) {
    this.#options = options;
    const { specs, slots = 128 } = options;
    const names = new Set(specs.flatMap(({ tasks }) => tasks.map(({ pool }) => pool)));
    this.#state.putPools([...names].map((name): Pool => ({ name, slots })));
    this.#putDags(false);
  }

  play(): Rehearsal {
    const { to } = this.#options;
    let now: Date | null = this.#options.from;
    while (now && now <= to) {
      this.#pause(now);
      this.#endTasks(now);
      while (this.#pass(now)) this.#endTasks(now);
      now = this.#next(now);
    }
    const runs = [...this.#runs.values()].sort((a, b) => +a.runAfter - +b.runAfter);
    const byDag = Map.groupBy(runs, ({ dagId }) => dagId);
    return {
      runs,
      passes: this.#passes,
      dags: this.#options.specs.map((spec) => this.#summary(spec, byDag.get(spec.dagId) ?? [])),
    };
  }

  #putDags(isPaused: boolean): void {
    for (const spec of this.#options.specs) {
      const { lastInterval = null, nextRunAt = null } = this.#state.dag(spec.dagId).row ?? {};
      this.#state.putDag({
        dagId: spec.dagId,
        isPaused,
        isStale: false,
        dagVersionId: spec.dagId,
        spec,
        lastInterval,
        nextRunAt,
      });
    }
  }

  #pause(now: Date): void {
    const isPaused = within(this.#options.paused, now) !== null;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#putDags(isPaused);
  }

  /** One pass, taken for written; true when another would find more to do. */
  #pass(now: Date): boolean {
    this.#passes++;
    const { log = silentLogger } = this.#options;
    const pass = decidePass(this.#state, { now, ids: this.#ids, log });
    const { writes } = pass;
    for (const run of writes.newRuns) this.#made(run);
    for (const { id, to } of writes.runMoves) {
      const run = this.#runs.get(id)!;
      if (to === "running") run.startedAt ??= now;
      else run.endedAt = now;
    }
    const started = writes.taskMoves.filter(({ to }) => to === "queued");
    for (const move of started) this.#start(move, now);
    settle(this.#state, pass, allOf(pass));
    return pass.isShort || pass.queued >= limits.queueBatch || this.#endsNow(now);
  }

  #made({ id, dagId, logicalDate, dataIntervalStart, dataIntervalEnd, runAfter }: NewRun): void {
    const { runsMax = Infinity, from } = this.#options;
    if (this.#runs.size >= runsMax) {
      throw new RangeError(`Cannot list more than ${runsMax} runs: take less time`);
    }
    this.#runs.set(id, {
      dagId,
      logicalDate: logicalDate ?? runAfter,
      interval: { start: dataIntervalStart ?? runAfter, end: dataIntervalEnd ?? runAfter },
      runAfter,
      startedAt: null,
      endedAt: null,
      isCatchup: runAfter < from,
    });
  }

  #start({ id }: TaskMove, now: Date): void {
    const { plan, run } = this.#state.instances.get(id)!.task;
    const { dagId } = run.row;
    this.#tasks.set(dagId, (this.#tasks.get(dagId) ?? 0) + 1);
    const tookMs = this.#options.durationMs(dagId, plan.spec.taskId);
    this.#ends.push(now.getTime() + tookMs, id);
  }

  #endsNow(now: Date): boolean {
    return this.#ends.leastKey <= now.getTime();
  }

  #endTasks(now: Date): void {
    while (this.#endsNow(now)) {
      const instance = this.#state.instances.get(this.#ends.pop()!);
      if (!instance) continue;
      const { row } = instance;
      this.#state.putInstance({
        ...row,
        id: instance.id,
        taskId: instance.task.plan.spec.taskId,
        mapIndex: instance.mapIndex,
        state: "success",
        outputLength: this.#options.mapped ?? 1,
      });
    }
  }

  /** The next instant at which something happens; no pass while the scheduler is down. */
  #next(now: Date): Date | null {
    const { down, paused = [], from } = this.#options;
    const edges = paused.flatMap((one) => [one.from, one.to]).filter((at) => at > now && at > from);
    const dueMs = this.#state.nextDueAt()?.getTime() ?? Infinity;
    const atMs = Math.min(dueMs, this.#ends.leastKey, ...edges.map((at) => at.getTime()));
    if (!Number.isFinite(atMs)) return null;
    const at = new Date(Math.max(atMs, now.getTime() + 1));
    return within(down, at)?.to ?? at;
  }

  #summary(spec: DagSpec, runs: readonly RehearsedRun[]): RehearsedDag {
    const waiting = this.#waiting(spec);
    const late = runs.map(({ startedAt, runAfter }) => startedAt ? +startedAt - +runAfter : 0);
    return {
      spec,
      runs: runs.length,
      tasks: this.#tasks.get(spec.dagId) ?? 0,
      unfinished: runs.filter(({ endedAt }) => endedAt === null).length,
      backlogMax: backlogOf(runs, waiting),
      waiting: waiting.length,
      leftOut: leftOutOf(spec, runs),
      lateMsMax: late.reduce((most, one) => Math.max(most, one), 0),
    };
  }

  /** When the runs were due that are not made by the end. */
  #waiting(spec: DagSpec): Date[] {
    const { to, runsMax = Infinity } = this.#options;
    const found: Date[] = [];
    if (!isPeriodic(spec.schedule)) return found;
    let lastInterval = this.#state.dag(spec.dagId).row!.lastInterval;
    while (found.length < runsMax) {
      const due = nextRunOf(spec, { lastInterval, now: to });
      if (!due || due.runAfter > to) break;
      found.push(due.runAfter);
      lastInterval = due.interval;
    }
    return found;
  }
}

/** Everything applied. */
function allOf({ writes }: Pass) {
  const idsOf = (list: readonly { id: string }[]) => list.map(({ id }) => id);
  return {
    started: [],
    newRuns: idsOf(writes.newRuns),
    expansions: idsOf(writes.expansions),
    taskMoves: idsOf(writes.taskMoves),
    runMoves: idsOf(writes.runMoves),
  };
}

function within(stretches: readonly Stretch[] | undefined, at: Date): Stretch | null {
  return stretches?.find(({ from, to }) => from <= at && at < to) ?? null;
}

function backlogOf(runs: readonly RehearsedRun[], waiting: readonly Date[]): number {
  const due = [...runs.map(({ runAfter }) => runAfter), ...waiting].map((at) => at.getTime())
    .sort((a, b) => a - b);
  const started = runs.map(({ startedAt }) => startedAt?.getTime() ?? Infinity)
    .sort((a, b) => a - b);
  let most = 0;
  for (let i = 0, gone = 0; i < due.length; i++) {
    // What starts when it is due does not wait.
    while (started[gone] <= due[i]) gone++;
    most = Math.max(most, i + 1 - gone);
  }
  return most;
}

function leftOutOf({ schedule }: DagSpec, runs: readonly RehearsedRun[]): number {
  if (runs.length < 2 || !isPeriodic(schedule)) return 0;
  const dates = runs.map(({ logicalDate }) => logicalDate).sort((a, b) => +a - +b);
  const all = runsBetween(schedule, {
    ...{ from: dates[0], to: dates.at(-1)!, start: dates[0], end: null },
    now: new Date(8.64e15),
  });
  return Math.max(0, Iterator.from(all).reduce((count) => count + 1, 0) - runs.length);
}

/** Nobody sees these ids but the state. */
function countingIds(): Ids {
  let count = 0;
  return { uuid: () => (++count).toString(16).padStart(32, "0") };
}
