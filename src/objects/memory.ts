/** @module An object store in memory: for tests and `tidewheel run`. */
import { type Clock, systemClock } from "../base/clock.ts";
import { checkKey, checkPrefix, objectErrors } from "./key.ts";
import type { ObjectInfo, ObjectStore } from "./port.ts";

/** Objects that end with the process. */
export function memoryObjectStore({ clock = systemClock }: { clock?: Clock } = {}): ObjectStore {
  const objects = new Map<string, { data: Uint8Array<ArrayBuffer>; modifiedAt: Date }>();

  function find(key: string) {
    checkKey(key);
    const found = objects.get(key);
    if (!found) throw objectErrors.notFound(key, "memory");
    return found;
  }
  const infoOf = (key: string): ObjectInfo => {
    const { data, modifiedAt } = objects.get(key)!;
    return { key, bytes: data.length, modifiedAt };
  };

  const store: ObjectStore = {
    // deno-lint-ignore require-await
    async put(key, data) {
      checkKey(key);
      const old = objects.get(key);
      if (!old) objects.set(key, { data: new Uint8Array(data), modifiedAt: clock.now() });
      else if (!equalBytes(old.data, data)) throw objectErrors.conflict(key);
    },
    async putFile(key, path) {
      await store.put(key, await Deno.readFile(path));
    },
    // deno-lint-ignore require-await
    async get(key) {
      return find(key).data.slice();
    },
    // deno-lint-ignore require-await
    async stream(key, { start, end } = { start: 0 }) {
      const { data } = find(key);
      if (start > data.length) throw objectErrors.range(key, start, data.length);
      return ReadableStream.from([data.slice(start, end)]);
    },
    // deno-lint-ignore require-await
    async stat(key) {
      checkKey(key);
      return objects.has(key) ? infoOf(key) : null;
    },
    async materialize(key, dir) {
      const path = `${dir}/${key}`;
      const { data } = find(key);
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeFile(path, data);
      return path;
    },
    async *list(prefix) {
      checkPrefix(prefix);
      for (const key of [...objects.keys()].toSorted()) {
        if (key.startsWith(prefix) && objects.has(key)) yield infoOf(key);
      }
    },
    // deno-lint-ignore require-await
    async delete(key) {
      checkKey(key);
      objects.delete(key);
    },
  };
  return store;
}

/** Are two byte arrays the same? */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
