/** @module Lines of a text file with their offsets, one at a time. */
import { AppError } from "../../../src/model/errors.ts";
import type { ReadCall } from "./format.ts";

/** A line without its end. */
export interface Line {
  text: string;
  /** In bytes from the file's start. */
  offset: number;
  /** With its end. */
  bytes: number;
  /** Does a line end follow? The last line of a file that was cut off has none. */
  isEnded: boolean;
}

const CHUNK_BYTES = 1 << 20;
const LINE_BYTES_MAX = 64 * 1024 * 1024;
const LF = 10;
const CR = 13;

/**
 * The lines of a file, whose ends are LF, CRLF or CR. Throws CORRUPT for bytes that are no UTF-8, and
 * for a line of more than 64 MiB.
 */
export function* linesOf({ file, signal }: Pick<ReadCall, "file" | "signal">): Generator<Line> {
  using input = Deno.openSync(file.path);
  let chunk = new Uint8Array(CHUNK_BYTES);
  let length = 0;
  let base = 0;
  let isEnd = false;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const line = (start: number, end: number, next: number, isEnded: boolean): Line => {
    const offset = base + start;
    try {
      const text = decoder.decode(chunk.subarray(start, end));
      return { text, offset, bytes: next - start, isEnded };
    } catch (error) {
      throw new AppError(
        "CORRUPT",
        `Cannot read ${file.name}: the line at byte ${offset} is no UTF-8; name its "encoding"`,
        { cause: error },
      );
    }
  };
  while (!isEnd) {
    signal.throwIfAborted();
    if (length === chunk.length) chunk = grown(chunk, base, file.name);
    const read = input.readSync(chunk.subarray(length));
    isEnd = read === null;
    length += read ?? 0;
    let start = base === 0 && isMark(chunk) ? 3 : 0;
    for (let i = start; i < length; i++) {
      const byte = chunk[i];
      if (byte !== LF && byte !== CR) continue;
      // Whether a line feed follows is not known yet.
      if (byte === CR && i + 1 === length && !isEnd) break;
      const next = byte === CR && i + 1 < length && chunk[i + 1] === LF ? i + 2 : i + 1;
      yield line(start, i, next, true);
      start = next;
      i = next - 1;
    }
    if (isEnd && start < length) yield line(start, length, length, false);
    chunk.copyWithin(0, start, length);
    base += start;
    length -= start;
  }
}

function grown(
  chunk: Uint8Array<ArrayBuffer>,
  base: number,
  name: string,
): Uint8Array<ArrayBuffer> {
  if (chunk.length >= LINE_BYTES_MAX) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${name}: the line at byte ${base} is longer than ${LINE_BYTES_MAX} bytes`,
    );
  }
  const larger = new Uint8Array(2 * chunk.length);
  larger.set(chunk);
  return larger;
}

function isMark(chunk: Uint8Array): boolean {
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
}
