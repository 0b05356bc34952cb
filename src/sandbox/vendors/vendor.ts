/** @module What every vendor of the sandbox is made of. */
import type { Answer } from "../answer.ts";
import type { Verdict } from "../keys.ts";

/** A request as a vendor sees it. */
export interface VendorCall {
  /** Path below the vendor's own. */
  path: string;
  query: URLSearchParams;
  headers: Headers;
  /** Figures are given out as they were known then. */
  asOf: Date;
  /** What the vendor's own key says to this request. */
  admit(key: string | null): Verdict;
}

/** One vendor: its shapes and its manners. */
export interface Vendor {
  name: string;
  /** One sentence with an example, for the index page. */
  about: string;
  answer(call: VendorCall): Answer;
  /** How it says "too many requests". */
  throttled(retryAfterS: number): Answer;
  /** How it says that something is wrong, with the status that it uses for that. */
  failed(): Answer;
}

/** Bars of a date range, bounds included; either may be absent. */
export function between<T extends { date: string }>(
  rows: readonly T[],
  from: string | null,
  to: string | null,
): T[] {
  return rows.filter(({ date }) => (!from || date >= from) && (!to || date <= to));
}
