/** @module What can be made to go wrong, for requests that match, so many times. */

/** The ways. Bytes are of the body. */
export type Fault =
  /** The body stops after so many bytes and the connection stays open. */
  | { kind: "stall"; afterBytes: number }
  /** The connection breaks after so many bytes. */
  | { kind: "cut"; afterBytes: number }
  /** Only the first bytes, and a clean end as if that were all. */
  | { kind: "truncate"; afterBytes: number }
  /** No answer at all. */
  | { kind: "silent" }
  /** A status; `retryAfter` is sent as it is given, `retryAfterS` as a date that many seconds on. */
  | { kind: "status"; status: number; retryAfter?: string; retryAfterDateS?: number }
  /** An HTML page with status 200. */
  | { kind: "html" }
  /** The vendor's own "too many requests". */
  | { kind: "throttle"; retryAfterS: number }
  /** The vendor's own error, with the status that it uses for one. */
  | { kind: "error" }
  /** The page begins half a page too early: half of it was in the page before. */
  | { kind: "half_page_twice" }
  /** The page before once more. */
  | { kind: "page_twice" }
  /** Digests of other content. */
  | { kind: "bad_digest" }
  /** Bytes changed on the way, digests as they should be. */
  | { kind: "flipped_byte" }
  /** Ranges are not known: always the whole body, or another range than asked for. */
  | { kind: "no_ranges" }
  | { kind: "wrong_range" }
  | { kind: "redirect"; to: string };

/** A fault and the requests that it befalls. */
export interface FaultRule {
  fault: Fault;
  /** Text in path and query; every request without it. */
  match?: string;
  /** How often; 1. */
  times?: number;
}

/** Faults to come. */
export class Faults {
  #rules: Required<FaultRule>[] = [];

  /** Let it go wrong. */
  add({ fault, match = "", times = 1 }: FaultRule): void {
    this.#rules.push({ fault, match, times });
  }

  /** No more of it. */
  clear(): void {
    this.#rules = [];
  }

  /** What is left. */
  list(): readonly FaultRule[] {
    return this.#rules;
  }

  /** The fault that befalls this request: the oldest that matches. */
  take(url: URL): Fault | null {
    const target = `${url.pathname}${url.search}`;
    const met = this.#rules.find((rule) => target.includes(rule.match));
    if (!met) return null;
    met.times--;
    this.#rules = this.#rules.filter((rule) => rule.times > 0);
    return met.fault;
  }
}
