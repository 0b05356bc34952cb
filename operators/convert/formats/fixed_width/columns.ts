/** @module Where the columns of fixed-width text are: told, or by a ruler, or by blank columns. */

import { isFooterLike } from "./footer_words.ts";

/** A column's place in a line, in characters. */
export interface Span {
  start: number;
  end: number;
}

/** Columns found in lines. */
export interface FoundColumns {
  spans: Span[];
  /** Lines before the first row, header and ruler among them. */
  above: number;
  /** Index of the line with the names, when there is one. */
  header: number | null;
}

const ruler = /^[\s|+]*[-=_]{2,}(?:[\s|+]+[-=_]+)+[\s|+]*$/;
const LINES_MIN = 4;
const HEADER_LINES_MAX = 20;

/** Columns under a ruler, like `---- ------ ---`. */
export function byRuler(lines: readonly string[]): FoundColumns | null {
  const at = lines.slice(0, HEADER_LINES_MAX).findIndex((line) => ruler.test(line));
  if (at < 0) return null;
  const spans = [...lines[at].matchAll(/[-=_]+/g)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }));
  // What is wider than its ruler may only be in the last column.
  spans[spans.length - 1].end = Infinity;
  const header = at > 0 && lines[at - 1].trim() !== "" ? at - 1 : null;
  return { spans, above: at + 1, header };
}

/**
 * Columns between characters that are blank in every line. Lines above the table do not count; a gap
 * of one blank counts only where there are lines enough for it to be no accident.
 */
export function byBlanks(lines: readonly string[]): FoundColumns | null {
  const filled = lines.filter((line) => line.trim() !== "" && !isFooterLike(line));
  if (filled.length < LINES_MIN) return null;
  const body = filled.slice(Math.min(HEADER_LINES_MAX, Math.floor(filled.length / 2)));
  const gapMin = body.length >= 20 ? 1 : 2;
  const sketch = spansOf(body, gapMin);
  if (sketch.length < 2) return null;
  const first = firstOfTable(lines, sketch);
  const table = lines.slice(first).filter((line) => !isFooterLike(line) && fitsIn(line, sketch));
  const spans = spansOf(table, gapMin);
  return spans.length < sketch.length
    ? { spans: sketch, above: first, header: null }
    : { spans, above: first, header: null };
}

function spansOf(body: readonly string[], gapMin: number): Span[] {
  const width = Math.max(...body.map(({ length }) => length));
  const isBlank = (at: number) => body.every((line) => at >= line.length || line[at] === " ");
  const spans: Span[] = [];
  let start = -1;
  let blanks = 0;
  for (let at = 0; at <= width; at++) {
    if (at < width && !isBlank(at)) {
      if (start < 0) start = at;
      blanks = 0;
    } else if (start >= 0 && (++blanks >= gapMin || at === width)) {
      spans.push({ start, end: at - blanks + 1 });
      start = -1;
      blanks = 0;
    }
  }
  if (spans.length > 0) spans[spans.length - 1].end = Infinity;
  return spans;
}

/** The first line from which on all lines keep to the gaps; titles and a blank line are above it. */
function firstOfTable(lines: readonly string[], spans: readonly Span[]): number {
  let first = lines.length;
  for (let at = Math.min(lines.length, 2 * HEADER_LINES_MAX) - 1; at >= 0; at--) {
    const line = lines[at];
    if (line.trim() === "") {
      if (lines.slice(0, at).every((line) => isTitle(line, spans))) break;
    } else if (!fitsIn(line, spans)) break;
    else first = at;
  }
  return first === lines.length ? 0 : first;
}

function fitsIn(line: string, spans: readonly Span[]): boolean {
  return strayAt(line, spansIn(line, spans)) < 0;
}

function isTitle(line: string, spans: readonly Span[]): boolean {
  const filled = cellsOf(line, spans).filter((cell) => cell !== "").length;
  return !fitsIn(line, spans) || filled <= spans.length / 2;
}

/** Index of a character between the columns that is not blank; -1: there is none. */
export function strayAt(line: string, spans: readonly Span[]): number {
  let from = 0;
  for (const { start, end } of spans) {
    for (let at = from; at < Math.min(start, line.length); at++) if (line[at] !== " ") return at;
    from = end;
  }
  for (let at = from; at < line.length; at++) if (line[at] !== " ") return at;
  return -1;
}

/** The cells of a line. */
export function cellsOf(line: string, spans: readonly Span[]): string[] {
  return spans.map(({ start, end }) => line.slice(start, end).trim());
}

/**
 * The columns as they are in one line: a text that reaches out into the gap beside its column is the
 * column's as a whole. What fills a gap, or stands in it alone, stays outside.
 */
export function spansIn(line: string, spans: readonly Span[]): readonly Span[] {
  if (strayAt(line, spans) < 0) return spans;
  const own = spans.map((span) => ({ ...span }));
  for (let i = 0; i + 1 < own.length; i++) {
    const { end } = own[i];
    const { start } = own[i + 1];
    let reach = end;
    while (reach < start && isWord(line, reach - 1, reach)) reach++;
    let back = start;
    while (back > reach && isWord(line, back - 1, back)) back--;
    if (reach === start && isWord(line, start - 1, start)) continue;
    own[i].end = reach;
    own[i + 1].start = back;
  }
  return own;
}

/** Are both characters part of a word? */
function isWord(line: string, a: number, b: number): boolean {
  const isFilled = (at: number) => line[at] !== undefined && line[at] !== " ";
  return isFilled(a) && isFilled(b);
}
