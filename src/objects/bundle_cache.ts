/**
 * @module Bundles on the local disk: `<cacheDir>/bundles/<hash>/…`, addressed by content.
 *
 * A bundle appears by one rename, complete or not at all, so that several processes can share a
 * cache. What is found there is verified once in each process before it is used.
 */
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "../base/clock.ts";
import { canonicalJson, sha256 } from "../base/hash.ts";
import { randomToken } from "../base/ids.ts";
import {
  type Bundle,
  type BundleManifest,
  type BundleNpm,
  bundleNpm,
  bundleNpmPath,
  manifestHash,
  unpackBundle,
} from "../contract/bundle.ts";
import { AppError } from "../model/errors.ts";
import { asStoreError } from "./file.ts";

/** Holds the manifest, which hashes to the name of its folder. */
const MANIFEST = ".manifest.json";
const ATTEMPTS = 3;
const SMALL_BYTES = 64 * 1024;
const VERIFIED_MAX = 50_000;
const verified = new Map<string, InstalledBundle>();

/** A verified bundle on disk; its files are read only. */
export interface InstalledBundle {
  hash: string;
  /** Absolute. */
  dir: string;
  /** The npm packages that its modules may import; null: none. */
  npm: BundleNpm | null;
}

/** The file URL of a module of an installed bundle. */
export function bundleModuleUrl(bundle: InstalledBundle, entry: string): string {
  return pathToFileURL(`${bundle.dir}/${entry}`).href;
}

/**
 * The bundle `hash` if the cache has it, verified; null otherwise (also when what is there is
 * damaged: it is removed).
 */
export async function findBundle(hash: string, cacheDir: string): Promise<InstalledBundle | null> {
  const dir = folderOf(hash, cacheDir);
  const known = verified.get(dir);
  if (known && exists(`${dir}/${MANIFEST}`)) return known;
  verified.delete(dir);
  if (!exists(dir)) return null;
  if (await isIntact(dir, hash)) return remember(dir, hash, await readNpm(dir, hash));
  await discard(dir);
  return null;
}

/**
 * Verify the packed bundle and write it into the cache; does nothing when it is there already.
 * Throws CORRUPT when `packed` is not the bundle `hash`, DISK_FULL, UNAVAILABLE.
 */
export async function installBundle(
  hash: string,
  packed: Uint8Array,
  cacheDir: string,
): Promise<InstalledBundle> {
  return await findBundle(hash, cacheDir) ??
    await installVerified(unpackBundle(hash, packed), cacheDir);
}

/** As {@link installBundle}, for a bundle that is verified already. */
export async function installVerified(bundle: Bundle, cacheDir: string): Promise<InstalledBundle> {
  const dir = folderOf(bundle.hash, cacheDir);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await findBundle(bundle.hash, cacheDir);
    if (found) return markUsed(found);
    const temp = resolve(bundlesDir(cacheDir), `~${randomToken(12)}`);
    try {
      await writeFiles(bundle, temp);
      // Fails where another process was faster; the next round verifies what that one wrote.
      if (moveInto(temp, dir)) return remember(dir, bundle.hash, bundleNpm(bundle));
      Deno.removeSync(temp, { recursive: true });
    } catch (error) {
      await Deno.remove(temp, { recursive: true }).catch(() => {});
      throw asStoreError(error, "install", `bundles/${bundle.hash}`);
    }
  }
  throw new AppError(
    "UNAVAILABLE",
    `Cannot install bundle ${bundle.hash.slice(0, 12)} in ${dir}: others keep changing it`,
  );
}

function folderOf(hash: string, cacheDir: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new AppError("INVALID", `Cannot use "${hash.slice(0, 80)}" as a bundle: not a SHA-256`);
  }
  return resolve(bundlesDir(cacheDir), hash);
}

function remember(dir: string, hash: string, npm: BundleNpm | null): InstalledBundle {
  if (verified.size >= VERIFIED_MAX) verified.clear();
  const bundle = { hash, dir, npm };
  verified.set(dir, bundle);
  return bundle;
}

async function writeFiles({ manifest, files }: Bundle, dir: string): Promise<void> {
  const made = new Set<string>();
  const write = async (path: string, data: Uint8Array) => {
    const target = `${dir}/${path}`;
    const folder = dirname(target);
    if (!made.has(folder)) Deno.mkdirSync(folder, { recursive: true });
    made.add(folder);
    const options = { mode: 0o444, createNew: true };
    // A small file is on disk sooner than another thread has taken it over.
    if (data.length < SMALL_BYTES) Deno.writeFileSync(target, data, options);
    else await Deno.writeFile(target, data, options);
  };
  for (const { path } of manifest) await write(path, files.get(path)!);
  await write(MANIFEST, new TextEncoder().encode(canonicalJson(manifest)));
}

/** False when there is something already. */
function moveInto(temp: string, dir: string): boolean {
  try {
    Deno.renameSync(temp, dir);
    return true;
  } catch (error) {
    if (exists(dir)) return false;
    throw error;
  }
}

async function isIntact(dir: string, hash: string): Promise<boolean> {
  try {
    const manifest: BundleManifest = JSON.parse(await Deno.readTextFile(`${dir}/${MANIFEST}`));
    if (manifestHash(manifest) !== hash) return false;
    for (const { path, sha256: expected } of manifest) {
      if (sha256(await Deno.readFile(`${dir}/${path}`)) !== expected) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return false;
    throw asStoreError(error, "verify", `bundles/${hash}`);
  }
}

async function readNpm(dir: string, hash: string): Promise<BundleNpm | null> {
  if (!exists(`${dir}/${bundleNpmPath}`)) return null;
  const data = await Deno.readFile(`${dir}/${bundleNpmPath}`);
  return bundleNpm({ hash, files: new Map([[bundleNpmPath, data]]) });
}

/** Whoever sweeps the cache sees that it is in use again. */
function markUsed(bundle: InstalledBundle): InstalledBundle {
  const now = systemClock.now();
  try {
    Deno.utimeSync(bundle.dir, now, now);
  } catch {
    // A cache that somebody else filled.
  }
  return bundle;
}

/** The bundles that are in the cache, or half in it. */
export function bundlesDir(cacheDir: string): string {
  return resolve(cacheDir, "bundles");
}

/** What npm packages the cached bundle has; null: none, or the bundle is gone. */
export async function cachedNpm(hash: string, cacheDir: string): Promise<BundleNpm | null> {
  return await readNpm(folderOf(hash, cacheDir), hash).catch(() => null);
}

/** Take a folder out of the cache. Renamed first: a reader never sees half of it. */
export async function discard(dir: string): Promise<void> {
  const away = `${dirname(dir)}/~${randomToken(12)}`;
  await Deno.rename(dir, away).catch(() => {});
  await Deno.remove(away, { recursive: true }).catch(() => {});
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
