/** @module A grammar on bytes: where lines and records end, and how many columns they have. */
import type { Escape, Grammar, NewLine } from "./tokenize.ts";

/** Where a record ends, or why it has no end. */
export type Walk =
  | { kind: "record"; end: number; next: number; columns: number }
  | { kind: "broken"; why: "unclosed" | "text" | "long" }
  | { kind: "more" };

/** How far to walk. */
export interface WalkBounds {
  /** Behind the last byte that a record may have. */
  last: number;
  /** Behind the last byte that is there. */
  length: number;
  /** Are there no more bytes than these? */
  isEnd: boolean;
}

const RETURN = 13;
const FEED = 10;
const BLANK = 32;
const BACKSLASH = 92;
/** As far as a quote is looked for that need not end a cell. */
const LOOSE_BYTES_MAX = 100_000;

/** The grammar on bytes. */
export function byteGrammar(grammar: Grammar): ByteGrammar {
  return new ByteGrammar(grammar);
}

/** See {@link byteGrammar}. */
export class ByteGrammar {
  readonly newLine: NewLine;
  readonly #delimiter: Uint8Array;
  readonly #quote: number;
  readonly #escape: Escape;
  readonly #isPadded: boolean;
  readonly #isMerged: boolean;

  constructor({ delimiter, quote, escape, newLine, isPadded, isMerged }: Grammar) {
    this.newLine = newLine;
    this.#delimiter = new TextEncoder().encode(delimiter);
    this.#quote = quote === "" ? -1 : quote.charCodeAt(0);
    this.#escape = escape;
    this.#isPadded = isPadded && delimiter !== " ";
    this.#isMerged = isMerged;
  }

  /** Index of the next line's end, of its first byte when it has two; -1: there is none. */
  lineEnd(buffer: Uint8Array, from: number, length: number): number {
    const within = (at: number) => at >= length ? -1 : at;
    if (this.newLine === "\r") return within(buffer.indexOf(RETURN, from));
    const feed = within(buffer.indexOf(FEED, from));
    if (this.newLine !== "mixed") return feed;
    const cr = buffer.subarray(from, feed < 0 ? length : feed).indexOf(RETURN);
    return cr < 0 ? feed : from + cr;
  }

  /** Has the line no quote and no backslash that may mean something? */
  isPlain(buffer: Uint8Array, from: number, end: number): boolean {
    if (this.#escape === "backslash" && indexIn(buffer, BACKSLASH, from, end) >= 0) return false;
    return this.#quote < 0 || indexIn(buffer, this.#quote, from, end) < 0;
  }

  /** Columns of a plain line. */
  countColumns(buffer: Uint8Array, from: number, end: number): number {
    if (this.#isMerged) return this.#countMerged(buffer, from, end);
    const first = this.#delimiter[0];
    let columns = 1;
    if (this.#delimiter.length === 1) {
      for (let at = from; at < end; at++) if (buffer[at] === first) columns++;
      return columns;
    }
    for (let at = from; at < end; at++) {
      if (this.#isDelimiter(buffer, at, end)) {
        columns++;
        at += this.#delimiter.length - 1;
      }
    }
    return columns;
  }

  #countMerged(buffer: Uint8Array, from: number, end: number): number {
    let columns = 0;
    for (let at = from; at < end; at++) {
      if (buffer[at] !== BLANK && (at === from || buffer[at - 1] === BLANK)) columns++;
    }
    return columns;
  }

  /** Walk the record that starts at `from` to its end. */
  walk(buffer: Uint8Array, from: number, { last, length, isEnd }: WalkBounds): Walk {
    let columns = 0;
    let at = from;
    while (true) {
      at = this.#cellStart(buffer, at, last);
      if (this.#isMerged && columns > 0 && (at >= last || this.#isLineEnd(buffer, at, length))) {
        return this.#ended(buffer, at, columns, { last, length, isEnd });
      }
      columns++;
      if (at < last && buffer[at] === this.#quote) {
        const close = this.#close(buffer, at + 1, { last, length, isEnd });
        if (close === -2) return { kind: "more" };
        if (close < 0) {
          return last === length && !isEnd ? { kind: "more" } : { kind: "broken", why: "unclosed" };
        }
        at = close + 1;
        if (this.#isPadded) { while (at < last && buffer[at] === BLANK) at++; }
        if (at >= length - this.#delimiter.length && !isEnd) return { kind: "more" };
        if (!this.#isBreak(buffer, at, length)) return { kind: "broken", why: "text" };
      } else at = this.#plainEnd(buffer, at, last, length);
      if (at >= last || !this.#isDelimiter(buffer, at, length)) {
        return this.#ended(buffer, at, columns, { last, length, isEnd });
      }
      at += this.#delimiter.length;
    }
  }

  #ended(
    buffer: Uint8Array,
    at: number,
    columns: number,
    { last, length, isEnd }: WalkBounds,
  ): Walk {
    // A line's end or a delimiter may begin with the last byte that is there.
    if (at >= length - 1 && !isEnd) return { kind: "more" };
    if (at >= last && at < length) return { kind: "broken", why: "long" };
    if (at >= length) return { kind: "record", end: length, next: length, columns };
    const isPair = buffer[at] === RETURN && this.newLine !== "\r" && buffer[at + 1] === FEED;
    return { kind: "record", end: at, next: at + (isPair ? 2 : 1), columns };
  }

  #cellStart(buffer: Uint8Array, at: number, last: number): number {
    if (this.#isMerged) {
      while (at < last && buffer[at] === BLANK) at++;
      return at;
    }
    if (!this.#isPadded) return at;
    let open = at;
    while (open < last && buffer[open] === BLANK) open++;
    return open < last && buffer[open] === this.#quote ? open : at;
  }

  #plainEnd(buffer: Uint8Array, from: number, last: number, length: number): number {
    let at = from;
    const escapes = this.#escape === "backslash";
    while (at < last && !this.#isLineEnd(buffer, at, length)) {
      if (this.#isDelimiter(buffer, at, length)) break;
      at += escapes && buffer[at] === BACKSLASH && this.#isEscapable(buffer, at + 1, length)
        ? 2
        : 1;
    }
    return Math.min(at, last);
  }

  /** Index of the quote that closes; -1: there is none, -2: more bytes are needed to tell. */
  #close(buffer: Uint8Array, from: number, { last, length, isEnd }: WalkBounds): number {
    const isLoose = this.#escape === "loose" || this.#escape === "none";
    const bound = isLoose ? Math.min(last, from + LOOSE_BYTES_MAX) : last;
    let at = from;
    while (at < bound) {
      if (this.#escape === "backslash") {
        while (at < bound && buffer[at] !== this.#quote) {
          at += buffer[at] === BACKSLASH && this.#isEscapable(buffer, at + 1, length) ? 2 : 1;
        }
      } else at = buffer.indexOf(this.#quote, at);
      if (at < 0 || at >= bound) return -1;
      const isDoubled = buffer[at + 1] === this.#quote && at + 1 < length;
      if (isDoubled && (this.#escape === "doubled" || this.#escape === "loose")) {
        at += 2;
        continue;
      }
      if (!isLoose) return at;
      if (at + 1 + this.#delimiter.length >= length && !isEnd) return -2;
      let end = at + 1;
      if (this.#isPadded) { while (end < last && buffer[end] === BLANK) end++; }
      if (this.#isBreak(buffer, end, length)) return at;
      at++;
    }
    return -1;
  }

  #isBreak(buffer: Uint8Array, at: number, length: number): boolean {
    return at >= length || this.#isLineEnd(buffer, at, length) ||
      this.#isDelimiter(buffer, at, length);
  }

  #isEscapable(buffer: Uint8Array, at: number, length: number): boolean {
    const byte = buffer[at];
    return at < length && (byte === BACKSLASH || byte === this.#quote || byte === FEED ||
      byte === RETURN || this.#isDelimiter(buffer, at, length));
  }

  #isLineEnd(buffer: Uint8Array, at: number, length: number): boolean {
    const byte = buffer[at];
    if (this.newLine === "\r") return byte === RETURN;
    if (byte === FEED) return true;
    if (byte !== RETURN) return false;
    return this.newLine === "mixed" || (at + 1 < length && buffer[at + 1] === FEED);
  }

  #isDelimiter(buffer: Uint8Array, at: number, length: number): boolean {
    const delimiter = this.#delimiter;
    if (buffer[at] !== delimiter[0] || at + delimiter.length > length) return false;
    for (let i = 1; i < delimiter.length; i++) {
      if (buffer[at + i] !== delimiter[i]) return false;
    }
    return true;
  }
}

function indexIn(buffer: Uint8Array, byte: number, from: number, end: number): number {
  return buffer.subarray(from, end).indexOf(byte);
}
