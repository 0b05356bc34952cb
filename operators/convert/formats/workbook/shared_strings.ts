/** @module Texts that many cells share, in one piece of memory. */
import { WorkbookError } from "./book.ts";

const BYTES_MAX = 1024 * 1024 * 1024;
const encoder = new TextEncoder();

/** Texts by their number. */
export class SharedStrings {
  #bytes = new Uint8Array(1 << 16);
  #ends = new Uint32Array(1 << 10);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(text: string): void {
    const start = this.#end();
    // A UTF-16 unit is at most three bytes of UTF-8.
    this.#reserve(start + 3 * text.length);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(start));
    if (this.#count === this.#ends.length) {
      const ends = new Uint32Array(2 * this.#count);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#ends[this.#count++] = start + written;
  }

  /** The text's UTF-8 bytes; null for a number that none has. */
  get(index: number): Uint8Array | null {
    if (!(index >= 0 && index < this.#count)) return null;
    return this.#bytes.subarray(index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]);
  }

  #end(): number {
    return this.#count === 0 ? 0 : this.#ends[this.#count - 1];
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    if (bytes > BYTES_MAX) {
      throw new WorkbookError(`its shared texts are over ${BYTES_MAX} bytes`);
    }
    const grown = new Uint8Array(Math.min(BYTES_MAX, Math.max(bytes, 2 * this.#bytes.length)));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
