/** @module What separates, quotes and names the columns of a delimited text. */

/** A dialect. Quotes inside of quotes are doubled. */
export interface Dialect {
  delimiter: string;
  quote: string;
  header: boolean;
  newLine: "\n" | "\r\n" | "\r";
  /** Lines before the header or the first row. */
  skipLines: number;
  /** Columns: their names, or `column0`, … without a header. */
  columns: string[];
}

/** What is known before the text is looked at. */
export interface DialectHints {
  delimiter?: string;
  quote?: string;
  header?: boolean;
  skipLines: number;
  /** Names that a header is likely to have. */
  knownColumns: string[];
}

const delimiters = [",", "\t", ";", "|"];
const RECORDS = 200;

/** The dialect of a text by its beginning; null when it has no text at all. */
export function detectDialect(head: string, hints: DialectHints): Dialect | null {
  const newLine = newLineOf(head);
  const text = dropLines(head, hints.skipLines, newLine);
  if (text.trim() === "") return null;
  const quote = hints.quote ?? '"';
  const candidates = hints.delimiter ? [hints.delimiter] : delimiters;
  const scored = candidates.map((delimiter) => {
    const records = headRecords(text, { delimiter, quote, newLine });
    return { delimiter, records, score: consistency(records) };
  });
  const best = scored.toSorted((a, b) => b.score - a.score)[0];
  const first = best.records[0] ?? [""];
  const header = hints.header ?? looksLikeHeader(first, best.records.slice(1), hints.knownColumns);
  return {
    delimiter: best.delimiter,
    quote,
    header,
    newLine,
    skipLines: hints.skipLines,
    columns: header ? uniqueNames(first) : first.map((_, i) => `column${i}`),
  };
}

/** Fields of the first records; a record that the text's end cuts off is left out. */
export function headRecords(
  text: string,
  { delimiter, quote, newLine }: Pick<Dialect, "delimiter" | "quote" | "newLine">,
): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = "";
  let isQuoted = false;
  for (let i = 0; i < text.length && records.length < RECORDS; i++) {
    const char = text[i];
    if (isQuoted) {
      if (char !== quote) field += char;
      else if (text[i + 1] === quote) field += text[i++];
      else isQuoted = false;
    } else if (char === quote && quote !== "" && field === "") isQuoted = true;
    else if (text.startsWith(delimiter, i)) {
      record.push(field);
      field = "";
      i += delimiter.length - 1;
    } else if (text.startsWith(newLine, i)) {
      records.push([...record, field]);
      record = [];
      field = "";
      i += newLine.length - 1;
    } else field += char;
  }
  if (records.length === 0 || (!isQuoted && text.length < 1024 && (field || record.length))) {
    records.push([...record, field]);
  }
  return records.filter((fields) => fields.length > 1 || fields[0] !== "");
}

/** More columns are better, the same number in every record much better. */
function consistency(records: string[][]): number {
  const counts = new Map<number, number>();
  for (const { length } of records) counts.set(length, (counts.get(length) ?? 0) + 1);
  const [columns, rows] = [...counts].toSorted((a, b) => b[1] - a[1])[0] ?? [1, 0];
  if (columns < 2) return 0;
  return (rows / records.length) ** 2 * (1 + Math.min(columns, 50) / 100);
}

function looksLikeHeader(first: string[], rows: string[][], known: string[]): boolean {
  const names = new Set(known.map(normalName));
  if (first.some((name) => names.has(normalName(name)))) return true;
  const isName = (text: string) => /[A-Za-z_]/.test(text) && !/^(true|false|nan|null)$/i.test(text);
  if (!first.every((text) => isName(text.trim()))) return false;
  if (new Set(first).size < first.length) return false;
  // All texts: a header when some column holds none below it, or when there is nothing to tell.
  const texts = (at: number) => rows.every((row) => row[at] === undefined || isName(row[at]));
  return rows.length === 0 || first.some((_, at) => !texts(at)) ||
    first.every((text) => /^[A-Za-z_][\w .()/%-]{0,40}$/.test(text.trim()));
}

/** A name as it is compared: case and signs do not count. */
export function normalName(name: string): string {
  return name.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_+|_+$/g, "");
}

function uniqueNames(header: string[]): string[] {
  const seen = new Set<string>();
  return header.map((text, i) => {
    const base = text.trim() === "" ? `column${i}` : text.trim();
    let name = base;
    for (let n = 1; seen.has(name.toLowerCase()); n++) name = `${base}_${n}`;
    seen.add(name.toLowerCase());
    return name;
  });
}

function newLineOf(head: string): Dialect["newLine"] {
  const at = head.search(/[\r\n]/);
  if (at < 0 || head[at] === "\n") return "\n";
  return head[at + 1] === "\n" ? "\r\n" : "\r";
}

function dropLines(text: string, lines: number, newLine: string): string {
  let at = 0;
  for (let i = 0; i < lines; i++) {
    const end = text.indexOf(newLine, at);
    if (end < 0) return "";
    at = end + newLine.length;
  }
  return text.slice(at);
}
