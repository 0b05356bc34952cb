/**
 * @module Runs every check and suite of a clean checkout and adds their results up.
 *
 * A check without tests of its own counts as one. A step that skips says so with a line that starts
 * with `SKIP `; the lines are repeated at the end. The last line is `N passed, N failed`.
 */
const deno = Deno.execPath();

interface Step {
  name: string;
  args: string[];
  env?: Record<string, string>;
}

const steps: Step[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["task", "check"] },
  { name: "tidy", args: ["run", "-A", "tools/tidy.ts"] },
  { name: "layers", args: ["run", "-A", "tools/layers.ts"] },
  { name: "docs", args: ["task", "docs", "--check"] },
  { name: "schema", args: ["task", "schema", "--check"] },
  { name: "test", args: ["task", "test"] },
  { name: "test:corpora", args: ["task", "test:corpora"] },
  { name: "simulate", args: ["task", "simulate:histories", "--runs", "10000", "--seed", "1000"] },
  { name: "test:servers", args: ["task", "test:servers"] },
];

interface Result {
  step: string;
  passed: number;
  failed: number;
  seconds: number;
  skips: string[];
}

async function run({ name, args, env }: Step): Promise<Result> {
  console.log(`\n== ${name}: deno ${args.join(" ")}`);
  const startedAt = performance.now();
  const child = new Deno.Command(deno, {
    args,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  await Promise.all([echo(child.stdout, lines), echo(child.stderr, lines)]);
  const { success } = await child.status;
  const counted = countsOf(lines) ??
    (success ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
  if (!success && counted.failed === 0) counted.failed = 1;
  const skips = lines.filter((line) => /(^|\s)SKIP /.test(line) || /\.\.\. ignored/.test(line));
  return { step: name, ...counted, seconds: (performance.now() - startedAt) / 1000, skips };
}

async function echo(stream: ReadableStream<Uint8Array>, lines: string[]) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) {
      console.log(line);
      lines.push(line);
    }
  }
  if (rest !== "") {
    console.log(rest);
    lines.push(rest);
  }
}

/** Deno's closing lines: `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`. */
function countsOf(lines: string[]): { passed: number; failed: number } | null {
  let found: { passed: number; failed: number } | null = null;
  for (const line of lines) {
    const match = line.match(/\| (\d+) passed.*\| (\d+) failed/);
    if (!match) continue;
    found ??= { passed: 0, failed: 0 };
    found.passed += Number(match[1]);
    found.failed += Number(match[2]);
  }
  return found;
}

const results: Result[] = [];
for (const step of steps) results.push(await run(step));

console.log("\n== summary");
for (const { step, passed, failed, seconds } of results) {
  console.log(`${step.padEnd(14)} ${passed} passed, ${failed} failed in ${seconds.toFixed(1)} s`);
}
const skips = results.flatMap(({ step, skips }) => skips.map((line) => `${step}: ${line.trim()}`));
for (const skip of skips) console.log(`skipped: ${skip}`);
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
