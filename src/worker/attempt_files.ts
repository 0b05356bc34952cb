/** @module Files of one attempt: inputs it may read, results it puts into object storage. */
import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import type { FileRef } from "../model/data.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { JobFolders } from "./executor.ts";

const CHUNK_BYTES = 1024 * 1024;
const NAME_CHARS_MAX = 100;
/** All that attempts make lies below it, and nothing else does. */
const ATTEMPTS = "attempts/";
const VALUES_DEEP_MAX = 100;

/** See the module. */
export class AttemptFiles {
  readonly #objects: ObjectStore;
  readonly #attemptId: string;
  readonly #inputs: unknown;
  readonly #opened = new Map<string, Promise<string>>();
  #known: Set<string> | null = null;
  #large: Promise<void> | null = null;
  #puts = 0;

  /** `inputs` are the workload's: the files that they name may be opened. */
  constructor(
    { objects, attemptId, inputs }: { objects: ObjectStore; attemptId: string; inputs: unknown },
  ) {
    this.#objects = objects;
    this.#attemptId = attemptId;
    this.#inputs = inputs;
  }

  /** From now on the files named anywhere in `value` may be opened. */
  allow(value: unknown): void {
    collectKeys(value, this.#keys());
  }

  /** A local path of the stored file; FORBIDDEN for one that no input names. */
  async open(key: string, { inputDir }: JobFolders): Promise<string> {
    if (!this.#keys().has(key)) {
      // It may be named in an input that was too large to travel with the workload.
      await (this.#large ??= this.#readLarge());
      if (!this.#keys().has(key)) throw notAnInput(key);
    }
    let path = this.#opened.get(key);
    if (!path) {
      path = this.#bring(key, `${inputDir}/${this.#opened.size}-${basename(key)}`);
      this.#opened.set(key, path);
      path.catch(() => this.#opened.delete(key));
    }
    return await path;
  }

  /** Move a file of the work folder into object storage. */
  async put(
    { path, name, mediaType, rows }: {
      path: string;
      name?: string;
      mediaType?: string;
      rows?: number;
    },
    { workDir }: JobFolders,
  ): Promise<FileRef> {
    const real = await plainFileIn(workDir, path);
    const { bytes, sha256 } = await hashFile(real);
    const shown = name ?? basename(path);
    const safe = shown.replace(/[^A-Za-z0-9._=+@-]/g, "_").slice(-NAME_CHARS_MAX);
    const key = `${ATTEMPTS}${this.#attemptId}/${this.#puts++}-${safe}`;
    await this.#objects.putFile(key, real);
    this.#keys().add(key);
    return {
      key,
      bytes,
      sha256,
      name: shown,
      ...(mediaType === undefined ? {} : { mediaType }),
      ...(rows === undefined ? {} : { rows }),
    };
  }

  #keys(): Set<string> {
    if (this.#known) return this.#known;
    this.#known = new Set();
    collectKeys(this.#inputs, this.#known);
    return this.#known;
  }

  async #readLarge(): Promise<void> {
    for (const key of objectLinks(this.#inputs)) {
      const text = new TextDecoder().decode(await this.#objects.get(key));
      this.allow(JSON.parse(text));
    }
  }

  /** Into the attempt's own folder: its process sees no other part of the store. */
  async #bring(key: string, target: string): Promise<string> {
    await Deno.mkdir(dirname(target), { recursive: true });
    const source = await this.#objects.materialize(key, dirname(target));
    if (dirname(source) === dirname(target)) return source;
    try {
      await Deno.link(source, target);
    } catch {
      // Another file system, or one without links.
      await Deno.copyFile(source, target);
    }
    return target;
  }
}

/** SHA-256 and size of a file, read piece by piece. */
export async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(CHUNK_BYTES);
  let bytes = 0;
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
    bytes += count;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** The real path; throws FORBIDDEN where it leads out of the folder or is no plain file. */
async function plainFileIn(workDir: string, path: string): Promise<string> {
  const wanted = resolve(workDir, path);
  const refuse = (why: string) =>
    new AppError("FORBIDDEN", `Cannot put "${path}" into object storage: ${why}`);
  try {
    const real = `${await Deno.realPath(dirname(wanted))}/${basename(wanted)}`;
    if (!real.startsWith(`${await Deno.realPath(workDir)}/`)) {
      throw refuse(`it lies outside of the attempt's work folder; write it to ctx.workDir`);
    }
    if (!(await Deno.lstat(real)).isFile) throw refuse("it is not a plain file");
    return real;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("NOT_FOUND", `Cannot put "${path}" into object storage: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  return error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error);
}

function notAnInput(key: string): AppError {
  return new AppError(
    "FORBIDDEN",
    `Cannot open "${key.slice(0, 200)}": none of the task's inputs, of the dataset versions it ` +
      `asked for and of the files it put names it`,
  );
}

function collectKeys(value: unknown, into: Set<string>, depth = 0): void {
  if (typeof value !== "object" || value === null || depth > VALUES_DEEP_MAX) return;
  const { key, sha256, $object } = value as Record<string, unknown>;
  if (typeof sha256 === "string" && isAttemptKey(key)) into.add(key);
  if (isAttemptKey($object)) into.add($object);
  for (const part of Object.values(value)) collectKeys(part, into, depth + 1);
}

function objectLinks(value: unknown): Set<string> {
  const links = new Set<string>();
  for (const input of Object.values(value as Record<string, unknown>)) {
    for (const part of Array.isArray(input) ? input : [input]) {
      const link = (part as { $object?: unknown } | null)?.$object;
      if (isAttemptKey(link)) links.add(link);
    }
  }
  return links;
}

function isAttemptKey(key: unknown): key is string {
  return typeof key === "string" && key.startsWith(ATTEMPTS) && !key.includes("..");
}
