/** @module Refused rows for those who may not see them as they are: their form, not their content. */
import { formOf } from "../base/form.ts";
import type { RefusedRow } from "../store/quarantine_query.ts";

const token = /[\p{L}\p{N}_@.+-]*[\p{L}\p{N}][\p{L}\p{N}_@.+-]*/gu;

/** The row with every letter and digit of its text hidden, in its reason as well. */
export function maskedRow(row: RefusedRow): RefusedRow {
  return { ...row, raw: formOf(row.raw), reason: maskedReason(row) };
}

/** What a reason quotes of the row, and whatever else stands in both. */
function maskedReason({ reason, raw, columnName }: RefusedRow): string {
  const tokens = new Set(raw.match(token) ?? []);
  const isNamed = (text: string) => text === columnName;
  return reason
    .replace(
      /"(?:[^"\\]|\\.)*"/g,
      (quoted) => isNamed(quoted.slice(1, -1)) ? quoted : formOf(quoted),
    )
    .replace(token, (word) => tokens.has(word) && !isNamed(word) ? formOf(word) : word);
}
