/** @module Delimited text as bytes on their way to a file: cells are copied, never made strings of. */
import { writeAll } from "../../table/write_all.ts";

const QUOTE = 0x22;
const encoder = new TextEncoder();

/** Grows to its longest flush. */
export class ByteWriter {
  #buffer = new Uint8Array(2 << 20);
  /** Bytes that wait. */
  length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.length++] = value;
  }

  bytes(value: Uint8Array): void {
    this.copy(value, 0, value.length);
  }

  /** Bytes of another buffer as they are. */
  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    const buffer = this.#buffer;
    let to = this.length;
    // Most cells are shorter than a call costs.
    if (length > 48) buffer.set(from.subarray(start, end), to);
    else for (let at = start; at < end; at++) buffer[to++] = from[at];
    this.length += length;
  }

  /** Bytes as a cell in quotes. */
  quoted(from: Uint8Array, start: number, end: number): void {
    this.#reserve(2 * (end - start) + 2);
    const buffer = this.#buffer;
    let to = this.length;
    buffer[to++] = QUOTE;
    for (let at = start; at < end; at++) {
      const byte = from[at];
      if (byte === QUOTE) buffer[to++] = QUOTE;
      buffer[to++] = byte;
    }
    buffer[to++] = QUOTE;
    this.length = to;
  }

  /** A text as a cell in quotes. */
  text(text: string): void {
    const bytes = encoder.encode(text);
    this.quoted(bytes, 0, bytes.length);
  }

  /** A whole number from 0. */
  number(value: number): void {
    this.#reserve(20);
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    let at = this.length += digits;
    let rest = value;
    do {
      this.#buffer[--at] = 48 + rest % 10;
      rest = Math.floor(rest / 10);
    } while (rest > 0);
  }

  /** Write what waits. */
  async flush(output: Deno.FsFile): Promise<void> {
    await writeAll(output, this.#buffer.subarray(0, this.length));
    this.length = 0;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(2 * (this.length + bytes));
    larger.set(this.#buffer.subarray(0, this.length));
    this.#buffer = larger;
  }
}
