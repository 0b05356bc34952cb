/** @module Which grammars a sample may be written in. */
import { cellKind, isFigure } from "./cell_kind.ts";
import type { Escape, NewLine } from "./tokenize.ts";

/** Delimiters of one character by how usual they are, with what that is worth. */
const usual: readonly (readonly [string, number])[] = [
  [",", 1],
  ["\t", 1],
  [";", 1],
  ["|", 0.99],
  ["\x01", 1],
  ["\x1f", 1],
  ["\x1e", 0.98],
  ["\x02", 0.98],
  ["\x1c", 0.98],
  ["^", 0.95],
  ["~", 0.95],
  ["¦", 0.97],
  ["§", 0.95],
  ["¬", 0.95],
  ["þ", 0.95],
  ["\x14", 0.98],
  [" ", 0.8],
  [":", 0.78],
  ["#", 0.8],
  ["*", 0.8],
  ["!", 0.75],
  ["@", 0.72],
  ["$", 0.72],
  ["%", 0.72],
  ["&", 0.75],
  ["=", 0.72],
  ["/", 0.66],
  ["\\", 0.66],
  ["+", 0.66],
  ["_", 0.6],
  ["-", 0.6],
];

/** Delimiters that are worth less are rare ones: signs that many texts have. */
export const RARE = 0.9;
/** What is left of a rare one's worth where a common one is on nearly each line. */
const BESIDE_COMMON = 0.6;

/** A delimiter and what its being usual is worth, at most 1. */
export interface DelimiterCandidate {
  delimiter: string;
  prior: number;
}

/** Delimiters that a sample has on enough of its lines. */
export function delimiterCandidates(lines: readonly string[]): DelimiterCandidate[] {
  const share = (delimiter: string) =>
    lines.filter((line) => line.includes(delimiter)).length / lines.length;
  const singles = usual.filter(([delimiter]) => share(delimiter) >= 0.3)
    .map(([delimiter, prior]) => ({ delimiter, prior }));
  const several = longCandidates(lines).filter(({ delimiter }) => share(delimiter) >= 0.8);
  const spaced = singles.filter(({ delimiter }) => delimiter !== " " && delimiter !== "\t")
    .filter(({ delimiter }) => isSpaced(lines, delimiter))
    .map(({ delimiter, prior }) => ({ delimiter: `${delimiter} `, prior }));
  const all = [...singles, ...several, ...spaced];
  if (areWhole(lines)) return all.filter(({ prior }) => prior >= RARE);
  const isCommon = all.some(({ delimiter, prior }) => prior >= RARE && share(delimiter) >= 0.9);
  return all.map(({ delimiter, prior }) => ({
    delimiter,
    prior: prior < RARE && isCommon ? prior * BESIDE_COMMON : prior,
  }));
}

/** Are most lines one figure, one time or one address each? */
function areWhole(lines: readonly string[]): boolean {
  const whole = lines.filter((line) => {
    const kind = cellKind(line);
    return isFigure(kind) || kind === "url" || kind === "email";
  }).length;
  return whole >= 0.6 * lines.length;
}

/** Is there a blank behind each of them, and are there some? */
function isSpaced(lines: readonly string[], delimiter: string): boolean {
  let spaced = 0;
  for (const line of lines) {
    for (let at = line.indexOf(delimiter); at >= 0; at = line.indexOf(delimiter, at + 1)) {
      if (line[at + 1] === " ") spaced++;
      else if (at + 1 < line.length) return false;
    }
  }
  return spaced > 0;
}

/**
 * Signs in a row, like `||`, `|~|` or `@#@`, whose first sign is nowhere alone. The usual single
 * delimiters are often in a row for want of a cell between, so twice the same of these is none.
 */
function longCandidates(quotedLines: readonly string[]): DelimiterCandidate[] {
  // What is in quotes may hold anything.
  const lines = quotedLines.map((line) =>
    line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "q")
  );
  const runs = new Map<string, number>();
  for (const line of lines) {
    const seen = new Set(line.match(/[^\p{L}\p{N}\s"'.-]{2,8}/gu) ?? []);
    for (const run of seen) {
      runs.set(run, (runs.get(run) ?? 0) + 1);
      // Empty cells put delimiters side by side.
      const { length } = run;
      for (const part of [2, 3, 4]) {
        if (
          length > part && length % part === 0 && run === run.slice(0, part).repeat(length / part)
        ) {
          runs.set(run.slice(0, part), (runs.get(run.slice(0, part)) ?? 0) + 1);
        }
      }
    }
  }
  return [...runs].filter(([run, count]) =>
    count >= Math.max(2, lines.length / 2) && run.length <= 4 && !/^([,;\t])\1*$/.test(run) &&
    lines.every((line) => !isElsewhere(line, run))
  ).map(([delimiter]) => ({ delimiter, prior: 1 }));
}

/** Does the first sign of `run` occur outside of it? */
function isElsewhere(line: string, run: string): boolean {
  return line.split(run).some((part) => part.includes(run[0]));
}

/** A quote and how it is written inside of quotes. */
export interface QuoteCandidate {
  quote: string;
  escape: Escape;
}

/** Quotes that stand at a side of a cell somewhere. */
export function quoteCandidates(text: string, delimiter: string): QuoteCandidate[] {
  const found: QuoteCandidate[] = [];
  for (const quote of ['"', "'", "`"]) {
    if (!text.includes(quote) || !standsAtCells(text, quote, delimiter)) continue;
    found.push({ quote, escape: "doubled" });
    if (text.includes(`\\${quote}`)) found.push({ quote, escape: "backslash" });
    if (hasInside(text, quote, delimiter)) {
      found.push({ quote, escape: "loose" }, { quote, escape: "none" });
    }
  }
  found.push({ quote: "", escape: "doubled" });
  if (text.includes(`\\${delimiter}`) && delimiter !== "\\") {
    found.push({ quote: "", escape: "backslash" });
  }
  return found;
}

function standsAtCells(text: string, quote: string, delimiter: string): boolean {
  const near = (at: number) =>
    at === 0 || /[\n\r]/.test(text[at - 1]) || text.startsWith(delimiter, at - delimiter.length) ||
    (text[at - 1] === " " && text.slice(0, at).trimEnd().endsWith(delimiter.trim()));
  for (let at = text.indexOf(quote); at >= 0; at = text.indexOf(quote, at + 1)) {
    if (near(at)) return true;
  }
  return false;
}

/** A quote with something on both of its sides that is neither delimiter, line's end nor quote. */
function hasInside(text: string, quote: string, delimiter: string): boolean {
  for (let at = text.indexOf(quote); at >= 0; at = text.indexOf(quote, at + 1)) {
    const before = text[at - 1] ?? "\n";
    const after = text[at + 1] ?? "\n";
    const isSide = (char: string) =>
      char === "\n" || char === "\r" || char === quote || delimiter.includes(char);
    if (!isSide(before) && !isSide(after)) return true;
    // Two quotes before a delimiter: one that is meant and one that ends the cell.
    if (before === quote && !isSide(text[at - 2] ?? "\n") && isSide(after)) return true;
  }
  return false;
}

/** Line ends of a sample. Carriage returns alone are line ends when there is nothing else. */
export function newLineOf(text: string): NewLine {
  let lf = 0;
  let crlf = 0;
  let cr = 0;
  for (let at = text.search(/[\r\n]/); at >= 0 && at < text.length; at++) {
    if (text[at] === "\n") lf++;
    else if (text[at] === "\r" && text[at + 1] === "\n") {
      crlf++;
      at++;
    } else if (text[at] === "\r" && at + 1 < text.length) cr++;
  }
  if (cr === 0) return crlf > lf ? "\r\n" : "\n";
  if (lf + crlf === 0) return "\r";
  // A few stray ones among many proper ends are texts; quoted texts may have any.
  return cr > (lf + crlf) / 20 ? "mixed" : crlf > lf ? "\r\n" : "\n";
}
