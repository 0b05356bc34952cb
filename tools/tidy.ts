/**
 * @module Checks what format and lint do not: file length, module docs, banned names, secrets and
 * dead modules. `deno run --allow-read --allow-run=git tools/tidy.ts` exits with 1 on any finding.
 */
import { dirname, join, normalize } from "node:path";

const root = normalize(join(import.meta.dirname!, ".."));

/** Files longer than this hold a second thing to name. */
const LINES_MAX = 500;
/** Files that are one table or one suite, and read better whole. */
const longOnPurpose = new Set<string>([
  "src/store/engine_memory.ts",
]);
const bannedNames = /(^|\/)(utils?|common|helpers?|manager|index)\.ts$/;
/** Modules that are started, or that authors import. */
const entries =
  /^src\/main\.ts$|\/example_dag\.ts$|^src\/(sdk|testing)\/mod\.ts$|^operators\/mod\.ts$/;
const unfinished = /(\/\/|\*).*\b(TODO|FIXME|XXX)\b/;
const secretShapes = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bghp_[A-Za-z0-9]{36}\b/,
];

/** One thing to mend. */
export interface Finding {
  file: string;
  what: string;
}

/** Every finding over the files that git knows. */
export async function findings(): Promise<Finding[]> {
  const files = await tracked();
  const found: Finding[] = [];
  const modules = new Map<string, string>();
  for (const file of files) {
    if (!/\.(ts|tsx|sql|md|yaml|json)$/.test(file)) continue;
    const text = await Deno.readTextFile(join(root, file)).catch(() => "");
    found.push(...inspect(file, text));
    if (file.endsWith(".ts")) modules.set(file, text);
  }
  return [...found, ...deadModules(modules)];
}

/** Findings in one file; `file` is its path from the root. */
export function inspect(file: string, text: string): Finding[] {
  const found: Finding[] = [];
  const add = (what: string) => found.push({ file, what });
  const isCode = file.endsWith(".ts");
  const isProduct = isCode && /^(src|operators|executors)\//.test(file);
  const lines = text.split("\n").length;
  if (isCode && lines > LINES_MAX && !longOnPurpose.has(file) && !file.endsWith("_test.ts")) {
    add(`${lines} lines: past ${LINES_MAX} there is usually a second thing to name`);
  }
  if (bannedNames.test(file)) add("says nothing by its name: name what it holds");
  if (isProduct && !file.endsWith("_test.ts") && !text.includes("@module")) {
    add("has no module doc: say in one sentence what it is");
  }
  for (const shape of secretShapes) {
    if (shape.test(text)) add(`holds what looks like a secret: ${shape}`);
  }
  if (isProduct && unfinished.test(text)) add("has unfinished work marked in it");
  return found;
}

/** Modules of the product that no other names, but for tests; `modules` is path → text. */
export function deadModules(modules: ReadonlyMap<string, string>): Finding[] {
  const named = new Set<string>();
  for (const [file, text] of modules) {
    if (isTest(file)) continue;
    for (const [, path] of text.matchAll(/["'`]([^"'`\s]+\.ts)["'`]/g)) {
      const target = path.startsWith(".") ? join(dirname(file), path) : path;
      if (target !== file) named.add(normalize(target));
    }
  }
  return [...modules.keys()]
    .filter((file) => /^(src|operators|executors)\//.test(file) && !isTest(file))
    .filter((file) => !named.has(file) && !entries.test(file))
    .map((file) => ({ file, what: "is imported by nothing but tests: use it or remove it" }));
}

function isTest(file: string): boolean {
  return file.endsWith("_test.ts") || file.startsWith("tests/");
}

async function tracked(): Promise<string[]> {
  const { stdout } = await new Deno.Command("git", { args: ["ls-files", "-z"], cwd: root })
    .output();
  return new TextDecoder().decode(stdout).split("\0").filter((file) => file !== "");
}

if (import.meta.main) {
  const found = await findings();
  for (const { file, what } of found) console.error(`${file}: ${what}`);
  console.log(found.length === 0 ? "tidy: nothing to mend" : `${found.length} findings`);
  Deno.exit(found.length === 0 ? 0 : 1);
}
