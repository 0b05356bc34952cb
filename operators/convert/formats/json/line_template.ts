/**
 * @module Lines of JSON that are written alike, told at several times the pace of reading them: names
 * are compared by words, values only as far as it takes to find their end.
 */
import { kinds } from "./value_reader.ts";

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const CLOSE_OBJECT = 0x7d;
const NULL = 0x6c6c756e;

/** What a column's values must be, null apart; `float`: any number, which is to be a double. */
export type TemplateKind = "string" | "integer" | "decimal" | "boolean" | "float";

/** Digits of a decimal, its point and minus included; of an integer, its minus included. */
const LENGTH_MAX = { decimal: 15, integer: 18 } as const;

const codes = { string: 1, integer: 2, decimal: 3, boolean: 4, float: 5 } as const;

/** The names of all fields in their order, as one writer puts them. */
export class LineTemplate {
  readonly #words: Int32Array;
  readonly #firstWord: Int32Array;
  readonly #lengths: Int32Array;
  readonly #codes: Uint8Array;
  readonly #longest: number;

  /** `like`: a line as the others are, of which the blanks between its values are taken. */
  constructor(fields: readonly { name: string; kind: TemplateKind }[], like: string) {
    const colon = /^\{\s*"(?:[^"\\]|\\.)*"(\s*:\s*)/.exec(like)?.[1] ?? ":";
    const comma = /[^\s,](\s*,\s*)"/.exec(like)?.[1] ?? ",";
    const begin = /^\{\s*/.exec(like)?.[0] ?? "{";
    const words: number[] = [];
    const firstWord: number[] = [];
    const lengths: number[] = [];
    for (const [i, { name }] of fields.entries()) {
      const bytes = encoder.encode(`${i === 0 ? begin : comma}${JSON.stringify(name)}${colon}`);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      firstWord.push(words.length);
      lengths.push(bytes.length);
      for (let at = 0; at < bytes.length - 4; at += 4) words.push(view.getInt32(at, true));
      words.push(view.getInt32(bytes.length - 4, true));
    }
    this.#words = Int32Array.from(words);
    this.#firstWord = Int32Array.from(firstWord);
    this.#lengths = Int32Array.from(lengths);
    this.#codes = Uint8Array.from(fields, ({ kind }) => codes[kind]);
    this.#longest = Math.max(0, ...lengths);
  }

  /**
   * Past the line's object when it has all fields and each is of its kind; -1 when it may be anything
   * else. What is told of a line holds if it is JSON, which is not looked at. The buffer has a 0
   * behind its last byte, at `end`.
   */
  match(buffer: Uint8Array, view: DataView, at: number, end: number): number {
    const lengths = this.#lengths;
    const count = lengths.length;
    const words = this.#words;
    const room = end - this.#longest;
    let p = at;
    for (let field = 0; field < count; field++) {
      if (p > room) return -1;
      const last = p + lengths[field] - 4;
      let word = this.#firstWord[field];
      for (; p < last; p += 4) if (view.getInt32(p, true) !== words[word++]) return -1;
      if (view.getInt32(last, true) !== words[word]) return -1;
      const start = last + 4;
      p = this.#value(buffer, start, this.#codes[field]);
      if (p === start) {
        if (start + 4 > end || view.getInt32(start, true) !== NULL) return -1;
        p = start + 4;
      }
    }
    return buffer[p] === CLOSE_OBJECT && p < end ? p + 1 : -1;
  }

  /** Past a value of this kind; where it begins when it is of another. */
  #value(buffer: Uint8Array, start: number, code: number): number {
    let p = start;
    let byte = buffer[p];
    if (code === codes.string) {
      if (byte !== QUOTE) return start;
      byte = buffer[++p];
      while (byte !== QUOTE) {
        // Nothing below a blank is in a string: this is its line's end, or the buffer's. Behind an
        // escape that the buffer's end has cut, there is no byte at all.
        if (!(byte >= 0x20)) return start;
        if (byte === BACKSLASH) p++;
        byte = buffer[++p];
      }
      return p + 1;
    }
    if (code === codes.boolean) return byte === 0x74 ? p + 4 : byte === 0x66 ? p + 5 : start;
    // A zero with a minus and without a point is no integer to the engine: its sign would be lost.
    if (byte === MINUS) {
      byte = buffer[++p];
      if (byte === ZERO && buffer[p + 1] !== POINT) return start;
    }
    if (code === codes.integer) {
      while (byte >= ZERO && byte <= NINE) byte = buffer[++p];
      return p - start <= LENGTH_MAX.integer ? p : start;
    }
    while ((byte >= ZERO && byte <= NINE) || byte === POINT) byte = buffer[++p];
    if (code === codes.decimal) return p - start <= LENGTH_MAX.decimal ? p : start;
    if (p === start || (byte !== 0x65 && byte !== 0x45)) return p;
    byte = buffer[++p];
    if (byte === MINUS || byte === 0x2b) byte = buffer[++p];
    while (byte >= ZERO && byte <= NINE) byte = buffer[++p];
    return p;
  }
}

/** Is the value that was read of the kind, or null? The same question, for a line of any writing. */
export function isOfKind(
  kind: TemplateKind,
  { buffer, found, start, end }: { buffer: Uint8Array; found: number; start: number; end: number },
): boolean {
  if (found === kinds.null) return true;
  if (kind === "string") return found === kinds.string;
  if (kind === "boolean") return found === kinds.boolean;
  const isMinusZero = buffer[start] === MINUS && buffer[start + 1] === ZERO &&
    buffer[start + 2] !== POINT;
  if (found === kinds.integer) {
    return !isMinusZero && (kind === "float" || end - start <= LENGTH_MAX[kind]);
  }
  if (kind === "float") {
    return !isMinusZero && (found === kinds.decimal || found === kinds.exponent);
  }
  return kind === "decimal" && found === kinds.decimal && end - start <= LENGTH_MAX.decimal;
}

const encoder = new TextEncoder();
