/** @module What lies in the folder, and which of it is whole. */
import type { Clock } from "../../../src/base/clock.ts";
import { FinalError } from "../../../src/sdk/operator.ts";
import { globToRegExp } from "../../../src/base/glob.ts";
import type { CollectFileParams, FileReady } from "./mod.ts";

/** Entries of the folder that are looked at. */
const entriesMax = 100_000;

/** A file as a look found it. */
export interface SeenFile {
  /** Below the folder, `/` between names. */
  path: string;
  bytes: number;
  modifiedAtMs: number;
}

/** Names that other programs give to files that are not whole yet. */
const unfinished = /(^\.|~$|\.(part|partial|tmp|temp|filepart|crdownload|download|swp|lock)$)/i;
const sidecar = /\.(sha256|md5)$/i;

/** Regular files that match, sorted by path. Symbolic links are not followed. */
export async function scanFolder(
  folder: string,
  { pattern, recursive, ready }: Pick<CollectFileParams, "pattern" | "recursive" | "ready">,
): Promise<SeenFile[]> {
  const wanted = globToRegExp(pattern);
  const found: SeenFile[] = [];
  let entries = 0;
  await scan("");
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));

  async function scan(below: string): Promise<void> {
    for await (const { name, isFile, isDirectory } of readFolder(`${folder}/${below}`)) {
      if (++entries > entriesMax) {
        throw new FinalError(
          `Cannot look through ${folder}: it has more than ${entriesMax} entries`,
        );
      }
      const path = `${below}${name}`;
      if (isDirectory && recursive && !name.startsWith(".")) await scan(`${path}/`);
      if (!isFile || unfinished.test(name) || sidecar.test(name)) continue;
      if (ready.kind === "marker" && name.endsWith(ready.suffix)) continue;
      if (!wanted.test(path)) continue;
      const seen = await lookAt(folder, path);
      if (seen) found.push(seen);
    }
  }
}

/** The file as it is now; null when it is gone or no regular file. */
export async function lookAt(folder: string, path: string): Promise<SeenFile | null> {
  try {
    const { isFile, size, mtime } = await Deno.lstat(`${folder}/${path}`);
    return isFile ? { path, bytes: size, modifiedAtMs: mtime?.getTime() ?? 0 } : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Has it stayed as it was? */
export function isSame(a: SeenFile, b: SeenFile | null): boolean {
  return b !== null && a.bytes === b.bytes && a.modifiedAtMs === b.modifiedAtMs;
}

/**
 * Those of `files` that are whole. Waits once, when time has to show it. An empty file is one whose
 * writer has not begun, unless a marker says otherwise.
 */
export async function readyFiles(
  folder: string,
  files: readonly SeenFile[],
  { ready, clock, signal }: { ready: FileReady; clock: Clock; signal: AbortSignal },
): Promise<SeenFile[]> {
  if (ready.kind === "marker") {
    const marked = await Promise.all(
      files.map(({ path }) => lookAt(folder, path + ready.suffix)),
    );
    return files.filter((_, i) => marked[i] !== null);
  }
  const nowMs = clock.now().getTime();
  const isQuiet = ({ modifiedAtMs }: SeenFile) => nowMs - modifiedAtMs >= ready.quietMs;
  const begun = files.filter(({ bytes }) => bytes > 0);
  if (begun.every(isQuiet)) return begun;
  await clock.sleep(ready.quietMs, { signal });
  signal.throwIfAborted();
  const again = await Promise.all(begun.map(({ path }) => lookAt(folder, path)));
  return begun.filter((file, i) => isSame(file, again[i]));
}

async function* readFolder(path: string): AsyncIterable<Deno.DirEntry> {
  try {
    yield* Deno.readDir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot look into ${path}: there is no such folder`);
  }
}
