/** @module Doubles as decimal texts. */

/** Digits before or behind the point past which an exponent is shorter to read. */
const DIGITS_MAX = 38;

/**
 * The shortest digits that make this double and no other, without an exponent where they are few:
 * `1e-7` is `0.0000001`. Those that are no number keep their names.
 */
export function plainNumber(value: number): string {
  return plainDigits(Object.is(value, -0) ? "-0" : String(value));
}

/** A decimal text, with an exponent or not, as one without where that has few digits. */
export function plainDigits(text: string): string {
  const match = text.match(/^([-+]?)(\d+)(?:\.(\d*))?[eE]([-+]?\d{1,5})$/);
  if (!match) return text;
  const [, sign, whole, fraction = "", exponent] = match;
  const digits = (whole + fraction).replace(/^0+(?=\d)/, "");
  const dropped = whole.length + fraction.length - digits.length;
  const point = whole.length - dropped + Number(exponent);
  if (point > DIGITS_MAX || digits.length - point > DIGITS_MAX) return text;
  const minus = sign === "-" ? "-" : "";
  if (point >= digits.length) return `${minus}${digits.padEnd(point, "0")}`;
  if (point <= 0) return trimmed(`${minus}0.${"0".repeat(-point)}${digits}`);
  return trimmed(`${minus}${digits.slice(0, point)}.${digits.slice(point)}`);
}

function trimmed(text: string): string {
  return text.replace(/\.?0+$/, "");
}
