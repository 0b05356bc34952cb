/** @module Streams of bytes between the layers of containers. */

/** Bytes as they come. */
export type Bytes = AsyncIterable<Uint8Array>;

const CHUNK_BYTES = 256 * 1024;

/** A file's bytes. */
export async function* bytesOfFile(path: string): Bytes {
  using file = await Deno.open(path);
  while (true) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const read = await file.read(chunk);
    if (read === null) return;
    yield chunk.subarray(0, read);
  }
}

/** Counts bytes on their way, and keeps the last of them. */
export class CountedBytes implements Bytes {
  readonly #bytes: Bytes;
  readonly #tail = new Uint8Array(512);
  count = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#bytes) {
      this.count += chunk.length;
      const part = chunk.subarray(-512);
      this.#tail.copyWithin(0, part.length);
      this.#tail.set(part, 512 - part.length);
      yield chunk;
    }
  }

  /** The last 512 bytes. */
  get tail(): Uint8Array {
    return this.#tail;
  }
}

/** The first bytes of a stream, and the whole of it. */
export async function peek(bytes: Bytes, count: number): Promise<{ head: Uint8Array; all: Bytes }> {
  const iterator = bytes[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let length = 0;
  while (length < count) {
    const { done, value } = await iterator.next();
    if (done) break;
    taken.push(value);
    length += value.length;
  }
  const head = new Uint8Array(length);
  let at = 0;
  for (const chunk of taken) {
    head.set(chunk, at);
    at += chunk.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head: head.subarray(0, count), all: all() };
}
