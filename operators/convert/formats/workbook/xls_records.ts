/** @module Records of xls, and texts that go on in the record behind. */
import { WorkbookError } from "./book.ts";

/** Types of records. */
export const record = {
  formula: 0x06,
  end: 0x0a,
  is1904: 0x22,
  password: 0x2f,
  more: 0x3c,
  codePage: 0x42,
  sheet: 0x85,
  numbers: 0xbd,
  richLabel: 0xd6,
  style: 0xe0,
  sharedTexts: 0xfc,
  sharedLabel: 0xfd,
  number: 0x203,
  label: 0x204,
  booleanOrError: 0x205,
  formulaText: 0x207,
  shortNumber: 0x27e,
  format: 0x41e,
  begin: 0x809,
} as const;

/** A record. */
export interface XlsRecord {
  type: number;
  /** Where it begins in the stream. */
  at: number;
  bytes: Uint8Array;
  /** The bytes of records that go on with it. */
  more: Uint8Array[];
}

const HEAD_BYTES = 4;

/** Records from an offset on. */
export function* recordsFrom(stream: Uint8Array, offset: number): Generator<XlsRecord> {
  let at = offset;
  while (at + HEAD_BYTES <= stream.length) {
    const { type, bytes, next } = recordAt(stream, at);
    const more: Uint8Array[] = [];
    let end = next;
    while (
      end + HEAD_BYTES <= stream.length && (stream[end] | (stream[end + 1] << 8)) === record.more
    ) {
      const continued = recordAt(stream, end);
      more.push(continued.bytes);
      end = continued.next;
    }
    yield { type, at, bytes, more };
    at = end;
  }
}

function recordAt(stream: Uint8Array, at: number) {
  const type = stream[at] | (stream[at + 1] << 8);
  const length = stream[at + 2] | (stream[at + 3] << 8);
  const next = at + HEAD_BYTES + length;
  if (next > stream.length) {
    throw new WorkbookError(`a record of ${length} bytes is cut off at byte ${at} of its stream`);
  }
  return { type, bytes: stream.subarray(at + HEAD_BYTES, next), next };
}

/** Reads texts of BIFF8 from a record and those that go on with it. */
export class TextReader {
  readonly #pieces: readonly Uint8Array[];
  #piece = 0;
  #at: number;

  constructor({ bytes, more }: XlsRecord, at = 0) {
    this.#pieces = [bytes, ...more];
    this.#at = at;
  }

  /** Is all read? */
  get isAtEnd(): boolean {
    return this.#piece === this.#pieces.length - 1 && this.#at >= this.#pieces[this.#piece].length;
  }

  /** A text behind its length of one byte or two. */
  text(lengthBytes: 1 | 2): string {
    const length = lengthBytes === 1 ? this.#byte() : this.#word();
    const flags = this.#byte();
    const runs = flags & 8 ? this.#word() : 0;
    const extra = flags & 4 ? this.#word() | (this.#word() << 16) : 0;
    const text = this.#letters(length, (flags & 1) !== 0);
    this.#skip(4 * runs + Math.max(0, extra));
    return text;
  }

  /** Behind each seam, a byte says anew whether letters have one byte or two. */
  #letters(length: number, isWideAtFirst: boolean): string {
    let isWide = isWideAtFirst;
    let text = "";
    for (let left = length; left > 0;) {
      if (this.#at >= this.#pieces[this.#piece].length) {
        this.#nextPiece();
        isWide = (this.#byte() & 1) !== 0;
      }
      const piece = this.#pieces[this.#piece];
      const width = isWide ? 2 : 1;
      const count = Math.min(left, Math.floor((piece.length - this.#at) / width));
      if (count === 0) throw new WorkbookError("a letter of a text is cut in two");
      const bytes = piece.subarray(this.#at, this.#at + count * width);
      text += isWide ? new TextDecoder("utf-16le").decode(bytes) : latin1(bytes);
      this.#at += count * width;
      left -= count;
    }
    return text;
  }

  #skip(bytes: number): void {
    for (let left = bytes; left > 0;) {
      const there = this.#pieces[this.#piece].length - this.#at;
      const skipped = Math.min(left, there);
      this.#at += skipped;
      left -= skipped;
      if (left > 0) this.#nextPiece();
    }
  }

  #word(): number {
    return this.#byte() | (this.#byte() << 8);
  }

  #byte(): number {
    while (this.#at >= this.#pieces[this.#piece].length) this.#nextPiece();
    return this.#pieces[this.#piece][this.#at++];
  }

  #nextPiece(): void {
    if (this.#piece + 1 >= this.#pieces.length) throw new WorkbookError("a text is cut off");
    this.#piece++;
    this.#at = 0;
  }
}

/** Low bytes of UTF-16. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}
