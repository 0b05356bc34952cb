/** @module What separates, quotes and names the columns of a delimited text. */
import { delimiterCandidates, newLineOf, quoteCandidates, RARE } from "./candidates.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { scoreRecords } from "./score.ts";
import { type Grammar, type NewLine, type SampleRecord, sampleRecords } from "./tokenize.ts";

/** A dialect: how records are told apart, and where among the lines the table is. */
export interface Dialect extends Grammar, Layout {}

/** What is known before the text is looked at. */
export interface DialectHints {
  delimiter?: string;
  quote?: string;
  escape?: Grammar["escape"];
  comment?: string;
  header?: boolean;
  /** Lines of the header. */
  headerRows?: number;
  /** Lines before the table; left out, they are found. */
  skipLines?: number;
  /** Names that a header is likely to have. */
  knownColumns: string[];
}

/** Pieces of one text: its beginning, and others from further behind, which start at any place. */
export interface Sample {
  head: string;
  /** Is there more behind the beginning? */
  isCut: boolean;
  pieces?: string[];
}

const SCORED_ROWS = 400;
/** Signs of which one is in no text, for texts of one column. */
const nowhere = ["\x1f", "\x1e", "\x1d", "\x1c", "\x0b"];
/** Share of records with a quote that makes no sense in a text that has quotes all the same. */
const STRAY_SHARE_MAX = 0.02;
/** What names that are known make a grammar worth. */
const KNOWN = 2;

const plain = {
  delimiter: ",",
  quote: '"',
  escape: "doubled",
  isPadded: false,
  isMerged: false,
} as const;

/** The dialect of a text by a sample; null when it has no text at all. */
export function detectDialect(sample: Sample, hints: DialectHints): Dialect | null {
  if (sample.head.trim() === "") return null;
  const grammar = detectGrammar(sample, hints);
  const records = sampleRecords(wholeLines(sample), grammar);
  const behind = (sample.pieces ?? []).flatMap((piece) =>
    sampleRecords(insideLines(piece, grammar.newLine), grammar, SCORED_ROWS)
  );
  return { ...grammar, ...layoutOf(wholeLines(sample), records, { grammar, hints, behind }) };
}

/** The grammar that explains a sample best. */
export function detectGrammar(sample: Sample, hints: DialectHints): Grammar {
  const head = skipped(wholeLines(sample), hints);
  const newLine = newLineOf(head || sample.head);
  const pieces = (sample.pieces ?? []).map((piece) => insideLines(piece, newLine));
  const texts = [head, ...pieces].filter((text) => text !== "");
  const lines = texts.flatMap((text) => text.split(/\r\n|\n|\r/, SCORED_ROWS))
    .filter((line) => line.trim() !== "" && !isComment(line, hints));
  const single = hints.delimiter ?? ",";
  let best: { grammar: Grammar; value: number } | null = null;
  for (const { grammar, prior } of grammars(texts, lines, newLine, hints)) {
    const records = texts.flatMap((text) => sampleRecords(text, grammar, SCORED_ROWS));
    const { value: own, width } = scoreRecords(records, grammar);
    if (width === 1 ? grammar.delimiter !== single : prior < RARE && !isSure(records, width)) {
      continue;
    }
    const value = own * prior * (hasNames(records, hints) ? KNOWN : 1);
    if (best === null || value > best.value + 1e-9) best = { grammar, value };
  }
  if (hints.delimiter === undefined) {
    const alone = singleColumn(texts, lines, { newLine, hints });
    if (best === null || alone.value > best.value) best = alone;
  }
  const found = best?.grammar ?? { ...plain, delimiter: single, newLine };
  return found.quote === "" ? quotedAfterAll(found, texts, hints) : found;
}

/** Each line as the one cell of its record. */
function singleColumn(
  texts: readonly string[],
  lines: readonly string[],
  { newLine, hints }: { newLine: NewLine; hints: DialectHints },
): { grammar: Grammar; value: number } {
  const hasComma = lines.some((line) => line.includes(","));
  const delimiter = hasComma
    ? nowhere.find((sign) => !texts.some((t) => t.includes(sign))) ?? ","
    : ",";
  const isDelimited = delimiterCandidates(lines).some(({ delimiter, prior }) =>
    prior >= RARE && lines.filter((line) => line.includes(delimiter)).length >= 0.9 * lines.length
  );
  const { quote, escape } = quotesOf(texts, delimiter, hints)[0];
  const grammar: Grammar = { ...plain, delimiter, quote, escape, newLine };
  const records = texts.flatMap((text) => sampleRecords(text, grammar, SCORED_ROWS));
  return { grammar, value: scoreRecords(records, grammar).value * (isDelimited ? 0.5 : 1) };
}

/**
 * A grammar without quotes is one with quotes when the sample has none at all, for there may be some
 * behind it, and when these make no sense in a record or two only.
 */
function quotedAfterAll(
  grammar: Grammar,
  texts: readonly string[],
  hints: DialectHints,
): Grammar {
  if (hints.quote === undefined && !texts.some((text) => text.includes('"'))) {
    return { ...grammar, quote: '"' };
  }
  const first = quotesOf(texts, grammar.delimiter, hints)[0];
  if (first.quote !== '"') return grammar;
  const quoted: Grammar = { ...grammar, ...first };
  const records = texts.flatMap((text) => sampleRecords(text, quoted, SCORED_ROWS));
  const broken = records.filter(({ isBroken }) => isBroken).length;
  return broken <= Math.max(1, records.length * STRAY_SHARE_MAX) ? quoted : grammar;
}

/** Do most cells of one of the first records name columns that are known? */
function hasNames(records: readonly SampleRecord[], { knownColumns }: DialectHints): boolean {
  if (knownColumns.length < 2) return false;
  const known = new Set(knownColumns.map(normalName));
  return records.slice(0, 50).some(({ cells }) =>
    cells.filter((cell) => known.has(normalName(cell))).length >= Math.max(2, cells.length / 2)
  );
}

/** Signs that are in many texts delimit only what is beyond doubt. */
function isSure(records: readonly SampleRecord[], width: number): boolean {
  const isUsual = ({ cells }: SampleRecord) => cells.length === width;
  const inside = records.slice(records.findIndex(isUsual), records.findLastIndex(isUsual) + 1);
  const usual = inside.filter(isUsual).length;
  return usual >= 3 && usual >= 0.95 * inside.length && inside.length >= 0.6 * records.length;
}

function* grammars(
  texts: readonly string[],
  lines: readonly string[],
  newLine: NewLine,
  hints: DialectHints,
): Generator<{ grammar: Grammar; prior: number }> {
  const found = hints.delimiter !== undefined
    ? [{ delimiter: hints.delimiter, prior: 1 }]
    : delimiterCandidates(lines);
  if (!found.some(({ delimiter }) => delimiter === ",") && hints.delimiter === undefined) {
    found.push({ delimiter: ",", prior: 1 });
  }
  for (const { delimiter, prior } of found) {
    const quotes = quotesOf(texts, delimiter, hints);
    for (const { quote, escape } of quotes) {
      // What is usual wins where nothing tells; quotes at cells are texts only if most make no sense.
      const worth = prior * (quote === "" && quotes[0].quote === '"' ? 0.9 : 1) *
        (escape === "doubled" ? 1 : 0.998) *
        (quote === "'" || quote === "`" ? 0.99 : 1);
      const grammar: Grammar = {
        delimiter,
        quote,
        escape,
        newLine,
        isPadded: false,
        isMerged: false,
      };
      yield { grammar, prior: worth };
      if (delimiter === " " && texts.some((text) => text.includes("  "))) {
        yield { grammar: { ...grammar, isMerged: true }, prior: worth };
      }
      if (quote !== "" && texts.some((text) => hasBlanksAtQuotes(text, grammar))) {
        yield { grammar: { ...grammar, isPadded: true }, prior: worth * 0.995 };
      }
    }
  }
}

function quotesOf(texts: readonly string[], delimiter: string, hints: DialectHints) {
  const all = texts.flatMap((text) => quoteCandidates(text, delimiter));
  const found = all.filter(({ quote, escape }, i) =>
    i === all.findIndex((other) => other.quote === quote && other.escape === escape)
  );
  const told = found.filter(({ quote, escape }) =>
    (hints.quote === undefined || quote === hints.quote) &&
    (hints.escape === undefined || escape === hints.escape)
  );
  if (told.length > 0) return told;
  return [{ quote: hints.quote ?? '"', escape: hints.escape ?? "doubled" as const }];
}

function hasBlanksAtQuotes(text: string, { delimiter, quote }: Grammar): boolean {
  if (delimiter === " ") return false;
  return text.includes(`${delimiter} ${quote}`) || text.includes(`${quote} ${delimiter}`) ||
    new RegExp(`(^|[\\r\\n]) +${quote}`).test(text);
}

function isComment(line: string, { comment }: DialectHints): boolean {
  return comment !== undefined && comment !== "" && line.startsWith(comment);
}

/** A head that is cut ends with the last whole line, when there is one. */
function wholeLines({ head, isCut }: Sample): string {
  if (!isCut) return head;
  const at = Math.max(head.lastIndexOf("\n"), head.lastIndexOf("\r"));
  return at < 0 ? head : head.slice(0, at + 1);
}

/** A piece without the parts of lines at its sides. */
function insideLines(piece: string, newLine: NewLine): string {
  const end = newLine === "\r" ? "\r" : "\n";
  const from = piece.indexOf(end);
  const to = piece.lastIndexOf(end);
  return from < 0 || to <= from ? "" : piece.slice(from + 1, to + 1);
}

function skipped(text: string, { skipLines = 0 }: DialectHints): string {
  let rest = text;
  for (let i = 0; i < skipLines; i++) {
    const at = rest.search(/\r\n|\n|\r/);
    if (at < 0) return "";
    rest = rest.slice(at + (rest.startsWith("\r\n", at) ? 2 : 1));
  }
  return rest;
}

/** A name as it is compared: case and signs do not count. */
export function normalName(name: string): string {
  return name.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_+|_+$/g, "");
}
