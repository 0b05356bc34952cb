/** @module Makes the context of a task from its workload. */
import { AppError } from "../model/errors.ts";
import type { TaskServices, TaskWorkload } from "./execute.ts";
import type { DataInterval, RunFacts, TaskContext, TaskStateStore } from "./context.ts";
import type { Dag } from "./dag.ts";
import { canonical, type Json } from "./json.ts";
import { problemsOf } from "./zod_problems.ts";

/** A context, and the state that its task has set so far. */
export interface OpenContext {
  ctx: TaskContext;
  /** What `ctx.state.set` was told; goes into the outcome of success. */
  stateChanges: Readonly<Record<string, Json>>;
  /** Is the run for its DAG's newest interval, for tasks that go by that? */
  isNewest: boolean;
}

/** The DAG's params for a run with this conf; throws INVALID when it does not fit. */
export function parseConf(
  dag: Pick<Dag, "id" | "params">,
  conf: Record<string, unknown>,
): Record<string, unknown> {
  if (dag.params === null) return conf;
  const parsed = dag.params.safeParse(conf);
  if (parsed.success) return parsed.data;
  throw new AppError(
    "INVALID",
    `Cannot use the conf of this run of DAG "${dag.id}": ${problemsOf(parsed.error)}`,
  );
}

/** Everything that the running task has. */
export function openContext(
  workload: TaskWorkload,
  params: Record<string, unknown>,
  services: TaskServices,
): OpenContext {
  const { run } = workload;
  const runAfter = new Date(run.runAfter);
  const previous = run.previousSuccess;
  const stateChanges: Record<string, Json> = {};
  const datasetEvents = (run.datasetEvents ?? []).map((event) => ({
    ...event,
    payload: event.extra.payload ?? null,
    createdAt: new Date(event.createdAt),
  }));
  const { log, signal, clock, workDir, files, engine } = services;
  const ctx: TaskContext = {
    dagId: workload.dagId,
    runId: workload.runId,
    taskId: workload.task.taskId,
    mapIndex: workload.mapIndex,
    logicalDate: dateOf(run.logicalDate),
    partition: run.partition ?? null,
    interval: intervalOf(run, runAfter),
    runAfter,
    params,
    attemptId: workload.attemptId,
    tryNumber: workload.tryNumber,
    log,
    signal,
    clock,
    previousSuccess: previous && {
      runId: previous.runId,
      logicalDate: dateOf(previous.logicalDate),
      dataIntervalEnd: dateOf(previous.dataIntervalEnd),
    },
    datasetEvents,
    event: datasetEvents.findLast((event) => event.version === null) ?? null,
    state: stateStore(workload.state, stateChanges),
    resumedWith: workload.resumption ?? null,
    workDir,
    files,
    engine,
    connection: (connectionId) => services.connection(connectionId),
    dataset: (name, partition = null) => services.dataset(name, partition),
    variable: (key) => services.variable(key),
  };
  return { ctx, stateChanges, isNewest: run.isNewest ?? true };
}

/**
 * Inputs with the large ones fetched: `{ $object: key }`, alone or in an array of outputs, stands
 * for the JSON stored there.
 */
export async function fetchInputs(
  inputs: Readonly<Record<string, unknown>>,
  services: Pick<TaskServices, "object">,
): Promise<Record<string, unknown>> {
  const stored = new Map<string, Promise<unknown>>();
  const fetchOne = async (value: unknown) => {
    const key = linkOf(value);
    if (key === null) return value;
    if (!stored.has(key)) stored.set(key, services.object(key));
    return await stored.get(key);
  };
  const fetchAll = async (given: unknown) => {
    // A long array of outputs is itself stored, with links to those that are large.
    const value = await fetchOne(given);
    return Array.isArray(value) && value.some((each) => linkOf(each) !== null)
      ? await Promise.all(value.map(fetchOne))
      : value;
  };
  const names = Object.keys(inputs);
  const values = await Promise.all(names.map((name) => fetchAll(inputs[name])));
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** The facts alone: what a parameter function is given. */
export function factsOf(ctx: TaskContext): RunFacts {
  const { dagId, runId, taskId, mapIndex, logicalDate, partition, interval, runAfter, params } =
    ctx;
  return { dagId, runId, taskId, mapIndex, logicalDate, partition, interval, runAfter, params };
}

/** The key that a value stands for; null for a plain value. */
export function linkOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const { $object, ...rest } = value as Record<string, unknown>;
  return typeof $object === "string" && Object.keys(rest).length === 0 ? $object : null;
}

function intervalOf(run: TaskWorkload["run"], runAfter: Date): DataInterval {
  const start = dateOf(run.dataIntervalStart) ?? runAfter;
  const end = dateOf(run.dataIntervalEnd) ?? runAfter;
  const zoned = Temporal.Instant.fromEpochMilliseconds(start.getTime())
    .toZonedDateTimeISO(run.timezone);
  return { start, end, date: run.intervalDate ?? zoned.toPlainDate().toString() };
}

function stateStore(
  state: Readonly<Record<string, Json>>,
  changes: Record<string, Json>,
): TaskStateStore {
  return {
    get<T>(key: string) {
      const value = Object.hasOwn(changes, key) ? changes[key] : state[key];
      return (value ?? undefined) as T | undefined;
    },
    set(key, value) {
      changes[key] = canonical(
        value ?? null,
        (path, problem) =>
          new TypeError(`Cannot set state "${key}": ${path || "the value"} ${problem}`),
      );
    },
  };
}

function dateOf(instant: string | null): Date | null {
  return instant === null ? null : new Date(instant);
}
