/** @module Lines behind a fixed-width table, and the rows that a trailer counts. */
import { counted, countOf, opening, trailer } from "./footer_words.ts";
import { cellsOf, strayAt } from "./columns.ts";
import type { FixedTable } from "./table.ts";

/** A footer among the last lines. */
export interface FixedFooter {
  /** Index of its first line. */
  from: number;
  /** Line that counts the rows, and what it says. */
  line: string;
  count?: number;
}

/** The footer of the last lines; null when there is none. */
export function fixedFooter(lines: readonly string[], table: FixedTable): FixedFooter | null {
  const isOther = (line: string) => line.trim() === "" || !isRow(line, table);
  let from = lines.length;
  while (from > 0 && isOther(lines[from - 1])) from--;
  const at = lines.findIndex((line, i) => i >= from && opens(line, lines.slice(0, from)));
  if (at < 0) return null;
  const line = lines.slice(at).find((line) => countIn(line) !== undefined);
  return { from: at, line: line ?? lines[at], count: countIn(line ?? "") };
}

/** Is it a record, with all of the cells that others have? */
function isRow(line: string, { spans, lastNeeded }: FixedTable): boolean {
  if (strayAt(line, spans) >= 0 || line.trimEnd().length <= lastNeeded) return false;
  return !opening.test(line) || cellsOf(line, spans).every((cell) => cell !== "");
}

function opens(line: string, body: readonly string[]): boolean {
  if (line.trim() === "") return false;
  return opening.test(line) || (trailer.test(line) && isOtherKind(line, body));
}

/** Do all records begin with one sign, and this one with another? */
function isOtherKind(line: string, body: readonly string[]): boolean {
  const signs = new Set(body.filter((text) => text.trim() !== "").map((text) => text[0]));
  return signs.size === 1 && !signs.has(line[0]);
}

function countIn(line: string): number | undefined {
  const found = line.match(counted) ?? line.match(countOf) ?? line.match(trailer);
  return found ? Number(found[1].replaceAll(",", "")) : undefined;
}
