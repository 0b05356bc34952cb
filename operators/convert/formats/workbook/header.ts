/** @module Which row of a sheet names its columns; what stands above it is no data. */
import type { ReadOptions } from "../format.ts";
import { cellKind, type CellText, type SheetRow } from "./book.ts";
import { normalName } from "../csv/dialect.ts";

/** A header and the rows below it. */
export interface Headed {
  /** By column; empty where a column has no name. */
  names: string[];
  rows: SheetRow[];
}

/** Rows that a header is looked for in. */
const TRIED_ROWS = 30;
/** Of the table's usual width: how much of it a header names at least. */
const SHARE = 0.75;

/**
 * The header of the first rows of a sheet: the first row that names most columns of the table, in
 * texts that differ. A told `header` is obeyed; known names outweigh what rows look like.
 */
export function findHeader(
  head: readonly SheetRow[],
  { header, knownColumns }: Pick<ReadOptions, "header" | "knownColumns">,
): Headed {
  const at = header === undefined ? lookFor(head, knownColumns) : header ? 0 : -1;
  if (at < 0 || head.length === 0) {
    return { names: [], rows: header === false ? [...head] : withoutTitles(head) };
  }
  const { cells } = head[at];
  const names = Array.from(cells, (cell) => cell ? textOf(cell).trim().replace(/\s+/g, " ") : "");
  return { names, rows: head.slice(at + 1) };
}

function lookFor(head: readonly SheetRow[], knownColumns: readonly string[]): number {
  const tried = head.slice(0, TRIED_ROWS);
  const known = new Set(knownColumns.map(normalName));
  if (known.size > 0) {
    const hits = tried.map(({ cells }) =>
      cells.filter((cell) => cell && known.has(normalName(textOf(cell)))).length
    );
    const most = Math.max(...hits, 0);
    if (most >= Math.min(2, known.size)) return hits.indexOf(most);
  }
  const width = usualWidth(head);
  return tried.findIndex((row, i) =>
    isHeader(row, width, head.slice(i + 1, i + 1 + TRIED_ROWS)) && (i < head.length - 1 || i === 0)
  );
}

/** Columns with a value in half of the rows, or more. */
function usualWidth(head: readonly SheetRow[]): number {
  const counts = head.map((row) => row.cells.filter(isThere).length).sort((a, b) => a - b);
  return counts.length === 0 ? 0 : counts[counts.length >> 1];
}

/**
 * Most of its cells are texts, and there are nearly as many as columns. They differ, or stand above
 * what is no text.
 */
function isHeader({ cells, kinds }: SheetRow, width: number, below: readonly SheetRow[]): boolean {
  const there = cells.flatMap((cell, i) => isThere(cell) ? [i] : []);
  if (there.length < Math.max(1, SHARE * width)) return false;
  if (there.length === 1 && width > 1) return false;
  const texts = there.filter((i) => kinds[i] === cellKind.text);
  const seen = new Set(there.map((i) => textOf(cells[i]!).trim().toLowerCase()));
  if (texts.length < there.length / 2 || kinds[there[0]] !== cellKind.text) return false;
  if (seen.size === there.length) return true;
  const isOther = (row: SheetRow) =>
    texts.some((i) => isThere(row.cells[i]) && row.kinds[i] !== cellKind.text);
  return texts.length === there.length && below.some(isOther);
}

/** Without a header, single cells above a table are its title all the same. */
function withoutTitles(head: readonly SheetRow[]): SheetRow[] {
  if (usualWidth(head) < 3) return [...head];
  const first = head.findIndex(({ cells }) => cells.filter(isThere).length > 1);
  return head.slice(Math.max(0, first));
}

function isThere(cell: CellText | null | undefined): boolean {
  return cell !== null && cell !== undefined && cell.length > 0;
}

function textOf(cell: CellText): string {
  return typeof cell === "string" ? cell : new TextDecoder().decode(cell);
}
