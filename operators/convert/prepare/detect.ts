/**
 * @module The encoding of a text by its bytes: marks, validity, what it says itself, and, among code
 * pages, in which its letters follow each other as letters do.
 */
import { encodingNamed, findEncoding } from "./encodings.ts";
import type { Evidence } from "./evidence.ts";
import { bitsOf, unlikely } from "./letters.ts";

/** An encoding and how sure it is, 0 to 1. */
export interface EncodingGuess {
  name: string;
  confidence: number;
}

/** What is known of a text's encoding. */
export interface EncodingFinding extends EncodingGuess {
  /** Why. */
  by: "named" | "mark" | "validity" | "declaration" | "letters";
  /** Bytes of the mark at the text's beginning. */
  markBytes: number;
  /** The next that gives another text. */
  runnerUp: EncodingGuess | null;
}

/** Code pages and double-byte encodings, with the bits that they cost for being rarer. */
const candidates: readonly [string, number][] = [
  ["windows-1252", 0],
  ["windows-1251", 4.5],
  ["gb18030", 4.5],
  ["shift_jis", 4.5],
  ["windows-1250", 5.25],
  ["big5", 6],
  ["euc-kr", 6],
  ["euc-jp", 7.5],
  ["windows-1253", 6],
  ["windows-1254", 6],
  ["windows-1255", 6],
  ["windows-1256", 6],
  ["windows-1257", 6],
  ["windows-1258", 9],
  ["windows-874", 6],
  ["koi8-r", 7.5],
  ["koi8-u", 8.25],
  ["cp850", 9],
  ["cp437", 9],
  ["cp852", 10.5],
  ["ibm866", 9],
  ["iso-8859-15", 9],
  ["iso-8859-2", 7.5],
  ["iso-8859-5", 9],
  ["iso-8859-7", 9],
  ["iso-8859-6", 9],
  ["iso-8859-8", 9],
  ["iso-8859-3", 12],
  ["iso-8859-4", 10.5],
  ["iso-8859-10", 12],
  ["iso-8859-13", 10.5],
  ["iso-8859-16", 12],
  ["macintosh", 12],
  ["x-mac-cyrillic", 12],
  ["cp737", 12],
  ["cp775", 12],
  ["cp855", 13.5],
  ["cp857", 12],
  ["cp862", 12],
  ["cp864", 15],
];

/** The encoding of a text. `declared`: what it says itself, or null. */
export function detectEncoding(evidence: Evidence, declared: string | null): EncodingFinding {
  return byMark(evidence.head) ?? byWidth(evidence) ?? byValidity(evidence) ??
    byDeclaration(evidence, declared) ?? byLetters(evidence);
}

/** By a byte order mark. */
export function byMark(head: Uint8Array): EncodingFinding | null {
  const found = marks.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte));
  if (!found) return null;
  const { name, bytes } = found;
  return { name, confidence: 1, by: "mark", markBytes: bytes.length, runnerUp: null };
}

const marks = [
  { name: "utf-32le", bytes: [0xff, 0xfe, 0, 0] },
  { name: "utf-32be", bytes: [0, 0, 0xfe, 0xff] },
  { name: "utf-16le", bytes: [0xff, 0xfe] },
  { name: "utf-16be", bytes: [0xfe, 0xff] },
  { name: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { name: "gb18030", bytes: [0x84, 0x31, 0x95, 0x33] },
];

/** UTF-16 and UTF-32 without a mark: their ASCII characters have NULs in the same places. */
function byWidth({ nulls, bytes, head }: Evidence): EncodingFinding | null {
  const all = nulls.reduce((a, b) => a + b, 0);
  if (all < Math.max(2, bytes / 200)) return null;
  const [a, b, c, d] = nulls.map((count) => count / all);
  const name = a + b + c > 0.9 && c < a * 1.1 && d < 0.02 && all > bytes * 0.7
    ? "utf-32be"
    : b + c + d > 0.9 && a < 0.02 && all > bytes * 0.7
    ? "utf-32le"
    : b + d > 0.9
    ? "utf-16le"
    : a + c > 0.9
    ? "utf-16be"
    : null;
  if (name === null || !isPlainText(head, name)) return null;
  return { name, confidence: 0.97, by: "validity", markBytes: 0, runnerUp: null };
}

/** Is it text in this encoding: no control characters, nothing that is no character? */
function isPlainText(head: Uint8Array, name: string): boolean {
  const { unitBytes, decoder } = encodingNamed(name, "it");
  try {
    const whole = head.subarray(0, head.length - head.length % unitBytes);
    const text = decoder(true).decode(whole, { stream: true });
    // deno-lint-ignore no-control-regex
    const separators = text.match(/[\x01\x1b-\x1f]/g)?.length ?? 0;
    // deno-lint-ignore no-control-regex
    return separators <= text.length / 4 && !/[\x00\x02-\x08\x0e-\x1a\ufffe\uffff]/.test(text);
  } catch {
    return false;
  }
}

function byValidity({ utf8Lines, otherLines, hasEscapes }: Evidence): EncodingFinding | null {
  const high = utf8Lines + otherLines;
  const found = { by: "validity" as const, markBytes: 0, runnerUp: null };
  if (high === 0 && hasEscapes) return { ...found, name: "iso-2022-jp", confidence: 0.9 };
  if (high === 0) return { ...found, name: "utf-8", confidence: 0.99 };
  if (otherLines === 0) {
    return { ...found, name: "utf-8", confidence: 1 - 0.1 / utf8Lines };
  }
  // A line of a code page is UTF-8 by chance at times, never three in ten. In a file of both, the
  // lines that are not UTF-8 are refused: as a code page, the others would be bent.
  const share = utf8Lines / high;
  if (share < 0.3) return null;
  return {
    ...found,
    name: "utf-8",
    confidence: Math.max(0.5, share),
    runnerUp: { name: "windows-1252", confidence: 1 - Math.max(0.5, share) },
  };
}

function byDeclaration({ lines }: Evidence, declared: string | null): EncodingFinding | null {
  const encoding = declared === null ? null : findEncoding(declared);
  if (!encoding || encoding.unitBytes > 1 || encoding.name === "utf-8") return null;
  if (!lines.every((line) => decodes(line, encoding.name))) return null;
  return {
    name: encoding.name,
    confidence: 0.97,
    by: "declaration",
    markBytes: 0,
    runnerUp: null,
  };
}

function decodes(line: Uint8Array, name: string): boolean {
  try {
    encodingNamed(name, "it").decoder(true).decode(line);
    return true;
  } catch {
    return false;
  }
}

/** A guess less sure is not taken: records whose bytes are not UTF-8 are refused instead. */
const sureEnough = 0.75;
/** Bits that one candidate is behind another by which it is half as sure. */
const HALF_BITS = 3;

/** Enough to tell which candidates are not worth another look, and to tell the others apart. */
const FIRST_BYTES = 1024;
const LETTERS_BYTES = 8 * 1024;
const SECOND_CANDIDATES = 8;

function byLetters(evidence: Evidence): EncodingFinding {
  const first = weigh(candidates, spread(evidence.lines, FIRST_BYTES));
  const left = first.slice(0, SECOND_CANDIDATES).map(({ name, cost }) => [name, cost] as const);
  const scored = weigh(left, spread(evidence.lines, LETTERS_BYTES));
  if (scored.length === 0) return { ...guess("utf-8", 0.1), runnerUp: null };
  const { text, bits } = scored[0];
  // Of those that give the same text, the usual one.
  const { name } = candidates.map(([name]) => scored.find((one) => one.name === name))
    .find((one) => one?.text === text)!;
  const next = scored.find((one) => one.text !== text) ?? null;
  const lead = next === null ? 20 : next.bits - bits;
  const perSign = bits / Math.max(1, signsOf(text));
  const sure = Math.min(0.98, 1 - 0.5 * 2 ** (-lead / HALF_BITS)) * (perSign > unlikely ? 0.6 : 1);
  if (sure < sureEnough) {
    return { ...guess("utf-8", 1 - sure), runnerUp: { name, confidence: sure } };
  }
  return { ...guess(name, sure), runnerUp: next && { name: next.name, confidence: 1 - sure } };
}

/** Candidates that can decode the lines, the likeliest first. */
function weigh(among: readonly (readonly [string, number])[], lines: readonly Uint8Array[]) {
  return among.flatMap(([name, cost]) => {
    const text = decodeAll(lines, name);
    return text === null ? [] : [{ name, cost, text, bits: cost + bitsOf(text, name) }];
  }).toSorted((a, b) => a.bits - b.bits);
}

/** Some of the lines from all over, up to so many bytes. */
function spread(lines: readonly Uint8Array[], bytesMax: number): Uint8Array[] {
  const all = lines.reduce((sum, { length }) => sum + length, 0);
  const step = Math.max(1, Math.ceil(all / bytesMax));
  return lines.filter((_, i) => i % step === 0).map((line) => line.subarray(0, bytesMax));
}

function signsOf(text: string): number {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x7f]/g, "").length;
}

function guess(name: string, confidence: number): Omit<EncodingFinding, "runnerUp"> {
  return { name, confidence, by: "letters", markBytes: 0 };
}

/** All lines as one text; null when more than one in fifty has bytes that are no character. */
function decodeAll(lines: readonly Uint8Array[], name: string): string | null {
  const encoding = findEncoding(name);
  if (encoding === null) return null;
  const strict = encoding.decoder(true);
  let failed = 0;
  const texts = lines.map((line) => {
    try {
      return strict.decode(line);
    } catch {
      failed++;
      return "";
    }
  });
  // What was refused costs as much as signs that nobody writes.
  return failed > lines.length / 50 ? null : texts.join("\n") + "\ufffd".repeat(failed);
}
