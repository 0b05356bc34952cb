/** @module Bytes of Avro's binary encoding, as they are written. */

/** Grows as needed. */
export class ByteSink {
  #bytes: Uint8Array = new Uint8Array(1 << 16);
  #used = 0;

  get length(): number {
    return this.#used;
  }

  /** What was written; good until more is. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#used);
  }

  clear(): void {
    this.#used = 0;
  }

  byte(value: number): void {
    if (this.#used === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#used++] = value;
  }

  /** A long in two halves. */
  long(low: number, high: number): void {
    const sign = high >> 31;
    let zigLow = (low << 1) ^ sign;
    let zigHigh = ((high << 1) | (low >>> 31)) ^ sign;
    if (this.#used + 10 > this.#bytes.length) this.#grow(10);
    while (zigHigh !== 0 || zigLow >>> 0 > 127) {
      this.#bytes[this.#used++] = (zigLow & 127) | 128;
      zigLow = (zigLow >>> 7) | (zigHigh << 25);
      zigHigh >>>= 7;
    }
    this.#bytes[this.#used++] = zigLow;
  }

  int(value: number): void {
    this.long(value, value >> 31);
  }

  /** An integer up to 2^53. */
  number(value: number): void {
    this.long(value | 0, Math.floor(value / 2 ** 32));
  }

  copy(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.#used + length > this.#bytes.length) this.#grow(length);
    if (length > 24) this.#bytes.set(source.subarray(from, to), this.#used);
    else for (let i = 0; i < length; i++) this.#bytes[this.#used + i] = source[from + i];
    this.#used += length;
  }

  #grow(more: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + more));
    grown.set(this.bytes);
    this.#bytes = grown;
  }
}
