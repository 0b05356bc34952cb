/** @module API keys and their quotas. */

/** What a key allows; null is without limit. */
export interface Quota {
  perMinute: number | null;
  perDay: number | null;
}

/** Keys that are known from the start. */
export const defaultKeys: Readonly<Record<string, Quota>> = {
  "demo": { perMinute: 600, perDay: null },
  "free": { perMinute: 5, perDay: 25 },
};

/** What a key says to one more request. */
export type Verdict =
  | { kind: "ok" }
  | { kind: "missing" }
  | { kind: "unknown" }
  | { kind: "over"; window: "minute" | "day"; limit: number; retryAfterS: number };

const dayMs = 86_400_000;

/** Counts requests by vendor and key. */
export class KeyRing {
  readonly #keys: Readonly<Record<string, Quota>>;
  readonly #used = new Map<string, { window: number; count: number }>();

  constructor(keys: Readonly<Record<string, Quota>>) {
    this.#keys = keys;
  }

  /** Count a request that came at `now`; one that is refused does not count. */
  admit(vendor: string, key: string | null, now: Date): Verdict {
    if (!key) return { kind: "missing" };
    if (!Object.hasOwn(this.#keys, key)) return { kind: "unknown" };
    const quota = this.#keys[key];
    return this.#count(`${vendor} ${key} day`, "day", dayMs, quota.perDay, now) ??
      this.#count(`${vendor} ${key} minute`, "minute", 60_000, quota.perMinute, now) ??
      { kind: "ok" };
  }

  #count(
    id: string,
    window: "minute" | "day",
    windowMs: number,
    limit: number | null,
    now: Date,
  ): Verdict | null {
    if (limit === null) return null;
    const current = Math.floor(now.getTime() / windowMs);
    const used = this.#used.get(id);
    const count = used?.window === current ? used.count : 0;
    if (count >= limit) {
      const retryAfterS = Math.ceil(((current + 1) * windowMs - now.getTime()) / 1000);
      return { kind: "over", window, limit, retryAfterS };
    }
    this.#used.set(id, { window: current, count: count + 1 });
    return null;
  }
}
