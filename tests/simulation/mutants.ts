/**
 * @module Plants mistakes in a copy of the source, one at a time, and wants each to be caught.
 *
 *     deno task mutants [name…]
 *
 * A mutant replaces a text that stands exactly once in a file; when it no longer does, that is an
 * error: whoever changes the code says how the mistake looks now. Those marked `postgres` are in
 * SQL, and are caught by the seeded histories on PostgreSQL; those with test files by these; all others by
 * the histories in memory.
 */
import { type Mutant, mutants } from "./mutants_list.ts";
import { deadline } from "../../src/base/clock.ts";

const root = new URL("../..", import.meta.url).pathname;
const SIMULATED = ["run", "-A", "--quiet", "tests/simulation/run.ts", "--runs", "8000"];
const ON_POSTGRES = ["run", "-A", "--quiet", "tests/simulation/postgres.ts", "--histories", "80"];
const MS_MAX = 120_000;

/** A copy of all that the simulation needs. */
async function copyTree(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "tidewheel-mutants-" });
  const { success } = await new Deno.Command("cp", {
    args: ["-r", ...["deno.json", "deno.lock", "src", "tests", "operators", "tools"], dir],
    cwd: root,
  }).output();
  if (!success) throw new Error(`Cannot copy the source from ${root} to ${dir}`);
  return dir;
}

/** Plant it, run the histories, take it out again. Resolves to the first line of what caught it. */
async function judge(dir: string, { file, from, to, on }: Mutant): Promise<string | null> {
  const path = `${dir}/${file}`;
  const text = await Deno.readTextFile(path);
  const places = text.split(from).length - 1;
  if (places !== 1) {
    throw new Error(
      `Cannot plant a mutant in ${file}: its text stands there ${places} times, not once\n${from}`,
    );
  }
  await Deno.writeTextFile(path, text.replace(from, () => to));
  using signal = deadline(MS_MAX);
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: argsFor(on),
      cwd: dir,
      env: { NO_COLOR: "1" },
      signal,
    }).output();
    if (code === 0) return null;
    const said = typeof on === "object"
      ? failedTest(new TextDecoder().decode(stdout))
      : new TextDecoder().decode(stderr).split("\n")[0];
    // A text that no longer parses would be caught by anything.
    if (!/^(Simulation with seed|Test failed: )/.test(said) && !signal.aborted) {
      throw new Error(`Cannot judge a mutant of ${file}: ${said}`);
    }
    return signal.aborted ? `no end within ${MS_MAX / 1000} s` : said;
  } finally {
    await Deno.writeTextFile(path, text);
  }
}

function argsFor(on: Mutant["on"]): string[] {
  if (typeof on === "object") return ["test", "-A", "--quiet", "--no-check", ...on];
  return on === "postgres" ? ON_POSTGRES : SIMULATED;
}

/** The first test that failed by an assertion. */
function failedTest(output: string): string {
  const name = /^(.+) \.\.\. .*FAILED/m.exec(output)?.[1];
  return name === undefined ? output.slice(-300) : `Test failed: ${name}`;
}

const dir = await copyTree();
let missed = 0;
try {
  for (const mutant of mutants) {
    if (Deno.args.length > 0 && !Deno.args.some((word) => mutant.name.includes(word))) continue;
    const said = await judge(dir, mutant);
    if (said === null) missed++;
    console.log(`${said === null ? "MISSED" : "caught"}  ${mutant.name}\n        ${said ?? ""}`);
  }
} finally {
  await Deno.remove(dir, { recursive: true });
}
console.log(missed === 0 ? "every mutant was caught" : `${missed} mutants were missed`);
Deno.exit(missed === 0 ? 0 : 1);
