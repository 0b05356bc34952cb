/** @module Is a text UTF-8 to its last byte? */
import { isUtf8 } from "node:buffer";
import { AppError } from "../../../src/model/errors.ts";
import type { SourceFile } from "../formats/format.ts";
import { readUpTo } from "./sample.ts";

const CHUNK_BYTES = 1 << 20;

/** Throws CORRUPT with the offset of the first byte that is not UTF-8. */
export async function checkUtf8(
  { path, name, isAsCollected }: SourceFile,
  signal: AbortSignal,
): Promise<void> {
  using file = await Deno.open(path);
  let offset = 0;
  let rest = new Uint8Array();
  for (let isEnd = false; !isEnd;) {
    signal.throwIfAborted();
    const read = await readUpTo(file, CHUNK_BYTES);
    isEnd = read.length < CHUNK_BYTES;
    const bytes = new Uint8Array(rest.length + read.length);
    bytes.set(rest);
    bytes.set(read, rest.length);
    const end = isEnd ? bytes.length : wholeCharacters(bytes);
    if (!isUtf8(bytes.subarray(0, end))) {
      const at = offset + firstBad(bytes.subarray(0, end));
      const where = isAsCollected ? "at byte" : "unpacked, at byte";
      const shown = `0x${bytes[at - offset].toString(16).padStart(2, "0")}`;
      throw new AppError(
        "CORRUPT",
        `Cannot read ${name} as UTF-8: ${where} ${at}, ${shown} is no character; ` +
          "name its encoding if it is another",
        { detail: { offset: at } },
      );
    }
    rest = bytes.slice(end);
    offset += end;
  }
}

/** Length without a character that is cut off. */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Index of the first byte of the first sequence that is no character. */
export function firstBad(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  // Every beginning up to `low` is good, none up to `high` is.
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (isUtf8(bytes.subarray(0, wholeCharacters(bytes.subarray(0, middle))))) low = middle;
    else high = middle;
  }
  return Math.min(wholeCharacters(bytes.subarray(0, low)), bytes.length - 1);
}
