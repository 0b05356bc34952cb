/** @module A good file, cut off at each of its bytes and with bits turned over. */
import { assert } from "@std/assert";
import { AppError } from "../../src/model/errors.ts";

/** How to damage. */
export interface DamageOptions {
  /** Bit flips to try, at places and bits of a seeded sequence. */
  flips?: number;
  /** Cut at every n-th byte. */
  step?: number;
}

/**
 * Read the file damaged in many ways. Each must be read as something, or refused as CORRUPT or INVALID
 * with words of its own; anything else, and anything that takes seconds, fails. How many were refused.
 */
export async function damageAll(
  bytes: Uint8Array,
  read: (damaged: Uint8Array) => Promise<unknown>,
  { flips = 200, step = 1 }: DamageOptions = {},
): Promise<{ cutRefused: number; cuts: number; flipsRefused: number }> {
  let cutRefused = 0;
  let cuts = 0;
  for (let length = 0; length < bytes.length; length += step) {
    cuts++;
    if (await isRefused(bytes.slice(0, length), read, `cut at ${length}`)) cutRefused++;
  }
  let flipsRefused = 0;
  let state = 12345;
  for (let i = 0; i < flips; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const at = state % bytes.length;
    const bit = (state >>> 24) & 7;
    const damaged = bytes.slice();
    damaged[at] ^= 1 << bit;
    if (await isRefused(damaged, read, `bit ${bit} of byte ${at} flipped`)) flipsRefused++;
  }
  return { cutRefused, cuts, flipsRefused };
}

async function isRefused(
  bytes: Uint8Array,
  read: (damaged: Uint8Array) => Promise<unknown>,
  what: string,
): Promise<boolean> {
  try {
    await read(bytes);
    return false;
  } catch (error) {
    assert(
      error instanceof AppError && (error.code === "CORRUPT" || error.code === "INVALID"),
      `${what}: ${error instanceof Error ? error.stack : error}`,
    );
    return true;
  }
}
