/** @module LZ4 frames, whose blocks may refer to those before them. */

const MAGIC = 0x184d2204;

/** Decompress a frame to just `length` bytes. Throws Error for one that is damaged. */
export function unlz4Frame(input: Uint8Array, length: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  if (view.getUint32(0, true) !== MAGIC) throw new Error("an LZ4 frame has no magic number");
  const flags = input[4];
  if (flags >> 6 !== 1) throw new Error(`an LZ4 frame is of version ${flags >> 6}`);
  const hasChecksums = (flags & 0x10) !== 0;
  let at = 6 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1;
  const output = new Uint8Array(length);
  let used = 0;
  while (true) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) break;
    const bytes = size & 0x7fffffff;
    if (bytes > input.length - at) throw new Error("an LZ4 block is longer than its frame");
    const block = input.subarray(at, at + bytes);
    if (size >>> 31) {
      if (bytes > length - used) throw new Error("an LZ4 frame is longer than it says");
      output.set(block, used);
      used += bytes;
    } else used = unlz4Block(block, output, used);
    at += bytes + (hasChecksums ? 4 : 0);
  }
  if (used !== length) throw new Error(`an LZ4 frame becomes ${used} bytes, not ${length}`);
  return output;
}

/** Decompress one block behind `from` of the output; where it ends. */
function unlz4Block(input: Uint8Array, output: Uint8Array, from: number): number {
  let at = 0;
  let to = from;
  const lengthOf = (nibble: number) => {
    let length = nibble;
    if (nibble === 15) {
      let byte;
      do {
        byte = input[at++];
        length += byte;
      } while (byte === 255);
    }
    return length;
  };
  while (at < input.length) {
    const token = input[at++];
    const literals = lengthOf(token >> 4);
    if (!(literals <= input.length - at) || literals > output.length - to) {
      throw new Error("an LZ4 block is damaged");
    }
    if (literals > 16) output.set(input.subarray(at, at + literals), to);
    else for (let i = 0; i < literals; i++) output[to + i] = input[at + i];
    at += literals;
    to += literals;
    if (at >= input.length) break;
    const offset = input[at] | (input[at + 1] << 8);
    at += 2;
    const match = lengthOf(token & 15) + 4;
    if (offset === 0 || offset > to || !(match <= output.length - to)) {
      throw new Error("an LZ4 block is damaged");
    }
    if (offset >= match) output.copyWithin(to, to - offset, to - offset + match);
    else for (let i = 0; i < match; i++) output[to + i] = output[to - offset + i];
    to += match;
  }
  return to;
}
