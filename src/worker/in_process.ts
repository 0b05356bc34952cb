/**
 * @module Runs attempts inside the worker's own process, without isolation, permissions or limits:
 * for `tidewheel run` and the simulation, where the one who runs the code is the one who wrote it.
 */
import type { Clock } from "../base/clock.ts";
import { logger } from "../base/log.ts";
import type { ChildTask } from "../contract/child.ts";
import type { LogLine } from "../contract/execution.ts";
import type { Outcome } from "../model/outcome.ts";
import { runTask } from "../sdk/execute.ts";
import { toChildError } from "./child_error.ts";
import type { Executor, Job, JobEnd, JobFolders, JobHost, JobSpec } from "./executor.ts";
import { type AskSupervisor, attemptServices } from "./task_services.ts";

/** Options of {@link inProcessExecutor}. */
export interface InProcessOptions {
  /** The module that declares the workload's DAG. */
  load(workload: ChildTask["workload"]): Promise<Readonly<Record<string, unknown>>>;
  clock: Clock;
  /** Where attempts have their folders; null: they have none and can keep no files. */
  workDir: string | null;
  /** Stands around each task: calls `run`, or says at once what comes of it. */
  around?(workload: ChildTask["workload"], run: () => Promise<Outcome>): Promise<Outcome>;
}

/** An executor without processes; `kill` leaves the code running and only stops listening to it. */
export function inProcessExecutor(options: InProcessOptions): Executor {
  const running = new Set<InProcessJob>();
  return {
    name: "in_process",
    start: () => Promise.resolve(),
    run(spec, host) {
      const job = new InProcessJob(spec, host, options);
      running.add(job);
      job.ended.then(() => running.delete(job));
      return job;
    },
    async stop() {
      const jobs = [...running];
      for (const job of jobs) job.kill();
      await Promise.all(jobs.map((job) => job.ended));
    },
    stats: () => ({ busy: running.size, idle: 0, starting: 0 }),
  };
}

class InProcessJob implements Job {
  readonly ended: Promise<JobEnd>;
  readonly #end = Promise.withResolvers<JobEnd>();
  readonly #controller = new AbortController();

  constructor(spec: JobSpec, host: JobHost, options: InProcessOptions) {
    this.ended = this.#end.promise;
    this.#run(spec, host, options);
  }

  cancel(reason: string): void {
    this.#controller.abort(new DOMException(reason, "AbortError"));
  }

  kill(): void {
    this.cancel("killed");
    this.#end.resolve({ kind: "exited", exitCode: null, signal: "SIGKILL", stderr: [] });
  }

  usage(): null {
    return null;
  }

  async #run(
    { workload }: JobSpec,
    host: JobHost,
    { load, clock, workDir, around = (_workload, run) => run() }: InProcessOptions,
  ): Promise<void> {
    const folders = foldersOf(workDir, workload.attemptId);
    const ask = ((question) => host.ask(question, folders)) as AskSupervisor;
    const services = attemptServices({
      ask,
      log: logger((level, message, fields) =>
        host.log(level, message, fields as LogLine["fields"])
      ),
      signal: this.#controller.signal,
      clock,
      workDir: folders.workDir,
    });
    try {
      if (workDir !== null) await Deno.mkdir(folders.workDir, { recursive: true });
      const outcome = await around(
        workload,
        async () => await runTask(await load(workload), workload, services),
      );
      this.#end.resolve({ kind: "outcome", outcome, bytes: 0 });
    } catch (error) {
      this.#end.resolve({ kind: "failed", error: toChildError(error) });
    }
    services.close();
    if (workDir !== null) await removeFolders(folders);
  }
}

function foldersOf(workDir: string | null, attemptId: string): JobFolders {
  if (workDir === null) return { workDir: "", inputDir: "" };
  return { workDir: `${workDir}/${attemptId}/work`, inputDir: `${workDir}/${attemptId}/input` };
}

async function removeFolders({ workDir }: JobFolders): Promise<void> {
  await Deno.remove(workDir.replace(/\/work$/, ""), { recursive: true }).catch(() => {});
}
