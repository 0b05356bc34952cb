/** @module One engine process as its parent sees it. */
import { type Clock, systemClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { EngineRequest, EngineResult } from "../contract/child.ts";
import { AppError } from "../model/errors.ts";
import { bindingDir, engineEnvironment, processModule } from "./binding.ts";
import { TextLineStream } from "./lines.ts";
import type { EngineSettings, FromEngine, ToEngine } from "./protocol.ts";

const STDERR_CHARS = 4_000;

/** A running process; it has at most one open instance. */
export class EngineProcess {
  readonly #child: Deno.ChildProcess;
  readonly #clock: Clock;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #waiting: { resolve(message: FromEngine): void; reject(error: unknown): void } | null = null;
  #unread: FromEngine[] = [];
  #ended: AppError | null = null;
  #stderr = "";
  #queue: Promise<unknown> = Promise.resolve();
  #running = 0;
  /** Instances that it has had. */
  uses = 0;

  private constructor(child: Deno.ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    this.#writer = child.stdin.getWriter();
    this.#read().catch(() => {});
    this.#readErrors().catch(() => {});
    child.status.then((status) => this.#end(status));
  }

  /** Spawn a process and wait until it has loaded DuckDB. */
  static async spawn(clock: Clock = systemClock): Promise<EngineProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--quiet",
        "--v8-flags=--max-old-space-size=256",
        `--allow-ffi=${await bindingDir()}`,
        processModule.href,
      ],
      env: engineEnvironment(),
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const started = new EngineProcess(child, clock);
    await started.#next();
    return started;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#ended === null;
  }

  /** Does it run something, or wait to? */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** Resolves when the process is gone. */
  async gone(): Promise<void> {
    await this.#child.status;
  }

  /** Open an instance. */
  async open(settings: EngineSettings): Promise<void> {
    this.uses++;
    await this.#call({ type: "open", settings });
  }

  /** Run a request; on abort it is interrupted, and killed when that does not help. */
  run(request: EngineRequest, signal?: AbortSignal): Promise<EngineResult> {
    this.#running++;
    const turn = this.#queue.then(async () => {
      signal?.throwIfAborted();
      const answer = await this.#abortable(this.#call({ type: "run", request }), signal);
      return (answer as Extract<FromEngine, { type: "result" }>).result;
    }).finally(() => this.#running--);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Close the instance; the process can open another one. */
  async closeInstance(): Promise<void> {
    await this.#call({ type: "close" });
  }

  /** End the process, whatever it does. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
    await this.#child.status;
    await this.#writer.close().catch(() => {});
  }

  async #abortable<T>(call: Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!signal) return await call;
    const answered = new AbortController();
    const onAbort = async () => {
      await this.#send({ type: "interrupt" }).catch(() => {});
      await this.#clock.sleep(limits.killGraceMs, { signal: answered.signal });
      if (!answered.signal.aborted) await this.kill();
    };
    const listener = () => void onAbort();
    signal.addEventListener("abort", listener, { once: true });
    try {
      return await call;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      answered.abort();
      signal.removeEventListener("abort", listener);
    }
  }

  async #call(message: ToEngine): Promise<FromEngine> {
    if (this.#ended) throw this.#ended;
    await this.#send(message).catch((error) => {
      throw this.#ended ?? error;
    });
    const answer = await this.#next();
    if (answer.type === "failed") throw new AppError(answer.code, answer.message);
    return answer;
  }

  async #send(message: ToEngine): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(JSON.stringify(message) + "\n"));
  }

  #next(): Promise<FromEngine> {
    const unread = this.#unread.shift();
    if (unread) return Promise.resolve(unread);
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#waiting = { resolve, reject });
  }

  async #read(): Promise<void> {
    for await (const line of this.#child.stdout.pipeThrough(new TextLineStream())) {
      const message = JSON.parse(line) as FromEngine;
      const waiting = this.#waiting;
      this.#waiting = null;
      if (waiting) waiting.resolve(message);
      else this.#unread.push(message);
    }
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    }
  }

  #end({ code, signal }: Deno.CommandStatus): void {
    const how = signal ? `was killed by ${signal}` : `ended with exit code ${code}`;
    this.#ended = new AppError(
      "UNAVAILABLE",
      `Cannot run SQL: the engine's process ${how}` +
        (signal === "SIGKILL" ? ", as happens when memory runs out" : ""),
      { detail: { exitCode: code, signal, pid: this.pid }, cause: this.#stderr.trim() },
    );
    this.#waiting?.reject(this.#ended);
    this.#waiting = null;
  }
}
