/** @module Takes out of a local cache the bundles that nobody needs, and runtimes without a bundle. */
import { bundlesDir, cachedNpm, discard } from "./bundle_cache.ts";
import { pruneEmitCache, runtimeKey, runtimesDir } from "./module_runtime.ts";

/** What {@link sweepCache} needs. */
export interface CacheSweep {
  cacheDir: string;
  /** What came or was used after it stays. */
  before: Date;
  /** Which of these bundles are needed; asked for a few hundred at a time. */
  needed: (hashes: readonly string[]) => Promise<ReadonlySet<string>>;
  signal?: AbortSignal;
}

/** What it took away. */
export interface CacheSwept {
  bundles: number;
  runtimes: number;
}

const BATCH = 500;
const HASH = /^[0-9a-f]{64}$/;

/**
 * Remove bundles last used before an instant that `needed` does not name, what crashed installations
 * left, and runtimes that no bundle of the cache needs. All of it is made again when it is asked for.
 */
export async function sweepCache(sweep: CacheSweep): Promise<CacheSwept> {
  const { cacheDir, before, needed, signal } = sweep;
  const dir = bundlesDir(cacheDir);
  let bundles = 0;
  for await (const names of inBatches(oldFolders(dir, before))) {
    if (signal?.aborted) break;
    const hashes = names.filter((name) => HASH.test(name));
    const keep = await needed(hashes);
    for (const name of names) {
      // It may have been used while the others were looked at.
      if (keep.has(name) || !await isOld(`${dir}/${name}`, before)) continue;
      await discard(`${dir}/${name}`);
      if (HASH.test(name)) bundles++;
    }
  }
  if (bundles > 0) await pruneEmitCache(dir);
  return { bundles, runtimes: signal?.aborted ? 0 : await sweepRuntimes(cacheDir, before) };
}

async function sweepRuntimes(cacheDir: string, before: Date): Promise<number> {
  const dir = runtimesDir(cacheDir);
  const old = await Array.fromAsync(oldFolders(dir, before));
  if (old.length === 0) return 0;
  const inUse = await runtimesInUse(cacheDir);
  let removed = 0;
  for (const name of old) {
    if (inUse.has(name)) continue;
    await discard(`${dir}/${name}`);
    removed++;
  }
  return removed;
}

async function runtimesInUse(cacheDir: string): Promise<Set<string>> {
  const inUse = new Set([runtimeKey({ cacheDir })]);
  for await (const name of folders(bundlesDir(cacheDir))) {
    const npm = HASH.test(name) ? await cachedNpm(name, cacheDir) : null;
    if (npm) inUse.add(runtimeKey({ cacheDir, npm }));
  }
  return inUse;
}

async function* folders(dir: string): AsyncGenerator<string> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(dir)) if (isDirectory) yield name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function* oldFolders(dir: string, before: Date): AsyncGenerator<string> {
  for await (const name of folders(dir)) if (await isOld(`${dir}/${name}`, before)) yield name;
}

async function isOld(path: string, before: Date): Promise<boolean> {
  const found = await Deno.stat(path).catch(() => null);
  return found !== null && found.mtime! < before;
}

async function* inBatches(names: AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const name of names) {
    batch.push(name);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
