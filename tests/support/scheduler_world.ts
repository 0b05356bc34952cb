/**
 * @module A scheduler on the memory store and a virtual clock, for tests: DAGs in short form, and
 * tasks that end as told.
 */
import type { z } from "zod";
import { VirtualClock } from "../../src/base/clock.ts";
import { type Ids, seededIds } from "../../src/base/ids.ts";
import { type Logger, logger } from "../../src/base/log.ts";
import { seededRandom } from "../../src/base/random.ts";
import { DagSpec, type InputSpec, type TaskSpec } from "../../src/model/dag_spec.ts";
import type { TaskInstance } from "../../src/model/rows.ts";
import { Question, timeoutOf, type TriggerSpec } from "../../src/model/trigger.ts";
import { type SchedulerService, schedulerService } from "../../src/scheduler/loop.ts";
import { type MemoryEngineStore, memoryEngineStore } from "../../src/store/engine_memory.ts";
import type { AttemptEnding, Claimed, NewRun } from "../../src/store/port.ts";

/** A task in short form: its upstreams, and whatever else matters. */
export type ShortTask = Partial<Omit<TaskSpec, "taskId" | "upstream" | "retry">> & {
  upstream?: string[];
  retry?: Partial<TaskSpec["retry"]>;
  /** Mapped over the output of this task, or over that many literal items. */
  over?: string | number;
};

/** A DAG spec from tasks in short form. */
export function specOf(
  dagId: string,
  tasks: Record<string, ShortTask>,
  some: Partial<Omit<DagSpec, "tasks" | "dagId">> = {},
): DagSpec {
  return DagSpec.parse({
    dagId,
    schedule: { kind: "none" },
    ...some,
    tasks: Object.entries(tasks).map(([taskId, { over, ...task }]) => ({
      taskId,
      operator: "task",
      upstream: [],
      retry: {},
      ...task,
      ...(over === undefined ? {} : { mappedOver: "item", inputs: { item: itemInput(over) } }),
    })),
  });
}

function itemInput(over: string | number): InputSpec {
  return typeof over === "string"
    ? { kind: "item", taskId: over }
    : { kind: "itemOf", items: Array(over).fill(0) };
}

/** How a task is told to end; numbers are the length of the array that it puts out. */
export type Told =
  | "succeed"
  | "skip"
  | "fail"
  | "lose"
  | { length: number }
  | { chosen: string[] }
  | { retryInMs: number }
  | { rescheduleInMs: number }
  | { defer: TriggerSpec; timeoutMs?: number }
  | { ask: z.input<typeof Question>; timeoutMs?: number };

/** See the module. */
export class SchedulerWorld {
  readonly clock = new VirtualClock("2030-01-01T00:00:00Z");
  readonly ids: Ids = seededIds(this.clock, seededRandom(1));
  readonly store: MemoryEngineStore = memoryEngineStore({ clock: this.clock, ids: this.ids });
  readonly logged: string[] = [];
  readonly log: Logger = logger((_level, message) => void this.logged.push(message));
  readonly scheduler: SchedulerService = schedulerService({
    store: this.store,
    clock: this.clock,
    ids: this.ids,
    random: seededRandom(2),
    log: this.log,
    holder: "test",
  });
  readonly #versions = new Map<string, string>();

  /** Add a DAG, or a new version of it. */
  addDag(spec: DagSpec, some: { isPaused?: boolean } = {}): void {
    const id = this.ids.uuid();
    this.#versions.set(spec.dagId, id);
    this.store.addDag(
      {
        dagId: spec.dagId,
        isPaused: false,
        isStale: false,
        dagVersionId: id,
        spec,
        lastInterval: null,
        nextRunAt: null,
        ...some,
      },
      { id, dagId: spec.dagId, versionNumber: 1, spec, bundleHash: "", entry: "" },
    );
  }

  /** Another scheduler, which stands by until this one's lease is free or dead. */
  successor(): SchedulerService {
    const { store, clock, ids, log } = this;
    return schedulerService({ store, clock, ids, log, random: seededRandom(3), holder: "next" });
  }

  /** The id of a DAG's newest version. */
  versionOf(dagId: string): string {
    return this.#versions.get(dagId)!;
  }

  /** Create a manual run; returns its id. */
  async trigger(spec: DagSpec, some: Partial<NewRun> = {}): Promise<string> {
    const id = this.ids.uuid();
    await this.store.createRun({
      id,
      dagId: spec.dagId,
      runId: `manual__${id}`,
      runType: "manual",
      logicalDate: null,
      dataIntervalStart: null,
      dataIntervalEnd: null,
      runAfter: this.clock.now(),
      conf: {},
      dagVersionId: this.versionOf(spec.dagId),
      backfillId: null,
      traceParent: null,
      tasks: spec.tasks.map(({ taskId, retry }) => ({
        id: this.ids.uuid(),
        taskId,
        maxTries: retry.retries,
      })),
      ...some,
    });
    return id;
  }

  /** Pass until nothing is left to do. */
  async settle(): Promise<void> {
    for (let passes = 0; await this.scheduler.runOnce(); passes++) {
      if (passes > 1000) throw new Error("The scheduler does not come to rest");
    }
  }

  /** Move the time and pass. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  claim(slots = 1024, queues = ["default"]): Promise<Claimed[]> {
    const worker = { workerId: "w", hostname: "h", pid: 1, queues, slots };
    return this.store.claim(worker, this.clock.now());
  }

  /** End an attempt as told. */
  async end({ attempt, run, task }: Claimed, told: Told): Promise<void> {
    await this.store.endAttempts([endingOf(attempt.id, told, this.clock.now())], this.clock.now());
    if (run.id !== task.dagRunId) throw new Error("A claim mixed up its rows");
  }

  /**
   * Run everything until nothing more starts, each task as `tell` says (success by default). Returns
   * the ids of the tasks in the order of their starts.
   */
  async work(tell: (task: TaskInstance) => Told = () => "succeed"): Promise<string[]> {
    const order: string[] = [];
    await this.settle();
    for (let claimed = await this.claim(); claimed.length > 0; claimed = await this.claim()) {
      for (const each of claimed) {
        order.push(nameOf(each.task));
        await this.end(each, tell(each.task));
      }
      await this.settle();
    }
    return order;
  }

  /** States of a run's instances by name (`task`, or `task[index]`). */
  async states(dagRunId: string): Promise<Record<string, string>> {
    const [{ tasks }] = await this.store.loadRuns([dagRunId]);
    return Object.fromEntries(tasks.map((task) => [nameOf(task), task.state]));
  }

  async task(dagRunId: string, name: string): Promise<TaskInstance> {
    const [{ tasks }] = await this.store.loadRuns([dagRunId]);
    return tasks.find((task) => nameOf(task) === name)!;
  }

  async runState(dagRunId: string): Promise<string> {
    const [{ run }] = await this.store.loadRuns([dagRunId]);
    return run.state;
  }

  /** Clear tasks by name. */
  async clear(dagRunId: string, spec: DagSpec, names: (name: string) => boolean): Promise<void> {
    const [{ tasks }] = await this.store.loadRuns([dagRunId]);
    const chosen = tasks.filter((task) => names(task.taskId)).map((task) => task.id);
    const dagVersionId = this.versionOf(spec.dagId);
    await this.store.clearTasks(dagRunId, chosen, { spec, dagVersionId }, this.clock.now());
  }
}

/** `task`, or `task[index]`. */
export function nameOf({ taskId, mapIndex }: Pick<TaskInstance, "taskId" | "mapIndex">): string {
  return mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`;
}

/** The ending that a worker's supervisor would send. */
export function endingOf(attemptId: string, told: Told, now: Date): AttemptEnding {
  const ending: AttemptEnding = {
    attemptId,
    endReason: "success",
    evidence: {},
    endDate: now,
    result: "succeed",
    nextTryAt: null,
    output: null,
    outputKey: null,
    outputLength: null,
    chosen: null,
    effects: null,
    rssBytesMax: null,
    cpuMs: null,
  };
  const later = (ms: number) => new Date(now.getTime() + ms);
  if (told === "succeed") return ending;
  if (told === "skip") return { ...ending, result: "skip", endReason: "skipped" };
  if (told === "fail") return { ...ending, result: "fail", endReason: "task_error" };
  if (told === "lose") return { ...ending, result: "lose", endReason: "drained" };
  if ("length" in told) return { ...ending, outputLength: told.length };
  if ("chosen" in told) return { ...ending, chosen: told.chosen };
  if ("retryInMs" in told) {
    const nextTryAt = later(told.retryInMs);
    return { ...ending, result: "retry", endReason: "task_error", nextTryAt };
  }
  if ("defer" in told || "ask" in told) {
    const wait = { nextTryAt: told.timeoutMs === undefined ? null : later(told.timeoutMs) };
    if ("defer" in told) {
      const timeout = timeoutOf({ onTimeout: "resume" });
      const parked = { trigger: told.defer, timeout };
      return { ...ending, ...wait, result: "defer", endReason: "deferred", parked };
    }
    const question = Question.parse(told.ask);
    const parked = { question, timeout: timeoutOf({ onTimeout: "fail", question }) };
    return { ...ending, ...wait, result: "ask", endReason: "awaiting_input", parked };
  }
  const nextTryAt = later(told.rescheduleInMs);
  return { ...ending, result: "reschedule", endReason: "rescheduled", nextTryAt };
}
