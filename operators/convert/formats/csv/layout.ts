/** @module Where among a sample's records the table begins, and what its columns are. */
import { type CellKind, cellKind, isFigure } from "./cell_kind.ts";
import { type DialectHints, normalName } from "./dialect.ts";
import { columnNames, headerOf } from "./header.ts";
import { profilesOf } from "./profile.ts";
import { usualWidth } from "./score.ts";
import { endOfLine, type Grammar, type SampleRecord } from "./tokenize.ts";

/** What is known of a column's texts by a sample. */
export interface ColumnProfile {
  /** Null when they are of several kinds, or anything. */
  kind: CellKind | null;
  /** Has the sample a full record in which it is empty? */
  isEverEmpty: boolean;
}

/** Where the table is. */
export interface Layout {
  header: boolean;
  /** Lines before the header or, without one, before the first record. */
  skipLines: number;
  /** Lines of the header, those between it and the first record too. */
  headerLines: number;
  /** Columns: their names, or `column0`, … without a header. */
  columns: string[];
  profiles: ColumnProfile[];
  /** Begins a line that is none of the table; none when empty. */
  comment: string;
}

/** What a layout depends on. */
export interface LayoutContext {
  grammar: Grammar;
  hints: DialectHints;
  /** Records from further behind. */
  behind: readonly SampleRecord[];
}

const PREAMBLE_ROWS_MAX = 30;

/** The layout of a text that begins with these records. */
export function layoutOf(
  text: string,
  records: readonly SampleRecord[],
  { grammar, hints, behind }: LayoutContext,
): Layout {
  const told = hints.skipLines === undefined ? 0 : lineStart(text, hints.skipLines, grammar);
  const all = records.filter(({ start }) => start >= told);
  const width = usualWidth(
    [...all, ...behind].filter(({ isBroken }) => !isBroken).map(({ cells }) => cells.length),
  );
  const comment = hints.comment ?? commentOf(text, all, width);
  const isComment = ({ start }: SampleRecord) => comment !== "" && text.startsWith(comment, start);
  const rows = all.filter((record) => !isComment(record));
  const start = hints.skipLines === undefined ? tableStart(rows, width, hints) : 0;
  const table = rows.slice(start);
  const body = [...table.slice(Math.max(1, Math.min(6, Math.floor(table.length / 2)))), ...behind]
    .filter(({ cells, isBroken }) => cells.length === width && !isBroken);
  const { rows: headerRows, from } = headerOf(table, profilesOf(body, width), hints);
  const names = table.slice(from, from + headerRows).map(({ cells }) => cells);
  const columns = columnNames(names, width, body.map(({ cells }) => cells));
  const first = table[from + headerRows]?.start ?? text.length;
  const top = table[from]?.start ?? text.length;
  const bodyRows = [...table.slice(from + headerRows), ...behind]
    .filter(({ cells, isBroken }) => cells.length === width && !isBroken);
  const profiles = profilesOf(bodyRows, width);
  return {
    header: headerRows > 0,
    skipLines: linesIn(text, top, grammar),
    headerLines: headerRows > 0 ? linesIn(text, first, grammar) - linesIn(text, top, grammar) : 0,
    columns,
    profiles: columns.map((_, i) => profiles[i] ?? { kind: null, isEverEmpty: true }),
    comment,
  };
}

/**
 * Index of the first record of the table, its header included. Before it are titles and notes: of
 * another width, or with hardly a cell filled.
 */
function tableStart(
  rows: readonly SampleRecord[],
  width: number,
  { knownColumns }: DialectHints,
): number {
  const known = new Set(knownColumns.map(normalName));
  const byName = rows.findIndex(({ cells }) =>
    cells.filter((cell) => known.has(normalName(cell))).length >= Math.max(2, cells.length / 2)
  );
  if (byName >= 0 && byName < 50) return byName;
  if (width === 1) return 0;
  const behind = behindBlank(rows, width);
  if (behind > 0) return behind;
  const filled = (cells: readonly string[]) => cells.filter((cell) => cell.trim() !== "").length;
  const usual = rows.filter(({ cells }) => cells.length === width).map(({ cells }) => filled(cells))
    .toSorted((a, b) => a - b);
  const median = usual[Math.floor(usual.length / 2)] ?? 0;
  const isSparse = (cells: readonly string[]) =>
    median >= 2 && filled(cells) <= Math.max(1, 0.3 * median);
  const isOfTable = ({ cells, isBroken }: SampleRecord) =>
    cells.length === width && !isBroken && !isSparse(cells);
  const first = rows.findIndex(isOfTable);
  if (first < 1) return Math.max(first, 0);
  return isCrookedHeader(rows[first - 1], rows[first], width) ? first - 1 : first;
}

/** Index of a header behind the last record without any text, when figures begin only there. */
function behindBlank(rows: readonly SampleRecord[], width: number): number {
  const isBlank = ({ cells }: SampleRecord) => cells.every((cell) => cell.trim() === "");
  const blank = rows.slice(0, PREAMBLE_ROWS_MAX).findLastIndex(isBlank);
  if (blank < 1 || blank + 2 >= rows.length) return 0;
  const body = rows.slice(blank + 2)
    .filter(({ cells, isBroken }) => cells.length === width && !isBroken);
  const figures = profilesOf(body, width)
    .flatMap(({ kind }, i) => kind !== null && isFigure(kind) ? [i] : []);
  const hasFigures = ({ cells }: SampleRecord) =>
    figures.some((column) => isFigure(cellKind(cells[column] ?? "")));
  const isTable = figures.length > 0 && !rows.slice(0, blank + 2).some(hasFigures);
  return isTable ? blank + 1 : 0;
}

/** A header with a name too many or too few right above the first record. */
function isCrookedHeader(above: SampleRecord, first: SampleRecord, width: number): boolean {
  const { cells } = above;
  if (cells.length < 2 || Math.abs(cells.length - width) > Math.max(1, width / 3)) return false;
  const named = cells.filter((cell) => /[\p{L}_]/u.test(cell));
  if (named.length < Math.min(cells.length, width) - 1) return false;
  if (new Set(named).size < named.length) return false;
  return first.cells.some((cell) => /^\W*\d/.test(cell.trim())) &&
    !cells.some((cell) => /^\W*\d/.test(cell.trim()));
}

const commentSigns = ["#", "//", "--", "%", "*"];

/** The sign that begins lines inside of the table that are not of its width. */
function commentOf(text: string, records: readonly SampleRecord[], width: number): string {
  if (width === 1) return "";
  const isUsual = ({ cells }: SampleRecord) => cells.length === width;
  const first = records.findIndex(isUsual);
  const inside = records.slice(first + 1);
  for (const sign of commentSigns) {
    const starting = inside.filter(({ start }) => text.startsWith(sign, start));
    if (starting.length > 0 && !starting.some(isUsual)) return sign;
  }
  return "";
}

/** Line ends in the first `end` characters. */
function linesIn(text: string, end: number, { newLine }: Grammar): number {
  const before = text.slice(0, end);
  const ends = newLine === "mixed" ? /\r\n|\n|\r/g : newLine === "\r" ? /\r/g : /\n/g;
  return before.match(ends)?.length ?? 0;
}

function lineStart(text: string, lines: number, { newLine }: Grammar): number {
  let at = 0;
  for (let i = 0; i < lines; i++) {
    const end = endOfLine(text, at, newLine);
    if (end >= text.length) return text.length;
    at = text[end] === "\r" && newLine !== "\r" && text[end + 1] === "\n" ? end + 2 : end + 1;
  }
  return at;
}
