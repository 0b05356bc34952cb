/**
 * @module Goes past one JSON value in a buffer, strictly by RFC 8259 and without building it. Every
 * byte is looked at once, by a table, so this is the pace of all that reads JSON here.
 */

/** Deepest nesting of a document. */
export const depthMax = 512;

/** What a value is. */
export const kinds = {
  string: 1,
  /** Digits, perhaps with a minus. */
  integer: 2,
  /** With a point, without an exponent. */
  decimal: 3,
  /** With an exponent. */
  exponent: 4,
  boolean: 5,
  null: 6,
  object: 7,
  array: 8,
} as const;

/** What is wrong, and where in the buffer. */
export class Broken extends Error {
  constructor(readonly at: number, readonly why: string) {
    super(why);
  }
}

/** Thrown where a value goes on behind the buffer's end, of which more may come. */
export const needsMore: unique symbol = Symbol("needs more");

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BACKSLASH = 0x5c;

/** Bytes of a string that mean themselves and are one character: 1. */
const plain = new Uint8Array(256);
for (let byte = 0x20; byte < 0x80; byte++) plain[byte] = 1;
plain[QUOTE] = plain[BACKSLASH] = 0;

/**
 * Reads values in a buffer whose byte at `end` is 0. Methods take where something begins, and give
 * where it ends; they throw {@link Broken}, or {@link needsMore} while `isEnd` is false.
 */
export class ValueReader {
  buffer: Uint8Array = new Uint8Array(1);
  end = 0;
  /** Nothing comes after the buffer. */
  isEnd = true;
  /** What the last value was: one of {@link kinds}. */
  kind = 0;
  /** Did the last value have a backslash in a string? */
  isEscaped = false;
  /** Did the last value have blanks outside of strings? */
  isSpaced = false;
  /** Arrays and objects that are open around what is read: they count as depth. */
  outer = 0;
  #open = new Uint8Array(depthMax);

  /** Past blanks. */
  blank(at: number): number {
    const { buffer } = this;
    let byte = buffer[at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = buffer[++at];
    return at;
  }

  /** Past the value that begins at `at`, which is no blank. */
  value(at: number): number {
    this.isEscaped = this.isSpaced = false;
    const byte = this.buffer[at];
    if (byte === QUOTE) {
      this.kind = kinds.string;
      return this.string(at);
    }
    if (byte !== OPEN_OBJECT && byte !== OPEN_ARRAY) return this.#scalar(at, byte);
    const past = this.#nested(at);
    this.kind = byte === OPEN_OBJECT ? kinds.object : kinds.array;
    return past;
  }

  /** Past the string whose quote is at `at`. */
  string(at: number): number {
    const { buffer } = this;
    let i = at + 1;
    while (true) {
      while (plain[buffer[i]] === 1) i++;
      const byte = buffer[i];
      if (byte === QUOTE) return i + 1;
      if (byte === BACKSLASH) i = this.#escape(i);
      else if (byte >= 0x80) i = this.#wide(i);
      else {throw this.broken(
          i,
          "a string is never closed",
          "a string has a control character in it",
        );}
    }
  }

  /** What is wrong at `at`: `atEnd` when it is the end. */
  broken(at: number, atEnd: string, why: string): unknown {
    if (at < this.end) return new Broken(at, why);
    return this.isEnd ? new Broken(this.end, atEnd) : needsMore;
  }

  /** Past a byte that must be here, after blanks. */
  expect(at: number, byte: number): number {
    const i = this.blank(at);
    if (this.buffer[i] === byte) return i + 1;
    throw this.broken(
      i,
      "it ends too early",
      `${JSON.stringify(String.fromCharCode(byte))} is missing`,
    );
  }

  /** After a value: at the comma or closing sign behind blanks. */
  separator(at: number, close: number): number {
    const i = this.blank(at);
    const byte = this.buffer[i];
    if (byte === COMMA || byte === close) return i;
    throw this.broken(i, "it ends too early", "a comma or a closing sign is missing");
  }

  /** Past a member's name and its colon. */
  name(at: number): number {
    if (this.buffer[at] !== QUOTE) {
      throw this.broken(at, "it ends too early", "a member's name must be a string");
    }
    return this.expect(this.string(at), COLON);
  }

  /** Values in values, without recursion. */
  #nested(start: number): number {
    const open = this.#open;
    let depth = 0;
    let isSpaced = false;
    let at = start;
    while (true) {
      const byte = this.buffer[at];
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (depth + this.outer >= depthMax) {
          throw new Broken(at, `nesting is deeper than ${depthMax}`);
        }
        const close = byte + 2;
        const inside = this.blank(at + 1);
        if (inside !== at + 1) isSpaced = true;
        if (this.buffer[inside] === close) at = inside + 1;
        else {
          open[depth++] = close;
          at = inside;
          if (close === CLOSE_OBJECT) {
            at = this.blank(this.name(inside));
            if (this.buffer[at - 1] !== COLON || this.buffer[at - 2] !== QUOTE) isSpaced = true;
          }
          continue;
        }
      } else at = byte === QUOTE ? this.string(at) : this.#scalar(at, byte);
      while (true) {
        if (depth === 0) {
          this.isSpaced = isSpaced;
          return at;
        }
        const close = open[depth - 1];
        const sign = this.separator(at, close);
        if (sign !== at) isSpaced = true;
        if (this.buffer[sign] === COMMA) {
          at = this.blank(sign + 1);
          if (at !== sign + 1) isSpaced = true;
          if (close === CLOSE_OBJECT) {
            at = this.blank(this.name(at));
            if (this.buffer[at - 1] !== COLON || this.buffer[at - 2] !== QUOTE) isSpaced = true;
          }
          break;
        }
        at = sign + 1;
        depth--;
      }
    }
  }

  #scalar(at: number, byte: number): number {
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.#number(at, byte);
    this.kind = kinds.boolean;
    if (byte === 0x74) return this.#word(at, "true");
    if (byte === 0x66) return this.#word(at, "false");
    this.kind = kinds.null;
    if (byte === 0x6e) return this.#word(at, "null");
    throw this.broken(at, "it ends too early", "no value is here");
  }

  #word(at: number, word: string): number {
    for (let i = 0; i < word.length; i++) {
      if (this.buffer[at + i] === word.charCodeAt(i)) continue;
      throw this.broken(at + i, "it ends too early", `"${word}" is misspelt`);
    }
    return at + word.length;
  }

  #number(at: number, first: number): number {
    const { buffer } = this;
    let i = first === 0x2d ? at + 1 : at;
    this.kind = kinds.integer;
    if (buffer[i] === 0x30) i++;
    else i = this.#digits(i);
    let byte = buffer[i];
    if (byte === 0x2e) {
      this.kind = kinds.decimal;
      i = this.#digits(i + 1);
      byte = buffer[i];
    }
    if (byte === 0x65 || byte === 0x45) {
      this.kind = kinds.exponent;
      i++;
      if (buffer[i] === 0x2b || buffer[i] === 0x2d) i++;
      i = this.#digits(i);
    }
    // A number at the end of the buffer may go on.
    if (i === this.end && !this.isEnd) throw needsMore;
    return i;
  }

  #digits(at: number): number {
    const { buffer } = this;
    let i = at;
    let byte = buffer[i];
    while (byte >= 0x30 && byte <= 0x39) byte = buffer[++i];
    if (i === at) throw this.broken(at, "it ends too early", "no value is here");
    return i;
  }

  #escape(at: number): number {
    this.isEscaped = true;
    const byte = this.buffer[at + 1];
    if (byte === 0x75) {
      for (let i = at + 2; i < at + 6; i++) {
        if (isHex(this.buffer[i])) continue;
        throw this.broken(i, "a string is never closed", "a wrong \\u escape");
      }
      return at + 6;
    }
    // "\/ and bfnrt
    if (
      byte === QUOTE || byte === BACKSLASH || byte === 0x2f || byte === 0x62 || byte === 0x66 ||
      byte === 0x6e || byte === 0x72 || byte === 0x74
    ) return at + 2;
    throw this.broken(at + 1, "a string is never closed", "a wrong escape");
  }

  /** Past one character of two to four bytes, which must be UTF-8. */
  #wide(at: number): number {
    const { buffer } = this;
    const first = buffer[at];
    const more = first >= 0xf5 || first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    const second = buffer[at + 1];
    const isWrong = more === 0 ||
      (first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f) ||
      (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f);
    for (let i = at + 1; i <= at + more; i++) {
      if (buffer[i] >> 6 === 2) continue;
      throw this.broken(i, "its bytes are not UTF-8", "its bytes are not UTF-8");
    }
    if (isWrong) throw new Broken(at, "its bytes are not UTF-8");
    return at + more + 1;
  }
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) ||
    (byte >= 0x61 && byte <= 0x66);
}
