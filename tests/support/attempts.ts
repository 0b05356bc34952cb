/** @module Workloads over `tests/fixtures/worker/`, and the bundle that holds their code. */
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { systemIds } from "../../src/base/ids.ts";
import { type Bundle, makeBundle } from "../../src/contract/bundle.ts";
import type { Workload } from "../../src/contract/execution.ts";
import type { TaskSpec } from "../../src/model/dag_spec.ts";
import { installVerified } from "../../src/objects/bundle_cache.ts";
import { moduleRuntime } from "../../src/objects/module_runtime.ts";
import type { JobCode } from "../../src/worker/executor.ts";
import attempts from "../fixtures/worker/attempts.ts";

const ids = systemIds();
const fixtures = new URL("../fixtures/worker/", import.meta.url);

/** The bundle of the fixtures. */
export const fixtureBundle: Bundle = makeBundle(
  new Map(["attempts.ts", "broken.ts"].map((path) => [
    path,
    Deno.readFileSync(new URL(path, fixtures)),
  ])),
);

/** What differs from a plain attempt. */
export interface WorkloadChanges extends Omit<Partial<Workload>, "task"> {
  task?: Partial<TaskSpec>;
}

/** A workload that runs this task of the fixtures. */
export function fixtureWorkload(taskId: string, changes: WorkloadChanges = {}): Workload {
  const attemptId = ids.uuid();
  return {
    attemptId,
    token: `token of ${attemptId}`,
    taskInstanceId: ids.uuid(),
    dagId: attempts.id,
    runId: "manual__1",
    dagRunId: ids.uuid(),
    mapIndex: -1,
    tryNumber: 1,
    maxTries: 0,
    bundle: { hash: fixtureBundle.hash, entry: "attempts.ts" },
    run: {
      runType: "manual",
      logicalDate: null,
      dataIntervalStart: null,
      dataIntervalEnd: null,
      runAfter: "2030-01-01T00:00:00Z",
      conf: {},
      timezone: "UTC",
      previousSuccess: null,
    },
    inputs: {},
    state: {},
    traceParent: null,
    ...changes,
    task: { ...attempts.task(taskId).spec, ...changes.task },
  };
}

/** A folder for one test file, with the fixtures' code in its cache; gone when the file is done. */
export interface WorkerDir {
  dir: string;
  cacheDir: string;
  code: JobCode;
}

let opened: Promise<WorkerDir> | null = null;

/** The folder of this test file. */
export function workerDir(): Promise<WorkerDir> {
  return opened ??= openDir();
}

async function openDir(): Promise<WorkerDir> {
  const dir = await Deno.makeTempDir({ prefix: "tw_worker_" });
  addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
  const cacheDir = `${dir}/cache`;
  const { dir: bundleDir } = await installVerified(fixtureBundle, cacheDir);
  const { args, env } = await moduleRuntime({ cacheDir });
  return { dir, cacheDir, code: { dir: bundleDir, args, env } };
}

/** Wait until `holds`, for what other processes do; fails after `ms`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  { ms = 10_000, clock = systemClock }: { ms?: number; clock?: Clock } = {},
): Promise<void> {
  const startMs = clock.monotonicMs();
  while (!await holds()) {
    if (clock.monotonicMs() - startMs > ms) throw new Error(`Not so after ${ms} ms: ${holds}`);
    await clock.sleep(5);
  }
}

/** Does a process with this number exist? */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
