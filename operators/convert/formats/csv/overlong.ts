/**
 * @module Finds records with too many columns of which the last are empty. The engine's reader leaves
 * these out without a word, and when the one too many is in the middle, texts stand in wrong columns.
 */
import type { Table } from "./table.ts";

const CHUNK_BYTES = 1 << 20;

/** Is there a line that ends with a delimiter and has more of them than the table? */
export async function hasOverlong(
  path: string,
  { dialect, end }: Table,
  signal: AbortSignal,
): Promise<boolean> {
  const lines = new Lines(dialect);
  using input = await Deno.open(path);
  let at = 0;
  const chunk = new Uint8Array(CHUNK_BYTES);
  while (end === null || at < end) {
    const read = await input.read(chunk);
    if (read === null) break;
    signal.throwIfAborted();
    const length = end === null ? read : Math.min(read, end - at);
    at += read;
    if (lines.push(chunk.subarray(0, length))) return true;
  }
  return lines.end();
}

class Lines {
  readonly #delimiter: Uint8Array;
  readonly #quote: number;
  readonly #newLine: number;
  readonly #width: number;
  /** The beginning of a line that is not whole yet. */
  #rest: Uint8Array[] = [];
  #skip: number;

  constructor({ delimiter, quote, newLine, columns, skipLines, headerLines }: Table["dialect"]) {
    this.#delimiter = new TextEncoder().encode(delimiter);
    this.#quote = quote === "" ? -1 : quote.charCodeAt(0);
    this.#newLine = newLine === "\r" ? 13 : 10;
    this.#width = columns.length;
    this.#skip = skipLines + headerLines;
  }

  /** Is one of the lines that end in these bytes overlong? */
  push(bytes: Uint8Array): boolean {
    let from = 0;
    for (let at = bytes.indexOf(this.#newLine); at >= 0; at = bytes.indexOf(this.#newLine, from)) {
      if (this.#rest.length > 0) {
        this.#rest.push(bytes.slice(from, at));
        if (this.end()) return true;
      } else if (this.#isOverlong(bytes, from, at)) return true;
      from = at + 1;
    }
    if (from < bytes.length) this.#rest.push(bytes.slice(from));
    return false;
  }

  /** Is the line overlong that has begun and is whole now? */
  end(): boolean {
    const parts = this.#rest.splice(0);
    const line = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      line.set(part, at);
      at += part.length;
    }
    return this.#isOverlong(line, 0, line.length);
  }

  #isOverlong(bytes: Uint8Array, from: number, lineEnd: number): boolean {
    if (this.#skip > 0) {
      this.#skip--;
      return false;
    }
    const end = lineEnd > from && bytes[lineEnd - 1] === 13 ? lineEnd - 1 : lineEnd;
    const length = this.#delimiter.length;
    if (end - length < from || !this.#isDelimiter(bytes, end - length)) return false;
    let columns = 1;
    let quotes = 0;
    for (let at = from; at < end; at++) {
      if (bytes[at] === this.#quote) quotes++;
      else if (this.#isDelimiter(bytes, at)) {
        columns++;
        at += length - 1;
      }
    }
    // A part of a record of several lines cannot tell.
    return columns > this.#width || quotes % 2 === 1;
  }

  #isDelimiter(bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < this.#delimiter.length; i++) {
      if (bytes[at + i] !== this.#delimiter[i]) return false;
    }
    return true;
  }
}
