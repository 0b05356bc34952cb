/**
 * @module One run of a DAG in this process. Scheduler, claims, endings and worker are the real ones;
 * the store is in memory, and time in which nothing runs is skipped.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { systemIds } from "../base/ids.ts";
import { logger } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { LogLine } from "../contract/execution.ts";
import { enginePool } from "../engine/pool.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import type { Outcome } from "../model/outcome.ts";
import type { DagRun, TaskInstance } from "../model/rows.ts";
import { parkedTaskStates } from "../model/task_state.ts";
import type { ObjectStore } from "../objects/port.ts";
import { schedulerService } from "../scheduler/loop.ts";
import { type MemoryEngineStore, memoryEngineStore } from "../store/engine_memory.ts";
import { type Answer, type AttemptScope, inScope } from "../testing/tape.ts";
import { taskClock } from "../testing/task_clock.ts";
import type { Interval } from "../timetable/mod.ts";
import { triggersService } from "../triggers/waits/mod.ts";
import { inProcessExecutor, workerService } from "../worker/mod.ts";
import type { Answerer } from "./local_answers.ts";
import type { LocalEvent } from "./local_event.ts";
import { localExecutionApi } from "./local_api.ts";
import type { LocalSecrets } from "./local_secrets.ts";
import { SkippingClock } from "./skipping_clock.ts";
import config from "../../deno.json" with { type: "json" };

/** What is run, and with what. */
export interface LocalRun {
  /** The module that declares the DAG. */
  module: Readonly<Record<string, unknown>>;
  spec: DagSpec;
  /** Folder for what tasks write. */
  dir: string;
  interval: Interval;
  /** Of a DAG that waits for datasets or events: the partition to run, and what came along. */
  event?: LocalEvent;
  conf: Record<string, unknown>;
  objects: ObjectStore;
  secrets: LocalSecrets;
  /** What tasks put out that do not run, by task; of a mapped one, by instance. */
  standIns: ReadonlyMap<string, unknown>;
  /** Answers the HTTP of tasks; null: the network does. */
  answer: Answer | null;
  /** The clock's first reading; now by default. */
  startAt?: Date;
  /** Answers what tasks ask people; by default nobody does. */
  answerer?: Answerer;
  onLine(task: string, line: LogLine): void;
  onState?(task: TaskInstance): void;
  /** Which retry rule, or budget, decided whether a task is tried again. */
  onRetry?(task: string, why: string): void;
  onProblem(message: string, fields: object): void;
}

/** What came of it. */
export interface LocalResult {
  run: DagRun;
  tasks: readonly TaskInstance[];
  store: MemoryEngineStore;
  /** What successful tasks put out; of a mapped one, by instance. */
  outputs: ReadonlyMap<string, unknown>;
}

/** Virtual time after which what waits for others counts as waiting in vain: here are no others. */
const STUCK_MS = 60_000;
/** Virtual time after which a run counts as one that never ends. */
const WAIT_MS_MAX = 400 * 86_400_000;

/** `task`, or `task[index]`. */
export const nameOf = ({ taskId, mapIndex }: Pick<TaskInstance, "taskId" | "mapIndex">) =>
  mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`;

/** Run a DAG once. Throws UNAVAILABLE when it still waits after more than a year of its own time. */
export async function runLocally(given: LocalRun): Promise<LocalResult> {
  const { spec, objects } = given;
  const clock = new SkippingClock(systemClock, given.startAt);
  const ids = systemIds(clock);
  const log = logger((level, message, fields) => {
    if (level === "ERROR") given.onProblem(message, fields);
  });
  const store = memoryEngineStore({ clock, ids });
  const run = await createRun(store, given, { ids, now: clock.now() });
  const engines = enginePool({ clock: systemClock });
  const random = systemRandom;
  const scheduler = schedulerService({ store, clock, ids, log, random, holder: "run" });
  const alone = { holder: "run", isAlone: true };
  const triggers = triggersService({ store, clock, ids, log, random, ...alone });
  const attempts = watchedAttempts(given, clock);
  const worker = workerService({
    fetch: localExecutionApi({
      ...{ store, objects, clock, log, secrets: given.secrets },
      print: (attemptId, line) => given.onLine(attempts.names.get(attemptId) ?? "", line),
    }),
    workerToken: "run",
    workerId: "run",
    hostname: "localhost",
    pid: Deno.pid,
    version: config.version,
    queues: [...new Set(["default", ...spec.tasks.map((task) => task.queue)])],
    slots: 16,
    executor: attempts.executor,
    objects,
    bundleCacheDir: null,
    engine: engines,
    ...{ clock, random, log },
  });
  const tellRetries = retryTeller(given, store);
  const startedMs = clock.now().getTime();
  await scheduler.start();
  await triggers.start();
  await worker.start();
  try {
    let until: Date | null = null;
    let stuckSinceMs = Infinity;
    for (const shown = new Map<string, string>();;) {
      await clock.step({ isIdle: () => attempts.areIdle(worker.stats().running), until });
      const [{ run: row, tasks }] = await store.loadRuns([run.id]);
      for (const task of tasks) {
        if (shown.get(task.id) !== task.state) given.onState?.(task);
        shown.set(task.id, task.state);
      }
      tellRetries(tasks);
      await answer(store, tasks, given.answerer, clock);
      until = waitsUntil(tasks, triggers.nextDueAt());
      if (row.state === "success" || row.state === "failed") {
        return { run: row, tasks, store, outputs: attempts.outputs };
      }
      const nowMs = clock.now().getTime();
      if (nowMs - startedMs > WAIT_MS_MAX) throw stillWaiting(spec, tasks, "after 400 days");
      const isStuck = until === null && tasks.some(({ state }) => parkedTaskStates.has(state)) &&
        !tasks.some(isAtWork);
      stuckSinceMs = isStuck ? Math.min(stuckSinceMs, nowMs) : Infinity;
      if (nowMs - stuckSinceMs > STUCK_MS) {
        throw stillWaiting(spec, tasks, "with no other run, no event and nobody to answer");
      }
    }
  } finally {
    await clock.release(
      Promise.all([worker.stop(), triggers.stop(), scheduler.stop(), engines.close()]),
    );
  }
}

/** Answer what is asked and can be answered; each question once. */
async function answer(
  store: MemoryEngineStore,
  tasks: readonly TaskInstance[],
  answerer: Answerer | undefined,
  clock: Clock,
) {
  if (!answerer) return;
  for (const task of tasks) {
    if (task.state !== "awaiting_input") continue;
    const asked = store.asked(task.id);
    if (!asked || asked.reply || declined.has(asked)) continue;
    const reply = answerer(nameOf(task), asked.question);
    if (reply === null) declined.add(asked);
    else await store.answerQuestion({ taskInstanceId: task.id, reply }, clock.now());
  }
}

/** Questions that nobody wanted to answer. */
const declined = new WeakSet<object>();

/** Says of each attempt that has failed once which rule or budget decided how its task goes on. */
function retryTeller({ spec, onRetry }: LocalRun, store: MemoryEngineStore) {
  const told = new Set<string>();
  const decides = spec.retryBudget !== undefined || spec.tasks.some(({ retry }) => retry.rules);
  return (tasks: readonly TaskInstance[]) => {
    if (!decides || !onRetry) return;
    const names = new Map(tasks.map((task) => [task.id, nameOf(task)]));
    for (const { id, taskInstanceId, evidence } of store.attempts()) {
      if (evidence.retryReason === undefined || told.has(id)) continue;
      told.add(id);
      onRetry(names.get(taskInstanceId)!, evidence.retryReason);
    }
  };
}

/** Runs attempts, and knows their names, what they put out, and whether they only wait for time. */
function watchedAttempts({ module, spec, dir, standIns, answer }: LocalRun, clock: Clock) {
  const names = new Map<string, string>();
  const outputs = new Map<string, unknown>();
  const scopes = new Set<AttemptScope>();
  const keep = (taskId: string, mapIndex: number, outcome: Outcome) => {
    if (outcome.kind !== "done") return;
    if (mapIndex < 0) return void outputs.set(taskId, outcome.output ?? null);
    const all = (outputs.get(taskId) ?? []) as unknown[];
    all[mapIndex] = outcome.output ?? null;
    outputs.set(taskId, all);
  };
  return {
    names,
    outputs,
    areIdle: (running: number) =>
      running === 0 ||
      running === scopes.size &&
        scopes.values().every((scope) => scope.sleeps > 0 && scope.openRequests === 0),
    executor: inProcessExecutor({
      load: () => Promise.resolve(module),
      clock: taskClock(clock),
      workDir: `${dir}/work`,
      async around({ attemptId, task, mapIndex }, run) {
        names.set(attemptId, nameOf({ taskId: task.taskId, mapIndex }));
        const scope = { attemptId, answer, openRequests: 0, sleeps: 0 };
        scopes.add(scope);
        try {
          const outcome = standIns.has(task.taskId)
            ? recordedOutcome(standIns.get(task.taskId), { spec, taskId: task.taskId, mapIndex })
            : await inScope(scope, run);
          keep(task.taskId, mapIndex, outcome);
          return outcome;
        } finally {
          scopes.delete(scope);
        }
      },
    }),
  };
}

function recordedOutcome(
  output: unknown,
  { spec, taskId, mapIndex }: { spec: DagSpec; taskId: string; mapIndex: number },
): Outcome {
  const own = mapIndex < 0 ? output : (output as unknown[] | undefined)?.[mapIndex];
  const { operator } = spec.tasks.find((task) => task.taskId === taskId)!;
  // A stand-in lets all go on that was chosen to run.
  const chosen = operator === "branch"
    ? spec.tasks.filter(({ upstream }) => upstream.includes(taskId)).map((task) => task.taskId)
    : null;
  return { kind: "done", output: (own ?? null) as never, ...(chosen ? { chosen } : {}) };
}

async function createRun(
  store: MemoryEngineStore,
  { spec, interval, conf, event }: LocalRun,
  { ids, now }: { ids: ReturnType<typeof systemIds>; now: Date },
): Promise<DagRun> {
  const datasets = spec.schedule.kind === "datasets" ? spec.schedule.datasets : [];
  const version = { id: ids.uuid(), dagId: spec.dagId, versionNumber: 1, spec };
  store.addDag({
    dagId: spec.dagId,
    isPaused: false,
    isStale: false,
    dagVersionId: version.id,
    // Only the run that was asked for: the schedule makes none here.
    spec: { ...spec, schedule: event ? neverDue(datasets) : { kind: "none" } },
    lastInterval: null,
    nextRunAt: null,
  }, { ...version, bundleHash: "0".repeat(64), entry: "run" });
  for (const { pool } of spec.tasks) store.setPool({ name: pool, slots: 128 });
  const partition = event?.partition ?? null;
  if (event?.extra) {
    await store.recordEvents(
      [{ dataset: datasets[0], partition, key: partition, extra: event.extra }],
      now,
    );
  }
  return await store.createRun({
    partitionKey: partition,
    ...(event ? { takes: { partitions: null, isRequired: false } } : {}),
    id: ids.uuid(),
    dagId: spec.dagId,
    runId: `run__${interval.start.toISOString()}`,
    runType: "manual",
    logicalDate: interval.start,
    dataIntervalStart: interval.start,
    dataIntervalEnd: interval.end,
    runAfter: now,
    conf,
    dagVersionId: version.id,
    backfillId: null,
    traceParent: null,
    tasks: spec.tasks.map(({ taskId, retry }) => ({
      id: ids.uuid(),
      taskId,
      maxTries: retry.retries,
    })),
  });
}

/** Its events wait for the run that was asked for; none by itself. */
function neverDue(datasets: string[]): DagSpec["schedule"] {
  return { kind: "datasets", datasets, anyOf: [["(none)"]] };
}

/** When the first task goes on, where all that is open only waits for a time; null: something works. */
function waitsUntil(tasks: readonly TaskInstance[], dueAt: Date | null): Date | null {
  if (tasks.some(isAtWork)) return null;
  const waits = tasks.filter(({ state, nextTryAt }) => nextTryAt !== null && isTimed(state));
  const instants = [...waits.map(({ nextTryAt }) => nextTryAt!), ...(dueAt ? [dueAt] : [])];
  if (instants.length === 0) return null;
  return new Date(Math.min(...instants.map((at) => at.getTime())));
}

function isAtWork({ state }: TaskInstance): boolean {
  return state === "scheduled" || state === "queued" || state === "running";
}

function isTimed(state: TaskInstance["state"]): boolean {
  return state === "up_for_retry" || state === "up_for_reschedule" || parkedTaskStates.has(state);
}

function stillWaiting({ dagId }: DagSpec, tasks: readonly TaskInstance[], when: string): AppError {
  const open = tasks.filter(({ endDate }) => endDate === null)
    .map((task) => `${nameOf(task)} (${task.state})`);
  return new AppError(
    "UNAVAILABLE",
    `Cannot finish the run of DAG "${dagId}": ${when} these still wait: ` +
      `${open.join(", ")}; give sensors and waits a "by" or a timeout`,
  );
}
