/** @module Runs of bytes, and the bits of booleans in them. */
import type { OrcStream } from "./stream.ts";

/** Bytes in runs. */
export class ByteRuns {
  readonly #stream: OrcStream;
  #repeats = 0;
  #literals = 0;
  #value = 0;

  constructor(stream: OrcStream) {
    this.#stream = stream;
  }

  next(): number {
    if (this.#repeats > 0) {
      this.#repeats--;
      return this.#value;
    }
    if (this.#literals === 0) {
      const control = this.#stream.byte();
      if (control < 128) {
        this.#repeats = control + 2;
        return this.#value = this.#stream.byte();
      }
      this.#literals = 256 - control;
    }
    this.#literals--;
    return this.#stream.byte();
  }
}

/** Booleans, eight a byte, the first in the highest bit. */
export class BitRuns {
  readonly #bytes: ByteRuns;
  #byte = 0;
  #bits = 0;

  constructor(stream: OrcStream) {
    this.#bytes = new ByteRuns(stream);
  }

  /** The next `count` bits, 0 or 1 each. */
  take(count: number): Uint8Array {
    const bits = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      if (this.#bits === 0) {
        this.#byte = this.#bytes.next();
        this.#bits = 8;
      }
      bits[i] = (this.#byte >>> --this.#bits) & 1;
    }
    return bits;
  }
}
