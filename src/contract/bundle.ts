/**
 * @module Bundles: everything that a DAG file consists of, addressed by its content.
 *
 * The hash is the SHA-256 of the manifest's canonical JSON; the manifest names each file with its own
 * SHA-256. Packed, a bundle is gzip over one line of manifest followed by the files' bytes in order.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { canonicalJson, sha256 } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { AppError } from "../model/errors.ts";

/** One file of a bundle. */
export const BundleEntry = z.object({
  path: z.string().meta({ doc: "Relative to the dags folder, with /", example: "lib/rates.ts" }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().nonnegative(),
});
/** See {@link BundleEntry}. */
export type BundleEntry = z.infer<typeof BundleEntry>;

/** The files of a bundle, sorted by path. */
export type BundleManifest = BundleEntry[];

/** Contents by path. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/** A verified bundle in memory. */
export interface Bundle {
  hash: string;
  manifest: BundleManifest;
  files: BundleFiles;
}

/** Name of the file with {@link BundleNpm} that a bundle with npm packages carries. */
export const bundleNpmPath = ".npm.json";

/** The npm packages of a bundle: nothing else of npm can be imported by it. */
export const BundleNpm = z.object({
  imports: z.record(z.string(), z.string().startsWith("npm:")).meta({
    doc: "Import map: what modules write → the package",
    example: { "left-pad": "npm:left-pad@1.3.0", "npm:is-odd@3": "npm:is-odd@3" },
  }),
  lock: z.object({
    version: z.string(),
    specifiers: z.record(z.string(), z.string()).default({}),
    npm: z.record(z.string(), z.json()).default({}),
  }).meta({ doc: "Deno's lock: exact versions and integrity of packages and their dependencies" }),
});
/** See {@link BundleNpm}. */
export type BundleNpm = z.infer<typeof BundleNpm>;

/** The npm packages of a bundle; null when it has none. Throws CORRUPT when it cannot be read. */
export function bundleNpm({ hash, files }: Pick<Bundle, "hash" | "files">): BundleNpm | null {
  const data = files.get(bundleNpmPath);
  if (!data) return null;
  try {
    return BundleNpm.parse(JSON.parse(new TextDecoder().decode(data)));
  } catch (error) {
    throw corrupt(hash, `its ${bundleNpmPath} cannot be read`, error);
  }
}

const MANIFEST_BYTES_MAX = limits.bundleFiles * 2048;

/** Where a bundle is kept in object storage. */
export function bundleKey(hash: string): string {
  return `bundles/${hash}.twb`;
}

/**
 * Make a bundle of these files. Throws INVALID for a path that is not plain, TOO_LARGE past the
 * limits of files and bytes.
 */
export function makeBundle(files: BundleFiles): Bundle {
  const manifest = [...files]
    .map(([path, data]) => ({ path, sha256: sha256(data), bytes: data.length }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  checkManifest(manifest, "INVALID");
  return { hash: manifestHash(manifest), manifest, files };
}

/** The bundle as bytes, for object storage and the network. */
export function packBundle({ manifest, files }: Bundle): Uint8Array {
  const head = new TextEncoder().encode(canonicalJson(manifest) + "\n");
  const parts = [head, ...manifest.map(({ path }) => files.get(path)!)];
  return new Uint8Array(gzipSync(concat(parts), { level: 6 }));
}

/**
 * The bundle in `packed`, verified: its manifest hashes to `hash`, each file to its entry, and no
 * path leads out of the bundle. Throws CORRUPT otherwise.
 */
export function unpackBundle(hash: string, packed: Uint8Array): Bundle {
  const raw = gunzip(hash, packed);
  const end = raw.indexOf(0x0a);
  if (end < 0) throw corrupt(hash, "it has no manifest");
  const manifest = parseManifest(hash, raw.subarray(0, end));
  if (manifestHash(manifest) !== hash) throw corrupt(hash, "its manifest has another hash");
  const files = new Map<string, Uint8Array>();
  let at = end + 1;
  for (const entry of manifest) {
    const data = raw.subarray(at, at += entry.bytes);
    if (sha256(data) !== entry.sha256) throw corrupt(hash, `file "${entry.path}" is altered`);
    files.set(entry.path, data);
  }
  if (at !== raw.length) throw corrupt(hash, `${raw.length - at} bytes follow its last file`);
  return { hash, manifest, files };
}

/** SHA-256 of the manifest's canonical JSON. */
export function manifestHash(manifest: BundleManifest): string {
  return sha256(canonicalJson(manifest));
}

/** Why `path` cannot be the path of a file in a bundle; null when it can. */
export function badBundlePath(path: string): string | null {
  if (path.length === 0 || path.length > 500) return `it has ${path.length} characters, not 1-500`;
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\\]/.test(path)) return "it has a control character or a backslash";
  if (/^[A-Za-z]:/.test(path)) return "it begins with a drive";
  const segments = path.split("/");
  if (segments.includes("")) return "it is absolute or has an empty part";
  if (segments.includes(".") || segments.includes("..")) return "it leads out of the bundle";
  return null;
}

function checkManifest(manifest: BundleManifest, code: "INVALID" | "CORRUPT"): void {
  const refuse = (why: string, as: "INVALID" | "CORRUPT" | "TOO_LARGE" = code): never => {
    throw new AppError(as, `Cannot use a bundle: ${why}`);
  };
  if (manifest.length > limits.bundleFiles) {
    refuse(`it has ${manifest.length} files, at most ${limits.bundleFiles} can be`, "TOO_LARGE");
  }
  const bytes = manifest.reduce((sum, entry) => sum + entry.bytes, 0);
  if (bytes > limits.bundleBytes) {
    refuse(`it has ${bytes} bytes, at most ${limits.bundleBytes} can be`, "TOO_LARGE");
  }
  for (const [i, { path }] of manifest.entries()) {
    const bad = badBundlePath(path);
    if (bad) refuse(`path "${path.slice(0, 200)}" is not allowed: ${bad}`);
    if (i > 0 && manifest[i - 1].path >= path) refuse(`its paths are not sorted at "${path}"`);
  }
}

function parseManifest(hash: string, line: Uint8Array): BundleManifest {
  try {
    const manifest = z.array(BundleEntry).parse(JSON.parse(new TextDecoder().decode(line)));
    checkManifest(manifest, "CORRUPT");
    return manifest;
  } catch (error) {
    if (error instanceof AppError) throw corrupt(hash, error.message, error);
    throw corrupt(hash, "its manifest cannot be read", error);
  }
}

function gunzip(hash: string, packed: Uint8Array): Uint8Array {
  try {
    return gunzipSync(packed, { maxOutputLength: limits.bundleBytes + MANIFEST_BYTES_MAX });
  } catch (error) {
    throw corrupt(hash, "it is not gzip, is cut short, or grows past its limit", error);
  }
}

function concat(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function corrupt(hash: string, why: string, cause?: unknown): AppError {
  return new AppError("CORRUPT", `Cannot use bundle ${hash.slice(0, 12)}: ${why}`, {
    detail: { hash },
    cause,
  });
}
