/**
 * @module Objects as files of a local folder.
 *
 * A file is written under a temporary name, forced to disk and then linked to its key: a link fails
 * where the key exists, so that of two writers one wins and nothing is ever written over.
 */
import { dirname } from "node:path";
import { AppError, messageOf } from "../model/errors.ts";
import { randomToken } from "../base/ids.ts";
import { checkKey, checkPrefix, objectErrors } from "./key.ts";
import { equalBytes } from "./memory.ts";
import type { ObjectInfo, ObjectStore } from "./port.ts";

/** Not an allowed key segment, so no key can ever name a temporary file. */
const TEMP = "~tmp";
const CHUNK_BYTES = 256 * 1024;
/** Folders remembered as being on disk; past this the memory starts anew. */
const FOLDERS_KNOWN_MAX = 10_000;

/** Objects under the folder `dir`, which is made when needed. */
export function fileObjectStore(dir: string): ObjectStore {
  const pathOf = (key: string): string => {
    checkKey(key);
    return `${dir}/${key}`;
  };
  const notFound = (key: string, cause: unknown) => objectErrors.notFound(key, dir, cause);
  const durableFolders = new Set<string>();

  async function inTemp(key: string, fill: (temp: string) => Promise<void>): Promise<void> {
    const path = pathOf(key);
    const temp = `${dir}/${TEMP}/${randomToken(12)}`;
    await named("put", key, async () => {
      try {
        await withFolder(`${dir}/${TEMP}`, () => fill(temp));
        await withFolder(dirname(path), () => publish(key, temp, path));
      } finally {
        await Deno.remove(temp).catch(ignoreMissing);
      }
    });
  }

  /** Make the folder, and once more when somebody removed it since it was made. */
  async function withFolder(folder: string, work: () => Promise<void>): Promise<void> {
    await makeFolder(folder, dir, durableFolders);
    await work().catch(async (error) => {
      if (!isMissing(error)) throw error;
      durableFolders.clear();
      await makeFolder(folder, dir, durableFolders);
      await work();
    });
  }

  return {
    async put(key, data) {
      await inTemp(key, (temp) => writeDurably(temp, data));
    },
    async putFile(key, path) {
      await inTemp(key, async (temp) => {
        await Deno.rename(path, temp).catch(async (error) => {
          if (!isOtherDevice(error)) throw error;
          await Deno.copyFile(path, temp);
        });
        await Deno.chmod(temp, 0o444);
        await forceToDisk(temp);
      });
    },
    async get(key) {
      const path = pathOf(key);
      return await named(
        "read",
        key,
        () => missingAs(Deno.readFile(path), (e) => notFound(key, e)),
      );
    },
    async stream(key, range) {
      const path = pathOf(key);
      const file = await missingAs(Deno.open(path), (error) => notFound(key, error));
      if (!range) return file.readable;
      try {
        const bytes = (await file.stat()).size;
        if (range.start > bytes) throw objectErrors.range(key, range.start, bytes);
        await file.seek(range.start, Deno.SeekMode.Start);
      } catch (error) {
        file.close();
        throw error;
      }
      return readUntil(file, (range.end ?? Infinity) - range.start);
    },
    async stat(key) {
      const found = await Deno.stat(pathOf(key)).catch(ignoreMissing);
      return found?.isFile ? { key, bytes: found.size, modifiedAt: found.mtime! } : null;
    },
    async materialize(key) {
      const path = pathOf(key);
      const found = await Deno.stat(path).catch(ignoreMissing);
      if (!found?.isFile) throw notFound(key, undefined);
      return path;
    },
    list(prefix) {
      checkPrefix(prefix);
      const folder = prefix.includes("/") ? prefix.slice(0, prefix.lastIndexOf("/")) : "";
      return walk(dir, folder, prefix);
    },
    async delete(key) {
      const path = pathOf(key);
      await Deno.remove(path).catch(ignoreMissing);
      await removeEmpty(dirname(path), dir);
    },
  };
}

/** Give the finished file its key; where the key exists, only equal content passes. */
async function publish(key: string, temp: string, path: string): Promise<void> {
  try {
    await Deno.link(temp, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (!await equalFiles(temp, path)) throw objectErrors.conflict(key);
    return;
  }
  await forceToDisk(dirname(path));
}

/** Make a folder below `root`, and force to disk the entries that lead to it. */
async function makeFolder(folder: string, root: string, known: Set<string>): Promise<void> {
  if (known.has(folder)) return;
  await Deno.mkdir(folder, { recursive: true });
  for (let at = folder; at.length > root.length; at = dirname(at)) await forceToDisk(dirname(at));
  if (known.size >= FOLDERS_KNOWN_MAX) known.clear();
  known.add(folder);
}

/** Remove a folder below `root` that is empty by now, and those above it that become so. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let at = folder; at.length > root.length; at = dirname(at)) {
    // Not empty, gone, or not ours to remove: whoever puts into it makes it again.
    if (!await Deno.remove(at).then(() => true, () => false)) return;
  }
}

async function writeDurably(path: string, data: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o444 });
  for (let at = 0; at < data.length;) at += await file.write(data.subarray(at));
  await file.sync();
}

async function forceToDisk(path: string): Promise<void> {
  using file = await Deno.open(path, { read: true });
  await file.sync();
}

async function equalFiles(a: string, b: string): Promise<boolean> {
  using left = await Deno.open(a);
  using right = await Deno.open(b);
  if ((await left.stat()).size !== (await right.stat()).size) return false;
  const [one, two] = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  for (;;) {
    const [n, m] = [await fill(left, one), await fill(right, two)];
    if (!equalBytes(one.subarray(0, n), two.subarray(0, m))) return false;
    if (n < CHUNK_BYTES) return true;
  }
}

/** Read until the buffer is full or the file ends. */
async function fill(file: Deno.FsFile, buffer: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const n = await file.read(buffer.subarray(filled));
    if (n === null) break;
    filled += n;
  }
  return filled;
}

function readUntil(file: Deno.FsFile, bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(left, 0)));
      const n = chunk.length === 0 ? null : await file.read(chunk);
      if (n === null) {
        file.close();
        return controller.close();
      }
      left -= n;
      controller.enqueue(chunk.subarray(0, n));
    },
    cancel() {
      file.close();
    },
  }, { highWaterMark: 0 });
}

async function* walk(root: string, folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
  const base = folder === "" ? root : `${root}/${folder}`;
  const names: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(base)) names.push(entry);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  // "/" sorts as part of the key, so that the order is the same as in every other store.
  const sortKey = (entry: Deno.DirEntry) => entry.name + (entry.isDirectory ? "/" : "");
  for (const entry of names.toSorted((a, b) => sortKey(a) < sortKey(b) ? -1 : 1)) {
    if (entry.name === TEMP) continue;
    const key = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory) {
      if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) {
        yield* walk(root, key, prefix);
      }
    } else if (key.startsWith(prefix)) {
      const found = await Deno.stat(`${root}/${key}`).catch(ignoreMissing);
      if (found) yield { key, bytes: found.size, modifiedAt: found.mtime! };
    }
  }
}

/** Run a write or read of `key`; a full disk and other failures of the system get their codes. */
async function named<T>(verb: string, key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw asStoreError(error, verb, key);
  }
}

/** DISK_FULL where the disk or quota is used up, INVALID for a key below a file, else UNAVAILABLE. */
export function asStoreError(error: unknown, verb: string, key: string): AppError {
  const code = (error as { code?: string }).code;
  const full = code === "ENOSPC" || code === "EDQUOT" ||
    /no space left|quota exceeded/i.test(messageOf(error));
  const options = { detail: { key }, cause: error };
  if (full) {
    return new AppError(
      "DISK_FULL",
      `Cannot ${verb} object "${key}": the disk of the object store is full`,
      options,
    );
  }
  if (code === "ENOTDIR" || code === "EISDIR" || error instanceof Deno.errors.NotADirectory) {
    return new AppError(
      "INVALID",
      `Cannot ${verb} object "${key}": part of the key is itself an object, or it is a folder`,
      options,
    );
  }
  return new AppError(
    "UNAVAILABLE",
    `Cannot ${verb} object "${key}": ${messageOf(error)}`,
    options,
  );
}

function missingAs<T>(work: Promise<T>, toError: (cause: unknown) => AppError): Promise<T> {
  return work.catch((error) => {
    throw isMissing(error) ? toError(error) : error;
  });
}

/** A path below a file names nothing either. */
function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

function ignoreMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

function isOtherDevice(error: unknown): boolean {
  return (error as { code?: string }).code === "EXDEV" ||
    /cross-device/i.test(messageOf(error));
}
