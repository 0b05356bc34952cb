/**
 * @module Messages in a stream or log of FIX tag=value, with what is between them passed over.
 *
 * Logs write another delimiter for SOH, and put time stamps before messages.
 */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall } from "../format.ts";
import { dataCountedBy } from "./dictionary.ts";

/** One message, or what was taken for one. */
export interface FixMessage {
  offset: number;
  /** All of it, a copy. */
  bytes: Uint8Array;
  tags: number[];
  /** Values: from, to, from, to, … in {@link bytes}. */
  bounds: number[];
  /** What is wrong with it as a whole. */
  fault: string | null;
}

const CHUNK_BYTES = 1 << 20;
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
const EQUALS = 0x3d;
const SOH = 1;
const begin = new TextEncoder().encode("8=FIX");

/** How fields end in this head of a file; null when there is no message in it. */
export function delimiterOf(head: Uint8Array): Uint8Array | null {
  for (let at = indexOf(head, begin, 0); at >= 0; at = indexOf(head, begin, at + 1)) {
    let end = at + 2;
    while (end < head.length && isNameByte(head[end])) end++;
    if (end >= head.length) return null;
    const next = indexOf(head, nine, end);
    if (next > end && next - end <= 4) return head.slice(end, next);
  }
  return null;
}

const nine = new TextEncoder().encode("9=");

function isNameByte(byte: number): boolean {
  return byte === 0x2e || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a);
}

/** Options of {@link messagesOf}. */
export interface ScanOptions {
  delimiter: Uint8Array;
  /** Compare checksum and body length; a log whose values were masked fits neither. */
  isChecked: boolean;
}

/** The messages of a file. Throws CORRUPT for one of more than 16 MiB. */
export function* messagesOf(
  { file, signal }: Pick<ReadCall, "file" | "signal">,
  options: ScanOptions,
): Generator<FixMessage> {
  using input = Deno.openSync(file.path);
  let chunk = new Uint8Array(2 * CHUNK_BYTES);
  let length = 0;
  let base = 0;
  let isEnd = false;
  while (!isEnd) {
    signal.throwIfAborted();
    if (length === chunk.length) {
      if (length >= MESSAGE_BYTES_MAX) throw tooLong(file.name, base);
      const larger = new Uint8Array(2 * chunk.length);
      larger.set(chunk);
      chunk = larger;
    }
    const read = input.readSync(chunk.subarray(length));
    isEnd = read === null;
    length += read ?? 0;
    const bytes = chunk.subarray(0, length);
    let at = indexOf(bytes, begin, 0);
    let kept = at < 0 ? Math.max(0, length - begin.length) : at;
    while (at >= 0) {
      const message = messageAt(bytes, at, base, isEnd, options);
      if (message === null) break;
      yield message;
      at = indexOf(bytes, begin, at + message.bytes.length);
      kept = at < 0 ? Math.max(0, length - begin.length) : at;
    }
    chunk.copyWithin(0, kept, length);
    base += kept;
    length -= kept;
  }
}

/** Null: its end is not there yet. */
function messageAt(
  bytes: Uint8Array,
  start: number,
  base: number,
  isEnd: boolean,
  { delimiter, isChecked }: ScanOptions,
): FixMessage | null {
  const tags: number[] = [];
  const bounds: number[] = [];
  const [first] = delimiter;
  const width = delimiter.length;
  let at = start;
  let data = -1;
  let dataBytes = 0;
  let bodyStart = -1;
  const broken = (fault: string): FixMessage | null => {
    const next = indexOf(bytes, begin, start + 1);
    if (next < 0 && !isEnd) return null;
    const end = next < 0 ? bytes.length : next;
    return made(bytes, start, end, base, tags, bounds, fault);
  };
  while (true) {
    let tag = 0;
    let i = at;
    while (i < bytes.length && bytes[i] >= 0x30 && bytes[i] <= 0x39 && tag < 100_000_000) {
      tag = 10 * tag + bytes[i++] - 0x30;
    }
    if (i === bytes.length) return isEnd ? broken(cutOff) : null;
    if (i === at || bytes[i] !== EQUALS) {
      return broken(`at byte ${base + at} is no tag=value: the checksum (tag 10) is missing`);
    }
    const from = i + 1;
    let to: number;
    if (tag === data) {
      to = from + dataBytes;
      if (to >= bytes.length) return isEnd ? broken(cutOff) : null;
      if (bytes[to] !== first) {
        return broken(
          `field ${tag} is not as long as the ${dataBytes} bytes that it is said to be`,
        );
      }
    } else {
      to = bytes.indexOf(first, from);
      while (width > 1 && to >= 0 && !isAt(bytes, delimiter, to)) to = bytes.indexOf(first, to + 1);
      // The checksum is the last field: logs may end a message without its delimiter.
      if (tag === 10 && (to < 0 || to > from + 3)) to = endOfDigits(bytes, from);
      else if (to < 0) return isEnd ? broken(cutOff) : null;
      if (tag === 10 && to === bytes.length && !isEnd) return null;
    }
    tags.push(tag);
    bounds.push(from - start, to - start);
    data = dataCountedBy(tag) ?? -1;
    if (data >= 0) dataBytes = number(bytes, from, to);
    const next = to + width;
    if (tag === 9) bodyStart = next;
    if (tag === 10) {
      const end = Math.min(isAt(bytes, delimiter, to) ? next : to, bytes.length);
      const fault = isChecked
        ? checked(bytes, { start, bodyStart, at, from, to }, tags, bounds, delimiter)
        : null;
      return made(bytes, start, end, base, tags, bounds, fault);
    }
    at = next;
  }
}

const cutOff = "the file ends before its checksum (tag 10): it was cut off";

function checked(
  bytes: Uint8Array,
  { start, bodyStart, at, from, to }: Record<"start" | "bodyStart" | "at" | "from" | "to", number>,
  tags: number[],
  bounds: number[],
  delimiter: Uint8Array,
): string | null {
  if (tags[1] !== 9 || bodyStart < 0) return "its second field is not its length (tag 9)";
  if (tags[2] !== 35) return "its third field is not its type (tag 35)";
  const isPlain = delimiter.length === 1 && delimiter[0] === SOH;
  let sum = 0;
  for (let i = start; i < at; i++) sum += bytes[i];
  // Delimiters of a log stand for SOH.
  const fields = tags.length - 1;
  if (!isPlain) sum += fields * (SOH - delimiter.reduce((a, b) => a + b, 0));
  const before = tags.length - 3;
  const body = at - bodyStart - before * (delimiter.length - 1);
  const declared = number(bytes, start + bounds[2], start + bounds[3]);
  if (declared !== body) return `its length (tag 9) says ${declared} bytes, and it has ${body}`;
  const want = number(bytes, from, to);
  if (to - from !== 3 || want !== (sum & 255)) {
    return `its checksum (tag 10) says ${text(bytes, from, to)}, and its bytes sum up to ` +
      String(sum & 255).padStart(3, "0");
  }
  return null;
}

function made(
  bytes: Uint8Array,
  start: number,
  end: number,
  base: number,
  tags: number[],
  bounds: number[],
  fault: string | null,
): FixMessage {
  return { offset: base + start, bytes: bytes.slice(start, end), tags, bounds, fault };
}

function number(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  if (from === to || to - from > 9) return -1;
  for (let i = from; i < to; i++) {
    const digit = bytes[i] - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = 10 * value + digit;
  }
  return value;
}

function endOfDigits(bytes: Uint8Array, from: number): number {
  let to = from;
  while (to < bytes.length && to < from + 3 && bytes[to] >= 0x30 && bytes[to] <= 0x39) to++;
  return to;
}

function isAt(bytes: Uint8Array, part: Uint8Array, at: number): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

function indexOf(bytes: Uint8Array, part: Uint8Array, from: number): number {
  let at = bytes.indexOf(part[0], from);
  while (at >= 0 && !isAt(bytes, part, at)) at = bytes.indexOf(part[0], at + 1);
  return at;
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return new TextDecoder().decode(bytes.subarray(from, to));
}

function tooLong(name: string, offset: number): AppError {
  return new AppError(
    "CORRUPT",
    `Cannot read ${name} as FIX: the message at byte ${offset} is longer than ` +
      `${MESSAGE_BYTES_MAX} bytes`,
  );
}
