/** @module Is it UTF-8? */

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Quick where all is ASCII, as nearly always. */
export function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  let high = 0;
  for (let i = from; i < to; i++) high |= bytes[i];
  if (high < 128) return true;
  try {
    decoder.decode(bytes.subarray(from, to));
    return true;
  } catch {
    return false;
  }
}
