/** @module LZO1X, by the description of its stream format in the Linux kernel's documentation. */
import { BlockError, BlockOutput } from "./block_output.ts";

/** Unpack a block of LZO1X. Throws BlockError. */
export function lzoBlock(block: Uint8Array, bytesMax: number): Uint8Array {
  return new LzoReader(block, bytesMax).read();
}

class LzoReader {
  readonly #block: Uint8Array;
  readonly #output: BlockOutput;
  #at = 0;
  /** Literals that the last instruction gave: 0 to 3, or 4 for any more. */
  #state = 0;

  constructor(block: Uint8Array, bytesMax: number) {
    this.#block = block;
    this.#output = new BlockOutput(4 * block.length, bytesMax);
  }

  read(): Uint8Array {
    const first = this.#byte();
    if (first > 17) {
      this.#literal(first - 17);
      this.#state = Math.min(first - 17, 4);
    } else this.#at = 0;
    while (this.#at < this.#block.length) {
      if (this.#instruction(this.#byte())) break;
    }
    return this.#output.finish();
  }

  /** True at the end of the stream. */
  #instruction(code: number): boolean {
    if (code >= 64) {
      const distance = (this.#byte() << 3) + ((code >>> 2) & 7) + 1;
      this.#copy(distance, (code >>> 5) + 1, code & 3);
    } else if (code >= 32) {
      const length = this.#length(code & 31, 31) + 2;
      const low = this.#word();
      this.#copy((low >>> 2) + 1, length, low & 3);
    } else if (code >= 16) {
      const length = this.#length(code & 7, 7) + 2;
      const low = this.#word();
      const distance = ((code & 8) << 11) + (low >>> 2);
      if (distance === 0) return true;
      this.#copy(distance + 0x4000, length, low & 3);
    } else if (this.#state === 0) {
      this.#literal(this.#length(code, 15) + 3);
      this.#state = 4;
    } else {
      const far = this.#state === 4;
      const distance = (this.#byte() << 2) + (code >>> 2) + 1;
      this.#copy(far ? distance + 2048 : distance, far ? 3 : 2, code & 3);
    }
    return false;
  }

  #copy(distance: number, length: number, literals: number): void {
    this.#output.copy(distance, length);
    this.#literal(literals);
    this.#state = literals;
  }

  #literal(bytes: number): void {
    this.#output.literal(this.#block, this.#at, this.#at + bytes);
    this.#at += bytes;
  }

  /** A length that does not fit its bits goes on in bytes; zeros count for 255 each. */
  #length(short: number, most: number): number {
    if (short !== 0) return short;
    let length = most;
    for (let byte = 0; byte === 0;) {
      byte = this.#byte();
      length += byte === 0 ? 255 : byte;
    }
    return length;
  }

  #word(): number {
    return this.#byte() | (this.#byte() << 8);
  }

  #byte(): number {
    if (this.#at >= this.#block.length) throw new BlockError("it is cut off");
    return this.#block[this.#at++];
  }
}
