/**
 * @module Zstandard: frames one after the other. Each is walked block by block here, so that an end
 * that comes too early and bytes that are of no frame are seen; its content is checked by its sum.
 */
import { Decompress } from "fzstd";
import xxhash from "xxhash-wasm";
import type { Bytes } from "./bytes.ts";

/** What is in it. Throws Error where it is broken, cut off, or followed by other bytes. */
export async function* unzstd(bytes: Bytes): Bytes {
  const { create64 } = await xxhash();
  const input = new Input(bytes);
  while (await input.has(1)) {
    const magic = number(await input.take(4));
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
      await input.skip(number(await input.take(4)));
      continue;
    }
    if (magic !== 0xfd2fb528) throw new Error("bytes follow that are of no frame");
    yield* frame(input, create64());
  }
}

/** What is used of a running sum. */
interface RunningSum {
  update(bytes: Uint8Array): unknown;
  digest(): bigint;
}

async function* frame(input: Input, sum: RunningSum): Bytes {
  const out: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => {
    if (chunk.length > 0) out.push(chunk);
  });
  const push = (bytes: Uint8Array, isEnd = false) => {
    decoder.push(bytes, isEnd);
    for (const chunk of out) sum.update(chunk);
    return out.splice(0);
  };
  const descriptor = await input.take(1);
  const header = await input.take(headerBytes(descriptor[0]) - 1);
  const hasSum = (descriptor[0] & 4) !== 0;
  push(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...descriptor, ...header));
  for (let isLast = false; !isLast;) {
    const block = await input.take(3);
    const size = number(block) >>> 3;
    isLast = (block[0] & 1) === 1;
    const kind = (block[0] >> 1) & 3;
    const content = await input.take(kind === 1 ? 1 : size);
    const isEnd = isLast && !hasSum;
    yield* push(block);
    yield* push(content, isEnd);
  }
  if (!hasSum) return;
  const stated = await input.take(4);
  yield* push(stated, true);
  if (Number(sum.digest() & 0xffffffffn) !== number(stated)) {
    throw new Error("its content is not what its checksum says");
  }
}

/** Bytes of a frame's header behind its magic. */
function headerBytes(descriptor: number): number {
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3];
  const size = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6];
  return 1 + (isSingle ? 0 : 1) + dictionary + size;
}

function number(bytes: Uint8Array): number {
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}

/** Takes a stream apart. */
class Input {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk = new Uint8Array();

  constructor(bytes: Bytes) {
    this.#iterator = bytes[Symbol.asyncIterator]();
  }

  async has(count: number): Promise<boolean> {
    while (this.#chunk.length < count) {
      const { done, value } = await this.#iterator.next();
      if (done) return false;
      const joined = new Uint8Array(this.#chunk.length + value.length);
      joined.set(this.#chunk);
      joined.set(value, this.#chunk.length);
      this.#chunk = joined;
    }
    return true;
  }

  async take(count: number): Promise<Uint8Array> {
    if (!await this.has(count)) throw new Error("it ends too early");
    const taken = this.#chunk.slice(0, count);
    this.#chunk = this.#chunk.subarray(count);
    return taken;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      if (!await this.has(1)) throw new Error("it ends too early");
      const part = Math.min(left, this.#chunk.length);
      this.#chunk = this.#chunk.subarray(part);
      left -= part;
    }
  }
}
