/** @module Values of Avro's logical types. */
import type { Cursor } from "./cursor.ts";

/**
 * Reads the unscaled value of a decimal: of `size` bytes, or as many as it says. Fails for one with
 * more digits than `precision`.
 */
export function readDecimal(
  precision: number,
  size: number | null,
  cursor: Cursor,
): () => bigint {
  const limit = 10n ** BigInt(precision);
  return () => {
    const start = cursor.at;
    const length = size ?? cursor.length();
    cursor.need(length);
    const value = signedOf(cursor.bytes, cursor.at, length);
    cursor.at += length;
    if (value >= limit || -value >= limit) {
      cursor.fail(`a decimal of ${precision} digits has more`, start);
    }
    return value;
  };
}

/** Two's complement, highest byte first. */
export function signedOf(bytes: Uint8Array, at: number, length: number): bigint {
  const isNegative = length > 0 && bytes[at] > 127;
  if (length <= 6) {
    let value = isNegative ? -1 : 0;
    for (let i = 0; i < length; i++) value = value * 256 + bytes[at + i];
    return BigInt(value);
  }
  let value = isNegative ? -1n : 0n;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const part = bytes[at + i] * 2 ** 24 + (bytes[at + i + 1] << 16) + (bytes[at + i + 2] << 8) +
      bytes[at + i + 3];
    value = (value << 32n) | BigInt(part);
  }
  for (; i < length; i++) value = (value << 8n) | BigInt(bytes[at + i]);
  return value;
}

/** A time of day. Fails for one that is not within a day. */
export function timeInMicros(cursor: Cursor, factor: number): number {
  const start = cursor.at;
  const micros = cursor.number() * factor;
  if (micros < 0 || micros > 86_400_000_000) cursor.fail("a time is not within a day", start);
  return micros;
}
