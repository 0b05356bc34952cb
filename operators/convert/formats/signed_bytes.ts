/** @module Integers of any number of bytes. */

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
