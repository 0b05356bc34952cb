/**
 * @module A text in another encoding as UTF-8, a stretch at a time. Bytes that are no character are
 * never replaced: either they end it, with their offset, or they become bytes that are no UTF-8
 * either, so that a reader refuses their record.
 */
import { writeAll } from "../../table/write_all.ts";
import { AppError } from "../../../src/model/errors.ts";
import type { Encoding, TextReader } from "./encodings.ts";
import { readUpTo } from "./sample.ts";

/** How to transcode. */
export interface TranscodeOptions {
  encoding: Encoding;
  /** Bytes of a mark to leave out. */
  markBytes: number;
  /** For messages. */
  name: string;
  /** True: bytes that are no character become bytes that are no UTF-8. False: they are an error. */
  keepsBadBytes: boolean;
  signal: AbortSignal;
}

const CHUNK_BYTES = 1 << 20;
/** A text without a byte to cut it at is none that can be read a stretch at a time. */
const UNCUT_BYTES_MAX = 64 << 20;
/** Occurs in no UTF-8. */
const BAD_BYTE = 0xff;

/** Write the text of `from` to `to` as UTF-8. Throws CORRUPT where bytes are no character. */
export async function transcode(
  from: string,
  to: string,
  { encoding, markBytes, name, keepsBadBytes, signal }: TranscodeOptions,
): Promise<void> {
  using input = await Deno.open(from);
  using output = await Deno.open(to, { write: true, createNew: true });
  const strict = encoding.decoder(true);
  await input.seek(markBytes, Deno.SeekMode.Start);
  let offset = markBytes;
  let rest = new Uint8Array();
  for (let isEnd = false; !isEnd;) {
    signal.throwIfAborted();
    const read = await readUpTo(input, CHUNK_BYTES);
    isEnd = read.length < CHUNK_BYTES;
    const bytes = rest.length === 0 ? read : joined(rest, read);
    const end = isEnd ? bytes.length : cutOf(bytes, encoding);
    if (end === 0 && bytes.length > UNCUT_BYTES_MAX) {
      throw bad(name, encoding, offset, "there is no end of a character for 64 MB");
    }
    const part = bytes.subarray(0, end);
    rest = bytes.slice(end);
    const decoded = decodePart(part, { strict, encoding, isEnd });
    if (typeof decoded === "string") await writeAll(output, new TextEncoder().encode(decoded));
    else if (keepsBadBytes) await writeAll(output, keepBad(part, encoding));
    else {
      const at = offset + badOffset(part, encoding);
      const shown = [...part.subarray(at - offset, at - offset + 4)]
        .map((byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(" ");
      throw bad(name, encoding, at, `the bytes ${shown} are no character`);
    }
    offset += end;
  }
}

function decodePart(
  part: Uint8Array,
  { strict, encoding, isEnd }: { strict: TextReader; encoding: Encoding; isEnd: boolean },
): string | null {
  try {
    // Cut at the end of a character, except in encodings with states.
    const isStateful = !encoding.hasSafeCuts && encoding.unitBytes === 1;
    return strict.decode(part, { stream: isStateful && !isEnd });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Where bytes can be cut without cutting a character. */
function cutOf(bytes: Uint8Array, { unitBytes, hasSafeCuts, name }: Encoding): number {
  if (unitBytes > 1) {
    const end = bytes.length - bytes.length % unitBytes;
    // Not between the two halves of a pair.
    const high = end < 2 ? 0 : name === "utf-16le" ? bytes[end - 1] : bytes[end - 2];
    return unitBytes === 2 && (high & 0xfc) === 0xd8 ? end - 2 : end;
  }
  if (!hasSafeCuts) return bytes.length;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] >= 0x30) end--;
  return end;
}

/** Line by line, with {@link BAD_BYTE} for what is no character. */
function keepBad(part: Uint8Array, encoding: Encoding): Uint8Array {
  const lenient = encoding.decoder(false);
  const text = lenient.decode(part);
  const encoder = new TextEncoder();
  const pieces = text.split("\ufffd").map((piece) => encoder.encode(piece));
  const out = new Uint8Array(
    pieces.reduce((sum, { length }) => sum + length, 0) + pieces.length - 1,
  );
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) out[at++] = BAD_BYTE;
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** Offset of the first character that is none. */
function badOffset(part: Uint8Array, encoding: Encoding): number {
  const strict = encoding.decoder(true);
  let start = 0;
  try {
    for (let at = 0; at < part.length; at++) {
      const text = strict.decode(part.subarray(at, at + 1), { stream: true });
      if (text !== "") start = at + 1;
    }
    strict.decode();
  } catch {
    return start;
  }
  return start;
}

function bad(name: string, encoding: Encoding, offset: number, what: string): AppError {
  return new AppError(
    "CORRUPT",
    `Cannot read ${name} as ${encoding.name}: at byte ${offset}, ${what}`,
    { detail: { offset, encoding: encoding.name } },
  );
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
