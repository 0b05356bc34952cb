/**
 * @module Items of lists that lie in object storage. A list is read once and its items are cut out of
 * the bytes by index: a task mapped over 100,000 items does not hand the list to each of them.
 */
import { limits } from "../../base/limits.ts";
import { AppError } from "../../model/errors.ts";
import type { ObjectStore } from "../../objects/port.ts";

/** Reads items. */
export interface ListReader {
  /** The item at `index` of the JSON array at `key`; undefined where it is no array or shorter. */
  item(key: string, index: number): Promise<unknown>;
}

interface List {
  bytes: Uint8Array;
  /** Where items begin, and one past the end; null: no array. */
  starts: Uint32Array | null;
}

const decoder = new TextDecoder();

/** Keeps the lists used last, `bytesMax` of them together; objects never change. */
export function listReader(
  objects: Pick<ObjectStore, "get">,
  { bytesMax = limits.listCacheBytes }: { bytesMax?: number } = {},
): ListReader {
  const kept = new Map<string, Promise<List>>();
  const sizes = new Map<string, number>();
  let bytes = 0;

  function drop(key: string) {
    kept.delete(key);
    bytes -= sizes.get(key) ?? 0;
    sizes.delete(key);
  }

  function read(key: string): Promise<List> {
    const list = kept.get(key) ?? objects.get(key).then((found) => {
      const size = found.length;
      while (bytes + size > bytesMax && sizes.size > 0) drop(sizes.keys().next().value!);
      sizes.set(key, size);
      bytes += size;
      return { bytes: found, starts: startsOf(found) };
    });
    // The one used last goes last.
    kept.delete(key);
    kept.set(key, list);
    const size = sizes.get(key);
    if (size !== undefined) {
      sizes.delete(key);
      sizes.set(key, size);
    }
    list.catch(() => drop(key));
    return list;
  }

  return {
    async item(key, index) {
      const { bytes, starts } = await read(key);
      if (starts === null || index < 0 || index >= starts.length - 1) return undefined;
      try {
        return JSON.parse(decoder.decode(bytes.subarray(starts[index], starts[index + 1] - 1)));
      } catch {
        throw new AppError("CORRUPT", `Cannot read item ${index} of "${key}": it is not JSON`);
      }
    },
  };
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [open, close, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Of a JSON array: one past each comma of its own level; [first item, …, one past the end]. */
function startsOf(bytes: Uint8Array): Uint32Array | null {
  let at = 0;
  while (isSpace(bytes[at])) at++;
  if (bytes[at] !== open) return null;
  const starts = [at + 1];
  let depth = 0;
  let isEmpty = true;
  for (; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      for (at++; bytes[at] !== quote && at < bytes.length; at++) if (bytes[at] === backslash) at++;
      isEmpty = false;
    } else if (byte === open || byte === openBrace) {
      if (depth++ > 0) isEmpty = false;
    } else if (byte === close || byte === closeBrace) {
      if (--depth > 0) continue;
      starts.push(at + 1);
      return Uint32Array.from(isEmpty ? [at + 1] : starts);
    } else if (byte === comma && depth === 1) {
      starts.push(at + 1);
    } else if (!isSpace(byte)) isEmpty = false;
  }
  return null;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
