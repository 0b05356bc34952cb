/** @module Integers of a fixed number of bits, one behind the other, the highest bit first. */
import type { OrcStream } from "./stream.ts";

/** Reads one packed run; it begins and ends on whole bytes. */
export class Unpacker {
  readonly #stream: OrcStream;
  readonly #width: number;

  constructor(stream: OrcStream, width: number) {
    this.#stream = stream;
    this.#width = width;
  }

  /** Unsigned values into `low` and `high` from index `from` to `to`. */
  fill(low: Int32Array, high: Int32Array, from: number, to: number): void {
    if (to <= from) return;
    const bytes = this.#stream.take(Math.ceil(((to - from) * this.#width) / 8));
    if (this.#width > 32) fillWide(bytes, this.#width / 8, { low, high, from, to });
    else fillNarrow(bytes, this.#width, { low, high, from, to });
  }
}

interface Target {
  low: Int32Array;
  high: Int32Array;
  from: number;
  to: number;
}

/** Up to 32 bits. */
function fillNarrow(bytes: Uint8Array, width: number, { low, high, from, to }: Target): void {
  let at = 0;
  let byte = 0;
  let left = 0;
  for (let i = from; i < to; i++) {
    let value = 0;
    let missing = width;
    while (missing > 0) {
      if (left === 0) {
        byte = bytes[at++];
        left = 8;
      }
      const taken = missing < left ? missing : left;
      left -= taken;
      value = (value << taken) | ((byte >>> left) & (0xff >>> (8 - taken)));
      missing -= taken;
    }
    low[i] = value;
    high[i] = 0;
  }
}

/** 40, 48, 56 or 64 bits. */
function fillWide(bytes: Uint8Array, width: number, { low, high, from, to }: Target): void {
  let at = 0;
  for (let i = from; i < to; i++) {
    let upper = 0;
    for (let k = width; k > 4; k--) upper = (upper << 8) | bytes[at++];
    high[i] = upper;
    low[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    at += 4;
  }
}
