/** @module How much of a table a text without any marks of its own has. */
import { isMarkup } from "../format.ts";
import { detectDialect } from "./dialect.ts";

/** How a delimited format is told: the endings of its names, and its usual delimiter. */
export interface DelimitedKind {
  extensions: readonly string[];
  delimiter: string;
}

const TEXT_BYTES = 16 * 1024;
const LINES = 200;

/** How sure the first bytes make it that this is a delimited text, 0 to 1. */
export function recogniseDelimited(
  head: Uint8Array,
  name: string,
  { extensions, delimiter }: DelimitedKind,
): number {
  if (hasManyNuls(head) || isMarkup(head)) return 0;
  const plain = name.toLowerCase().replace(/\.(gz|gzip|zst|bz2|xz)$/, "");
  const isNamed = extensions.some((extension) => plain.endsWith(`.${extension}`));
  const text = new TextDecoder().decode(head.subarray(0, TEXT_BYTES), { stream: true });
  const dialect = detectDialect({ head: text, isCut: head.length > TEXT_BYTES }, {
    knownColumns: [],
  });
  if (dialect === null) return isNamed ? 0.5 : 0;
  const lines = linesOf(text, head.length > TEXT_BYTES);
  const evidence = evidenceOf(text, lines, dialect.columns.length, dialect.delimiter);
  if (delimiter === "\t" && dialect.delimiter !== "\t") return 0;
  const more = delimiter === "\t" ? 0.05 : 0;
  // A text file is anything; a file named after tables holds one, be it of one column.
  const isText = plain.endsWith(".txt");
  const named = isNamed ? isText ? 0.15 : Math.max(0.2, 0.5 - evidence) : 0;
  return Math.min(0.95, evidence + named + more);
}

/** A few NULs are damage; many are of another format. */
export function hasManyNuls(head: Uint8Array): boolean {
  let nuls = 0;
  for (const byte of head) if (byte === 0) nuls++;
  return nuls > head.length / 200;
}

function linesOf(text: string, isCut: boolean): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (isCut && lines.length > 1) lines.pop();
  return lines.filter((line) => line.trim() !== "").slice(0, LINES);
}

function evidenceOf(text: string, lines: string[], columns: number, delimiter: string): number {
  // An object or an array, or a tag of YAML.
  if (/^\s*[{[]|^(&\w+\s+)?!!?[\w/.:]+\s*$/m.test(text.slice(0, 200))) return 0.05;
  if (share(lines, isKeyed) > 0.75) return 0.1;
  const prose = share(lines, isProse);
  if (columns === 1) return prose > 0.2 ? 0.1 : isList(lines) ? 0.4 : 0.2;
  const delimited = share(lines, (line) => line.includes(delimiter));
  const evidence = 0.3 + 0.45 * delimited + Math.min(0.1, columns / 50);
  return delimiter === "," || delimiter === " " ? evidence - 0.8 * prose : evidence;
}

function share(lines: readonly string[], test: (line: string) => boolean): number {
  return lines.length === 0 ? 0 : lines.filter(test).length / lines.length;
}

/** `key: value`, `- item`: what a mapping or a list looks like in YAML. */
function isKeyed(line: string): boolean {
  return /^\s*(- )*("[^"]*"|'[^']*'|[\w.$-]+):(\s|$)|^\s*- |^\s*[&!]/.test(line) &&
    !/^\d{1,2}:\d\d/.test(line);
}

/** A sentence, or a line of one: words with spaces between, a comma followed by a space at most. */
function isProse(line: string): boolean {
  const words = line.trim().split(/\s+/);
  if (words.length < 5) return false;
  const isWord = (word: string) => /^[("'*_`]?\p{L}[\p{L}'’-]*[)"'.,;:!?*_`]*$/u.test(word);
  return !/,\S/.test(line) && words.filter(isWord).length > 0.7 * words.length;
}

/** A table of one column: short lines, none of which is code or the frame of something. */
function isList(lines: readonly string[]): boolean {
  const isItem = (line: string) => line.length <= 80 && !/^\s|[{}<>;]|^[#/*=-]{2,}/.test(line);
  return lines.length > 1 && lines.every(isItem);
}
