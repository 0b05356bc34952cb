/**
 * @module The marks of a workbook's XML, one by one, from bytes as they come. It knows what such
 * parts hold and checks no more than reading them needs; values are pieces of the bytes.
 */
import { WorkbookError } from "./book.ts";

/** What {@link XmlScanner.next} found. */
export const mark = { more: 0, open: 1, close: 2, text: 3 } as const;
/** One of {@link mark}. */
export type Mark = (typeof mark)[keyof typeof mark];

const [LESS, GREATER, SLASH, COLON, EQUAL, QUOTE, APOSTROPHE, AND] = new TextEncoder()
  .encode(`<>/:="'&`);
const RETURN = 13;
/** Of one tag, comment or text between tags. */
const PIECE_BYTES_MAX = 64 * 1024 * 1024;
const utf8 = new TextDecoder();

/** Give it bytes with `feed`, ask for marks until it wants more. */
export class XmlScanner {
  /** The bytes that positions are in; never written to again, so that pieces may be kept. */
  bytes: Uint8Array = new Uint8Array(0);
  /** The local name of a tag. */
  nameStart = 0;
  nameEnd = 0;
  /** A tag's attributes, or a text. */
  start = 0;
  end = 0;
  /** A tag that closes itself; no `close` follows. */
  isEmpty = false;
  /** A text that stands as it is. */
  isLiteral = false;
  #at = 0;
  #isLast = false;

  /** More bytes; an empty piece is the end. */
  feed(chunk: Uint8Array): void {
    if (chunk.length === 0) {
      this.#isLast = true;
      return;
    }
    const rest = this.bytes.length - this.#at;
    if (rest > PIECE_BYTES_MAX) throw new WorkbookError(`a piece of XML is over ${rest} bytes`);
    if (rest === 0) this.bytes = chunk;
    else {
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.bytes.subarray(this.#at));
      joined.set(chunk, rest);
      this.bytes = joined;
    }
    this.#at = 0;
  }

  next(): Mark {
    while (true) {
      const { bytes } = this;
      const at = this.#at;
      if (at >= bytes.length) return mark.more;
      if (bytes[at] !== LESS) return this.#text(at);
      if (at + 1 >= bytes.length) return this.#wait("a tag");
      const sign = bytes[at + 1];
      if (sign === 33 || sign === 63) {
        const found = this.#skip(at, sign);
        if (found !== null) return found;
      } else return this.#tag(at, sign === SLASH);
    }
  }

  /** Is the tag's local name this one? */
  is(name: string): boolean {
    const { bytes, nameStart, nameEnd } = this;
    if (nameEnd - nameStart !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (bytes[nameStart + i] !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The value of an attribute by its local name; null when the tag has none. */
  attribute(name: string): string | null {
    const { bytes } = this;
    let i = this.start;
    while (i < this.end) {
      while (i < this.end && bytes[i] <= 32) i++;
      let from = i;
      while (i < this.end && bytes[i] !== EQUAL && bytes[i] > 32) {
        if (bytes[i++] === COLON) from = i;
      }
      const to = i;
      while (i < this.end && (bytes[i] <= 32 || bytes[i] === EQUAL)) i++;
      const quote = bytes[i];
      if (quote !== QUOTE && quote !== APOSTROPHE) return null;
      const valueEnd = bytes.indexOf(quote, i + 1);
      if (valueEnd < 0 || valueEnd > this.end) return null;
      if (this.#equals(name, from, to)) return decodeText(bytes, i + 1, valueEnd);
      i = valueEnd + 1;
    }
    return null;
  }

  /** The text that was found, entities decoded. */
  text(): string {
    return this.isLiteral
      ? utf8.decode(this.bytes.subarray(this.start, this.end))
      : decodeText(this.bytes, this.start, this.end);
  }

  #equals(name: string, from: number, to: number): boolean {
    if (to - from !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (this.bytes[from + i] !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  #text(at: number): Mark {
    const end = this.bytes.indexOf(LESS, at);
    if (end < 0 && !this.#isLast) return mark.more;
    this.start = at;
    this.end = end < 0 ? this.bytes.length : end;
    this.#at = this.end;
    this.isLiteral = false;
    return mark.text;
  }

  #tag(at: number, isClose: boolean): Mark {
    const { bytes } = this;
    let i = isClose ? at + 2 : at + 1;
    this.nameStart = i;
    while (i < bytes.length && bytes[i] > 32 && bytes[i] !== GREATER && bytes[i] !== SLASH) {
      if (bytes[i++] === COLON) this.nameStart = i;
    }
    this.nameEnd = i;
    this.start = i;
    while (i < bytes.length && bytes[i] !== GREATER) {
      const sign = bytes[i++];
      if (sign !== QUOTE && sign !== APOSTROPHE) continue;
      while (i < bytes.length && bytes[i] !== sign) i++;
      i++;
    }
    if (i >= bytes.length) return this.#wait("a tag");
    this.isEmpty = !isClose && bytes[i - 1] === SLASH;
    this.end = this.isEmpty ? i - 1 : i;
    this.#at = i + 1;
    return isClose ? mark.close : mark.open;
  }

  /** Comments and instructions are nothing, sections are texts. Null: look on. */
  #skip(at: number, sign: number): Mark | null {
    const begin = utf8.decode(this.bytes.subarray(at, at + 9));
    const isSection = "<![CDATA[".startsWith(begin) && begin.length > 2;
    const isComment = "<!--".startsWith(begin.slice(0, 4)) && begin.length > 2;
    if (begin.length < 9 && (isSection || sign === 33) && !this.#isLast) return mark.more;
    if (begin.startsWith("<!DOCTYPE")) throw new WorkbookError("its XML declares a document type");
    const ending = isSection ? "]]>" : isComment ? "-->" : sign === 63 ? "?>" : ">";
    const end = this.#find(ending, at + 2);
    if (end < 0) return this.#wait("a comment or section");
    this.#at = end + ending.length;
    if (!isSection) return null;
    this.start = at + 9;
    this.end = end;
    this.isLiteral = true;
    return mark.text;
  }

  #find(text: string, from: number): number {
    const { bytes } = this;
    const first = text.charCodeAt(0);
    for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
      let i = 1;
      while (i < text.length && bytes[at + i] === text.charCodeAt(i)) i++;
      if (i === text.length) return at;
    }
    return -1;
  }

  #wait(what: string): Mark {
    if (this.#isLast) throw new WorkbookError(`its XML ends in ${what}`);
    return mark.more;
  }
}

/** Bytes as text, their entities decoded. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 24) {
    let text = "";
    let i = start;
    for (; i < end && bytes[i] < 128 && bytes[i] !== AND && bytes[i] !== RETURN; i++) {
      text += String.fromCharCode(bytes[i]);
    }
    if (i === end) return text;
  }
  let text = utf8.decode(bytes.subarray(start, end));
  // XML knows one end of a line.
  if (text.includes("\r")) text = text.replace(/\r\n?/g, "\n");
  return text.includes("&") ? text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, entity) : text;
}

const entities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

function entity(whole: string, name: string): string {
  if (!name.startsWith("#")) return Object.hasOwn(entities, name) ? entities[name] : whole;
  const code = name[1] === "x" ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}
