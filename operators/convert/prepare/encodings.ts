/**
 * @module Encodings of texts by their names: those of the WHATWG Encoding Standard, UTF-32, and the
 * code pages of DOS and Mac that the standard leaves out.
 */
import iconv from "iconv-lite";
import { AppError } from "../../../src/model/errors.ts";

/** One encoding. */
export interface Encoding {
  /** Canonical name, such as `windows-1252`. */
  readonly name: string;
  /** Bytes of a unit: a text can be cut between units only. */
  readonly unitBytes: 1 | 2 | 4;
  /** A byte below 0x30 is always that ASCII character: a text can be cut behind it. */
  readonly hasSafeCuts: boolean;
  /** A decoder; a strict one throws TypeError where bytes are no character. */
  decoder(isStrict: boolean): TextReader;
}

/** What is used of a TextDecoder. */
export interface TextReader {
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string;
}

/** The encoding of this label. Throws INVALID when there is none; `what` is for the message. */
export function encodingNamed(label: string, what: string): Encoding {
  const found = findEncoding(label);
  if (found) return found;
  throw new AppError(
    "INVALID",
    `Cannot read ${what}: there is no encoding "${label}"; usual ones are utf-8, utf-16le, ` +
      "windows-1252, iso-8859-15, cp437, shift_jis, gb18030, big5 and euc-kr",
  );
}

/** The encoding of this label, or null. */
export function findEncoding(label: string): Encoding | null {
  const plain = label.trim().toLowerCase();
  const wide = /^(?:utf|ucs)[-_ ]?(16|32|2|4)[-_ ]?(le|be)?$/.exec(plain);
  if (wide) return wideEncoding(wide[1] === "16" || wide[1] === "2" ? 2 : 4, wide[2] !== "be");
  // Python's and Java's names for what the standard calls otherwise.
  const alias = aliases[plain] ?? plain;
  const standard = standardEncoding(alias);
  return standard ?? codePage(alias);
}

const aliases: Readonly<Record<string, string>> = {
  "utf8": "utf-8",
  "utf-8-sig": "utf-8",
  "latin-1": "iso-8859-1",
  "latin_1": "iso-8859-1",
  "cp932": "shift_jis",
  "ms932": "shift_jis",
  "cp936": "gbk",
  "ms936": "gbk",
  "cp949": "euc-kr",
  "ms949": "euc-kr",
  "cp950": "big5",
  "euc_jp": "euc-jp",
  "euc_kr": "euc-kr",
  "gb2312": "gb18030",
};

function standardEncoding(label: string): Encoding | null {
  let name: string;
  try {
    name = new TextDecoder(label).encoding;
  } catch {
    return null;
  }
  if (name === "utf-16le" || name === "utf-16be") return wideEncoding(2, name === "utf-16le");
  return {
    name,
    unitBytes: 1,
    hasSafeCuts: name !== "iso-2022-jp" && name !== "replacement",
    decoder: (fatal) => new TextDecoder(name, { fatal, ignoreBOM: true }) as TextReader,
  };
}

function wideEncoding(unitBytes: 2 | 4, isLittle: boolean): Encoding {
  const name = `utf-${8 * unitBytes}${isLittle ? "le" : "be"}`;
  return {
    name,
    unitBytes,
    hasSafeCuts: false,
    decoder: (fatal) =>
      unitBytes === 2
        ? new TextDecoder(name, { fatal, ignoreBOM: true }) as TextReader
        : new Utf32Reader(isLittle, fatal),
  };
}

/** A table of 256 characters; only such are taken from the package. */
function codePage(label: string): Encoding | null {
  if (!/^(cp|ibm|mac|windows|iso|koi)/.test(label) || !iconv.encodingExists(label)) return null;
  const table = Array.from({ length: 256 }, (_, byte) => iconv.decode(Uint8Array.of(byte), label));
  if (table.some((text) => text.length !== 1) || table[0x41] !== "A") return null;
  const name = label.replace(/^ibm(?=\d)/, "cp");
  const units = Uint16Array.from(table, (text) => text.charCodeAt(0));
  return {
    name,
    unitBytes: 1,
    hasSafeCuts: true,
    decoder: (isStrict) => ({ decode: (bytes = empty) => mapBytes(bytes, units, { isStrict }) }),
  };
}

const empty = new Uint8Array();
const UNITS_A_TIME = 8192;

function mapBytes(bytes: Uint8Array, units: Uint16Array, { isStrict }: { isStrict: boolean }) {
  const mapped = new Uint16Array(Math.min(bytes.length, UNITS_A_TIME));
  let text = "";
  for (let at = 0; at < bytes.length; at += mapped.length) {
    const count = Math.min(mapped.length, bytes.length - at);
    for (let i = 0; i < count; i++) {
      mapped[i] = units[bytes[at + i]];
      if (isStrict && mapped[i] === 0xfffd) throw new TypeError("no character");
    }
    text += String.fromCharCode(...mapped.subarray(0, count));
  }
  return text;
}

class Utf32Reader implements TextReader {
  readonly #isLittle: boolean;
  readonly #isStrict: boolean;
  #rest = empty;

  constructor(isLittle: boolean, isStrict: boolean) {
    this.#isLittle = isLittle;
    this.#isStrict = isStrict;
  }

  decode(bytes: Uint8Array = empty, { stream = false } = {}): string {
    const all = this.#rest.length === 0 ? bytes : Uint8Array.of(...this.#rest, ...bytes);
    const whole = all.length - all.length % 4;
    this.#rest = stream ? all.slice(whole) : empty;
    const view = new DataView(all.buffer, all.byteOffset, whole);
    let text = "";
    for (let at = 0; at < whole; at += 4) {
      text += this.#character(view.getUint32(at, this.#isLittle));
    }
    if (!stream && whole < all.length) text += this.#character(-1);
    return text;
  }

  #character(code: number): string {
    if (code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) {
      return String.fromCodePoint(code);
    }
    if (this.#isStrict) throw new TypeError("no character");
    return "\ufffd";
  }
}
