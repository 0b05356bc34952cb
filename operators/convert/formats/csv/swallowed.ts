/** @module Tells a text of several lines from records that a broken quote has swallowed. */
import { type CellKind, fits } from "./cell_kind.ts";
import type { Dialect } from "./dialect.ts";
import { recordAt } from "./tokenize.ts";

const decoder = new TextDecoder();
/** Kinds that most texts are of: they tell nothing. */
const anything: ReadonlySet<CellKind> = new Set(["empty", "code", "text", "odd"]);

/**
 * Does some field of the record hold what looks like records: a line with all the columns, or a last
 * line that makes a whole record with the columns after the field? Columns whose texts may be
 * anything cannot tell, so at least one other column must look right.
 */
export function isSwallowed(
  bytes: Uint8Array,
  dialect: Dialect,
  plausible: readonly (RegExp | null)[],
): boolean {
  const { delimiter, columns } = dialect;
  // Until the types are known, columns are what the sample's are.
  const tests = columns.map((_, i) => {
    const pattern = plausible[i];
    const kind = dialect.profiles[i]?.kind;
    if (pattern) return (text: string) => pattern.test(text);
    return plausible.length === 0 && kind && !anything.has(kind)
      ? (text: string) => fits(text.trim(), kind)
      : null;
  });
  const { cells } = recordAt(decoder.decode(bytes), 0, dialect);
  return cells.some((field, index) => {
    const lines = field.split(/\r\n|\n|\r/);
    if (lines.length < 2) return false;
    const last = lines[lines.length - 1].split(delimiter);
    if (index > 0 && last.length === index + 1 && looksRight(last.slice(0, index), tests)) {
      return true;
    }
    return lines.slice(1, -1).some((line) => {
      const parts = line.split(delimiter);
      return parts.length === columns.length && looksRight(parts, tests);
    });
  });
}

function looksRight(
  parts: string[],
  tests: readonly (((text: string) => boolean) | null)[],
): boolean {
  let told = 0;
  for (const [i, part] of parts.entries()) {
    const isRight = tests[i];
    if (!isRight || part === "") continue;
    if (!isRight(part)) return false;
    told++;
  }
  return told > 0;
}
