/** @module Values in the records of binary workbooks. */
import { WorkbookError } from "./book.ts";

/** A record's bytes, read from the front. */
export class RecordReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#move(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#move(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#move(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#move(8), true);
  }

  bytes(length: number): Uint8Array {
    const at = this.#move(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A number in 30 bits: whole or the first bits of a double, of hundredths or not. */
  rk(): number {
    const raw = this.#view.getInt32(this.#move(4), true);
    const number = raw & 2 ? raw >> 2 : highDouble(raw & ~3);
    return raw & 1 ? number / 100 : number;
  }

  /** UTF-16 behind its length in 32 bits. */
  wide(): string {
    const length = this.u32();
    if (length === 0xffffffff) return "";
    return new TextDecoder("utf-16le").decode(this.bytes(2 * length));
  }

  #move(length: number): number {
    if (length > this.left) {
      throw new WorkbookError(`a record of ${this.#bytes.length} bytes is too short`);
    }
    this.#at += length;
    return this.#at - length;
  }
}

const scratch = new DataView(new ArrayBuffer(8));

function highDouble(high: number): number {
  scratch.setInt32(4, high, true);
  scratch.setInt32(0, 0, true);
  return scratch.getFloat64(0, true);
}
