/** @module Compression of ORC's blocks: Snappy, LZ4, LZO and what the runtime has. */
import { inflateRawSync, zstdDecompressSync } from "node:zlib";
import { BlockError, BlockOutput } from "./block_output.ts";
import { lzoBlock } from "./lzo.ts";

/** Codecs by their number in a postscript. */
export const codecNames = ["none", "zlib", "snappy", "lzo", "lz4", "zstd"] as const;
/** One of {@link codecNames}. */
export type CodecName = (typeof codecNames)[number];

/** Unpack a block into at most `bytesMax` bytes. Throws BlockError. */
export function unpackBlock(block: Uint8Array, codec: CodecName, bytesMax: number): Uint8Array {
  try {
    return unpackers[codec](block, bytesMax);
  } catch (error) {
    const why = error instanceof BlockError ? error.message : (error as Error).message;
    throw new BlockError(`a block does not unpack as ${codec}: ${why}`);
  }
}

const unpackers: Record<CodecName, (block: Uint8Array, bytesMax: number) => Uint8Array> = {
  none: (block) => block,
  zlib: (block, maxOutputLength) => plain(inflateRawSync(block, { maxOutputLength })),
  zstd: (block, maxOutputLength) => plain(zstdDecompressSync(block, { maxOutputLength })),
  snappy: snappyBlock,
  lz4: lz4Block,
  lzo: lzoBlock,
};

/** Pieces of a Buffer that are sliced share its memory; those of an array do not. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

function snappyBlock(block: Uint8Array, bytesMax: number): Uint8Array {
  let at = 0;
  let length = 0;
  for (let shift = 1;; shift *= 128) {
    if (at >= block.length || at > 4) throw new BlockError("its length is cut off");
    const byte = block[at++];
    length += (byte & 0x7f) * shift;
    if (byte < 0x80) break;
  }
  if (length > bytesMax) throw new BlockError(`its length, ${length}, is over ${bytesMax}`);
  const output = new BlockOutput(length, length);
  const little = (bytes: number) => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += block[at + i] * 256 ** i;
    at += bytes;
    if (at > block.length) throw new BlockError("it is cut off");
    return value;
  };
  while (at < block.length) {
    const tag = block[at++];
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >>> 2;
      const bytes = (short < 60 ? short : little(short - 59)) + 1;
      output.literal(block, at, at + bytes);
      at += bytes;
    } else if (kind === 1) output.copy(((tag & 0xe0) << 3) | little(1), ((tag >>> 2) & 7) + 4);
    else output.copy(little(kind === 2 ? 2 : 4), (tag >>> 2) + 1);
  }
  if (output.length !== length) {
    throw new BlockError(`it has ${output.length} bytes and says that it has ${length}`);
  }
  return output.finish();
}

function lz4Block(block: Uint8Array, bytesMax: number): Uint8Array {
  const output = new BlockOutput(4 * block.length, bytesMax);
  let at = 0;
  const lengthOf = (short: number) => {
    let length = short;
    if (short < 15) return length;
    for (let byte = 255; byte === 255;) {
      if (at >= block.length) throw new BlockError("a length is cut off");
      byte = block[at++];
      length += byte;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++];
    const literals = lengthOf(token >>> 4);
    output.literal(block, at, at + literals);
    at += literals;
    if (at === block.length) break;
    if (at + 2 > block.length) throw new BlockError("a distance is cut off");
    const distance = block[at] | (block[at + 1] << 8);
    at += 2;
    output.copy(distance, lengthOf(token & 15) + 4);
  }
  return output.finish();
}
