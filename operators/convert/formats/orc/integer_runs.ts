/**
 * @module Integers in runs, of both versions. They are made as pairs of 32 bits, so that 64-bit
 * values stay exact and no bigint is made for those that are none in the end.
 */
import { Unpacker } from "./bit_unpacker.ts";
import type { OrcStream } from "./stream.ts";

const RUN_MAX = 512;
const WORD = 2 ** 32;

/** How integers are encoded. */
export interface IntegerEncoding {
  version: 1 | 2;
  isSigned: boolean;
}

/** Widths by their five bits. */
const widths = [
  ...Array.from({ length: 24 }, (_, i) => i + 1),
  ...[26, 28, 30, 32, 40, 48, 56, 64],
];

/** Integers of a stream. */
export class IntegerRuns {
  readonly #stream: OrcStream;
  readonly #version: 1 | 2;
  readonly #isSigned: boolean;
  /** The present run. */
  readonly #low = new Int32Array(RUN_MAX);
  readonly #high = new Int32Array(RUN_MAX);
  #length = 0;
  #at = 0;
  /** The last number of {@link #readVarint}. */
  #varLow = 0;
  #varHigh = 0;

  constructor(stream: OrcStream, { version, isSigned }: IntegerEncoding) {
    this.#stream = stream;
    this.#version = version;
    this.#isSigned = isSigned;
  }

  /** `count` values of up to 32 bits; raises where one has more. */
  takeInt32(count: number): Int32Array {
    const values = new Int32Array(count);
    for (let i = 0; i < count;) {
      const run = this.#run(count - i);
      for (let k = 0, at = this.#at; k < run; k++, at++) {
        const low = this.#low[at];
        if (this.#high[at] !== low >> 31) this.#stream.fail("a value does not fit 32 bits");
        values[i++] = low;
      }
      this.#at += run;
    }
    return values;
  }

  /** `count` values as numbers; raises where one is past 2^53. */
  takeNumbers(count: number): Float64Array {
    const values = new Float64Array(count);
    for (let i = 0; i < count;) {
      const run = this.#run(count - i);
      for (let k = 0, at = this.#at; k < run; k++, at++) {
        const value = this.#high[at] * WORD + (this.#low[at] >>> 0);
        if (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER) {
          this.#stream.fail("a number is past 2^53");
        }
        values[i++] = value;
      }
      this.#at += run;
    }
    return values;
  }

  takeInt64(count: number): BigInt64Array {
    const values = new BigInt64Array(count);
    const words = new Int32Array(values.buffer);
    for (let i = 0; i < count;) {
      const run = this.#run(count - i);
      for (let k = 0, at = this.#at; k < run; k++, at++, i++) {
        words[2 * i] = this.#low[at];
        words[2 * i + 1] = this.#high[at];
      }
      this.#at += run;
    }
    return values;
  }

  /** How many of `wanted` values the run has, which is a new one where it is used up. */
  #run(wanted: number): number {
    if (this.#at === this.#length) {
      this.#at = 0;
      if (this.#version === 1) this.#readRun1();
      else this.#readRun2();
    }
    return Math.min(wanted, this.#length - this.#at);
  }

  #readRun1(): void {
    const control = this.#stream.byte();
    if (control >= 128) {
      this.#length = 256 - control;
      for (let i = 0; i < this.#length; i++) this.#setVarint(i);
      return;
    }
    this.#length = control + 3;
    const delta = (this.#stream.byte() << 24) >> 24;
    this.#setVarint(0);
    for (let i = 1; i < this.#length; i++) this.#setSum(i, delta, delta >> 31);
  }

  #readRun2(): void {
    const first = this.#stream.byte();
    switch (first >>> 6) {
      case 0:
        return this.#readRepeat(first);
      case 1:
        return this.#readDirect(first);
      case 2:
        return this.#readPatched(first);
      default:
        return this.#readDelta(first);
    }
  }

  #readRepeat(first: number): void {
    this.#length = (first & 7) + 3;
    const bytes = ((first >>> 3) & 7) + 1;
    let low = 0;
    let high = 0;
    for (let i = 0; i < bytes; i++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | this.#stream.byte();
    }
    this.#low[0] = low;
    this.#high[0] = high;
    if (this.#isSigned) this.#unzigzag(1);
    this.#low.fill(this.#low[0], 1, this.#length);
    this.#high.fill(this.#high[0], 1, this.#length);
  }

  #readDirect(first: number): void {
    const width = widths[(first >>> 1) & 31];
    this.#length = (((first & 1) << 8) | this.#stream.byte()) + 1;
    new Unpacker(this.#stream, width).fill(this.#low, this.#high, 0, this.#length);
    if (this.#isSigned) this.#unzigzag(this.#length);
  }

  #readDelta(first: number): void {
    const code = (first >>> 1) & 31;
    const width = code === 0 ? 0 : widths[code];
    this.#length = (((first & 1) << 8) | this.#stream.byte()) + 1;
    this.#setVarint(0);
    this.#readVarint();
    this.#decodeZigzag();
    const low = this.#varLow;
    const high = this.#varHigh;
    if (width === 0) {
      for (let i = 1; i < this.#length; i++) this.#setSum(i, low, high);
      return;
    }
    if (this.#length < 2) return;
    this.#setSum(1, low, high);
    new Unpacker(this.#stream, width).fill(this.#low, this.#high, 2, this.#length);
    const isFalling = high < 0;
    for (let i = 2; i < this.#length; i++) {
      const stepLow = isFalling ? -this.#low[i] | 0 : this.#low[i];
      const stepHigh = isFalling ? ~this.#high[i] + (this.#low[i] === 0 ? 1 : 0) : this.#high[i];
      this.#setSum(i, stepLow, stepHigh);
    }
  }

  #readPatched(first: number): void {
    const width = widths[(first >>> 1) & 31];
    this.#length = (((first & 1) << 8) | this.#stream.byte()) + 1;
    const third = this.#stream.byte();
    const fourth = this.#stream.byte();
    const baseBytes = (third >>> 5) + 1;
    const patchWidth = widths[third & 31];
    const gapWidth = (fourth >>> 5) + 1;
    const patches = fourth & 31;
    if (patchWidth + gapWidth > 64) this.#stream.fail("a list of patches is wider than 64 bits");
    const base = this.#readBase(baseBytes);
    new Unpacker(this.#stream, width).fill(this.#low, this.#high, 0, this.#length);
    this.#patch({ width, patchWidth, patches, entryWidth: closest(patchWidth + gapWidth) });
    const low = Number(BigInt.asIntN(32, base));
    const high = Number(BigInt.asIntN(32, base >> 32n));
    for (let i = 0; i < this.#length; i++) this.#setSum(i, low, high, i);
  }

  /** Of sign and magnitude. */
  #readBase(bytes: number): bigint {
    let base = 0n;
    for (let i = 0; i < bytes; i++) base = (base << 8n) | BigInt(this.#stream.byte());
    const sign = 1n << BigInt(8 * bytes - 1);
    return base & sign ? -(base & (sign - 1n)) : base;
  }

  #patch(
    { width, patchWidth, patches, entryWidth }: {
      width: number;
      patchWidth: number;
      patches: number;
      entryWidth: number;
    },
  ): void {
    const low = new Int32Array(patches);
    const high = new Int32Array(patches);
    new Unpacker(this.#stream, entryWidth).fill(low, high, 0, patches);
    let at = 0;
    for (let i = 0; i < patches; i++) {
      const entry = BigInt.asUintN(64, (BigInt(high[i]) << 32n) | BigInt(low[i] >>> 0));
      at += Number(entry >> BigInt(patchWidth));
      const patch = BigInt.asUintN(patchWidth, entry);
      // A gap over 255 is several entries, of which only the last has a patch.
      if (patch === 0n) continue;
      if (at >= this.#length) this.#stream.fail(`a patch for value ${at} of ${this.#length}`);
      const shifted = BigInt.asUintN(64, patch << BigInt(width));
      this.#low[at] |= Number(BigInt.asIntN(32, shifted));
      this.#high[at] |= Number(BigInt.asIntN(32, shifted >> 32n));
    }
  }

  /** Value `i` is that at `from` and this much. */
  #setSum(i: number, low: number, high: number, from = i - 1): void {
    const sum = (this.#low[from] >>> 0) + (low >>> 0);
    this.#high[i] = this.#high[from] + high + (sum >= WORD ? 1 : 0);
    this.#low[i] = sum;
  }

  #setVarint(i: number): void {
    this.#readVarint();
    if (this.#isSigned) this.#decodeZigzag();
    this.#low[i] = this.#varLow;
    this.#high[i] = this.#varHigh;
  }

  #readVarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#stream.byte();
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 28) high |= bits << (shift - 32);
      else if (shift === 28) high |= bits >>> 4;
      if (byte < 128) {
        this.#varLow = low;
        this.#varHigh = high;
        return;
      }
    }
    this.#stream.fail("a number has more than ten bytes");
  }

  #decodeZigzag(): void {
    const sign = -(this.#varLow & 1);
    const low = (this.#varLow >>> 1) | (this.#varHigh << 31);
    this.#varHigh = (this.#varHigh >>> 1) ^ sign;
    this.#varLow = low ^ sign;
  }

  #unzigzag(count: number): void {
    const low = this.#low;
    const high = this.#high;
    for (let i = 0; i < count; i++) {
      const sign = -(low[i] & 1);
      low[i] = ((low[i] >>> 1) | (high[i] << 31)) ^ sign;
      high[i] = (high[i] >>> 1) ^ sign;
    }
  }
}

/** The least width that is used of at least `bits`. */
function closest(bits: number): number {
  return widths.find((width) => width >= bits)!;
}
