/** @module Which records of a table's beginning are its header, and the names they give. */
import { cellKind, isFigure } from "./cell_kind.ts";
import { type DialectHints, normalName } from "./dialect.ts";
import type { ColumnProfile } from "./layout.ts";
import { nullLike } from "./profile.ts";
import type { SampleRecord } from "./tokenize.ts";

const HEADER_ROWS_MAX = 12;
/** Above so many, all but one are notes on the columns. */
const JOINED_ROWS_MAX = 3;

/** How many records are header, and from which on. */
export interface HeaderRows {
  rows: number;
  from: number;
}

/** The header among the first records. */
export function headerOf(
  table: readonly SampleRecord[],
  profiles: readonly ColumnProfile[],
  hints: DialectHints,
): HeaderRows {
  if (hints.header === false || table.length === 0) return { rows: 0, from: 0 };
  if (hints.headerRows !== undefined) return { rows: hints.headerRows, from: 0 };
  const first = table[0].cells;
  const known = new Set(hints.knownColumns.map(normalName));
  const isKnown = first.some((name) => known.has(normalName(name)));
  const isFirst = hints.header === true || isKnown || looksLikeHeader(table, profiles);
  if (!isFirst) return { rows: 0, from: 0 };
  let rows = 1;
  while (rows < Math.min(HEADER_ROWS_MAX, table.length - 1) && isMore(table, rows, profiles)) {
    rows++;
  }
  if (rows <= JOINED_ROWS_MAX) return { rows, from: 0 };
  const best = table.slice(0, rows).findLastIndex(({ cells }) => areNames(cells));
  // Rows below the names are left to be refused where they do not fit: none is lost unseen.
  return best < 0 ? { rows: 1, from: 0 } : { rows: rows - best, from: best };
}

/** Another header record: the same again, or no figure where figures belong. */
function isMore(
  table: readonly SampleRecord[],
  index: number,
  profiles: readonly ColumnProfile[],
): boolean {
  const { cells } = table[index];
  const above = table[index - 1].cells;
  if (cells.length === above.length && cells.every((cell, i) => cell === above[i])) return true;
  const figures = figureColumns(profiles);
  if (figures.length < 2 || cells.length !== profiles.length) return false;
  const filled = figures.map((column) => cells[column].trim()).filter((cell) => cell !== "");
  return filled.length >= Math.max(2, figures.length / 2) &&
    filled.every((cell) => !isFigure(cellKind(cell)) && !nullLike.test(cell));
}

function figureColumns(profiles: readonly ColumnProfile[]): number[] {
  return profiles.flatMap(({ kind }, i) => kind !== null && isFigure(kind) ? [i] : []);
}

function looksLikeHeader(
  table: readonly SampleRecord[],
  profiles: readonly ColumnProfile[],
): boolean {
  const { cells } = table[0];
  const figures = figureColumns(profiles);
  const inFigures = figures.map((column) => cells[column]?.trim() ?? "");
  if (table.length > 1 && figures.length > 0) {
    if (areYears(inFigures) && !isFigure(cellKind(cells[0]))) return true;
    const own = inFigures.filter((cell) => isFigure(cellKind(cell))).length;
    const others = inFigures.filter((cell) => cell !== "" && !isFigure(cellKind(cell))).length;
    // Names of columns may hold a figure that stands alone, but not as a rule.
    if (own > 0 && own * 4 >= own + others) return false;
    if (others > 0) return !inFigures.some((cell) => cell !== "" && nullLike.test(cell));
    if (cells.length === profiles.length && cells.every((cell) => cell.trim() !== "")) return false;
  }
  return isAllNames(cells) && !recurs(table);
}

function areYears(cells: readonly string[]): boolean {
  if (cells.length < 2 || !cells.every((cell) => /^(19|20)\d\d$/.test(cell))) return false;
  return cells.every((cell, i) => i === 0 || Math.abs(Number(cell) - Number(cells[i - 1])) === 1);
}

/** Texts that could each name a column. The first may be missing. */
function isAllNames(cells: readonly string[]): boolean {
  const names = cells.map((cell) => cell.trim());
  const isName = (text: string) =>
    /[\p{L}_]/u.test(text) && text.length <= 80 &&
    !isFigure(cellKind(text)) && !/^(true|false|nan|null)$/i.test(text) &&
    !/^(https?:|www\.)|@.*\./i.test(text);
  const filled = names.filter((name) => name !== "");
  return filled.length >= Math.max(1, names.length - 1) && filled.every(isName) &&
    new Set(filled).size === filled.length;
}

/** Is a text of the first record one of its column's other texts? */
function recurs(table: readonly SampleRecord[]): boolean {
  const { cells } = table[0];
  const isSame = (cell: string, i: number, row: SampleRecord) =>
    cell.trim() !== "" && row.cells[i] === cell;
  // The whole header again stands where files were joined.
  return table.slice(1, 200).some((row) =>
    cells.some((cell, i) => isSame(cell, i, row)) && !cells.every((cell, i) => isSame(cell, i, row))
  );
}

function areNames(cells: readonly string[]): boolean {
  return new Set(cells).size === cells.length && cells.every((cell) => cell.trim() !== "");
}

/** Names of `width` columns or more by the records of a header, all different. */
export function columnNames(
  header: readonly string[][],
  width: number,
  body: readonly string[][],
): string[] {
  if (header.length === 0) return Array.from({ length: width }, (_, i) => `column${i}`);
  const rows = header.map((cells) => fitted(cells, width, body));
  const columns = Math.max(width, ...rows.map((cells) => cells.length));
  const filled = rows.map((cells, i) => i < rows.length - 1 ? spread(cells) : cells);
  return uniqueNames(Array.from({ length: columns }, (_, column) => {
    const parts = filled.map((cells) => (cells[column] ?? "").trim()).filter((part) => part !== "");
    return parts.filter((part, i) => part !== parts[i - 1]).join(" ");
  }));
}

/** A header with too many cells loses empty ones; one that lacks the row's name gets a place for it. */
function fitted(cells: string[], width: number, body: readonly string[][]): string[] {
  if (cells.length > width) {
    const named = cells.filter((cell) => cell.trim() !== "");
    if (named.length === width) return named;
    let end = cells.length;
    while (end > width && cells[end - 1].trim() === "") end--;
    return cells.slice(0, end);
  }
  return cells.length === width - 1 && hasRowNames(body) ? ["", ...cells] : cells;
}

/** Is the first column 1, 2, 3…, or the last one filled and the first one different in each row? */
function hasRowNames(body: readonly string[][]): boolean {
  if (body.length < 2) return false;
  if (body.some((cells) => cells[cells.length - 1] === "")) return false;
  return new Set(body.map(([name]) => name)).size === body.length &&
    !body.some(([name]) => name.trim() === "");
}

/** A title over several columns is that of those to its right which have none. */
function spread(cells: readonly string[]): string[] {
  let title = "";
  return cells.map((cell) => title = cell.trim() === "" ? title : cell.trim());
}

function uniqueNames(header: readonly string[]): string[] {
  const seen = new Set<string>();
  return header.map((text, i) => {
    const base = text.trim() === "" ? `column${i}` : text.trim();
    let name = base;
    for (let n = 1; seen.has(name.toLowerCase()); n++) name = `${base}_${n}`;
    seen.add(name.toLowerCase());
    return name;
  });
}
