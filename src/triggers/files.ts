/**
 * @module Files that are dropped into a folder or under a prefix of object storage: an event for each
 * that is whole, once for its name and content.
 *
 * What was seen is kept in memory; after a restart the events themselves tell which files are known,
 * by size and time, so that a folder's files are not read again.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { globToRegExp } from "../base/glob.ts";
import { limits } from "../base/limits.ts";
import { AppError } from "../model/errors.ts";
import type { FilesSpec } from "../model/watch_spec.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { NewDatasetEvent } from "../store/port.ts";

/** A file as a look finds it; `path` is relative to what is watched. */
export interface FoundFile {
  path: string;
  bytes: number;
  modifiedAt: Date;
}

/** What a {@link FileWatch} needs. */
export interface FileWatchParts {
  dataset: string;
  spec: FilesSpec;
  objects: ObjectStore;
  clock: Clock;
  /** Files that have events, each as it was when it had its newest. */
  known(): Promise<{ path: string; bytes: number; modifiedAt: string }[]>;
  record(event: NewDatasetEvent): Promise<unknown>;
}

interface Seen {
  /** Size and time when it was last looked at. */
  mark: string;
  sinceMs: number;
  isDone: boolean;
}

/** Looks at one folder or prefix. */
export class FileWatch {
  readonly #parts: FileWatchParts;
  readonly #matches: RegExp;
  #seen: Map<string, Seen> | null = null;

  constructor(parts: FileWatchParts) {
    this.#parts = parts;
    this.#matches = globToRegExp(parts.spec.pattern);
  }

  /** Record the files that have become whole; how many there were. */
  async look(): Promise<number> {
    const { spec, clock } = this.#parts;
    const seen = this.#seen ??= await this.#recall();
    const found = new Map((await this.#list()).map((file) => [file.path, file]));
    const nowMs = clock.monotonicMs();
    for (const path of seen.keys()) if (!found.has(path)) seen.delete(path);
    let recorded = 0;
    for (const file of found.values()) {
      if (!this.#isWanted(file.path)) continue;
      const mark = markOf(file);
      let one = seen.get(file.path);
      if (one?.mark !== mark) seen.set(file.path, one = { mark, sinceMs: nowMs, isDone: false });
      if (one.isDone) continue;
      const isWhole = spec.marker === null
        ? nowMs - one.sinceMs >= spec.settleMs
        : found.has(file.path + spec.marker);
      if (!isWhole) continue;
      one.isDone = await this.#record(file);
      if (one.isDone) recorded++;
      else seen.delete(file.path);
    }
    return recorded;
  }

  #isWanted(path: string): boolean {
    const { marker } = this.#parts.spec;
    return this.#matches.test(path) && !(marker !== null && path.endsWith(marker));
  }

  async #recall(): Promise<Map<string, Seen>> {
    const sinceMs = this.#parts.clock.monotonicMs();
    return new Map(
      (await this.#parts.known()).map(({ path, bytes, modifiedAt }) => [
        path,
        { mark: `${bytes} ${modifiedAt}`, sinceMs, isDone: true },
      ]),
    );
  }

  async #list(): Promise<FoundFile[]> {
    const { spec, objects } = this.#parts;
    const files: FoundFile[] = [];
    const listed = spec.folder === null
      ? objectsBelow(objects, spec.objects!)
      : filesBelow(spec.folder, "", isDeep(spec.pattern));
    for await (const file of listed) {
      files.push(file);
      if (files.length <= limits.watchedFiles) continue;
      throw new AppError(
        "TOO_LARGE",
        `Cannot watch ${spec.folder ?? spec.objects}: it has over ${limits.watchedFiles} files; ` +
          "move away those that are done",
      );
    }
    return files;
  }

  /** False when it changed while it was read. */
  async #record(file: FoundFile): Promise<boolean> {
    const { spec, dataset, objects } = this.#parts;
    const sha256 = spec.folder === null
      ? await hashOf(await objects.stream(spec.objects! + file.path))
      : await hashOf((await Deno.open(`${spec.folder}/${file.path}`)).readable);
    const after = spec.folder === null
      ? await objects.stat(spec.objects! + file.path)
      : await statOf(`${spec.folder}/${file.path}`);
    if (!after || markOf({ ...after, path: file.path }) !== markOf(file)) return false;
    const key = `${file.path}@${sha256.slice(0, 32)}`;
    await this.#parts.record({
      dataset,
      partition: key,
      key,
      extra: {
        ...(spec.folder === null ? { objects: spec.objects } : { folder: spec.folder }),
        path: file.path,
        bytes: file.bytes,
        modifiedAt: file.modifiedAt.toISOString(),
        sha256,
      },
    });
    return true;
  }
}

function markOf({ bytes, modifiedAt }: FoundFile): string {
  return `${bytes} ${modifiedAt.toISOString()}`;
}

function isDeep(pattern: string): boolean {
  return pattern.includes("/") || pattern.includes("**");
}

/** Files of a folder, links left out: what they lead to may be anywhere. */
async function* filesBelow(
  folder: string,
  below: string,
  deep: boolean,
): AsyncGenerator<FoundFile> {
  for await (const entry of Deno.readDir(`${folder}/${below}`)) {
    const path = below + entry.name;
    if (entry.isDirectory && deep) yield* filesBelow(folder, `${path}/`, deep);
    if (!entry.isFile) continue;
    const stat = await statOf(`${folder}/${path}`);
    if (stat) yield { path, ...stat };
  }
}

async function statOf(path: string): Promise<Omit<FoundFile, "path"> | null> {
  try {
    const { size, mtime } = await Deno.lstat(path);
    return { bytes: size, modifiedAt: mtime ?? new Date(0) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function* objectsBelow(objects: ObjectStore, prefix: string): AsyncGenerator<FoundFile> {
  for await (const { key, bytes, modifiedAt } of objects.list(prefix)) {
    yield { path: key.slice(prefix.length), bytes, modifiedAt };
  }
}

async function hashOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}
