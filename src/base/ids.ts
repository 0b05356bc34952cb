/** @module Identifiers: UUIDv7 for rows, random tokens for secrets. */
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import type { Random } from "./random.ts";

/** Makes identifiers. */
export interface Ids {
  /** A UUIDv7 (RFC 9562 §5.7): sorts by time, to the order of calls within one process. */
  uuid(): string;
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** Ids whose time comes from `clock` and whose rest from the machine's secure randomness. */
export function systemIds(clock: Clock = systemClock): Ids {
  return uuidSource(clock, (bytes) => crypto.getRandomValues(bytes));
}

/** Repeatable ids for tests and the simulation. */
export function seededIds(clock: Clock, random: Random): Ids {
  return uuidSource(clock, (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random.next() * 256);
  });
}

/** A secret of `bytes` random bytes as base64url. */
export function randomToken(bytes = 32): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/** 12 bits after the time count calls within a millisecond, so ids of one process keep order. */
function uuidSource(clock: Clock, fill: (bytes: Uint8Array<ArrayBuffer>) => void): Ids {
  let lastMs = 0;
  let counter = 0;
  const pool = new Uint8Array(8 * 64);
  let used = pool.length;
  return {
    uuid() {
      const nowMs = clock.now().getTime();
      if (nowMs > lastMs) {
        lastMs = nowMs;
        counter = 0;
      } else if (++counter > 0xfff) {
        lastMs++;
        counter = 0;
      }
      if (used >= pool.length) {
        fill(pool);
        used = 0;
      }
      const time = lastMs.toString(16).padStart(12, "0");
      const tail = Array.from(pool.subarray(used, used += 8));
      tail[0] = (tail[0] & 0x3f) | 0x80;
      const rest = tail.map((byte) => HEX[byte]).join("");
      return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, "0")}-` +
        `${rest.slice(0, 4)}-${rest.slice(4)}`;
    },
  };
}
