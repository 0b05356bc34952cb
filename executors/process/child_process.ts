/** @module One child: a Deno process that imports one bundle and runs attempts, one at a time. */
import type { Clock } from "../../src/base/clock.ts";
import { randomToken } from "../../src/base/ids.ts";
import type { FromChild, ToChild } from "../../src/contract/child.ts";
import { encodeFrame, FrameReader } from "../../src/contract/frames.ts";
import {
  cpuMs,
  offerToOomKiller,
  type ProcessId,
  processId,
  processTree,
  residentBytes,
} from "../../src/base/processes.ts";
import { killGroup, type Survivors } from "./survivors.ts";

const STDERR_LINES_KEPT = 20;
/** A grandchild can hold the pipes open for ever; what it still says is lost. */
const DRAIN_MS = 2_000;

/** A line of a native stack trace, which the runtime prints when it crashes: says nothing to us. */
const nativeFrame = /^\s+\S+\(\+?0x[0-9a-f]+\) \[0x[0-9a-f]+\]$/;

/** How a process is started. */
export interface Launch {
  args: string[];
  env: Record<string, string>;
  /** Its own folder. */
  dir: string;
  user: { uid: number; gid: number } | null;
  /** It may start programs: what they use counts as its own. */
  mayRun: boolean;
}

/** Where a child's words go while an attempt runs in it. */
export interface ChildListener {
  frame(frame: Exclude<FromChild, { type: "ready" }>, bytes: number): void;
  /** A line that is not a frame. */
  line(text: string, from: "stdout" | "stderr"): void;
  /** It broke the protocol; it is of no use any more. */
  broken(why: string): void;
  /** See `JobHost.pressure`. */
  pressure(): Promise<void> | null;
}

/** How a process went. */
export interface ChildExit {
  exitCode: number | null;
  signal: string | null;
  stderr: string[];
}

/** A running child. */
export class ChildProcess {
  /** Where it works; removed by its owner. */
  readonly dir: string;
  /** The user that it runs as; null: the worker's own. */
  readonly user: Launch["user"];
  readonly pid: number;
  /** Resolves once it has imported its bundle (or failed to); never when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves once the process is gone. */
  readonly exited: Promise<ChildExit>;
  #listener: ChildListener | null = null;
  /** Told when the process is gone; null: they have been. */
  #exitListeners: Set<(exit: ChildExit) => void> | null = new Set();
  #hasExited = false;
  /** From now on its number may be another process's. */
  #isReaped = false;
  readonly #mayRun: boolean;
  readonly #id: ProcessId | null;
  readonly #nonce = randomToken(12);
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #stderr: string[] = [];
  readonly #becameReady = Promise.withResolvers<void>();
  readonly #survivors: Survivors;

  /** Throws what the operating system says when it cannot be started. */
  constructor(launch: Launch, { survivors, clock }: { survivors: Survivors; clock: Clock }) {
    this.dir = launch.dir;
    this.user = launch.user;
    this.#mayRun = launch.mayRun;
    this.#survivors = survivors;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: launch.args,
      env: launch.env,
      clearEnv: true,
      cwd: launch.dir,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      // A group of its own: no Ctrl-C from the terminal, and its own children die with it.
      detached: true,
      ...launch.user,
    }).spawn();
    this.pid = this.#process.pid;
    this.#id = processId(this.pid);
    if (this.#id) survivors.add(this.#id);
    offerToOomKiller(this.pid);
    this.#input = this.#process.stdin.getWriter();
    this.sendEncoded(new TextEncoder().encode(this.#nonce + "\n"));
    this.ready = this.#becameReady.promise;
    this.exited = this.#live(clock);
    this.exited.then((exit) => {
      const listeners = this.#exitListeners!;
      this.#exitListeners = null;
      for (const tell of listeners) tell(exit);
    });
  }

  /** Has it been seen to be gone? */
  get hasExited(): boolean {
    return this.#hasExited;
  }

  /**
   * Have `tell` called once the process is gone, unless what is returned is called before. A reaction
   * to {@link exited} would stay as long as the process does, and keep each of its attempts.
   */
  onExit(tell: (exit: ChildExit) => void): () => void {
    if (this.#exitListeners === null) this.exited.then(tell);
    this.#exitListeners?.add(tell);
    return () => void this.#exitListeners?.delete(tell);
  }

  /** Give its words to `listener`; null: nobody, they are dropped. */
  listen(listener: ChildListener | null): void {
    this.#listener = listener;
  }

  /** Send a frame; false when the child was gone before it had all of it. */
  send(frame: ToChild): Promise<boolean> {
    return this.sendEncoded(this.encode(frame));
  }

  /** A frame as it would be sent. */
  encode(frame: ToChild): Uint8Array<ArrayBuffer> {
    return encodeFrame(this.#nonce, frame);
  }

  /** See {@link encode}. */
  sendEncoded(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    return this.#input.write(bytes).then(() => true, () => false);
  }

  /** End it at once. */
  kill(): void {
    if (!this.#isReaped) killGroup(this.pid);
  }

  /** What it and the programs that it runs use now; null when it is gone. */
  usage(): { rssBytes: number; cpuMs: number } | null {
    if (this.#isReaped) return null;
    const own = residentBytes(this.pid);
    if (own === null) return null;
    const usage = { rssBytes: own, cpuMs: cpuMs(this.pid) ?? 0 };
    for (const pid of this.#mayRun ? processTree(this.pid).slice(1) : []) {
      usage.rssBytes += residentBytes(pid) ?? 0;
      usage.cpuMs += cpuMs(pid) ?? 0;
    }
    return usage;
  }

  async #live(clock: Clock): Promise<ChildExit> {
    const output = Promise.all([this.#readOutput(), this.#readErrors()]);
    const status = await this.#process.status;
    this.#isReaped = true;
    // What it started itself must not outlive it.
    killGroup(this.pid);
    const drained = new AbortController();
    await Promise.race([output, clock.sleep(DRAIN_MS, { signal: drained.signal })]);
    drained.abort();
    this.#hasExited = true;
    if (this.#id) this.#survivors.remove(this.#id);
    this.#input.abort().catch(() => {});
    return {
      exitCode: status.signal === null ? status.code : null,
      signal: status.signal,
      stderr: this.#stderr,
    };
  }

  async #readOutput(): Promise<void> {
    const frames = new FrameReader(this.#nonce, {
      frame: (json, bytes) => this.#take(json, bytes),
      stray: (line) => this.#listener?.line(line, "stdout"),
      tooLarge: (bytes) => this.#listener?.broken(`it sent a frame of ${bytes} bytes`),
    });
    await this.#read(this.#process.stdout, (chunk) => frames.push(chunk));
    frames.end();
  }

  #take(json: string, bytes: number): void {
    let frame: FromChild;
    try {
      frame = JSON.parse(json);
    } catch {
      return this.#listener?.broken("it sent a frame that is not JSON");
    }
    if (frame.type === "ready") this.#becameReady.resolve();
    else this.#listener?.frame(frame, bytes);
  }

  async #readErrors(): Promise<void> {
    // The same splitting; without a nonce everything is stray.
    const lines = new FrameReader("", {
      frame: (json) => this.#error(json),
      stray: (line) => this.#error(line),
      tooLarge() {},
    });
    await this.#read(this.#process.stderr, (chunk) => lines.push(chunk));
    lines.end();
  }

  #error(line: string): void {
    if (line.trim() === "" || nativeFrame.test(line)) return;
    this.#stderr.push(line.slice(0, 1000));
    if (this.#stderr.length > STDERR_LINES_KEPT) this.#stderr.shift();
    this.#listener?.line(line, "stderr");
  }

  async #read(
    stream: ReadableStream<Uint8Array>,
    take: (chunk: Uint8Array) => void,
  ): Promise<void> {
    const reader = stream.getReader();
    try {
      for (;;) {
        const { value } = await reader.read();
        if (!value) return;
        take(value);
        const pressure = this.#listener?.pressure() ?? null;
        if (pressure) await pressure;
      }
    } catch {
      // The pipe broke; the end of the process says why.
    }
  }
}
