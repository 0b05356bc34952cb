/**
 * @module Walks JSON byte by byte, strictly by RFC 8259, without building it: the base for taking
 * records out of documents of any size. Depth is bounded, so nesting cannot exhaust anything.
 */
import { AppError } from "../../../../src/model/errors.ts";
import type { ByteSource } from "./byte_source.ts";

/** Deepest nesting of a document. */
export const depthMax = 512;
/** Longest record, and longest string elsewhere. */
export const recordBytesMax = 16 * 1024 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BACKSLASH = 0x5c;

/** Walks one stream. Every method throws CORRUPT with the offset where the bytes are no JSON. */
export class JsonScanner {
  readonly source: ByteSource;
  readonly #name: string;

  constructor(source: ByteSource, name: string) {
    this.source = source;
    this.#name = name;
  }

  /** Go past blanks; the byte after them, -1 at the end. */
  blank(): number {
    let byte = this.source.peek();
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.source.skip();
      byte = this.source.peek();
    }
    return byte;
  }

  /** Go past one value of any kind, and blanks before it. */
  value(): void {
    const open: number[] = [];
    do {
      this.#one(open);
    } while (open.length > 0);
  }

  /** After the document: blanks only. */
  end(): void {
    if (this.blank() !== -1) throw this.broken("something follows the document's end");
  }

  /** Go into an array; true when it has a first element. */
  enterArray(): boolean {
    this.#expect(OPEN_ARRAY);
    if (this.blank() !== CLOSE_ARRAY) return true;
    this.source.skip();
    return false;
  }

  /** After an element: true when another one follows. */
  nextElement(): boolean {
    return this.#next(CLOSE_ARRAY);
  }

  /** Go into an object; true when it has a first member. */
  enterObject(): boolean {
    this.#expect(OPEN_OBJECT);
    if (this.blank() !== CLOSE_OBJECT) return true;
    this.source.skip();
    return false;
  }

  /** After a member's value: true when another member follows. */
  nextMember(): boolean {
    return this.#next(CLOSE_OBJECT);
  }

  /** A member's name and its colon. */
  name(): string {
    if (this.blank() !== QUOTE) throw this.broken("a member's name must be a string");
    this.source.mark();
    this.#string();
    const bytes = this.source.take();
    const text = JSON.parse(this.decode(bytes));
    this.#expect(COLON);
    return text;
  }

  /** UTF-8 or CORRUPT. */
  decode(bytes: Uint8Array): string {
    try {
      return strict.decode(bytes);
    } catch {
      throw this.broken("its bytes are not UTF-8");
    }
  }

  /** An error at the current offset. */
  broken(why: string): AppError {
    const offset = this.source.offset;
    return new AppError(
      "CORRUPT",
      `Cannot read ${this.#name} as JSON: at byte ${offset}, ${why}`,
      { detail: { offset, why } },
    );
  }

  /** One step of a value: a scalar, or the beginning, a comma or the end of what is open. */
  #one(open: number[]): void {
    const byte = this.blank();
    if (this.source.markedBytes > recordBytesMax) throw this.#tooLong();
    switch (byte) {
      case OPEN_ARRAY:
      case OPEN_OBJECT: {
        if (open.length === depthMax) throw this.broken(`nesting is deeper than ${depthMax}`);
        const hasContent = byte === OPEN_ARRAY ? this.enterArray() : this.enterObject();
        if (hasContent) {
          open.push(byte);
          if (byte === OPEN_OBJECT) this.#skipName();
          return;
        }
        break;
      }
      case QUOTE:
        this.#string();
        break;
      case 0x74:
        this.#word("true");
        break;
      case 0x66:
        this.#word("false");
        break;
      case 0x6e:
        this.#word("null");
        break;
      default:
        this.#number(byte);
    }
    this.#afterValue(open);
  }

  #tooLong(): AppError {
    return this.broken(`a record is longer than ${recordBytesMax} bytes`);
  }

  #afterValue(open: number[]): void {
    while (open.length > 0) {
      const isArray = open[open.length - 1] === OPEN_ARRAY;
      if (this.#next(isArray ? CLOSE_ARRAY : CLOSE_OBJECT)) {
        if (!isArray) this.#skipName();
        return;
      }
      open.pop();
    }
  }

  #skipName(): void {
    if (this.blank() !== QUOTE) throw this.broken("a member's name must be a string");
    this.#string();
    this.#expect(COLON);
  }

  #next(close: number): boolean {
    const byte = this.blank();
    if (byte !== COMMA && byte !== close) {
      throw this.broken(byte === -1 ? "it ends too early" : "a comma or a closing sign is missing");
    }
    this.source.skip();
    return byte === COMMA;
  }

  #expect(byte: number): void {
    const found = this.blank();
    if (found !== byte) {
      throw this.broken(
        found === -1
          ? "it ends too early"
          : `${JSON.stringify(String.fromCharCode(byte))} is missing`,
      );
    }
    this.source.skip();
  }

  #string(): void {
    const { source } = this;
    source.skip();
    for (let byte = source.peek(); byte !== QUOTE; byte = source.peek()) {
      if (byte === -1) throw this.broken("a string is never closed");
      if (byte < 0x20) throw this.broken("a string has a control character in it");
      source.skip();
      if (source.markedBytes > recordBytesMax) throw this.#tooLong();
      if (byte === BACKSLASH) this.#escape();
      else source.skipPlain();
    }
    source.skip();
  }

  #escape(): void {
    const byte = this.source.peek();
    this.source.skip();
    if (byte !== 0x75) {
      if (!'"\\/bfnrt'.includes(String.fromCharCode(byte))) throw this.broken("a wrong escape");
      return;
    }
    for (let i = 0; i < 4; i++) {
      if (!isHex(this.source.peek())) throw this.broken("a wrong \\u escape");
      this.source.skip();
    }
  }

  #word(word: string): void {
    for (const char of word) {
      if (this.source.peek() !== char.charCodeAt(0)) throw this.broken(`"${word}" is misspelt`);
      this.source.skip();
    }
  }

  #number(first: number): void {
    let byte = first;
    if (byte === 0x2d) byte = this.#after();
    byte = byte === 0x30 ? this.#after() : this.#digits();
    if (byte === 0x2e) {
      this.#after();
      byte = this.#digits();
    }
    if (byte === 0x65 || byte === 0x45) {
      const sign = this.#after();
      if (sign === 0x2b || sign === 0x2d) this.#after();
      this.#digits();
    }
  }

  #after(): number {
    this.source.skip();
    return this.source.peek();
  }

  #digits(): number {
    let byte = this.source.peek();
    if (!isDigit(byte)) throw this.broken(byte === -1 ? "it ends too early" : "no value is here");
    while (isDigit(byte)) byte = this.#after();
    return byte;
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isHex(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}
