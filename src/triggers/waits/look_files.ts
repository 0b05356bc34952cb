/** @module Looks for files on behalf of tasks that wait for them. */
import { mapBounded } from "./map_bounded.ts";

/** What is said of a file. */
export interface FileSeen {
  path: string;
  size: number;
  modified_at: string | null;
}

/** Files looked at at a time. */
const AT_ONCE = 32;

/** Each path once, whoever waits for it; null: no such file. An error means that nobody can tell. */
export async function lookForFiles(
  paths: readonly string[],
): Promise<Map<string, FileSeen | null | Error>> {
  const distinct = [...new Set(paths)];
  const seen = await mapBounded(distinct, AT_ONCE, lookForFile);
  return new Map(distinct.map((path, i) => [path, seen[i]]));
}

async function lookForFile(path: string): Promise<FileSeen | null | Error> {
  try {
    const { isFile, size, mtime } = await Deno.stat(path);
    return isFile ? { path, size, modified_at: mtime?.toISOString() ?? null } : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    return error as Error;
  }
}
