/** @module What blocks of literals and repetitions unpack to. */

/** A block that does not unpack. */
export class BlockError extends Error {}

/** Grows no further than it may. */
export class BlockOutput {
  #bytes: Uint8Array;
  readonly #bytesMax: number;
  length = 0;

  constructor(bytesExpected: number, bytesMax: number) {
    this.#bytes = new Uint8Array(Math.min(Math.max(bytesExpected, 64), bytesMax));
    this.#bytesMax = bytesMax;
  }

  /** Bytes of the input from `from` to `to`. */
  literal(input: Uint8Array, from: number, to: number): void {
    if (to > input.length || to < from) {
      throw new BlockError(`a literal at byte ${from} is cut off`);
    }
    const at = this.#reserve(to - from);
    const bytes = this.#bytes;
    if (to - from > 32) bytes.set(input.subarray(from, to), at);
    else for (let i = from, o = at; i < to; i++, o++) bytes[o] = input[i];
  }

  /** `length` bytes again that were written `distance` bytes before. */
  copy(distance: number, length: number): void {
    if (distance <= 0 || distance > this.length) {
      throw new BlockError(`it repeats what is ${distance} bytes back, after ${this.length} bytes`);
    }
    const at = this.#reserve(length);
    const bytes = this.#bytes;
    if (distance >= length && length > 32) {
      bytes.copyWithin(at, at - distance, at - distance + length);
    } else for (let o = at, end = at + length; o < end; o++) bytes[o] = bytes[o - distance];
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(length: number): number {
    const at = this.length;
    const needed = at + length;
    if (needed > this.#bytesMax) {
      throw new BlockError(`it is more than the ${this.#bytesMax} bytes that a block may have`);
    }
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, 2 * at)));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.length = needed;
    return at;
  }
}
