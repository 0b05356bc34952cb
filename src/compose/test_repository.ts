/** @module `tidewheel test`: a repository's DAG files, their schedules, their types and its tests. */
import { dirname, relative, resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Output, VerbContext, VerbOptions } from "../cli/mod.ts";
import { printJson, tableText } from "../cli/print.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { MemoryDag } from "../parser/mod.ts";
import type { Settings } from "../settings.ts";
import { nextRunOf } from "../timetable/mod.ts";
import { parseAll, type Parsed } from "./parse_all.ts";
import { checkSdkVersion } from "./sdk_version.ts";

/** What `tidewheel test` does; exit code 1 when a file cannot be used, a type or a test fails. */
export async function runTests(
  readSettings: () => Settings,
  { output }: VerbContext,
  [path]: string[],
  options: VerbOptions,
): Promise<number> {
  const target = resolve(path ?? ".");
  const found = await Deno.stat(target).catch(() => null);
  if (!found) {
    throw new AppError("NOT_FOUND", `Cannot test ${path}: there is no such file or folder`);
  }
  const root = await rootOf(found.isDirectory ? target : dirname(target));
  await checkSdkVersion(root);
  const dagsDir = root === Deno.cwd() ? resolve(readSettings().dagsDir) : `${root}/dags`;
  const parsed = await parseAll(dagsDir);
  if (!output.json) showParsed(output, parsed, relative(root, dagsDir) || ".");
  const isParsed = parsed.errors.length === 0;
  const types = isParsed ? await deno(root, ["check", "--quiet", dagsDir], output) : null;
  const tests = isParsed && types?.code === 0
    ? await deno(root, testArgs(target === root ? [] : [target], options), output)
    : null;
  // Deno says 1 where it finds no test; a repository without tests is not wrong.
  const isEmpty = tests !== null && /No test modules found/.test(tests.text);
  const isGood = isParsed && types?.code === 0 && (tests?.code === 0 || isEmpty);
  if (output.json) printJson(output, documentOf(parsed, types, tests, isGood));
  else if (isEmpty) output.out("No tests: files named *_test.ts are\n");
  return isGood ? 0 : 1;
}

const testArgs = (paths: string[], options: VerbOptions) => [
  ...["test", "--allow-all", "--no-prompt"],
  ...(typeof options.filter === "string" ? ["--filter", options.filter] : []),
  ...(options.serial === true ? [] : ["--parallel"]),
  ...paths,
];

/** The nearest folder with a deno.json; without one the folder itself. */
async function rootOf(folder: string): Promise<string> {
  for (let dir = folder;; dir = dirname(dir)) {
    if (await Deno.stat(`${dir}/deno.json`).catch(() => null)) return dir;
    if (dirname(dir) === dir) return folder;
  }
}

function showParsed(output: Output, { dags, errors, warnings }: Parsed, folder: string): void {
  if (dags.length > 0) {
    output.out(tableText(dags, {
      dag: ({ dagId }) => dagId,
      file: ({ fileloc }) => fileloc,
      tasks: ({ current }) => current.spec.tasks.length,
      "next run": ({ current }) => nextOf(current.spec),
    }));
  } else if (errors.length === 0) output.out(`No DAGs in ${folder}\n`);
  for (const warning of warnings) output.err(`warning: ${warning}\n`);
  for (const [file, { message, path, line, column, frame }] of errors) {
    const place = line === null ? path : `${path}:${line}${column === null ? "" : `:${column}`}`;
    output.err(`\n${folder}/${file}: ${message}\n  at ${folder}/${place}\n${frame ?? ""}\n`);
  }
}

function nextOf(spec: MemoryDag["current"]["spec"]): string {
  try {
    const next = nextRunOf(spec, { lastInterval: null, now: systemClock.now() });
    return next?.runAfter.toISOString().slice(0, 16).concat("Z") ??
      (spec.schedule.kind === "datasets" ? "by datasets" : "by hand");
  } catch (error) {
    return messageOf(error);
  }
}

/** Run Deno in the repository; what it says is shown as it comes, and for `--json` kept. */
async function deno(root: string, args: string[], output: Output) {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: output.isTerminal ? {} : { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const relay = async (stream: ReadableStream<Uint8Array>, show: (text: string) => void) => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (!output.json) show(chunk);
    }
  };
  const [{ code }] = await Promise.all([
    child.status,
    relay(child.stdout, output.out),
    relay(child.stderr, output.err),
  ]);
  return { code, text };
}

type Done = { code: number; text: string } | null;

function documentOf({ dags, errors, warnings }: Parsed, types: Done, tests: Done, isGood: boolean) {
  return {
    success: isGood,
    dags: dags.map(({ dagId, fileloc, current }) => ({
      dag_id: dagId,
      file: fileloc,
      tasks: current.spec.tasks.length,
    })),
    import_errors: errors.map(([file, error]) => ({ file, ...error })),
    warnings,
    types: types && { exit_code: types.code, output: types.text },
    tests: tests && { exit_code: tests.code, output: tests.text },
  };
}
