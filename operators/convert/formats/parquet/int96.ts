/** @module Timestamps of 96 bits, which Impala and Spark write. */

/** Nanoseconds since 1970 of the nanoseconds of a day, and the Julian day behind them. */
export function nanosOfInt96(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  const day = BigInt(view.getInt32(8, true)) - 2_440_588n;
  return day * 86_400_000_000_000n + view.getBigInt64(0, true);
}
