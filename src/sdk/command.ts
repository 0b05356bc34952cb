/** @module `task.command`: any program as a task. Declaration only; the work is in command_run.ts. */
import { z } from "zod";
import type { Json } from "./json.ts";
import { operator, type OperatorOptions } from "./operator.ts";
import type { TaskRef } from "./ref.ts";

/** Where a program that is named without a folder is looked for, in this order. */
export const programFolders = ["/usr/local/bin", "/usr/bin", "/bin"] as const;

/** What of its standard output becomes the task's output. */
const outputModes = ["none", "text", "lines", "json"] as const;

/** Parameters of `task.command`. */
export const CommandParams = z.object({
  program: z.string().min(1).meta({
    doc: `A constant: an absolute path, or a name in ${programFolders.join(", ")}`,
    example: "python3",
  }),
  args: z.array(z.string()).default([]).meta({ doc: "Its arguments; no shell reads them" }),
  env: z.record(z.string(), z.string()).default({}).meta({
    doc: "Its environment, beside PATH, LANG, TZ=UTC, HOME and TMPDIR (both the work folder)",
  }),
  files: z.record(z.string().regex(/^(?!\.{1,2}(\/|$))[^/\0]+$/), z.string()).default({}).meta({
    doc: "Files that lie in its working folder, by name: a script imported as text, say",
  }),
  stdin: z.string().default("").meta({
    doc: "Its standard input; with `input` wired: that, as JSON",
  }),
  output: z.enum(outputModes).default("none").meta({
    doc: "What of its standard output is the task's output. Lines of `none` go to the log",
  }),
  skipExitCodes: z.array(z.int().min(1).max(255)).default([99]).meta({
    doc: "Exit codes that mean: skip this task",
  }),
});
/** See {@link CommandParams}. */
export type CommandParams = z.output<typeof CommandParams>;

const inputs = { input: z.json().optional() };

const commandOperator = operator({
  name: "task.command",
  summary: "Run a program: shell, Python or any other, under declared permissions",
  params: CommandParams,
  inputs,
  output: z.json(),
  permissions: ({ program }) => ({
    run: typeof program === "string" ? programPaths(program) : [],
  }),
  load: () => import("./command_run.ts"),
});

/** Paths at which a program may be. */
export function programPaths(program: string): string[] {
  return program.startsWith("/") ? [program] : programFolders.map((dir) => `${dir}/${program}`);
}

/** What each mode makes of standard output. */
export type CommandOutput<Mode> = Mode extends "json" ? Json
  : Mode extends "lines" ? string[]
  : Mode extends "text" ? string
  : null;

/** Options of `task.command`; see {@link CommandParams}. */
export type CommandOptions<Mode> =
  & Omit<OperatorOptions<typeof CommandParams, typeof inputs>, "output" | "program">
  & { program: string; output?: Mode };

/** The type of {@link command}. */
export interface CommandMaker {
  <const Mode extends typeof outputModes[number] = "none">(
    options: CommandOptions<Mode>,
  ): TaskRef<CommandOutput<Mode>>;
  readonly operator: typeof commandOperator.operator;
}

/**
 * Declare a task that runs a program. Exit code 0 is success, one of `skipExitCodes` a skip, any
 * other a failure. Standard error, and standard output unless it is the output, go to the log line
 * by line. It gets a process of its own (`isolation: "fresh"`), so that whatever it leaves running
 * ends with the attempt; on cancel and timeout it gets SIGTERM, then the whole group SIGKILL.
 *
 * A program is outside of Deno's permissions: it may do what the worker's user may.
 *
 * @example
 * ```ts
 * import { dag, task } from "tidewheel";
 *
 * export default dag({ id: "shell", schedule: "@daily", start: "2026-01-01" }, () => {
 *   task.command({
 *     id: "count",
 *     program: "sh",
 *     args: ({ interval }) => ["-c", 'echo "day $0"', interval.date],
 *     output: "text",
 *   });
 * });
 * ```
 */
export const command = Object.assign(
  (options: CommandOptions<"none">) =>
    commandOperator({ isolation: "fresh", ...options } as Parameters<typeof commandOperator>[0]),
  { operator: commandOperator.operator },
) as CommandMaker;
