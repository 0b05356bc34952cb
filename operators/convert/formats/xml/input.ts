/** @module The text of a document, a window at a time. */
import { XmlError } from "./error.ts";

const CHUNK_BYTES = 256 * 1024;

/** What a token may take at most; past it a document is refused. */
const TOKEN_CHARS_MAX = 64 * 1024 * 1024;

/** A window on a text of UTF-8 that moves forward. */
export class XmlInput {
  /** Characters at hand. */
  text = "";
  /** Is the last character of the document among them? */
  isEnd = false;
  readonly #read: (into: Uint8Array) => number | null;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  /** Offset of a character in bytes: the one at `#knownAt`. */
  #knownAt = 0;
  #knownOffset = 0;
  #bytes = 0;
  #isAscii = true;
  #mayCarry = false;

  /** `read` fills a part of what it is given and says how much; null at the end. */
  constructor(read: (into: Uint8Array) => number | null) {
    this.#read = read;
    this.more(0);
    // A mark is none of the document.
    if (this.text.startsWith("\ufeff")) {
      this.text = this.text.slice(1);
      this.#knownOffset = 3;
    }
  }

  /** Bytes that were read until now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Let go of what lies before `from` and read on: at least as much again as is kept, so that a long
   * token is not looked at a thousand times.
   */
  more(from: number): void {
    const kept = this.text.slice(from);
    if (kept.length > TOKEN_CHARS_MAX) {
      throw new XmlError(
        `something that begins here is longer than ${TOKEN_CHARS_MAX >> 20} million characters`,
        this.offsetOf(from),
      );
    }
    this.#knownOffset = this.offsetOf(from);
    this.#knownAt = 0;
    const parts = [kept];
    let chars = 0;
    if (kept === "") this.#isAscii = true;
    do {
      const read = this.#read(this.#chunk);
      const decoded = this.#decode(read);
      if (read === null) this.isEnd = true;
      // Bytes of a character that the last chunk began are no characters of this one.
      const isEven = read === null || decoded.length === read;
      if (!isEven || this.#mayCarry) this.#isAscii = false;
      this.#mayCarry = !isEven;
      parts.push(decoded);
      chars += decoded.length;
    } while (!this.isEnd && chars < Math.max(1, kept.length));
    this.text = parts.join("");
  }

  /** Offset in bytes of the character at `at`, which only goes forward between two windows. */
  offsetOf(at: number): number {
    if (this.#isAscii) return this.#knownOffset + at - this.#knownAt;
    if (at < this.#knownAt) return this.#knownOffset - utf8Bytes(this.text, at, this.#knownAt);
    this.#knownOffset += utf8Bytes(this.text, this.#knownAt, at);
    this.#knownAt = at;
    return this.#knownOffset;
  }

  #decode(read: number | null): string {
    try {
      if (read === null) return this.#decoder.decode();
      this.#bytes += read;
      return this.#decoder.decode(this.#chunk.subarray(0, read), { stream: true });
    } catch (error) {
      if (error instanceof TypeError) throw new BadBytes();
      throw error;
    }
  }
}

/** The file is no UTF-8; where, is found when it is needed. */
export class BadBytes extends Error {}

function utf8Bytes(text: string, from: number, to: number): number {
  let bytes = 0;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    // A surrogate pair is four bytes: two for either half.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}
