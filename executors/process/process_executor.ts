/** @module The executor of attempts in child processes: launches them and keeps them in a pool. */
import { fileURLToPath } from "node:url";
import type { Clock } from "../../src/base/clock.ts";
import type { Logger } from "../../src/base/log.ts";
import { AppError, messageOf } from "../../src/model/errors.ts";
import type { Executor } from "../../src/worker/executor.ts";
import { ChildProcess, type Launch } from "./child_process.ts";
import { declaredEnv, permissionFlags, v8Flags } from "./flags.ts";
import { makeChildFolders } from "./folders.ts";
import { ProcessJob } from "./job.ts";
import type { Needs } from "./needs.ts";
import { Pool, type PoolLimits } from "./pool.ts";
import { Survivors } from "./survivors.ts";
import { canRunAs, type TaskUser } from "./task_user.ts";

export type { TaskUser };

/** Options of {@link processExecutor}. */
export interface ProcessExecutorOptions {
  /** A folder of this worker alone: its children's folders and the record of their pids. */
  workDir: string;
  clock: Clock;
  log: Logger;
  /** Paths that no task may read or write, whatever it declares: database, objects, tokens, keys. */
  denied?: readonly string[];
  /** Run children as this user; only where caches, `workDir` and `readable` are open to it. */
  taskUser?: TaskUser | null;
  /** Folders that `taskUser` must be able to read: the cache of bundles. */
  readable?: readonly string[];
  /** Idle children kept for the next attempt; 4. */
  warmChildren?: number;
  /** Other limits of the pool. */
  limits?: Partial<PoolLimits>;
  /** Told of each process that is started; for metrics. */
  onStarted?: (isolation: "warm" | "fresh") => void;
}

const PRODUCT_ROOT = new URL("../../", import.meta.url);
const MAIN = new URL("src/worker/child/main.ts", PRODUCT_ROOT);
/** Modules of the product that a task's code may load while it runs. */
const productFolders = ["src", "operators"].map((folder) =>
  fileURLToPath(new URL(folder, PRODUCT_ROOT))
);

/** Attempts in child processes of their own, or in warm ones of the same bundle and rights. */
export function processExecutor(options: ProcessExecutorOptions): Executor {
  const { workDir, clock, log, onStarted = () => {} } = options;
  const childrenDir = `${workDir}/children`;
  const survivors = new Survivors(`${workDir}/pids`);
  let user: TaskUser | null = null;
  let launched = 0;

  const pool = new Pool({
    limits: poolLimits(options),
    clock,
    launch(needs) {
      const dir = `${childrenDir}/${++launched}`;
      const folders = makeChildFolders(dir, user);
      const launch: Launch = { dir, user, ...commandOf(needs, folders, options.denied ?? []) };
      try {
        const child = new ChildProcess(launch, { survivors, clock });
        onStarted(needs.isolation);
        return child;
      } catch (error) {
        Deno.removeSync(dir, { recursive: true });
        throw error;
      }
    },
    gone(child) {
      Deno.remove(child.dir, { recursive: true }).catch(() => {});
    },
  });

  return {
    name: "process",
    async start() {
      const ended = await survivors.endAll(clock);
      if (ended.length > 0) {
        log.warn("Ended task processes that an earlier life of this worker left", { pids: ended });
      }
      await Deno.remove(childrenDir, { recursive: true }).catch(() => {});
      await Deno.mkdir(childrenDir, { recursive: true });
      if (options.taskUser) user = await userFor(options.taskUser);
    },
    run(spec, host) {
      const job = new ProcessJob(spec, { host, owner: pool });
      const problem = envProblem(job.needs);
      if (problem) job.fail({ kind: "failed", error: problem });
      else pool.place(job);
      return job;
    },
    stop: () => pool.close(),
    stats: () => pool.stats(),
  };

  async function userFor(wanted: TaskUser): Promise<TaskUser | null> {
    const problem = await canRunAs(wanted, {
      dir: childrenDir,
      read: [...productFolders, ...options.readable ?? []],
    });
    if (problem === null) return wanted;
    log.warn("Task processes run as the worker's own user", {
      wanted: wanted.uid,
      because: problem,
    });
    return null;
  }
}

function poolLimits({ warmChildren = 4, limits = {} }: ProcessExecutorOptions): PoolLimits {
  return {
    idleMax: warmChildren,
    idleBurstMax: Math.max(16, warmChildren),
    idleMs: 5_000,
    startingMax: Math.max(2, navigator.hardwareConcurrency),
    patienceMs: 8,
    attemptsMax: 10_000,
    idleRssBytesMax: 256 * 1024 * 1024,
    ...limits,
  };
}

function commandOf(
  { code, entry, permissions, memoryBytesMax }: Needs,
  { workDir, inputDir }: { workDir: string; inputDir: string },
  denied: readonly string[],
): Pick<Launch, "args" | "env" | "mayRun"> {
  const declared = declaredEnv(permissions.env, (name) => Deno.env.get(name));
  if ("forbidden" in declared) throw envError(declared.forbidden);
  const args = [
    "run",
    "--quiet",
    ...code.args,
    ...permissionFlags({
      permissions,
      read: [code.dir, ...productFolders, workDir, inputDir],
      write: [workDir],
      denied,
    }),
    ...v8Flags(memoryBytesMax),
    MAIN.href,
    code.dir,
    entry,
  ];
  return {
    args,
    env: { ...declared.env, ...code.env },
    mayRun: permissions.run.length > 0,
  };
}

function envProblem({ permissions }: Needs) {
  const declared = declaredEnv(permissions.env, () => undefined);
  if (!("forbidden" in declared)) return null;
  const { code, message, name } = envError(declared.forbidden);
  return { code, message: messageOf(message), name };
}

function envError(name: string): AppError {
  return new AppError(
    "FORBIDDEN",
    `Cannot give a task the environment variable ${name}: it belongs to Tidewheel itself; ` +
      `put what the task needs into a connection or a variable`,
  );
}
