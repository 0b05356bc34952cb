/**
 * @module Splits delimited text into records by hand: nothing is swallowed, each byte is either in a
 * record or in one that is refused. After a broken quote it goes on with the next line.
 */
import { type ByteGrammar, byteGrammar } from "./byte_grammar.ts";
import type { Dialect } from "./dialect.ts";

/** A record with as many columns as there must be. */
export interface SplitRecord {
  /** Ordinal among all records, refused ones too; from 1. */
  row: number;
  /** Byte offset of its first byte. */
  offset: number;
  /** Its bytes without the line's end; valid until the next record. */
  bytes: Uint8Array;
  /** Its own bytes were not fit, these are. */
  isMended: boolean;
}

/** What is wrong with a record. */
export interface SplitRefusal extends Omit<SplitRecord, "isMended"> {
  rule: "columns" | "quote" | "encoding" | "too_long" | "header";
  reason: string;
  /** Is the line before it blank? */
  isAfterBlank: boolean;
  /** Is it the end of the file, without a line's end? */
  isCutOff: boolean;
}

/** Takes what {@link CsvSplitter} finds, in order. */
export interface SplitSink {
  record(record: SplitRecord): void;
  refuse(refusal: SplitRefusal): void;
  /** Bytes to take for those of a line with another number of columns or a broken quote, or null. */
  mend?(bytes: Uint8Array): Uint8Array | null;
}

/** Longest record; the engine's own limit. */
export const recordBytesMax = 2_000_000;
/** How much of a record that is too long is kept. */
const LONG_BYTES_KEPT = 65_536;
const CHUNK_BYTES = 1 << 20;

type Problem = Pick<SplitRefusal, "rule" | "reason">;
type Verdict =
  | { kind: "record"; end: number; next: number; columns: number }
  | { kind: "broken"; problem: Problem }
  | { kind: "more" };

/** Splits one stream of bytes; give it everything with {@link push}, then {@link end}. */
export class CsvSplitter {
  readonly #grammar: ByteGrammar;
  readonly #comment: Uint8Array;
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
  #isAfterBlank = false;
  /** The header's line, when it is one. */
  #header: Uint8Array | null = null;
  readonly #keepsHeader: boolean;
  /** Bytes left out of the line that is too long and goes on. */
  #isInLong = false;

  constructor(
    dialect: Dialect,
    { sink, base = 0, isSwallowed = () => false }: {
      sink: SplitSink;
      base?: number;
      /** Is this record of several lines in truth several records behind a broken quote? */
      isSwallowed?: (record: Uint8Array) => boolean;
    },
  ) {
    this.#grammar = byteGrammar(dialect);
    this.#comment = new TextEncoder().encode(dialect.comment);
    this.#columns = dialect.columns.length;
    this.#sink = sink;
    this.#isSwallowed = isSwallowed;
    this.#base = base;
    this.#skip = dialect.skipLines + dialect.headerLines;
    this.#keepsHeader = dialect.header && dialect.headerLines === 1;
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
      const lineEnd = this.#grammar.lineEnd(this.#buffer, from, this.#length);
      const isOpen = lineEnd < 0 || (lineEnd + 1 === this.#length && this.#isHalf(lineEnd));
      if (isOpen && !isEnd && this.#length - from <= recordBytesMax) {
        if (this.#isInLong && lineEnd < 0) this.#start = this.#length;
        return;
      }
      const end = lineEnd < 0 ? this.#length : lineEnd;
      const next = lineEnd < 0 ? this.#length : this.#behind(lineEnd);
      if (this.#isInLong) {
        this.#isInLong = lineEnd < 0;
        this.#start = next;
      } else if (this.#skip > 0) {
        if (lineEnd >= 0 || isEnd) this.#skip--;
        if (this.#skip === 0 && this.#keepsHeader) this.#header = this.#buffer.slice(from, end);
        this.#start = next;
      } else if (this.#isComment(from, end)) this.#start = next;
      else if (end - from > recordBytesMax) this.#refuseLong(from, end, next, lineEnd < 0);
      else if (!this.#take(from, end, next, isEnd)) return;
    }
  }

  /** False when more bytes are needed. */
  #take(from: number, end: number, next: number, isEnd: boolean): boolean {
    const verdict = this.#judge(from, end, next, isEnd);
    if (verdict.kind === "more") return false;
    if (verdict.kind === "broken") this.#misfit(from, end, next, verdict.problem);
    else this.#accept(from, verdict, end, next);
    return true;
  }

  /** A carriage return at the end of what is there may be half of a line's end. */
  #isHalf(at: number): boolean {
    return this.#buffer[at] === 13 && this.#grammar.newLine === "mixed";
  }

  #behind(lineEnd: number): number {
    const isPair = this.#grammar.newLine === "mixed" && this.#buffer[lineEnd] === 13 &&
      lineEnd + 1 < this.#length && this.#buffer[lineEnd + 1] === 10;
    return lineEnd + (isPair ? 2 : 1);
  }

  #isComment(from: number, end: number): boolean {
    const comment = this.#comment;
    if (comment.length === 0 || end - from < comment.length) return false;
    return comment.every((byte, i) => this.#buffer[from + i] === byte);
  }

  /** A record without quotes ends with its line; one with quotes is walked byte by byte. */
  #judge(from: number, end: number, next: number, isEnd: boolean): Verdict {
    const grammar = this.#grammar;
    if (grammar.isPlain(this.#buffer, from, end)) {
      return {
        kind: "record",
        end,
        next,
        columns: grammar.countColumns(this.#buffer, from, this.#trimmed(from, end)),
      };
    }
    const last = Math.min(this.#length, from + recordBytesMax + 1);
    const found = grammar.walk(this.#buffer, from, { last, length: this.#length, isEnd });
    if (found.kind === "more") return found;
    if (found.kind === "record") return { ...found, next: Math.min(found.next, this.#length) };
    const reason = {
      unclosed: "its quote is never closed",
      text: "text follows a closing quote",
      long: `it is longer than ${recordBytesMax} bytes`,
    }[found.why];
    return {
      kind: "broken",
      problem: { reason, rule: found.why === "long" ? "too_long" : "quote" },
    };
  }

  #trimmed(from: number, end: number): number {
    const isReturn = this.#grammar.newLine !== "\r" && end > from && this.#buffer[end - 1] === 13;
    return isReturn ? end - 1 : end;
  }

  #accept(
    from: number,
    { end, next, columns }: Extract<Verdict, { kind: "record" }>,
    lineEnd: number,
    lineNext: number,
  ): void {
    const trimmed = this.#trimmed(from, end);
    if ((trimmed === from || columns === 0) && this.#columns > 1) {
      // A line with nothing on it is no record.
      this.#start = next;
      this.#isAfterBlank = true;
      return;
    }
    if (columns !== this.#columns) {
      const reason = `it has ${columns} ${columns === 1 ? "column" : "columns"}, ` +
        `not ${this.#columns}`;
      return this.#misfit(from, lineEnd, lineNext, { reason, rule: "columns" });
    }
    const bytes = this.#buffer.subarray(from, trimmed);
    if (this.#isHeader(from, lineEnd)) {
      const reason = "it is the header again, as where files were joined";
      return this.#refuse(from, lineEnd, lineNext, { reason, rule: "header" });
    }
    if (next !== lineNext && this.#isSwallowed(bytes)) {
      const reason = "its quote is closed lines later, with whole records in between";
      return this.#refuse(from, lineEnd, lineNext, { reason, rule: "quote" });
    }
    if (!isUtf8(bytes)) {
      const reason = "its bytes are not UTF-8; name the file's encoding";
      return this.#refuse(from, end, next, { reason, rule: "encoding" });
    }
    this.#give(from, bytes, next, false);
  }

  #isHeader(from: number, end: number): boolean {
    const header = this.#header;
    if (header === null || end - from !== header.length) return false;
    for (let i = 0; i < header.length; i++) {
      if (this.#buffer[from + i] !== header[i]) return false;
    }
    return true;
  }

  #give(from: number, bytes: Uint8Array, next: number, isMended: boolean): void {
    this.#row++;
    this.#sink.record({ row: this.#row, offset: this.#base + from, bytes, isMended });
    this.#start = next;
    this.#isAfterBlank = false;
  }

  /** Mend or refuse the one line that starts here; whatever its quotes say, the next is looked at. */
  #misfit(from: number, end: number, next: number, problem: Problem): void {
    const bytes = this.#buffer.subarray(from, this.#trimmed(from, end));
    // The last line of a file that was cut off lacks more than empty cells.
    const mended = next > end && isUtf8(bytes) ? this.#sink.mend?.(bytes) : null;
    if (mended) this.#give(from, mended, next, true);
    else this.#refuse(from, end, next, problem);
  }

  #refuse(from: number, end: number, next: number, { reason, rule }: Problem): void {
    this.#row++;
    this.#sink.refuse({
      row: this.#row,
      offset: this.#base + from,
      bytes: this.#buffer.subarray(from, end),
      rule,
      reason,
      isAfterBlank: this.#isAfterBlank,
      isCutOff: next === end,
    });
    this.#start = next;
    this.#isAfterBlank = false;
  }

  /** Its beginning stands for the whole line, however long that is. */
  #refuseLong(from: number, end: number, next: number, goesOn: boolean): void {
    const kept = Math.min(end, from + LONG_BYTES_KEPT);
    const reason = `it is longer than ${recordBytesMax} bytes; its first ${kept - from} are kept`;
    this.#refuse(from, kept, next, { reason, rule: "too_long" });
    this.#isInLong = goesOn;
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
