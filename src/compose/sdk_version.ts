/** @module Does the SDK that a repository asks for fit this program? */
import { dirname } from "node:path";
import { AppError } from "../model/errors.ts";
import config from "../../deno.json" with { type: "json" };

/**
 * Look for the `deno.json` of a DAG repository from `folder` upwards and compare the version of
 * `jsr:@tidewheel/tidewheel` that it imports. Throws INVALID when this program does not satisfy it;
 * a folder without such an import is nobody's repository, and passes.
 */
export async function checkSdkVersion(folder: string): Promise<void> {
  const found = await wantedSdk(folder);
  if (!found || satisfies(config.version, found.range)) return;
  throw new AppError(
    "INVALID",
    `Cannot use ${found.path} with this program: it asks for version ${found.range} of ` +
      `${config.name} and this is ${config.version}; change the version in its "imports", or run ` +
      `the program of that version`,
  );
}

async function wantedSdk(folder: string): Promise<{ path: string; range: string } | null> {
  for (let dir = folder;; dir = dirname(dir)) {
    const path = `${dir}/deno.json`;
    const text = await Deno.readTextFile(path).catch(() => null);
    const range = text === null ? undefined : rangeIn(text);
    if (range !== undefined) return { path, range };
    if (dirname(dir) === dir) return null;
  }
}

function rangeIn(text: string): string | undefined {
  const imports = text.match(/"tidewheel"\s*:\s*"jsr:\/?@tidewheel\/tidewheel(?:@([^"/]+))?/);
  return imports?.[1];
}

/** `^1.2.3`, `~1.2.3` or `1.2.3`, as JSR reads them. */
export function satisfies(version: string, range: string): boolean {
  const [, mode, wanted] = /^([\^~]?)(\d+(?:\.\d+){0,2})$/.exec(range) ?? [];
  if (wanted === undefined) return range === version || range === "*";
  const have = version.split(/[-+]/)[0].split(".").map(Number);
  const want = wanted.split(".").map(Number);
  if (mode === "") return want.every((part, i) => part === have[i]);
  const fixed = mode === "~" ? 2 : want[0] > 0 ? 1 : (want[1] ?? 0) > 0 ? 2 : 3;
  for (let i = 0; i < 3; i++) {
    const least = want[i] ?? 0;
    if (have[i] === least) continue;
    return i >= Math.min(fixed, want.length) && have[i] > least;
  }
  return true;
}
