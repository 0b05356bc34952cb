/**
 * @module `tidewheel run`: a DAG file in this process. Scheduler, claims, endings and worker are the
 * real ones; the store is in memory, and time in which nothing runs is skipped.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "../base/clock.ts";
import { systemIds } from "../base/ids.ts";
import { logger } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { VerbContext, VerbOptions } from "../cli/mod.ts";
import { printJson, seconds, tableText } from "../cli/print.ts";
import { enginePool } from "../engine/pool.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { DagRun, TaskInstance } from "../model/rows.ts";
import { fileObjectStore } from "../objects/file.ts";
import { schedulerService } from "../scheduler/loop.ts";
import { dagsOf } from "../sdk/mod.ts";
import { type MemoryEngineStore, memoryEngineStore } from "../store/engine_memory.ts";
import { type Interval, manualInterval, runsBetween } from "../timetable/mod.ts";
import { inProcessExecutor, workerService } from "../worker/mod.ts";
import { localExecutionApi } from "./local_api.ts";
import { SkippingClock } from "./skipping_clock.ts";
import config from "../../deno.json" with { type: "json" };

type Module = Readonly<Record<string, unknown>>;

/** What `tidewheel run` does; exit code 1 unless the run succeeds. */
export async function runLocal(
  context: VerbContext,
  [file]: string[],
  options: VerbOptions,
): Promise<number> {
  const began = systemClock.monotonicMs();
  const { module, spec } = await loadDag(file, options.dag as string | undefined);
  const dir = typeof options.keep === "string"
    ? resolve(options.keep)
    : await Deno.makeTempDir({ prefix: "tidewheel_run_" });
  try {
    const world = await openWorld(context, { module, spec, dir, options });
    const run = await world.finish();
    report(context, world.store, run, (systemClock.monotonicMs() - began) / 1000);
    return run.state === "success" ? 0 : 1;
  } finally {
    if (options.keep === undefined) await Deno.remove(dir, { recursive: true });
  }
}

/** Import a DAG file and choose one of its DAGs; throws DAG_BROKEN or INVALID. */
export async function loadDag(file: string, id: string | undefined) {
  let module: Module;
  try {
    module = await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    throw new AppError("DAG_BROKEN", `Cannot import ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const dags = dagsOf(module);
  const found = id === undefined ? dags : dags.filter((dag) => dag.id === id);
  if (found.length === 1) return { module, spec: found[0].spec };
  const names = dags.map((dag) => dag.id).join(", ") || "none";
  throw new AppError(
    "INVALID",
    found.length === 0
      ? `Cannot use ${file}: it exports no DAG${id ? ` "${id}"` : ""} (it exports: ${names})`
      : `Cannot use ${file}: it exports several DAGs; choose one with --dag (${names})`,
  );
}

interface Setup {
  module: Module;
  spec: DagSpec;
  dir: string;
  options: VerbOptions;
}

/** Everything that runs, and how to wait for its end. */
async function openWorld(context: VerbContext, { module, spec, dir, options }: Setup) {
  const clock = new SkippingClock(systemClock);
  const ids = systemIds(clock);
  const log = logger((level, message, fields) => {
    if (level === "ERROR" && !context.output.json) {
      context.output.err(`${message} ${JSON.stringify(fields)}\n`);
    }
  });
  const objects = fileObjectStore(`${dir}/objects`);
  const store = memoryEngineStore({ clock, ids });
  const run = await createRun(store, { spec, options, ids, now: clock.now() });
  const engines = enginePool({ clock: systemClock });
  const scheduler = schedulerService({
    ...{ store, clock, ids, log },
    random: systemRandom,
    holder: "run",
  });
  const names = new Map<string, string>();
  const worker = workerService({
    fetch: localExecutionApi({
      ...{ store, objects, clock, log, names },
      env: Deno.env.toObject(),
      print: (line) => context.output.json || context.output.out(line),
    }),
    workerToken: "run",
    workerId: "run",
    hostname: "localhost",
    pid: Deno.pid,
    version: config.version,
    queues: [...new Set(["default", ...spec.tasks.map((task) => task.queue)])],
    slots: 16,
    executor: inProcessExecutor({
      load: () => Promise.resolve(module),
      clock,
      workDir: `${dir}/work`,
    }),
    objects,
    bundleCacheDir: null,
    engine: engines,
    clock,
    random: systemRandom,
    log,
  });
  return {
    store,
    async finish(): Promise<DagRun> {
      await scheduler.start();
      await worker.start();
      const shown = new Map<string, string>();
      for (;;) {
        await clock.step(() => worker.stats().running === 0);
        const [snapshot] = await store.loadRuns([run.id]);
        if (!context.output.json) showChanges(context, snapshot.tasks, shown);
        if (snapshot.run.state === "success" || snapshot.run.state === "failed") {
          clock.release();
          await Promise.all([worker.stop(), scheduler.stop(), engines.close()]);
          return snapshot.run;
        }
      }
    },
  };
}

async function createRun(
  store: MemoryEngineStore,
  { spec, options, ids, now }: {
    spec: DagSpec;
    options: VerbOptions;
    ids: ReturnType<typeof systemIds>;
    now: Date;
  },
): Promise<DagRun> {
  const version = { id: ids.uuid(), dagId: spec.dagId, versionNumber: 1, spec };
  store.addDag({
    dagId: spec.dagId,
    isPaused: false,
    isStale: false,
    dagVersionId: version.id,
    // Only the run that was asked for: the schedule makes none here.
    spec: { ...spec, schedule: { kind: "none" } },
    lastInterval: null,
    nextRunAt: null,
  }, { ...version, bundleHash: "0".repeat(64), entry: "run" });
  for (const { pool } of spec.tasks) store.setPool({ name: pool, slots: 128 });
  const interval = intervalOf(spec, options.date as string | undefined, now);
  return await store.createRun({
    id: ids.uuid(),
    dagId: spec.dagId,
    runId: `run__${interval.start.toISOString()}`,
    runType: "manual",
    logicalDate: interval.start,
    dataIntervalStart: interval.start,
    dataIntervalEnd: interval.end,
    runAfter: now,
    conf: confOf(options.conf as string | undefined),
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

/** The schedule's interval that begins at `text`; without it the last complete one. */
function intervalOf(spec: DagSpec, text: string | undefined, now: Date): Interval {
  if (text === undefined) return manualInterval(spec.schedule, now);
  const from = new Date(text);
  if (Number.isNaN(from.getTime())) {
    throw new AppError("INVALID", `Cannot read --date ${text}: it must be ISO 8601, as 2026-01-05`);
  }
  const [run] = runsBetween(spec.schedule, {
    ...{ from, to: from, now: END_OF_TIME },
    ...{ start: null, end: null },
  });
  return run?.interval ?? manualInterval(spec.schedule, from);
}

/** A run by hand may be for an interval that has not ended. */
const END_OF_TIME = new Date("9999-01-01T00:00:00Z");

function confOf(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const conf = JSON.parse(text);
    if (conf !== null && typeof conf === "object" && !Array.isArray(conf)) return conf;
  } catch (error) {
    throw new AppError("INVALID", `Cannot read --conf: ${messageOf(error)}`);
  }
  throw new AppError("INVALID", `Cannot use --conf ${text}: it must be a JSON object`);
}

const nameOf = ({ taskId, mapIndex }: TaskInstance) =>
  mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`;

function showChanges(
  { output }: VerbContext,
  tasks: readonly TaskInstance[],
  shown: Map<string, string>,
) {
  for (const task of tasks) {
    const state = task.state;
    if (shown.get(task.id) === state || state === "none" || state === "scheduled") continue;
    shown.set(task.id, state);
    if (state !== "queued") output.out(`${nameOf(task)}: ${state}\n`);
  }
}

function report(
  { output }: VerbContext,
  store: MemoryEngineStore,
  run: DagRun,
  tookSeconds: number,
) {
  const attempts = store.attempts();
  const published = store.datasets().map(({ intent, version, sha256 }) => ({
    dataset: intent.dataset,
    partition: intent.partition,
    version,
    rows: intent.rows,
    sha256,
  }));
  if (output.json) {
    printJson(output, { run_id: run.runId, state: run.state, published, attempts });
    return;
  }
  if (published.length > 0) {
    output.out(
      "\n" + tableText(published, {
        dataset: (one) => one.dataset,
        partition: (one) => one.partition,
        version: (one) => one.version,
        rows: (one) => one.rows,
      }),
    );
  }
  output.out(`\n${run.runId}: ${run.state} in ${seconds(tookSeconds)}\n`);
}
