/** @module Lines behind the table: totals, notes, and trailers that say how many rows there are. */
import { fits } from "./cell_kind.ts";
import type { Dialect } from "./dialect.ts";
import { profilesOf } from "./profile.ts";
import { type SampleRecord, sampleRecords } from "./tokenize.ts";

/** What is behind the table. */
export interface Footer {
  /** Characters of the text from the first of its lines on. */
  text: string;
  /** Has each of its lines another number of columns than the table? */
  isNarrow: boolean;
}

const LINES_MAX = 20;
const word =
  "total|grand total|sub-?total|sum|count|row count|record count|rows|records|number of " +
  "(?:rows|records)|trailer|trl|tlr|eof|end(?: of (?:file|data|report))?|footer|ftr|sources?|notes?|" +
  "disclaimer|copyright|generated|created|exported|printed|page|file creation time|last updated";
const opening = new RegExp(
  `^\\W*(?:${word})(?![\\p{L}\\p{N}_])|^\\s*(?:[-=*_]{3,}|©|\\(c\\)|\\* )`,
  "iu",
);

/** The footer of a text that ends where the file does; null when it has none. */
export function footerOf(text: string, dialect: Dialect): Footer | null {
  const records = sampleRecords(text, dialect, Infinity);
  const width = dialect.columns.length;
  if (width === 1 || records.length < 2) return null;
  const profiles = ownProfiles(records, dialect);
  const isOther = (record: SampleRecord) => isOutside(record, { ...dialect, profiles });
  let from = records.length;
  while (from > 0 && records.length - from < LINES_MAX && isOther(records[from - 1])) from--;
  const body = records.slice(0, from).filter(({ cells }) => cells.length === width);
  const first = records.slice(from).find((record) => opens(record, text, body, dialect));
  if (!first) return null;
  const lines = records.filter(({ start }) => start >= first.start);
  return {
    text: text.slice(first.start),
    isNarrow: lines.every(({ cells, isBroken }) => cells.length !== width && !isBroken),
  };
}

/** A footer in the sample makes columns look as if they were empty at times. */
function ownProfiles(records: readonly SampleRecord[], { profiles }: Dialect) {
  const sure = records.slice(0, Math.max(1, records.length - 3))
    .filter(({ cells, isBroken }) => cells.length === profiles.length && !isBroken);
  if (sure.length === 0) return profiles;
  return profilesOf(sure, profiles.length).map(({ kind, isEverEmpty }, i) => ({
    kind,
    isEverEmpty: isEverEmpty && profiles[i].isEverEmpty,
  }));
}

/** Of another width, or with hardly a cell filled where others always are. */
function isOutside({ cells, isBroken }: SampleRecord, { columns, profiles }: Dialect): boolean {
  if (isBroken || cells.length !== columns.length) return true;
  return isSparse(cells, profiles);
}

function isSparse(cells: readonly string[], profiles: Dialect["profiles"]): boolean {
  const filled = cells.filter((cell) => cell.trim() !== "").length;
  const lacking = cells.filter((cell, i) => cell.trim() === "" && !profiles[i].isEverEmpty).length;
  if (lacking > 0 && opening.test(cells[0])) return true;
  return filled <= Math.max(1, cells.length / 3) && lacking >= 2;
}

function opens(
  record: SampleRecord,
  text: string,
  body: readonly SampleRecord[],
  dialect: Dialect,
): boolean {
  const { cells, start } = record;
  if (opening.test(cells[0])) return true;
  const filled = cells.filter((cell) => cell.trim() !== "");
  if (isCount(filled)) return !isShortRow(cells, dialect);
  const isAfterBlank = /(?:\r\n|\n|\r)[\s,;|]*(?:\r\n|\n|\r)$/.test(text.slice(0, start));
  if (isAfterBlank && filled.length === 1 && /\p{L}/u.test(filled[0])) return true;
  return cells.length !== dialect.columns.length && isOtherKind(cells[0], body) &&
    text.slice(record.end).trim() === "";
}

/** Could the figure be the first cell of a record whose others are empty? */
function isShortRow([figure]: readonly string[], { profiles }: Dialect): boolean {
  return profiles.slice(1).every(({ isEverEmpty }) => isEverEmpty) &&
    (profiles[0].kind === null || fits(figure, profiles[0].kind));
}

/** A figure alone on its line. */
function isCount(filled: readonly string[]): boolean {
  return filled.length === 1 && /^\d{1,12}$/.test(filled[0].trim());
}

/** Do all records begin with the same code, and this one with another? */
function isOtherKind(first: string, body: readonly SampleRecord[]): boolean {
  if (body.length < 3 || first.trim() === "" || !/^\w{1,4}$/.test(first.trim())) return false;
  const code = body[body.length - 1].cells[0];
  return /^\w{1,4}$/.test(code) && code !== first && code.length === first.trim().length &&
    /\d/.test(code) === /\d/.test(first) &&
    body.slice(-50).every(({ cells }) => cells[0] === code);
}

/** How many rows a footer says there are, and the line that says it. */
export interface RowCount {
  counts: number[];
  line: string;
}

const counted =
  /\b(?:rows?|records?|lines?|count|entries|items|transactions)\b[^\d\n]{0,20}(\d[\d,]*)/i;
const countOf = /(?:^|[^\d.,])(\d[\d,]*)\s+(?:rows?|records?|entries|transactions)\b/i;
const trailer = /^\W*(?:trailer|trl|tlr|eof|end|footer|ftr|t|z|9{1,3})$/i;

/** What a footer says on the number of rows; null when it says nothing. */
export function rowCountOf(footer: string, dialect: Dialect): RowCount | null {
  for (const { cells, start, end } of sampleRecords(footer, dialect)) {
    const line = footer.slice(start, end).trim();
    const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== "");
    if (isCount(filled)) return { counts: [Number(filled[0])], line };
    const said = line.replaceAll(dialect.quote || "\0", "").match(counted) ?? line.match(countOf);
    if (said) return { counts: [Number(said[1].replaceAll(",", ""))], line };
    if (!trailer.test(cells[0].trim())) continue;
    const counts = filled.slice(1).filter((cell) => /^\d{1,12}$/.test(cell) && !isDay(cell));
    if (counts.length > 0) return { counts: counts.map(Number), line };
  }
  return null;
}

/** A day written as eight digits. */
function isDay(text: string): boolean {
  return /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(text);
}

/** What is wrong when a table has `rows` rows and its footer says otherwise; null: nothing is. */
export function countProblem({ counts, line }: RowCount, rows: number): string | null {
  if (counts.includes(rows)) return null;
  return `its trailer ${JSON.stringify(line.slice(0, 120))} counts ${counts.join(" or ")} rows, ` +
    `and there are ${rows}`;
}
