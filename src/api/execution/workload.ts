/** @module From claimed attempts to workloads: with as few queries as the tasks need. */
import type { Workload } from "../../contract/execution.ts";
import type { Clock } from "../../base/clock.ts";
import { AppError } from "../../model/errors.ts";
import type { TaskSpec } from "../../model/dag_spec.ts";
import type { DagRun, DatasetEvent } from "../../model/rows.ts";
import type { ScheduleSpec } from "../../model/schedule_spec.ts";
import type { ObjectStore } from "../../objects/port.ts";
import type { Claimed, EngineStore } from "../../store/port.ts";
import type { TokenMint } from "../attempt_token.ts";
import { isNewestInterval, sessionDateOf, timeOf } from "../../timetable/mod.ts";
import {
  type Found,
  inputItems,
  inputTasks,
  itemName,
  lengthTasks,
  resolveInputs,
} from "./inputs.ts";
import { listReader } from "./lists.ts";
import type { CachedVersion, Versions } from "./versions.ts";

/** Life of an attempt's token beyond the claim, in milliseconds. */
const TOKEN_MS = 7 * 86_400_000;
/** Life of a token beyond the task's timeout. */
const TOKEN_AFTER_TIMEOUT_MS = 86_400_000;
/** How long "the newest success before this date" is taken to be the same. */
const PREVIOUS_MS = 1_000;
const PREVIOUS_KEPT = 1_000;

/** Makes workloads. */
export interface WorkloadBuilder {
  /** One workload, or why there is none, for each claimed attempt, in order. */
  build(claimed: readonly Claimed[]): Promise<(Workload | AppError)[]>;
}

/** What a builder needs. */
export interface WorkloadParts {
  store: EngineStore;
  versions: Versions;
  objects: ObjectStore;
  mint: TokenMint;
  clock: Clock;
}

/** A builder over the store. */
export function workloadBuilder(parts: WorkloadParts): WorkloadBuilder {
  const { store, versions, objects, mint, clock } = parts;
  const previous = previousRuns(store, clock);
  const lists = listReader(objects);

  async function buildOne(
    { attempt, task, run, state, resumption }: Claimed,
    version: CachedVersion | undefined,
    found: Found,
  ): Promise<Workload> {
    const spec = version?.tasks.get(task.taskId);
    if (!version || !spec) throw taskIsGone(task.taskId, run, version);
    const [inputs, before, datasetEvents] = await Promise.all([
      resolveInputs({
        task: spec,
        mapIndex: task.mapIndex,
        attemptId: attempt.id,
        found,
        objects,
        lists,
      }),
      previous(run),
      run.runType === "asset_triggered" || version.spec.schedule.kind === "datasets"
        ? store.loadDatasetEvents(run.id)
        : [],
    ]);
    const lifeMs = Math.max(TOKEN_MS, (spec.timeoutMs ?? 0) + TOKEN_AFTER_TIMEOUT_MS);
    return {
      attemptId: attempt.id,
      token: mint.attempt({
        attemptId: attempt.id,
        taskInstanceId: task.id,
        dagRunId: run.id,
        dagVersionId: run.dagVersionId,
        taskId: task.taskId,
        mapIndex: task.mapIndex,
        tryNumber: attempt.tryNumber,
        maxTries: task.maxTries,
        infraLosses: task.infraLosses,
        dagId: run.dagId,
        runId: run.runId,
        traceParent: run.traceParent,
        expiresAtS: Math.ceil((clock.now().getTime() + lifeMs) / 1000),
      }),
      taskInstanceId: task.id,
      dagId: run.dagId,
      runId: run.runId,
      dagRunId: run.id,
      mapIndex: task.mapIndex,
      tryNumber: attempt.tryNumber,
      maxTries: task.maxTries,
      task: spec,
      bundle: { hash: version.bundleHash, entry: version.entry },
      run: {
        runType: run.runType,
        logicalDate: iso(run.logicalDate),
        dataIntervalStart: iso(run.dataIntervalStart),
        dataIntervalEnd: iso(run.dataIntervalEnd),
        runAfter: run.runAfter.toISOString(),
        conf: { ...version.spec.paramsDefault, ...run.conf } as Workload["run"]["conf"],
        timezone: version.timezone,
        ...newestOf(spec, run, version, clock.now()),
        ...tradeDate(version.spec.schedule, run.dataIntervalStart),
        ...(run.partitionKey === null ? {} : { partition: run.partitionKey }),
        ...(datasetEvents.length === 0 ? {} : { datasetEvents: datasetEvents.map(eventFacts) }),
        previousSuccess: before,
      },
      inputs: inputs as Workload["inputs"],
      state: state as Workload["state"],
      ...(resumption ? { resumption } : {}),
      traceParent: run.traceParent,
    };
  }

  return {
    async build(claimed) {
      if (claimed.length === 0) return [];
      const found = await versions.load(claimed.map(({ run }) => run.dagVersionId));
      const given = await loadGiven(store, claimed, found);
      return await Promise.all(claimed.map((one) =>
        buildOne(
          one,
          found.get(one.run.dagVersionId),
          given.get(one.run.id) ?? nothing,
        ).catch((error) => {
          if (error instanceof AppError) return error;
          throw error;
        })
      ));
    },
  };
}

const nothing: Found = { outputs: new Map(), items: new Map(), lengths: new Map() };

interface Wanted {
  tasks: Set<string>;
  lengths: Set<string>;
  mapped: { spec: TaskSpec; mapIndex: number }[];
}

/** What inputs are made of, by run: none for tasks without, and one query for each kind. */
async function loadGiven(
  store: EngineStore,
  claimed: readonly Claimed[],
  versions: ReadonlyMap<string, CachedVersion>,
): Promise<Map<string, Found>> {
  const wanted = new Map<string, Wanted>();
  for (const { run, task } of claimed) {
    const spec = versions.get(run.dagVersionId)?.tasks.get(task.taskId);
    if (!spec || Object.keys(spec.inputs).length === 0) continue;
    const want = wanted.get(run.id) ?? { tasks: new Set(), lengths: new Set(), mapped: [] };
    wanted.set(run.id, want);
    for (const taskId of inputTasks(spec)) want.tasks.add(taskId);
    for (const taskId of lengthTasks(spec)) want.lengths.add(taskId);
    want.mapped.push({ spec, mapIndex: task.mapIndex });
  }
  return new Map(
    await Promise.all(
      [...wanted].map(async ([runId, want]) =>
        [runId, await loadFound(store, runId, want)] as const
      ),
    ),
  );
}

async function loadFound(store: EngineStore, runId: string, wanted: Wanted): Promise<Found> {
  const [outputs, { lengths, items }] = await Promise.all([
    wanted.tasks.size > 0 ? store.loadOutputs(runId, [...wanted.tasks]) : [],
    loadItems(store, runId, wanted),
  ]);
  return { outputs: Map.groupBy(outputs, (output) => output.taskId), items, lengths };
}

async function loadItems(store: EngineStore, runId: string, wanted: Wanted) {
  const known = wanted.lengths.size > 0 ? await store.loadLengths(runId, [...wanted.lengths]) : [];
  const lengths = new Map(known.map(({ taskId, length }) => [taskId, length]));
  const asked = new Map(
    wanted.mapped.flatMap(({ spec, mapIndex }) => inputItems(spec, mapIndex, lengths))
      .map((item) => [itemName(item), item]),
  );
  const found = asked.size > 0 ? await store.loadItems(runId, [...asked.values()]) : [];
  return { lengths, items: new Map(found.map((item) => [itemName(item), item])) };
}

/** The newest success before a run's date, asked for at most once a second for each date. */
function previousRuns(store: EngineStore, clock: Clock) {
  type Before = Workload["run"]["previousSuccess"];
  const kept = new Map<string, { untilMs: number; run: Promise<Before> }>();
  return (run: DagRun): Promise<Before> => {
    const key = `${run.dagId}\n${run.logicalDate?.getTime() ?? ""}`;
    const nowMs = clock.monotonicMs();
    const found = kept.get(key);
    if (found && found.untilMs > nowMs) return found.run;
    kept.delete(key);
    if (kept.size >= PREVIOUS_KEPT) kept.delete(kept.keys().next().value!);
    const asked = store.previousSuccess(run.dagId, run.logicalDate).then((before) =>
      before && {
        runId: before.runId,
        logicalDate: iso(before.logicalDate),
        dataIntervalEnd: iso(before.dataIntervalEnd),
      }
    );
    asked.catch(() => kept.delete(key));
    kept.set(key, { untilMs: nowMs + PREVIOUS_MS, run: asked });
    return asked;
  };
}

function eventFacts({ id: _, createdAt, ...event }: DatasetEvent): EventFacts {
  return { ...event, createdAt: createdAt.toISOString() } as EventFacts;
}

type EventFacts = NonNullable<Workload["run"]["datasetEvents"]>[number];

function iso(at: Date | null): string | null {
  return at ? at.toISOString() : null;
}

function taskIsGone(taskId: string, run: DagRun, version: CachedVersion | undefined): AppError {
  const which = version ? `version ${version.versionNumber}` : `version ${run.dagVersionId}`;
  return new AppError(
    "NOT_FOUND",
    `Cannot start task "${taskId}" of run "${run.runId}": ${which} of DAG "${run.dagId}" ` +
      (version ? "has no such task" : "is not stored any more"),
  );
}

/** Worked out only for tasks that go by it. A run by hand or for data is as good as the newest. */
function newestOf(task: TaskSpec, run: DagRun, { spec }: CachedVersion, now: Date) {
  if (task.operator !== "latest_only") return {};
  const { runType, dataIntervalStart: start, dataIntervalEnd: end } = run;
  const isByTime = runType === "scheduled" || runType === "backfill";
  const isOld = isByTime && start && end && !isNewestInterval(spec, { start, end }, now);
  return { isNewest: !isOld };
}

function tradeDate(schedule: ScheduleSpec, start: Date | null) {
  const time = timeOf(schedule);
  if (time?.kind !== "sessions" || !start) return {};
  const date = sessionDateOf(time, start.getTime());
  return date === null ? {} : { intervalDate: date };
}
