/** @module Kinds of personal data, and what the spans of a text are. */

/** Every kind that is looked for. */
export const piiClasses = [
  "card",
  "iban",
  "email",
  "phone",
  "name",
  "address",
  "postcode",
  "place",
  "national_id",
  "passport",
  "driver_license",
  "tax_id",
  "birth_date",
  "age",
  "ip",
  "url",
  "account",
] as const;
/** One of {@link piiClasses}. */
export type PiiClass = (typeof piiClasses)[number];

/** Personal data in a text. */
export interface PiiSpan {
  kind: PiiClass;
  /** In UTF-16 units; `end` is behind the last one. */
  start: number;
  end: number;
  /** How sure, 0 to 1. */
  score: number;
  /** Which rule found it, for people: `us_ssn`, `de_tax_id`. */
  rule: string;
}
