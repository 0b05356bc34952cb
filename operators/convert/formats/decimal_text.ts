/** @module Decimals as texts. */

/** A decimal's digits with its point. */
export function textOfDecimal(unscaled: bigint, scale: number): string {
  if (scale === 0) return `${unscaled}`;
  const digits = `${unscaled < 0n ? -unscaled : unscaled}`.padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}
