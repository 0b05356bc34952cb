/** @module What the command line names: files, folders, globs, URLs and standard input. */
import { basename, dirname, join, relative, resolve } from "node:path";
import { AppError } from "../../model/errors.ts";
import { globToRegExp } from "../../../operators/convert/prepare/containers/glob.ts";

/** One file to be read. */
export interface Source {
  /** Where it comes from; a file's path, a URL, or `-`. */
  from: string;
  kind: "file" | "url" | "stdin";
  /** For people and for the result's name: below the folder that was named, or the last part. */
  name: string;
}

/**
 * Every file that the arguments name, in order. Throws NOT_FOUND for one that names nothing, and
 * CONFLICT for two whose results would have one name.
 */
export async function sourcesOf(args: readonly string[]): Promise<Source[]> {
  const sources: Source[] = [];
  for (const arg of args) sources.push(...await sourcesOfOne(arg));
  const seen = new Map<string, Source>();
  for (const source of sources) {
    const other = seen.get(source.name);
    if (other && other.from === source.from) continue;
    if (other) {
      throw new AppError(
        "CONFLICT",
        `Cannot name the results of ${other.from} and ${source.from}: both are ${source.name}; ` +
          "name the folder above them, so that results keep their folders",
      );
    }
    seen.set(source.name, source);
  }
  return [...seen.values()];
}

async function sourcesOfOne(arg: string): Promise<Source[]> {
  if (arg === "-") return [{ from: "-", kind: "stdin", name: "stdin" }];
  if (/^https?:\/\//i.test(arg)) return [{ from: arg, kind: "url", name: nameOfUrl(arg) }];
  const info = await Deno.stat(arg).catch(() => null);
  if (info?.isFile) return [{ from: arg, kind: "file", name: basename(arg) }];
  if (info?.isDirectory) return await filesBelow(arg, () => true, arg);
  if (!/[*?[]/.test(arg)) {
    throw new AppError("NOT_FOUND", `Cannot read ${arg}: there is no such file or folder`);
  }
  const fixed = arg.split("/").slice(0, arg.split("/").findIndex((part) => /[*?]/.test(part)));
  const base = fixed.join("/") || (arg.startsWith("/") ? "/" : ".");
  const wanted = globToRegExp(
    resolve(base) + arg.slice(fixed.join("/").length).replace(/^\/?/, "/"),
  );
  const found = await filesBelow(base, (path) => wanted.test(path), arg);
  return found;
}

/** Files below a folder by their names; hidden ones and links are left alone. */
async function filesBelow(
  folder: string,
  isWanted: (path: string) => boolean,
  arg: string,
): Promise<Source[]> {
  const found: Source[] = [];
  const walk = async (dir: string) => {
    const entries = await Array.fromAsync(Deno.readDir(dir)).catch((error) => {
      throw new AppError("NOT_FOUND", `Cannot read the folder ${dir}: ${error.message}`);
    });
    for (
      const { name, isFile, isDirectory } of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)
    ) {
      const path = join(dir, name);
      if (name.startsWith(".")) continue;
      if (isDirectory) await walk(path);
      else if (isFile && isWanted(resolve(path)) && !name.endsWith(".quarantine.ndjson")) {
        found.push({ from: path, kind: "file", name: relative(folder, path) });
      }
    }
  };
  await walk(folder);
  if (found.length > 0) return found;
  throw new AppError("NOT_FOUND", `Cannot read ${arg}: there is no file in it`);
}

function nameOfUrl(url: string): string {
  try {
    const { pathname, hostname } = new URL(url);
    const name = decodeURIComponent(basename(pathname)).replace(/[^\w.-]+/g, "_");
    return /[^_.]/.test(name) ? name : hostname;
  } catch {
    throw new AppError("INVALID", `Cannot read ${url}: it is no URL`);
  }
}

/** Where a source lies that has to be fetched first. */
export interface FetchOptions {
  /** Folder for the copy. */
  dir: string;
  bytesMax: number;
  signal: AbortSignal;
}

/** The path of the source's bytes. Throws UNAVAILABLE, NOT_FOUND, LIMIT_EXCEEDED, DISK_FULL. */
export async function bytesOf(source: Source, options: FetchOptions): Promise<string> {
  if (source.kind === "file") return source.from;
  const path = join(options.dir, `fetched-${basename(source.name)}`);
  if (source.kind === "stdin") await spool(source, Deno.stdin.readable, path, options);
  else await download(source, path, options);
  return path;
}

async function download(source: Source, path: string, options: FetchOptions): Promise<void> {
  const { signal } = options;
  const response = await fetch(source.from, { signal, redirect: "follow" }).catch((error) => {
    signal.throwIfAborted();
    throw new AppError("UNAVAILABLE", `Cannot download ${source.from}: ${error.message}`);
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const code = response.status === 404 || response.status === 410 ? "NOT_FOUND" : "UNAVAILABLE";
    throw new AppError(code, `Cannot download ${source.from}: it answers ${response.status}`);
  }
  const stated = response.headers.get("content-length");
  const bytes = await spool(source, response.body, path, options);
  const isPlain = response.headers.get("content-encoding") === null;
  if (isPlain && stated !== null && Number(stated) !== bytes) {
    throw new AppError(
      "UNAVAILABLE",
      `Cannot download ${source.from}: ${bytes} of ${stated} bytes came`,
    );
  }
}

async function spool(
  { from, kind }: Source,
  stream: ReadableStream<Uint8Array>,
  path: string,
  { bytesMax, signal }: FetchOptions,
): Promise<number> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const what = kind === "stdin" ? "standard input" : from;
  let bytes = 0;
  const onAbort = Promise.withResolvers<never>();
  onAbort.promise.catch(() => {});
  signal.addEventListener("abort", () => onAbort.reject(signal.reason), { once: true });
  const reader = stream.getReader();
  try {
    while (true) {
      const { done, value } = await Promise.race([reader.read(), onAbort.promise]);
      if (done) return bytes;
      bytes += value.length;
      if (bytes > bytesMax) {
        throw new AppError(
          "LIMIT_EXCEEDED",
          `Cannot read ${what}: it has more than ${bytesMax} bytes; raise --download-max`,
        );
      }
      for (let rest = value; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    }
  } catch (error) {
    if (error instanceof AppError || signal.aborted) throw error;
    const isFull = /no space left|os error 28/i.test(String(error));
    const why = error instanceof Error ? error.message : String(error);
    throw isFull
      ? new AppError("DISK_FULL", `Cannot read ${what}: the disk of ${dirname(path)} is full`)
      : new AppError("UNAVAILABLE", `Cannot read ${what}: ${why}`, { cause: error });
  } finally {
    void reader.cancel().catch(() => {});
  }
}
