/** @module Codecs of Avro's blocks. */
import { crc32, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { snappyUncompress } from "hyparquet";
import { bunzip2 } from "../../prepare/containers/bzip2.ts";
import { unxz } from "../../prepare/containers/xz.ts";

/** A block may become this large, and no larger. */
export const blockBytesMax = 512 * 1024 * 1024;

type Decompress = (block: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Codecs by their names in files. */
const codecs: Readonly<Record<string, Decompress>> = {
  null: (block) => block,
  deflate: (block) => inflateRawSync(block, { maxOutputLength: blockBytesMax }),
  zstandard: (block) => zstdDecompressSync(block, { maxOutputLength: blockBytesMax }),
  snappy: unsnappy,
  bzip2: (block) => gathered(bunzip2, block),
  xz: (block) => gathered(unxz, block),
};

/** The codec of this name. Throws Error for an unknown one. */
export function codecNamed(name: string): Decompress {
  if (Object.hasOwn(codecs, name)) return codecs[name];
  throw new Error(
    `its codec is "${name}", which is none of ${Object.keys(codecs).join(", ")}`,
  );
}

/** With the checksum of what comes out, behind it. */
function unsnappy(block: Uint8Array): Uint8Array {
  if (block.length < 5) throw new Error("a snappy block is cut off");
  const compressed = block.subarray(0, -4);
  const output = new Uint8Array(snappyLength(compressed));
  snappyUncompress(compressed, output);
  const want = new DataView(block.buffer, block.byteOffset + block.length - 4).getUint32(0);
  if (crc32(output) !== want) throw new Error("the checksum of a snappy block does not match");
  return output;
}

/** What a snappy block says that it becomes; no byte of it makes more than 64. */
function snappyLength(block: Uint8Array): number {
  let length = 0;
  for (let i = 0, factor = 1; i < 5; i++, factor *= 128) {
    length += (block[i] & 127) * factor;
    if (block[i] < 128) break;
  }
  if (length > blockBytesMax || length > block.length * 64) {
    throw new Error(`a snappy block of ${block.length} bytes says that it becomes ${length}`);
  }
  return length;
}

async function gathered(
  unpack: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  block: Uint8Array,
): Promise<Uint8Array> {
  const parts = new Parts();
  const source = async function* () {
    await Promise.resolve();
    yield block.slice();
  };
  for await (const part of unpack(source())) parts.add(part.slice());
  return parts.join();
}

class Parts {
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > blockBytesMax) {
      throw new Error(`a block becomes larger than ${blockBytesMax} bytes`);
    }
    this.#parts.push(part);
  }

  join(): Uint8Array {
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
