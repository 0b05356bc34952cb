/** @module What is wrong with a document, and where. */
import { AppError } from "../../../../src/model/errors.ts";

/** A document that is not well-formed. */
export class XmlError extends Error {
  constructor(
    /** What is so; goes on from "Cannot read F as XML: ". */
    readonly why: string,
    /** In bytes of the file that was read. */
    readonly offset: number,
  ) {
    super(why);
  }
}

/** The error for people: file, line, column and byte. Anything but an XmlError comes back as it is. */
export async function placedError(
  error: unknown,
  { path, name, isAsCollected }: { path: string; name: string; isAsCollected: boolean },
  what = "XML",
): Promise<unknown> {
  if (!(error instanceof XmlError)) return error;
  const { line, column } = await lineOf(path, error.offset);
  const place = `line ${line}, column ${column}, byte ${error.offset}`;
  const of = isAsCollected ? "" : " of its text";
  return new AppError("CORRUPT", `Cannot read ${name} as ${what}: ${error.why}, at ${place}${of}`, {
    detail: { line, column, offset: error.offset },
    cause: error,
  });
}

/** Line and column of a byte, from 1; columns count characters. */
export async function lineOf(
  path: string,
  offset: number,
): Promise<{ line: number; column: number }> {
  using file = await Deno.open(path);
  const chunk = new Uint8Array(1 << 18);
  let [line, column, at] = [1, 1, 0];
  while (at < offset) {
    const read = await file.read(chunk);
    if (read === null) break;
    for (let i = 0; i < read && at < offset; i++, at++) {
      const byte = chunk[i];
      if (byte === 10) [line, column] = [line + 1, 1];
      else if ((byte & 0xc0) !== 0x80 && !isMark(byte, at)) column++;
    }
  }
  return { line, column };
}

/** The first byte of a byte order mark is no column. */
function isMark(byte: number, at: number): boolean {
  return at === 0 && byte === 0xef;
}

/** Offset of the first byte of a file that is no UTF-8; its size when all are. */
export async function firstBadByte(path: string): Promise<number> {
  using file = await Deno.open(path);
  const chunk = new Uint8Array(1 << 18);
  let base = 0;
  let carried = 0;
  while (true) {
    const read = await file.read(chunk.subarray(carried));
    const length = carried + (read ?? 0);
    const good = goodBytes(chunk.subarray(0, length));
    const rest = length - good;
    if (read === null) return base + good;
    if (rest >= 4) return base + good;
    chunk.copyWithin(0, good, length);
    base += good;
    carried = rest;
  }
}

/** How many bytes from the first on are whole characters. */
function goodBytes(bytes: Uint8Array): number {
  let i = 0;
  while (i < bytes.length) {
    const length = bytes[i] < 0x80 ? 1 : sequenceLength(bytes, i);
    if (length === 0) return i;
    i += length;
  }
  return i;
}

function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

const strict = new TextDecoder("utf-8", { fatal: true });
