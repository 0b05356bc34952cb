/** @module The only door to chance. */

/** A source of uniform numbers in [0, 1). */
export interface Random {
  next(): number;
}

/** The machine's own randomness; not for secrets (see {@link ../base/ids.ts}). */
export const systemRandom: Random = { next: () => Math.random() };

/** A repeatable source (mulberry32: one 32-bit word of state) for tests and the simulation. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    },
  };
}
