/** @module Values of Avro's logical types. */
import { signedOf } from "../signed_bytes.ts";
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

/** A time of day. Fails for one that is not within a day. */
export function timeInMicros(cursor: Cursor, factor: number): number {
  const start = cursor.at;
  const micros = cursor.number() * factor;
  if (micros < 0 || micros > 86_400_000_000) cursor.fail("a time is not within a day", start);
  return micros;
}
