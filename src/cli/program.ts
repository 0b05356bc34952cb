/** @module The command line: verbs in, help and exit codes out. */
import { Command, CommanderError, Option } from "commander";
import { CliError } from "./client.ts";
import type { Output } from "./print.ts";
import type { Verb, VerbContext, VerbOptions } from "./verb.ts";

/** What the program is given by its composition root. */
export interface Program {
  version: string;
  /** Verbs by heading, in the order of the help page. */
  groups: Readonly<Record<string, readonly Verb[]>>;
  /** A context for one call; `json` as the user asked. */
  context(json: boolean): VerbContext;
}

/** Where the texts of commander go. */
interface CommandTexts {
  writeOut(text: string): void;
  writeErr(text: string): void;
}

/** Run the command line and return its exit code. Never throws for what a user can mend. */
export async function runProgram(program: Program, argv: string[], output: Output) {
  let code = 0;
  const end = argv.indexOf("--");
  const json = (end < 0 ? argv : argv.slice(0, end)).includes("--json");
  const texts: CommandTexts = {
    writeOut: output.out,
    // A wrong use is said once, as JSON, where its error is caught.
    writeErr: json ? () => {} : output.err,
  };
  const root = new Command("tidewheel")
    .description("Scheduler and workers for financial data ingestion")
    .version(program.version)
    .option("--json", "print one JSON document for programs")
    .exitOverride()
    .configureOutput(texts);
  for (const [heading, verbs] of Object.entries(program.groups)) {
    for (const verb of verbs) {
      root.addCommand(
        commandOf(verb, heading, texts, async (args, options) => {
          code = await verb.run(program.context(options.json === true), args, options);
        }),
      );
    }
  }
  try {
    await root.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    return json ? jsonExitCode(error, output) : exitCode(error, output);
  }
}

function commandOf(
  verb: Verb,
  heading: string,
  texts: CommandTexts,
  act: (args: string[], options: VerbOptions) => Promise<void>,
): Command {
  const command = new Command(verb.name)
    .description(verb.summary)
    .helpGroup(heading)
    .exitOverride()
    .configureOutput(texts)
    .option("--json", "print one JSON document for programs");
  for (const { name, doc } of verb.arguments ?? []) command.argument(name, doc);
  for (const { flags, doc, default: value } of verb.options ?? []) {
    const option = new Option(flags, doc);
    if (value !== undefined) option.default(value);
    command.addOption(option);
  }
  return command.action(async (...given: unknown[]) => {
    const count = verb.arguments?.length ?? 0;
    const args = given.slice(0, count).flat().filter((arg) => arg !== undefined) as string[];
    await act(args, command.optsWithGlobals());
  });
}

function exitCode(error: unknown, output: Output): number {
  if (error instanceof CommanderError) return error.exitCode;
  const { message, code, detail } = error as {
    message?: string;
    code?: string;
    detail?: unknown;
  };
  output.err(`Error: ${message ?? error}\n`);
  const expected = error instanceof CliError || typeof code === "string";
  if (!expected && error instanceof Error && error.stack) output.err(error.stack + "\n");
  if (detail && Object.keys(detail).length > 0) output.err(`${JSON.stringify(detail)}\n`);
  return 1;
}

/** One JSON object on standard error, and nothing else, for programs. */
function jsonExitCode(error: unknown, output: Output): number {
  const isUse = error instanceof CommanderError;
  if (isUse && error.exitCode === 0) return 0;
  const { message, code, detail, status } = error as {
    message?: string;
    code?: unknown;
    detail?: unknown;
    status?: number | null;
  };
  const document = {
    error: (message ?? String(error)).replace(/^error: /, ""),
    code: typeof code === "string" ? code : null,
    detail: detail ?? (typeof status === "number" ? { status } : {}),
  };
  output.err(`${JSON.stringify(document)}\n`);
  return isUse ? error.exitCode : 1;
}
