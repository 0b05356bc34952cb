/** @module What runs attempts: the port that every executor implements and every worker drives. */
import type { Ask, ChildError, ChildTask } from "../contract/child.ts";
import type { LogLine } from "../contract/execution.ts";
import type { PermissionsSpec } from "../model/dag_spec.ts";

/** Starts attempts and ends them. `tests/conformance/executor.ts` says what each must do. */
export interface Executor {
  /** `process`, `in_process`… */
  readonly name: string;
  /** Get ready; end what an earlier life of this worker left running. */
  start(): Promise<void>;
  /** Begin one attempt. Never throws: whatever goes wrong is in {@link Job.ended}. */
  run(spec: JobSpec, host: JobHost): Job;
  /** Kill whatever still runs; resolves when nothing does. */
  stop(): Promise<void>;
  /** Figures for health and metrics. */
  stats(): ExecutorStats;
}

/** One attempt to run. */
export interface JobSpec {
  workload: ChildTask["workload"];
  code: JobCode;
  /** The task's permissions with `connection:<id>` entries replaced by hosts. */
  permissions: PermissionsSpec;
}

/** A bundle that is ready to be imported. */
export interface JobCode {
  /** Folder with the verified bundle; empty where the executor imports by other means. */
  dir: string;
  /** Arguments of `deno run` that make its imports work; see `src/objects/module_runtime.ts`. */
  args: readonly string[];
  /** The whole environment of a process that runs it. */
  env: Readonly<Record<string, string>>;
}

/** What a job needs of its supervisor. */
export interface JobHost {
  log(level: LogLine["level"], message: string, fields?: LogLine["fields"]): void;
  /** Answer a question of the task's code; rejects with an error for it. */
  ask(ask: Ask, folders: JobFolders): Promise<unknown>;
  /** Null, or what to wait for before more of the task's output is read. */
  pressure(): Promise<void> | null;
}

/** Folders of one attempt. */
export interface JobFolders {
  /** The task's code reads and writes it. */
  workDir: string;
  /** The task's code reads it; made by the first who needs it. */
  inputDir: string;
}

/** A job under way. */
export interface Job {
  /**
   * Ask the task's code to stop (its `AbortSignal` aborts). From now on `ended` means that the
   * process is gone as well.
   */
  cancel(reason: string): void;
  /** End the process at once. */
  kill(): void;
  /** Resident memory and processor time now; null where the attempt has no process of its own. */
  usage(): JobUsage | null;
  /** Resolves, never rejects, when the attempt is over: nothing of it runs any more. */
  readonly ended: Promise<JobEnd>;
}

/** See {@link Job.usage}. */
export interface JobUsage {
  rssBytes: number;
  /** Since the attempt began. */
  cpuMs: number;
}

/** How a job ended. */
export type JobEnd =
  /** The task's code returned; `bytes` is the size of the outcome's JSON, 0 when not known. */
  | { kind: "outcome"; outcome: unknown; bytes: number }
  /** It threw, or its module could not be imported (`error.detail.endReason` is "bundle"). */
  | { kind: "failed"; error: ChildError }
  /** Its process ended without a word. */
  | { kind: "exited"; exitCode: number | null; signal: string | null; stderr: string[] }
  /** Its code never ran: no process could be started for it. */
  | { kind: "not_started"; message: string };

/** See {@link Executor.stats}. */
export interface ExecutorStats {
  busy: number;
  idle: number;
  starting: number;
}
