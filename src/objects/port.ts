/** @module Object storage: what holds bundles, logs, raw payloads and dataset files. */

/** A stored object. */
export interface ObjectInfo {
  key: string;
  bytes: number;
  modifiedAt: Date;
}

/**
 * Keys are relative paths of `[A-Za-z0-9._=+@-]` segments. Objects are immutable: a second `put` of
 * a key with other content is a CONFLICT, with equal content a no-op. A reader sees all or nothing.
 * Errors: NOT_FOUND, CONFLICT, DISK_FULL, UNAVAILABLE.
 */
export interface ObjectStore {
  put(key: string, data: Uint8Array): Promise<void>;
  /** Move a local file into the store (it may be renamed away). */
  putFile(key: string, path: string): Promise<void>;
  get(key: string): Promise<Uint8Array>;
  stream(key: string, range?: { start: number; end?: number }): Promise<ReadableStream<Uint8Array>>;
  stat(key: string): Promise<ObjectInfo | null>;
  /** A path at which the object can be read now: its own where it is local, else a copy in `dir`. */
  materialize(key: string, dir: string): Promise<string>;
  list(prefix: string): AsyncIterable<ObjectInfo>;
  delete(key: string): Promise<void>;
}
