/** @module Lengths of time and sizes of memory as authors write them. */

/** A length of time: milliseconds, or the sum of named parts, e.g. `{ hours: 1, minutes: 30 }`. */
export type Duration = number | {
  milliseconds?: number;
  seconds?: number;
  minutes?: number;
  hours?: number;
  days?: number;
};

/** A size of memory: bytes, or the sum of named parts, e.g. `{ mib: 512 }`. */
export type Bytes = number | { kib?: number; mib?: number; gib?: number };

const durationParts: Readonly<Record<string, number>> = {
  milliseconds: 1,
  seconds: 1000,
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
};
const byteParts: Readonly<Record<string, number>> = { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };

/** Milliseconds of a duration, rounded; throws RangeError with `what` in its message. */
export function durationMs(duration: Duration, what: string): number {
  return sum(duration, durationParts, what, "milliseconds or { seconds, minutes, hours, days }");
}

/** Bytes of a size, rounded; throws RangeError with `what` in its message. */
export function bytesOf(bytes: Bytes, what: string): number {
  return sum(bytes, byteParts, what, "bytes or { kib, mib, gib }");
}

function sum(
  value: number | Record<string, number | undefined>,
  parts: Readonly<Record<string, number>>,
  what: string,
  right: string,
): number {
  const bad = () => new RangeError(`${what} is ${JSON.stringify(value)}; give ${right}, 0 or more`);
  let total = 0;
  if (typeof value === "number") total = value;
  else if (value === null || typeof value !== "object") throw bad();
  else {
    for (const [name, amount] of Object.entries(value)) {
      if (!Object.hasOwn(parts, name) || typeof amount !== "number") throw bad();
      total += amount * parts[name];
    }
  }
  if (!Number.isFinite(total) || total < 0 || total > Number.MAX_SAFE_INTEGER) throw bad();
  return Math.round(total);
}
