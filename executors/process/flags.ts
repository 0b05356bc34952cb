/** @module From what a task declares to the flags and environment of its process. */
import type { PermissionsSpec } from "../../src/model/dag_spec.ts";

const MIB = 1024 * 1024;

/** What decides the rights of a process. */
export interface Rights {
  permissions: PermissionsSpec;
  /** Folders that every child reads: its bundle, the product's modules, its own. */
  read: readonly string[];
  /** Folders that it writes. */
  write: readonly string[];
  /** Never readable or writable, whatever the task declares: the product's own secrets and data. */
  denied: readonly string[];
}

/** Permission flags of `deno run`; what is not named is refused without asking. */
export function permissionFlags({ permissions, read, write, denied }: Rights): string[] {
  return [
    ...flag("--allow-read", [...read, ...permissions.read].map(escapePath)),
    ...flag("--allow-write", [...write, ...permissions.write].map(escapePath)),
    ...flag("--deny-read", denied.map(escapePath)),
    ...flag("--deny-write", denied.map(escapePath)),
    ...flag("--allow-net", permissions.net),
    ...flag("--allow-env", permissions.env),
    ...flag("--allow-run", permissions.run.map(escapePath)),
  ];
}

/**
 * V8's share of the limit: its heap ends the process by itself there, long before a swelling one
 * has been looked at. Buffers are outside of it; the watch on resident memory has those.
 */
export function v8Flags(memoryBytesMax: number): string[] {
  const heapMib = Math.max(32, Math.floor(memoryBytesMax / MIB));
  return [`--v8-flags=--max-old-space-size=${heapMib},--max-semi-space-size=8`];
}

/** Declared variables that exist here, or the name of one that no task may have. */
export function declaredEnv(
  names: readonly string[],
  source: (name: string) => string | undefined,
): { env: Record<string, string> } | { forbidden: string } {
  const env: Record<string, string> = {};
  for (const name of names) {
    if (/^(TIDEWHEEL_|DENO_|NPM_CONFIG_)/i.test(name)) return { forbidden: name };
    const value = source(name);
    if (value !== undefined) env[name] = value;
  }
  return { env };
}

/** A flag without a value would allow everything. */
function flag(name: string, values: readonly string[]): string[] {
  const given = values.filter((value) => value.trim() !== "");
  return given.length === 0 ? [] : [`${name}=${given.join(",")}`];
}

function escapePath(path: string): string {
  return path.replaceAll(",", ",,");
}
