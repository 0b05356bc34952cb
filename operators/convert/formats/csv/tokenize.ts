/** @module Splits a sample of delimited text into records of cells, whatever its grammar. */

/**
 * How a quote is written inside of quotes. `loose`: twice, or once where no cell can end. `none`:
 * as it is, only the one at a cell's end is none of its text.
 */
export type Escape = "doubled" | "backslash" | "loose" | "none";

/** What ends a line; `mixed`: any of the three. */
export type NewLine = "\n" | "\r\n" | "\r" | "mixed";

/** How cells and records are told apart. */
export interface Grammar {
  delimiter: string;
  /** None when empty. */
  quote: string;
  escape: Escape;
  newLine: NewLine;
  /** Blanks around a quoted cell are no part of it. */
  isPadded: boolean;
  /** Several delimiters side by side are one, and those at the sides of a line none. */
  isMerged: boolean;
}

/** A record of a sample. */
export interface SampleRecord {
  cells: string[];
  /** Which cells are in quotes; left out when none is. */
  quoted?: boolean[];
  /** Index in the text of its first character, and of the first one behind its line's end. */
  start: number;
  end: number;
  /** Its quotes make no sense: the cells are those of its first line, split at delimiters alone. */
  isBroken: boolean;
}

const CELL_CHARS_MAX = 100_000;

/** Records of `text`, at most `rowsMax`; blank lines are left out unless there is one column only. */
export function sampleRecords(text: string, grammar: Grammar, rowsMax = 1000): SampleRecord[] {
  const records: SampleRecord[] = [];
  let at = 0;
  while (at < text.length && records.length < rowsMax) {
    const record = recordAt(text, at, grammar);
    at = record.end;
    if (record.cells.length > 1 || record.cells[0] !== "") records.push(record);
  }
  return records;
}

/** The record that starts at `start`. */
export function recordAt(text: string, start: number, grammar: Grammar): SampleRecord {
  const lineEnd = endOfLine(text, start, grammar.newLine);
  const line = text.slice(start, lineEnd);
  const hasQuote = grammar.quote !== "" && line.includes(grammar.quote);
  if (!hasQuote && (grammar.escape !== "backslash" || !line.includes("\\"))) {
    const end = behindLine(text, lineEnd, grammar.newLine);
    return { cells: splitLine(line, grammar), start, end, isBroken: false };
  }
  const record = walk(text, start, grammar);
  if (record) return record;
  const end = behindLine(text, lineEnd, grammar.newLine);
  return { cells: splitLine(line, grammar), start, end, isBroken: true };
}

function splitLine(line: string, { delimiter, isMerged }: Grammar): string[] {
  const cells = line.split(delimiter);
  if (!isMerged) return cells;
  const filled = cells.filter((cell) => cell !== "");
  return filled.length > 0 ? filled : [""];
}

function walk(text: string, start: number, grammar: Grammar): SampleRecord | null {
  const { delimiter, newLine } = grammar;
  const cells: string[] = [];
  const quoted: boolean[] = [];
  let at = start;
  while (true) {
    if (grammar.isMerged) {
      while (text.startsWith(delimiter, at)) at += delimiter.length;
      const isOver = at >= text.length || isLineEnd(text, at, newLine);
      if (isOver && cells.length > 0) {
        return { cells, quoted, start, end: behindLine(text, at, newLine), isBroken: false };
      }
    }
    const cell = cellAt(text, at, grammar);
    if (cell === null) return null;
    cells.push(cell.value);
    quoted.push(cell.isQuoted);
    at = cell.end;
    if (at < text.length && text.startsWith(delimiter, at)) at += delimiter.length;
    else return { cells, quoted, start, end: behindLine(text, at, newLine), isBroken: false };
  }
}

interface Cell {
  value: string;
  end: number;
  isQuoted: boolean;
}

function cellAt(text: string, at: number, grammar: Grammar): Cell | null {
  const { quote, isPadded } = grammar;
  let open = at;
  if (isPadded) { while (isBlank(text[open], grammar)) open++; }
  return quote !== "" && text[open] === quote
    ? quotedCell(text, open + 1, grammar)
    : plainCell(text, at, grammar);
}

function plainCell(
  text: string,
  start: number,
  grammar: Grammar,
): Cell {
  const escapes = grammar.escape === "backslash";
  let at = start;
  let value = "";
  let from = start;
  while (at < text.length && !isLineEnd(text, at, grammar.newLine)) {
    if (text.startsWith(grammar.delimiter, at)) break;
    if (escapes && text[at] === "\\" && isEscapable(text, at + 1, grammar)) {
      value += text.slice(from, at);
      from = at + 1;
      at++;
    }
    at++;
  }
  return { value: value + text.slice(from, at), end: at, isQuoted: false };
}

function quotedCell(
  text: string,
  start: number,
  grammar: Grammar,
): Cell | null {
  const { quote, escape } = grammar;
  let value = "";
  let from = start;
  let at = start;
  while (at < text.length && at - start < CELL_CHARS_MAX) {
    if (escape === "backslash" && text[at] === "\\" && isEscapable(text, at + 1, grammar)) {
      value += text.slice(from, at);
      from = at + 1;
      at += 2;
      continue;
    }
    if (text[at] !== quote) {
      at++;
      continue;
    }
    if ((escape === "doubled" || escape === "loose") && text[at + 1] === quote) {
      value += text.slice(from, at + 1);
      at += 2;
      from = at;
      continue;
    }
    let end = at + 1;
    if (grammar.isPadded) { while (isBlank(text[end], grammar)) end++; }
    const closes = end >= text.length || text.startsWith(grammar.delimiter, end) ||
      isLineEnd(text, end, grammar.newLine);
    if (closes) return { value: value + text.slice(from, at), end, isQuoted: true };
    if (escape === "doubled" || escape === "backslash") return null;
    at++;
  }
  return null;
}

/** Before anything else a backslash is itself. */
function isEscapable(text: string, at: number, { delimiter, quote }: Grammar): boolean {
  const char = text[at];
  return char === "\\" || (quote !== "" && char === quote) || char === "\n" || char === "\r" ||
    (char !== undefined && text.startsWith(delimiter, at));
}

function isBlank(char: string | undefined, { delimiter }: Grammar): boolean {
  return char === " " && delimiter !== " ";
}

function isLineEnd(text: string, at: number, newLine: NewLine): boolean {
  const char = text[at];
  if (newLine === "\r") return char === "\r";
  if (char === "\n") return true;
  return char === "\r" && (newLine === "mixed" || text[at + 1] === "\n");
}

/** Index of the line's end at or behind `from`. */
export function endOfLine(text: string, from: number, newLine: NewLine): number {
  if (newLine === "mixed") {
    for (let at = from; at < text.length; at++) {
      if (text[at] === "\n" || text[at] === "\r") return at;
    }
    return text.length;
  }
  const at = text.indexOf(newLine === "\r" ? "\r" : "\n", from);
  if (at < 0) {
    const isHalf = newLine !== "\r" && text.length > from && text.endsWith("\r");
    return isHalf ? text.length - 1 : text.length;
  }
  return newLine !== "\r" && at > from && text[at - 1] === "\r" ? at - 1 : at;
}

/** Index behind the line's end at `at`. */
export function behindLine(text: string, at: number, newLine: NewLine): number {
  if (at >= text.length) return text.length;
  return text[at] === "\r" && newLine !== "\r" && text[at + 1] === "\n" ? at + 2 : at + 1;
}
