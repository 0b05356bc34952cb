/**
 * @module Decodes MessagePack as it stands: integers of 64 bits as bigints, timestamps to the
 * nanosecond, texts that are UTF-8 or refused, names that come twice seen. (npm's decoders give a
 * number for either an integer or a double, replace broken UTF-8, and drop the first of two names.)
 */
import { type ByteWindow, needsMore } from "../byte_window.ts";

/** Deepest nesting. */
export const depthMax = 128;

/** What a value is; {@link MessagePackDecoder.kind} after reading it. */
export const kinds = {
  null: 0,
  boolean: 1,
  /** A number when it is safe, else a bigint. */
  integer: 2,
  float: 3,
  string: 4,
  /** A Uint8Array that is valid until the next step of the window. */
  binary: 5,
  /** A bigint: nanoseconds since 1970. */
  timestamp: 6,
  /** JSON text. */
  array: 7,
  map: 8,
} as const;

/** What is wrong, and where in the file. */
export class MessagePackError extends Error {
  constructor(readonly offset: number, readonly why: string) {
    super(why);
  }
}

const ASCII_MAX = 32;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads values from a window's buffer, each at `at`, which it moves. */
export class MessagePackDecoder {
  readonly #window: ByteWindow;
  at = 0;
  kind = 0;

  constructor(window: ByteWindow) {
    this.#window = window;
  }

  /** How many elements the array, or members the map, that begins here has; null for another value. */
  open(): { isMap: boolean; length: number } | null {
    const byte = this.#byte();
    if ((byte & 0xf0) === 0x90) return { isMap: false, length: byte & 0x0f };
    if ((byte & 0xf0) === 0x80) return { isMap: true, length: byte & 0x0f };
    if (byte === 0xdc || byte === 0xde) return { isMap: byte === 0xde, length: this.#uint(2) };
    if (byte === 0xdd || byte === 0xdf) return { isMap: byte === 0xdf, length: this.#uint(4) };
    this.at--;
    return null;
  }

  /** A member's name: of a key that is no string, its JSON. */
  name(): string {
    const value = this.value(0);
    if (this.kind === kinds.string) return value as string;
    return this.#json(value, this.kind);
  }

  /** Any value; {@link kind} says what it is. What is nested is JSON text. */
  value(depth: number): unknown {
    const start = this.at;
    const byte = this.#byte();
    if (byte < 0x80) return this.#as(kinds.integer, byte);
    if (byte >= 0xe0) return this.#as(kinds.integer, byte - 256);
    if ((byte & 0xe0) === 0xa0) return this.#text(byte & 0x1f);
    if (byte < 0xa0 || byte >= 0xdc) {
      this.at = start;
      return this.#nested(depth);
    }
    switch (byte) {
      case 0xc0:
        return this.#as(kinds.null, null);
      case 0xc2:
      case 0xc3:
        return this.#as(kinds.boolean, byte === 0xc3);
      case 0xc4:
        return this.#binary(this.#uint(1));
      case 0xc5:
        return this.#binary(this.#uint(2));
      case 0xc6:
        return this.#binary(this.#uint(4));
      case 0xc7:
        return this.#extension(start, this.#uint(1));
      case 0xc8:
        return this.#extension(start, this.#uint(2));
      case 0xc9:
        return this.#extension(start, this.#uint(4));
      case 0xca:
        return this.#as(kinds.float, this.#window.view.getFloat32(this.#take(4)));
      case 0xcb:
        return this.#as(kinds.float, this.#window.view.getFloat64(this.#take(8)));
      case 0xcc:
        return this.#as(kinds.integer, this.#uint(1));
      case 0xcd:
        return this.#as(kinds.integer, this.#uint(2));
      case 0xce:
        return this.#as(kinds.integer, this.#uint(4));
      case 0xcf:
        return this.#big(this.#window.view.getBigUint64(this.#take(8)));
      case 0xd0:
        return this.#as(kinds.integer, this.#window.view.getInt8(this.#take(1)));
      case 0xd1:
        return this.#as(kinds.integer, this.#window.view.getInt16(this.#take(2)));
      case 0xd2:
        return this.#as(kinds.integer, this.#window.view.getInt32(this.#take(4)));
      case 0xd3:
        return this.#big(this.#window.view.getBigInt64(this.#take(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(start, 1 << byte - 0xd4);
      case 0xd9:
        return this.#text(this.#uint(1));
      case 0xda:
        return this.#text(this.#uint(2));
      case 0xdb:
        return this.#text(this.#uint(4));
    }
    throw this.error(start, `0x${byte.toString(16)} begins no value`);
  }

  /** Go past a value. */
  skip(depth: number): void {
    this.value(depth);
  }

  #nested(depth: number): string {
    const start = this.at;
    const { isMap, length } = this.open()!;
    if (depth === depthMax) throw this.error(start, `nesting is deeper than ${depthMax}`);
    const parts: string[] = [];
    const names = new Set<string>();
    for (let i = 0; i < length; i++) {
      let name = "";
      if (isMap) {
        const nameAt = this.at;
        const text = this.name();
        if (names.has(text)) throw this.error(nameAt, `a map has the key ${quoted(text)} twice`);
        names.add(text);
        name = `${JSON.stringify(text)}:`;
      }
      const value = this.value(depth + 1);
      parts.push(name + this.#json(value, this.kind));
    }
    this.kind = isMap ? kinds.map : kinds.array;
    return isMap ? `{${parts.join(",")}}` : `[${parts.join(",")}]`;
  }

  /** A value in JSON, by the encoding that JSON is written in here. */
  #json(value: unknown, kind: number): string {
    switch (kind) {
      case kinds.array:
      case kinds.map:
        return value as string;
      case kinds.binary:
        return JSON.stringify((value as Uint8Array).toBase64());
      case kinds.timestamp:
        return JSON.stringify(instantText(value as bigint));
      case kinds.float:
        return Number.isFinite(value) ? floatText(value as number) : JSON.stringify(String(value));
      case kinds.string:
        return JSON.stringify(value);
      default:
        return String(value);
    }
  }

  #as<T>(kind: number, value: T): T {
    this.kind = kind;
    return value;
  }

  #big(value: bigint): number | bigint {
    this.kind = kinds.integer;
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #text(length: number): string {
    const at = this.#take(length);
    this.kind = kinds.string;
    const { buffer } = this.#window;
    // Most texts are short and ASCII: a call of the decoder costs more than they do.
    if (length <= ASCII_MAX) {
      let text = "";
      let i = at;
      while (i < at + length && buffer[i] < 0x80) text += String.fromCharCode(buffer[i++]);
      if (i === at + length) return text;
    }
    try {
      return strict.decode(buffer.subarray(at, at + length));
    } catch {
      throw this.error(at, "a text is no UTF-8");
    }
  }

  #binary(length: number): Uint8Array {
    const at = this.#take(length);
    this.kind = kinds.binary;
    return this.#window.buffer.subarray(at, at + length);
  }

  #extension(start: number, length: number): bigint {
    const { view } = this.#window;
    const type = view.getInt8(this.#take(1));
    if (type !== -1) throw this.error(start, `an extension of type ${type} is not known`);
    const at = this.#take(length);
    this.kind = kinds.timestamp;
    if (length === 4) return BigInt(view.getUint32(at)) * 1_000_000_000n;
    if (length === 8) {
      const both = view.getBigUint64(at);
      return this.#instant(start, both & 0x3_ffff_ffffn, both >> 34n);
    }
    if (length === 12) {
      return this.#instant(start, view.getBigInt64(at + 4), BigInt(view.getUint32(at)));
    }
    throw this.error(start, `a timestamp has ${length} bytes`);
  }

  #instant(start: number, seconds: bigint, nanoseconds: bigint): bigint {
    if (nanoseconds > 999_999_999n) {
      throw this.error(start, "a timestamp has too many nanoseconds");
    }
    return seconds * 1_000_000_000n + nanoseconds;
  }

  #uint(bytes: 1 | 2 | 4): number {
    const at = this.#take(bytes);
    const { view } = this.#window;
    return bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at) : view.getUint32(at);
  }

  #byte(): number {
    return this.#window.buffer[this.#take(1)];
  }

  /** Where these bytes begin; the next ones come after them. */
  #take(bytes: number): number {
    const { at } = this;
    if (at + bytes > this.#window.end) {
      if (!this.#window.isEnd) throw needsMore;
      throw this.error(this.#window.end, "it ends too early");
    }
    this.at = at + bytes;
    return at;
  }

  /** That something is wrong at a place of the buffer. */
  error(at: number, why: string): MessagePackError {
    return new MessagePackError(this.#window.offsetOf(at), why);
  }
}

/** A float as a JSON number that is one: with a point or an exponent, all digits that it has. */
function floatText(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** ISO 8601 with nanoseconds, in UTC. */
export function instantText(nanoseconds: bigint): string {
  const second = 1_000_000_000n;
  const rest = (nanoseconds % second + second) % second;
  const milliseconds = Number((nanoseconds - rest) / 1_000_000n);
  if (Math.abs(milliseconds) > 8.64e15) return `${nanoseconds}ns`;
  const fraction = String(rest).padStart(9, "0").replace(/0+$/, "");
  const date = new Date(milliseconds).toISOString().slice(0, -5);
  return `${date}${fraction === "" ? "" : `.${fraction}`}Z`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
