/** @module The body of `task.command`: one program from its start to its exit code. */
import { limits } from "../base/limits.ts";
import { AppError } from "../model/errors.ts";
import { type CommandParams, programFolders, programPaths } from "./command.ts";
import type { TaskContext } from "./context.ts";
import type { Json } from "./json.ts";
import { FinalError, type OperatorRun } from "./operator.ts";

/** Last lines of standard error that go with a failure. */
const STDERR_LINES_KEPT = 20;

/** Run the program and make an outcome of its exit code. */
export const run: OperatorRun<CommandParams, { input?: Json }, Json> = async (call) => {
  const { params, ctx } = call;
  for (const [name, text] of Object.entries(params.files)) {
    await Deno.writeTextFile(`${ctx.workDir}/${name}`, text);
  }
  const child = spawn(params, ctx);
  const stop = () => signalChild(child);
  ctx.signal.addEventListener("abort", stop, { once: true });
  if (ctx.signal.aborted) stop();
  try {
    const said = new Output(params);
    const last: string[] = [];
    const [status] = await Promise.all([
      child.status,
      feed(child, textForStdin(call)),
      eachLine(child.stdout, (line) => {
        if (params.output === "none") ctx.log.info(line);
        else if (!said.add(line)) stop();
      }),
      eachLine(child.stderr, (line) => {
        ctx.log.info(line);
        last.push(line);
        if (last.length > STDERR_LINES_KEPT) last.shift();
      }),
    ]);
    ctx.signal.throwIfAborted();
    if (said.isTooLong) throw tooLong(params);
    if (params.skipExitCodes.includes(status.code)) {
      return { kind: "skip", reason: `${params.program} exited with code ${status.code}` };
    }
    if (!status.success) throw failed(params, status, last);
    return { kind: "done", output: said.value() };
  } finally {
    ctx.signal.removeEventListener("abort", stop);
  }
};

/** Start the program at the first path at which it is. */
function spawn({ program, args, env }: CommandParams, ctx: TaskContext): Deno.ChildProcess {
  for (const path of programPaths(program)) {
    try {
      return new Deno.Command(path, {
        args,
        cwd: ctx.workDir,
        clearEnv: true,
        env: {
          PATH: programFolders.join(":"),
          LANG: "C.UTF-8",
          TZ: "UTC",
          HOME: ctx.workDir,
          TMPDIR: ctx.workDir,
          ...env,
        },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new FinalError(
    `Cannot run "${program}": there is none at ${programPaths(program).join(", ")}; ` +
      `install it where workers run, or give its absolute path`,
  );
}

function textForStdin({ params, inputs }: Parameters<typeof run>[0]): string {
  return inputs.input === undefined ? params.stdin : JSON.stringify(inputs.input);
}

/** A program need not read what it is given. */
async function feed(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    if (text !== "") await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // It closed its end, or has exited.
  }
}

function signalChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has exited.
  }
}

/** Call `take` with each line as soon as it is whole; the last one may lack its end. */
async function eachLine(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) take(line.replace(/\r$/, ""));
    if (rest.length > limits.outputBytes) {
      take(rest);
      rest = "";
    }
  }
  if (rest !== "") take(rest);
}

/** Standard output, as far as it is the task's output. */
class Output {
  readonly #params: CommandParams;
  readonly #lines: string[] = [];
  #chars = 0;

  constructor(params: CommandParams) {
    this.#params = params;
  }

  get isTooLong(): boolean {
    return this.#chars > limits.outputBytes;
  }

  /** Keep a line; false when there is more than a task may put out. */
  add(line: string): boolean {
    this.#chars += line.length + 1;
    if (!this.isTooLong) this.#lines.push(line);
    return !this.isTooLong;
  }

  value(): Json {
    const { output, program } = this.#params;
    if (output === "none") return null;
    if (output === "lines") return this.#lines;
    const text = this.#lines.join("\n");
    if (output === "text") return text;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new FinalError(
        `Cannot take the output of ${program} as JSON: ${(error as Error).message}; it begins ` +
          `with ${JSON.stringify(text.slice(0, 80))}`,
      );
    }
  }
}

function tooLong({ program }: CommandParams): FinalError {
  return new FinalError(
    `Cannot keep the output of ${program}: it is longer than ${limits.outputBytes} bytes; let it ` +
      `write a file and put out the name`,
  );
}

function failed(
  { program }: CommandParams,
  { code, signal }: Deno.CommandStatus,
  stderr: readonly string[],
): AppError {
  const how = signal ? `was killed by ${signal}` : `exited with code ${code}`;
  const last = stderr.findLast((line) => line.trim() !== "");
  return new AppError("INVALID", `${program} ${how}${last ? `: ${last}` : ""}`, {
    detail: { exitCode: signal ? null : code, signal, stderr },
  });
}
