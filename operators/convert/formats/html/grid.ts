/** @module Rows of a table with its spans filled in, and which of them are headers. */
import type { HtmlRow } from "./page.ts";

/** Columns of a table, at most. */
const COLUMNS_MAX = 5000;
/** Cells that spans fill in, at most: past it a page is an attack. */
const SPANNED_MAX = 20_000_000;

/** Spans stand for more cells than a page of people has. */
export class TooManySpans extends Error {}

/** A row of the grid: every cell that a span covers has its text. */
export interface GridRow {
  texts: (string | null)[];
  /** All its cells are header cells. */
  isHeader: boolean;
  isHead: boolean;
  offset: number;
  endOffset: number;
}

/** Fills in spans, row by row. */
export class Grid {
  /** By column: text and rows that it still covers. */
  #spans: ({ text: string; rows: number } | undefined)[] = [];
  #spanned = 0;

  row({ cells, section, offset, endOffset }: HtmlRow): GridRow {
    const texts: (string | null)[] = [];
    const take = () => {
      for (let span = this.#spans[texts.length]; span; span = this.#spans[texts.length]) {
        if (++this.#spanned > SPANNED_MAX) throw new TooManySpans();
        if (--span.rows === 0) this.#spans[texts.length] = undefined;
        texts.push(span.text);
      }
    };
    for (const { text, columns, rows } of cells) {
      take();
      this.#spanned += columns - 1;
      for (let i = 0; i < columns && texts.length < COLUMNS_MAX; i++) {
        if (rows > 1) this.#spans[texts.length] = { text, rows: rows - 1 };
        texts.push(text);
      }
    }
    take();
    return {
      texts,
      isHeader: cells.every((cell) => cell.isHeader),
      isHead: section === "head",
      offset,
      endOffset,
    };
  }
}

/** How many of a table's first rows are its header. */
export function headerRows(first: readonly GridRow[], isHeader: boolean | undefined): number {
  if (isHeader === false || first.length === 0) return 0;
  const head = first.findIndex((row) => !row.isHead);
  if (head !== 0) return head < 0 ? Math.min(first.length, 1) : head;
  const marked = first.findIndex((row) => !row.isHeader);
  if (marked > 0) return marked;
  if (marked < 0) return 1;
  return isHeader === true || looksLikeHeader(first) ? 1 : 0;
}

/** A first row of different words above a column of figures. */
function looksLikeHeader([first, ...rest]: readonly GridRow[]): boolean {
  if (rest.length === 0 || first.texts.length < 2) return false;
  const isWords = first.texts.every((text) => text !== null && text !== "" && !isFigure(text)) &&
    new Set(first.texts).size === first.texts.length;
  return isWords &&
    first.texts.some((_, i) => rest.every(({ texts }) => isFigure(texts[i] ?? "")));
}

function isFigure(text: string): boolean {
  return /^[^\p{L}]*\d[^\p{L}]*$/u.test(text);
}

/** Names of columns by the header's rows; what spans several columns stands in front of each. */
export function columnNames(header: readonly GridRow[], width: number): string[] {
  const names = Array.from({ length: width }, (_, i) => {
    const parts: string[] = [];
    for (const { texts } of header) {
      const text = (texts[i] ?? "").replaceAll("\n", " ");
      if (text !== "" && text !== parts.at(-1)) parts.push(text);
    }
    return parts.join(" ") || `column_${i + 1}`;
  });
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name.toLowerCase()) ?? 0) + 1;
    seen.set(name.toLowerCase(), count);
    return count === 1 ? name : `${name}_${count}`;
  });
}
