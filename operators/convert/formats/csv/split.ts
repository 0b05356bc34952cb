/**
 * @module Splits delimited text into records by hand: nothing is swallowed, each byte is either in a
 * record or in one that is refused. After a broken quote it goes on with the next line.
 */
import type { Dialect } from "./dialect.ts";

/** A record with as many columns as there must be. */
export interface SplitRecord {
  /** Ordinal among all records, refused ones too; from 1. */
  row: number;
  /** Byte offset of its first byte. */
  offset: number;
  /** Its bytes without the line's end; valid until the next record. */
  bytes: Uint8Array;
}

/** What is wrong with a record. */
export interface SplitRefusal extends SplitRecord {
  rule: "columns" | "quote" | "encoding" | "too_long";
  reason: string;
}

/** Takes what {@link CsvSplitter} finds, in order. */
export interface SplitSink {
  record(record: SplitRecord): void;
  refuse(refusal: SplitRefusal): void;
}

/** Longest record; the engine's own limit. */
export const recordBytesMax = 2_000_000;
const CHUNK_BYTES = 1 << 20;

type Verdict =
  | { kind: "record"; end: number; next: number; columns: number }
  | { kind: "broken"; reason: string; rule: SplitRefusal["rule"] }
  | { kind: "more" };

/** Splits one stream of bytes; give it everything with {@link push}, then {@link end}. */
export class CsvSplitter {
  readonly #delimiter: Uint8Array;
  readonly #quote: number;
  readonly #newLine: number;
  readonly #columns: number;
  readonly #sink: SplitSink;
  readonly #isSwallowed: (record: Uint8Array) => boolean;
  #buffer = new Uint8Array(4 * CHUNK_BYTES);
  #start = 0;
  #length = 0;
  /** Offset in the file of the buffer's first byte. */
  #base: number;
  #row = 0;
  #skip: number;

  constructor(
    { delimiter, quote, newLine, columns, header, skipLines }: Dialect,
    { sink, base = 0, isSwallowed = () => false }: {
      sink: SplitSink;
      base?: number;
      /** Is this record of several lines in truth several records behind a broken quote? */
      isSwallowed?: (record: Uint8Array) => boolean;
    },
  ) {
    this.#delimiter = new TextEncoder().encode(delimiter);
    this.#quote = quote === "" ? -1 : quote.charCodeAt(0);
    this.#newLine = newLine === "\r" ? 13 : 10;
    this.#columns = columns.length;
    this.#sink = sink;
    this.#isSwallowed = isSwallowed;
    this.#base = base;
    this.#skip = skipLines + (header ? 1 : 0);
  }

  /** Records seen so far, refused ones too. */
  get rows(): number {
    return this.#row;
  }

  /** Take the next bytes. */
  push(chunk: Uint8Array): void {
    this.#append(chunk);
    this.#split(false);
  }

  /** There are no more bytes. */
  end(): void {
    this.#split(true);
  }

  #append(chunk: Uint8Array): void {
    if (this.#length + chunk.length > this.#buffer.length) {
      const kept = this.#length - this.#start;
      const room = Math.max(this.#buffer.length, 2 * (kept + chunk.length));
      const buffer = room > this.#buffer.length ? new Uint8Array(room) : this.#buffer;
      buffer.set(this.#buffer.subarray(this.#start, this.#length));
      this.#base += this.#start;
      this.#buffer = buffer;
      this.#start = 0;
      this.#length = kept;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length += chunk.length;
  }

  #split(isEnd: boolean): void {
    while (this.#start < this.#length) {
      const from = this.#start;
      const lineEnd = this.#lineEnd(from);
      if (lineEnd < 0 && !isEnd && this.#length - from <= recordBytesMax) return;
      const end = lineEnd < 0 ? this.#length : lineEnd;
      const next = lineEnd < 0 ? this.#length : lineEnd + 1;
      if (this.#skip > 0) {
        if (lineEnd < 0 && !isEnd) return;
        this.#skip--;
        this.#start = next;
        continue;
      }
      const verdict = this.#judge(from, end, next, isEnd);
      if (verdict.kind === "more") return;
      if (verdict.kind === "broken") this.#refuse(from, end, next, verdict);
      else this.#accept(from, verdict, end, next);
    }
  }

  /** A record without quotes ends with its line; one with quotes is walked byte by byte. */
  #judge(from: number, end: number, next: number, isEnd: boolean): Verdict {
    const quoteAt = this.#quote < 0 ? -1 : this.#buffer.subarray(from, end).indexOf(this.#quote);
    if (quoteAt >= 0) return this.#walk(from, isEnd);
    return { kind: "record", end, next, columns: this.#countColumns(from, end) };
  }

  #accept(
    from: number,
    { end, next, columns }: Extract<Verdict, { kind: "record" }>,
    lineEnd: number,
    lineNext: number,
  ): void {
    const trimmed = this.#newLine === 10 && end > from && this.#buffer[end - 1] === 13
      ? end - 1
      : end;
    if (trimmed === from && this.#columns > 1) {
      // A line with nothing on it is no record.
      this.#start = next;
      return;
    }
    if (columns !== this.#columns) {
      const reason = `it has ${columns} ${columns === 1 ? "column" : "columns"}, ` +
        `not ${this.#columns}`;
      return this.#refuse(from, lineEnd, lineNext, { kind: "broken", reason, rule: "columns" });
    }
    if (end - from > recordBytesMax) {
      const reason = `it is longer than ${recordBytesMax} bytes`;
      return this.#refuse(from, end, next, { kind: "broken", reason, rule: "too_long" });
    }
    const bytes = this.#buffer.subarray(from, trimmed);
    if (next !== lineNext && this.#isSwallowed(bytes)) {
      const reason = "its quote is closed lines later, with whole records in between";
      return this.#refuse(from, lineEnd, lineNext, { kind: "broken", reason, rule: "quote" });
    }
    if (!isUtf8(bytes)) {
      const reason = "its bytes are not UTF-8; name the file's encoding";
      return this.#refuse(from, end, next, { kind: "broken", reason, rule: "encoding" });
    }
    this.#row++;
    this.#sink.record({ row: this.#row, offset: this.#base + from, bytes });
    this.#start = next;
  }

  /** Refuse the one line that starts here; whatever its quotes say, the next line is looked at. */
  #refuse(
    from: number,
    end: number,
    next: number,
    { reason, rule }: Extract<Verdict, { kind: "broken" }>,
  ): void {
    this.#row++;
    const bytes = this.#buffer.subarray(from, end);
    this.#sink.refuse({ row: this.#row, offset: this.#base + from, bytes, rule, reason });
    this.#start = next;
  }

  #walk(from: number, isEnd: boolean): Verdict {
    const buffer = this.#buffer;
    const quote = this.#quote;
    const last = Math.min(this.#length, from + recordBytesMax + 1);
    let columns = 1;
    let at = from;
    while (true) {
      if (at < last && buffer[at] === quote) {
        const close = this.#closingQuote(at + 1, last);
        if (close < 0) return this.#unclosed(last, isEnd);
        at = close + 1;
        if (at === this.#length && !isEnd) return { kind: "more" };
        const isBreak = at === this.#length || this.#isLineEnd(at) || this.#isDelimiter(at);
        if (!isBreak) {
          if (at + 1 === this.#length && !isEnd) return { kind: "more" };
          return { kind: "broken", reason: "text follows a closing quote", rule: "quote" };
        }
      }
      while (at < last && buffer[at] !== this.#newLine && !this.#isDelimiter(at)) at++;
      if (at === this.#length && !isEnd) return { kind: "more" };
      if (at >= last) {
        if (at === this.#length) return { kind: "record", end: at, next: at, columns };
        return this.#tooLong();
      }
      if (buffer[at] === this.#newLine) return { kind: "record", end: at, next: at + 1, columns };
      columns++;
      at += this.#delimiter.length;
    }
  }

  #unclosed(last: number, isEnd: boolean): Verdict {
    if (last === this.#length && !isEnd) return { kind: "more" };
    return { kind: "broken", reason: "its quote is never closed", rule: "quote" };
  }

  #tooLong(): Verdict {
    return {
      kind: "broken",
      reason: `it is longer than ${recordBytesMax} bytes`,
      rule: "too_long",
    };
  }

  #closingQuote(from: number, last: number): number {
    let at = from;
    while (at < last) {
      at = this.#buffer.indexOf(this.#quote, at);
      if (at < 0 || at >= last) return -1;
      if (this.#buffer[at + 1] !== this.#quote || at + 1 >= this.#length) return at;
      at += 2;
    }
    return -1;
  }

  #lineEnd(from: number): number {
    const at = this.#buffer.indexOf(this.#newLine, from);
    return at >= this.#length ? -1 : at;
  }

  #isLineEnd(at: number): boolean {
    const byte = this.#buffer[at];
    return byte === this.#newLine || (byte === 13 && this.#buffer[at + 1] === 10);
  }

  #isDelimiter(at: number): boolean {
    const delimiter = this.#delimiter;
    if (this.#buffer[at] !== delimiter[0]) return false;
    for (let i = 1; i < delimiter.length; i++) {
      if (this.#buffer[at + i] !== delimiter[i]) return false;
    }
    return true;
  }

  #countColumns(from: number, end: number): number {
    let columns = 1;
    const buffer = this.#buffer;
    const first = this.#delimiter[0];
    if (this.#delimiter.length === 1) {
      for (let at = from; at < end; at++) if (buffer[at] === first) columns++;
      return columns;
    }
    for (let at = from; at < end; at++) {
      if (this.#isDelimiter(at)) {
        columns++;
        at += this.#delimiter.length - 1;
      }
    }
    return columns;
  }
}

const strict = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  // Nearly every record is ASCII: its bytes need no decoder.
  let i = 0;
  while (i < bytes.length && bytes[i] < 0x80) i++;
  if (i === bytes.length) return true;
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
