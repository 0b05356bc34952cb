/** @module A place in a block of Avro's binary encoding. */

/** What is wrong with the bytes at a place. */
export class AvroError extends Error {
  /** In the block. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/**
 * Reads a block. Nothing is checked that a later check finds, too: reading past the end gives zeros,
 * and {@link checkEnd} says so. Lengths and counts are checked before they are used.
 */
export class Cursor {
  bytes: Uint8Array = new Uint8Array();
  view: DataView = new DataView(this.bytes.buffer);
  at = 0;
  end = 0;
  /** Halves of the long that was read last. */
  low = 0;
  high = 0;

  /** Begin a block. */
  load(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = 0;
    this.end = bytes.length;
  }

  fail(message: string, at = this.at): never {
    throw new AvroError(message, at);
  }

  checkEnd(): void {
    if (this.at > this.end) {
      this.fail("it ends in the middle of a value", this.end);
    }
  }

  /** Make sure of `length` bytes. */
  need(length: number): void {
    if (length > this.end - this.at) {
      this.fail(`a value of ${length} bytes does not fit the ${this.end - this.at} that are left`);
    }
  }

  byte(): number {
    return this.bytes[this.at++];
  }

  /** A long, into {@link low} and {@link high}. */
  long(): void {
    const { bytes } = this;
    let byte = bytes[this.at++];
    if (byte < 128) {
      this.low = (byte >>> 1) ^ -(byte & 1);
      this.high = -(byte & 1);
      return;
    }
    const start = this.at - 1;
    let low = byte & 127;
    let middle = 0;
    let top = 0;
    let shift = 7;
    do {
      byte = bytes[this.at++];
      const part = byte & 127;
      if (shift < 28) low |= part << shift;
      else if (shift < 56) middle |= part << (shift - 28);
      else top |= part << (shift - 56);
      shift += 7;
    } while (byte >= 128 && shift < 70);
    if (byte >= 128 || top > 255) this.fail("a number has more than 64 bits", start);
    const plainLow = low | (middle << 28);
    const plainHigh = (middle >>> 4) | (top << 24);
    const sign = -(plainLow & 1);
    this.low = ((plainLow >>> 1) | (plainHigh << 31)) ^ sign;
    this.high = (plainHigh >>> 1) ^ sign;
  }

  /** A long as a number; exact up to 2^53. */
  number(): number {
    this.long();
    return this.high * 2 ** 32 + (this.low >>> 0);
  }

  bigint(): bigint {
    this.long();
    return BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low >>> 0));
  }

  int(): number {
    const start = this.at;
    this.long();
    if (this.high !== this.low >> 31) this.fail("an int has more than 32 bits", start);
    return this.low;
  }

  /** A length of bytes that are there. */
  length(): number {
    const start = this.at;
    const length = this.number();
    if (length < 0) this.fail(`a length is ${length}`, start);
    this.need(length);
    return length;
  }

  /** Items of the next block of an array or map; 0 at its end. */
  count(isEmptyPossible: boolean): number {
    const start = this.at;
    let count = this.number();
    if (count < 0) {
      count = -count;
      this.number();
    }
    this.checkEnd();
    const max = isEmptyPossible ? EMPTY_MAX : this.end - this.at;
    if (count > max) this.fail(`an array or map says that it has ${count} items`, start);
    return count;
  }
}

/** Items without a single byte that are believed. */
export const EMPTY_MAX = 10_000_000;
