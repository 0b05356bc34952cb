/** @module One attempt on its way through a child. */
import { limits } from "../../src/base/limits.ts";
import type { Ask, ChildError, FromChild } from "../../src/contract/child.ts";
import { messageOf } from "../../src/model/errors.ts";
import type {
  Job,
  JobEnd,
  JobFolders,
  JobHost,
  JobSpec,
  JobUsage,
} from "../../src/worker/executor.ts";
import type { ChildExit, ChildListener, ChildProcess } from "./child_process.ts";
import { returnFolders, takeFolders } from "./folders.ts";
import { type Needs, needsOf } from "./needs.ts";

/** Questions of one attempt under way at a time; more are read when these are answered. */
const ASKS_MAX = 256;

/** Children that may die under a job before it begins. */
const UNDELIVERED_MAX = 3;

/** What a job tells the pool. */
export interface JobOwner {
  /** It needs a child. */
  place(job: ProcessJob): void;
  /** It never got a child and needs none any more. */
  withdraw(job: ProcessJob): void;
  /** Its child is free for another one. */
  release(child: ChildProcess): void;
  /** Its child must not be used again, and is being ended. */
  discard(child: ChildProcess): void;
}

/** See {@link Job}. */
export class ProcessJob implements Job, ChildListener {
  readonly needs: Needs;
  readonly #spec: JobSpec;
  readonly ended: Promise<JobEnd>;
  /** The child that is being started for it, if it waits for one. */
  starting: ChildProcess | null = null;
  /** Since when it waits for a child, on the pool's clock. */
  waitingSinceMs = 0;
  readonly #host: JobHost;
  readonly #owner: JobOwner;
  readonly #end = Promise.withResolvers<JobEnd>();
  #child: ChildProcess | null = null;
  #folders: JobFolders | null = null;
  #result: JobEnd | null = null;
  #isLast = false;
  /** Of its child: this one is done with it. */
  #forgetExit = () => {};
  #cpuMsBefore = 0;
  #undelivered = 0;
  #asks = 0;
  #askSettled: PromiseWithResolvers<void> | null = null;

  constructor(spec: JobSpec, { host, owner }: { host: JobHost; owner: JobOwner }) {
    this.#spec = spec;
    this.needs = needsOf(spec);
    this.#host = host;
    this.#owner = owner;
    this.#isLast = this.needs.isolation === "fresh";
    this.ended = this.#end.promise;
  }

  /** Run in this child from now on. */
  begin(child: ChildProcess, sequence: number): void {
    this.starting = null;
    this.#child = child;
    child.listen(this);
    try {
      this.#folders = takeFolders(child, sequence);
    } catch (error) {
      const message = `Cannot make the attempt's folder in ${child.dir}: ${String(error)}`;
      return this.#finish({ kind: "not_started", message });
    }
    const { workload, code } = this.#spec;
    const { workDir } = this.#folders;
    const frame = child.encode({ type: "run", task: { workload, bundleDir: code.dir, workDir } });
    if (frame.length > limits.frameBytes) return this.#finish(tooLarge("inputs", frame.length));
    const delivered = child.sendEncoded(frame);
    this.#forgetExit = child.onExit(async (exit) => {
      if (this.#child === child) this.#childExited(exit, await delivered);
    });
  }

  /** It could not be begun. */
  fail(end: JobEnd): void {
    this.#result ??= end;
    this.#end.resolve(this.#result);
  }

  cancel(reason: string): void {
    this.#isLast = true;
    if (this.#child) this.#child.send({ type: "cancel", reason });
    else this.kill();
  }

  kill(): void {
    this.#isLast = true;
    if (this.#child) return this.#child.kill();
    this.#owner.withdraw(this);
    const exit = { kind: "exited" as const, exitCode: null, signal: "SIGKILL", stderr: [] };
    if (!this.starting) return this.fail(exit);
    this.starting.kill();
    this.starting.exited.then((gone) => this.fail({ ...exit, stderr: gone.stderr }));
  }

  usage(): JobUsage | null {
    const usage = (this.#child ?? this.starting)?.usage() ?? null;
    if (usage === null) return null;
    if (this.#cpuMsBefore === 0) this.#cpuMsBefore = this.#child ? usage.cpuMs : 0;
    return { ...usage, cpuMs: usage.cpuMs - this.#cpuMsBefore };
  }

  frame(frame: Exclude<FromChild, { type: "ready" }>, bytes: number): void {
    if (this.#result) return;
    switch (frame.type) {
      case "log":
        return this.#host.log(frame.level, frame.message, frame.fields);
      case "ask":
        return void this.#answer(frame.id, frame.ask);
      case "outcome":
        return this.#finish({ kind: "outcome", outcome: frame.outcome, bytes });
      case "failed":
        this.#isLast ||= frame.exiting === true;
        return this.#finish({ kind: "failed", error: frame.error });
    }
  }

  line(text: string, from: "stdout" | "stderr"): void {
    if (!this.#result) this.#host.log(from === "stdout" ? "INFO" : "WARN", text);
  }

  broken(why: string): void {
    this.#isLast = true;
    const message = `The task's process broke the protocol with its supervisor: ${why}`;
    this.#finish({ kind: "failed", error: { name: "Error", code: "CORRUPT", message } });
  }

  pressure(): Promise<void> | null {
    if (this.#asks < ASKS_MAX) return this.#host.pressure();
    this.#askSettled ??= Promise.withResolvers();
    return this.#askSettled.promise;
  }

  async #answer(id: number, ask: Ask): Promise<void> {
    this.#asks++;
    let reply: { value?: unknown; error?: ChildError };
    try {
      reply = { value: await this.#host.ask(ask, this.#folders!) };
    } catch (error) {
      reply = { error: askError(error) };
    }
    this.#asks--;
    this.#askSettled?.resolve();
    this.#askSettled = null;
    if (this.#result) return;
    const child = this.#child!;
    const bytes = child.encode({ type: "reply", id, ...reply });
    if (bytes.length <= limits.frameBytes) child.sendEncoded(bytes);
    else child.send({ type: "reply", id, error: tooLarge("answer", bytes.length).error });
  }

  #finish(end: JobEnd): void {
    this.#result = end;
    this.#forgetExit();
    const child = this.#child!;
    child.listen(null);
    if (this.#folders) returnFolders(child, this.#folders);
    if (!this.#isLast) {
      this.#end.resolve(end);
      return this.#owner.release(child);
    }
    this.#owner.discard(child);
    child.exited.then(() => this.#end.resolve(end));
  }

  #childExited(exit: ChildExit, wasDelivered: boolean): void {
    if (this.#result) return;
    if (wasDelivered || this.#isLast || ++this.#undelivered > UNDELIVERED_MAX) {
      this.#isLast = true;
      return this.#finish({ kind: "exited", ...exit });
    }
    // It died while it was idle: the task never began, and another child can run it. The folders
    // go with the dead one.
    this.#child = null;
    this.#owner.place(this);
  }
}

function tooLarge(what: string, bytes: number): Extract<JobEnd, { kind: "failed" }> {
  return {
    kind: "failed",
    error: {
      name: "AppError",
      code: "TOO_LARGE",
      message: `Cannot hand the ${what} to the task's process: ${bytes} bytes, ` +
        `at most ${limits.frameBytes} can be; give large data as files`,
    },
  };
}

/** What the task's code sees of an error of its supervisor: no cause and no stack of ours. */
function askError(error: unknown): ChildError {
  const { code, detail } = error as { code?: unknown; detail?: Record<string, unknown> };
  return {
    name: error instanceof Error ? error.name : "Error",
    ...(typeof code === "string" ? { code } : {}),
    message: messageOf(error),
    ...(detail ? { detail } : {}),
  };
}
