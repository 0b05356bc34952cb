/** @module A window on a file for {@link ValueReader}: memory stays flat however long the file is. */
import { AppError } from "../../../../src/model/errors.ts";
import { Broken, needsMore, type ValueReader } from "./value_reader.ts";

/** Longest record, and longest string elsewhere. */
export const recordBytesMax = 16 * 1024 * 1024;

const WINDOW_BYTES = 1 << 20;
const decoder = new TextDecoder();

/** Options of {@link Window}. */
export interface WindowOptions {
  /** Fills a part of what it is given and says how much; null at the end. */
  read(into: Uint8Array): number | null;
  /** For messages. */
  name: string;
  bytes?: number;
}

/** A position that goes forward through a file. */
export class Window {
  /** Where in the buffer. */
  at = 0;
  /** Offset in the file of the buffer's first byte. */
  base = 0;
  readonly reader: ValueReader;
  readonly #options: WindowOptions;

  constructor(reader: ValueReader, options: WindowOptions) {
    this.reader = reader;
    this.#options = options;
    reader.buffer = new Uint8Array((options.bytes ?? WINDOW_BYTES) + 1);
    reader.end = 0;
    reader.isEnd = false;
    this.#skipMark();
  }

  /** Offset in the file. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Go where `step` goes from here; more is read when it needs more. Throws CORRUPT. */
  go(step: (at: number) => number): void {
    while (true) {
      try {
        this.at = step(this.at);
        return;
      } catch (error) {
        if (error !== needsMore) throw this.#broken(error);
        if (this.reader.end - this.at > recordBytesMax) {
          throw this.corrupt(this.offset, `a record is longer than ${recordBytesMax} bytes`);
        }
        this.fill();
      }
    }
  }

  /** The name of a member, which begins behind blanks. */
  name(): string {
    const { reader } = this;
    let name = "";
    this.blank();
    this.go((at) => {
      const past = reader.name(at);
      name = JSON.parse(decoder.decode(reader.buffer.subarray(at, reader.string(at))));
      return past;
    });
    return name;
  }

  /** The next byte that is no blank; -1 at the end. */
  blank(): number {
    const { reader } = this;
    while (true) {
      this.at = reader.blank(this.at);
      if (this.at < reader.end) return reader.buffer[this.at];
      if (!this.fill()) return -1;
    }
  }

  /** Read more, and forget what lies behind; false at the end. */
  fill(): boolean {
    const { reader, at } = this;
    if (reader.isEnd) return false;
    if (at > 0) {
      reader.buffer.copyWithin(0, at, reader.end);
      reader.end -= at;
      this.base += at;
      this.at = 0;
    }
    if (reader.end === reader.buffer.length - 1) {
      const larger = new Uint8Array(2 * reader.buffer.length - 1);
      larger.set(reader.buffer);
      reader.buffer = larger;
    }
    const room = reader.buffer.subarray(reader.end, reader.buffer.length - 1);
    const read = this.#options.read(room);
    if (read === null || read === 0) reader.isEnd = true;
    else reader.end += read;
    reader.buffer[reader.end] = 0;
    return !reader.isEnd;
  }

  /** That the file is broken, here or there. */
  corrupt(offset: number, why: string): AppError {
    return new AppError(
      "CORRUPT",
      `Cannot read ${this.#options.name} as JSON: at byte ${offset}, ${why}`,
      { detail: { offset, why } },
    );
  }

  #broken(error: unknown): unknown {
    return error instanceof Broken ? this.corrupt(this.base + error.at, error.why) : error;
  }

  /** A byte order mark is no part of a document. */
  #skipMark(): void {
    const { reader } = this;
    while (reader.end < 3 && this.fill());
    const [a, b, c] = reader.buffer;
    if (reader.end >= 3 && a === 0xef && b === 0xbb && c === 0xbf) this.at = 3;
  }
}

/** Bytes that are in memory, as {@link WindowOptions.read}. */
export function inMemory(bytes: Uint8Array): WindowOptions["read"] {
  let at = 0;
  return (into) => {
    if (at === bytes.length) return null;
    const part = bytes.subarray(at, at + into.length);
    into.set(part);
    at += part.length;
    return part.length;
  };
}
