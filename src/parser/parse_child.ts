/** @module A process that imports DAG files, seen from outside: asked, watched, killed. */
import { fileURLToPath } from "node:url";
import type { Clock } from "../base/clock.ts";
import { randomToken } from "../base/ids.ts";
import { frameMark } from "../contract/child.ts";
import { AppError } from "../model/errors.ts";
import type { ModuleRuntime } from "../objects/module_runtime.ts";
import type { ThrownError } from "./import_error.ts";
import { rssBytes } from "./rss.ts";

/** What the import of one file may take. */
export interface ParseLimits {
  /** Time of one file's import. */
  ms: number;
  /** Resident memory of the process. */
  rssBytes: number;
}

/** What came of one import. */
export type ChildAnswer =
  | { kind: "dags"; dags: unknown[] }
  | { kind: "thrown"; error: ThrownError }
  /** The process is gone: killed at a limit, or ended by itself. */
  | { kind: "stopped"; why: string; isTimeout?: boolean };

/** Options of {@link startParseChild}. */
export interface ParseChildOptions {
  runtime: ModuleRuntime;
  /** Folders that it may read, beside the product's own modules. */
  readDirs: string[];
  limits: ParseLimits;
  clock: Clock;
  /** Ends the process when it aborts. */
  signal?: AbortSignal;
}

/** A running child. */
export interface ParseChild {
  /** Let it import the module at `url`, after those that it was sent before. */
  send(url: string): void;
  /** What came of the next of them; `ms` is the time from now. */
  receive(ms: number): Promise<ChildAnswer>;
  /** End the process, whatever it does; resolves when it is gone. */
  stop(): Promise<void>;
}

const MEMORY_CHECK_MS = 25;
/** From a process's start to its first word; not the DAG file's time. */
const START_MS = 10_000;
const EXIT_MS = 200;
const STDERR_CHARS_MAX = 8_000;
/** Longest line a child may answer. */
const ANSWER_CHARS_MAX = 32 * 1024 * 1024;
/** Processor seconds beside the limits, after which the system itself ends a forgotten child. */
const CPU_GRACE_S = 120;

/** Start a child. Throws UNAVAILABLE when it does not come up. */
export async function startParseChild(options: ParseChildOptions): Promise<ParseChild> {
  const { limits, clock, signal } = options;
  const process = spawn(options);
  const onAbort = () => kill(process);
  signal?.addEventListener("abort", onAbort, { once: true });
  const nonce = randomToken();
  const answers = readAnswers(process.stdout, nonce);
  const stderr = readTail(process.stderr);
  const writer = process.stdin.getWriter();
  const encoder = new TextEncoder();
  let sent = 0;
  let received = 0;

  const writeLine = (line: string) => writer.write(encoder.encode(`${line}\n`)).catch(() => {});
  const stop = async () => {
    signal?.removeEventListener("abort", onAbort);
    kill(process);
    await Promise.all([process.status, writer.close().catch(() => {}), stderr, answers.done]);
  };

  const watched = async (ms: number): Promise<Answer | ChildAnswer> => {
    using watch = abortedAtEnd();
    const answer = await Promise.race([
      answers.next(),
      clock.sleep(ms, watch).then(() => ({ ...stopped(timeWords(ms)), isTimeout: true })),
      memoryWatch(process.pid, { limits, clock, signal: watch.signal }),
    ]);
    if (answer !== null) return answer;
    // It has ended, or has closed its output and goes on.
    await Promise.race([process.status, clock.sleep(EXIT_MS, watch)]);
    kill(process);
    return stopped(exitWords(await process.status, await stderr, limits));
  };

  void writeLine(nonce);
  const ready = await watched(Math.max(limits.ms, START_MS));
  if (!("ready" in ready)) {
    await stop();
    throw new AppError(
      "UNAVAILABLE",
      `Cannot start a process to import DAG files: ${"why" in ready ? ready.why : "no answer"}`,
      { detail: { stderr: await stderr } },
    );
  }
  return {
    stop,
    send: (url) => void writeLine(JSON.stringify({ id: ++sent, url })),
    async receive(ms) {
      const answer = await watched(ms);
      if ("kind" in answer) return answer;
      if (answer.id !== ++received) return stopped("it wrote an answer of its own making");
      if (answer.error) return { kind: "thrown", error: answer.error };
      return { kind: "dags", dags: answer.dags ?? [] };
    },
  };
}

interface Answer {
  ready?: true;
  id?: number;
  dags?: unknown[];
  error?: ThrownError;
}

const stopped = (why: string): ChildAnswer => ({ kind: "stopped", why });

function spawn({ runtime, readDirs, limits }: ParseChildOptions): Deno.ChildProcess {
  const product = ["../", "../../operators/"].map((folder) =>
    fileURLToPath(new URL(folder, import.meta.url))
  );
  const read = [...readDirs, ...product].map((path) => path.replaceAll(",", ",,")).join(",");
  const heapMb = Math.floor(limits.rssBytes / 2 / 1024 / 1024);
  const args = [
    ...["run", ...runtime.args, "--quiet"],
    ...[`--allow-read=${read}`, `--v8-flags=--max-old-space-size=${heapMb}`],
    fileURLToPath(new URL("./child.ts", import.meta.url)),
  ];
  // Should this process die, the system ends a child that loops; and none leaves a core dump.
  const cpuSeconds = Math.ceil(limits.ms / 1000) + CPU_GRACE_S;
  const shell = `ulimit -c 0; ulimit -t ${cpuSeconds}; exec "$0" "$@"`;
  const [command, commandArgs] = Deno.build.os === "windows"
    ? [Deno.execPath(), args]
    : ["/bin/sh", ["-c", shell, Deno.execPath(), ...args]];
  return new Deno.Command(command, {
    args: commandArgs,
    clearEnv: true,
    env: runtime.env,
    cwd: runtime.dir,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Resolves when the process has grown past the limit; never otherwise. */
async function memoryWatch(
  pid: number,
  { limits, clock, signal }: { limits: ParseLimits; clock: Clock; signal: AbortSignal },
): Promise<ChildAnswer> {
  for (;;) {
    await clock.sleep(MEMORY_CHECK_MS, { signal });
    if (signal.aborted) return stopped("");
    const rss = await rssBytes(pid);
    if (rss !== null && rss > limits.rssBytes) return stopped(memoryWords(limits));
  }
}

function timeWords(ms: number): string {
  return `its import did not end within ${ms / 1000} s`;
}

function memoryWords({ rssBytes }: ParseLimits): string {
  return `its import took more than ${Math.round(rssBytes / 1024 / 1024)} MB of memory`;
}

function exitWords(
  { code, signal }: Deno.CommandStatus,
  stderr: string,
  limits: ParseLimits,
): string {
  if (/out of memory/i.test(stderr)) return memoryWords(limits);
  const how = signal ? `by ${signal}` : `with code ${code} (Deno.exit?)`;
  const last = stderr.trim().split("\n").at(-1);
  return `its import ended the process ${how}${last ? `: ${last.slice(0, 300)}` : ""}`;
}

/** Lines with the nonce are answers; all else is what DAG files printed. Null once it has ended. */
function readAnswers(stdout: ReadableStream<Uint8Array>, nonce: string) {
  const mark = `${frameMark}${nonce} `;
  const queue: (Answer | null)[] = [];
  let waiting: ((answer: Answer | null) => void) | null = null;
  const push = (answer: Answer | null) => {
    if (waiting) waiting(answer);
    else queue.push(answer);
    waiting = null;
  };
  const done = (async () => {
    let rest = "";
    for await (const chunk of stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      if (rest.length > ANSWER_CHARS_MAX) break;
      for (const line of lines) {
        const at = line.indexOf(mark);
        if (at >= 0) push(JSON.parse(line.slice(at + mark.length)));
      }
    }
  })().catch(() => {}).finally(() => push(null));
  return {
    done,
    next: () =>
      queue.length > 0
        ? Promise.resolve(queue.shift()!)
        : new Promise<Answer | null>((resolve) => waiting = resolve),
  };
}

async function readTail(stream: ReadableStream<Uint8Array>): Promise<string> {
  let tail = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    tail = (tail + chunk).slice(-STDERR_CHARS_MAX);
  }
  return tail;
}

function abortedAtEnd(): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  return { signal: controller.signal, [Symbol.dispose]: () => controller.abort() };
}
