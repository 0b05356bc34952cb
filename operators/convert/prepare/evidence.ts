/** @module What speaks for an encoding: the lines of a file that are not ASCII. */
import { isAscii, isUtf8 } from "node:buffer";
import type { Stretch } from "./sample.ts";

/** What was seen. */
export interface Evidence {
  /** The file's beginning. */
  head: Uint8Array;
  bytes: number;
  /** Lines with bytes above 0x7f, whole as UTF-8 and not; past {@link linesMax} none is counted. */
  utf8Lines: number;
  otherLines: number;
  /** Such lines, the others first, to be decoded. */
  lines: Uint8Array[];
  /** NUL bytes by their offset's remainder by 4. */
  nulls: [number, number, number, number];
  /** Escapes of ISO-2022-JP. */
  hasEscapes: boolean;
}

const linesMax = 20_000;
const KEPT_BYTES = 256 * 1024;
const LINE_BYTES = 4096;
const HEAD_BYTES = 64 * 1024;

/** Look through stretches of a file. */
export async function gatherEvidence(
  stretches: AsyncIterable<Stretch>,
  signal: AbortSignal,
): Promise<Evidence> {
  const found: Evidence = {
    head: new Uint8Array(),
    bytes: 0,
    utf8Lines: 0,
    otherLines: 0,
    lines: [],
    nulls: [0, 0, 0, 0],
    hasEscapes: false,
  };
  const kept = { utf8: [] as Uint8Array[], other: [] as Uint8Array[], bytes: 0 };
  for await (const { offset, bytes } of stretches) {
    signal.throwIfAborted();
    if (offset === 0) found.head = bytes.subarray(0, HEAD_BYTES);
    found.bytes += bytes.length;
    countNulls(found, bytes);
    if (bytes.includes(0x1b)) found.hasEscapes ||= hasEscapes(bytes);
    if (isAscii(bytes) || found.utf8Lines + found.otherLines > linesMax) continue;
    for (const line of highLines(bytes)) {
      const isGood = isUtf8(line);
      if (isGood) found.utf8Lines++;
      else found.otherLines++;
      if (kept.bytes > KEPT_BYTES) continue;
      kept.bytes += line.length;
      kept[isGood ? "utf8" : "other"].push(line.slice());
    }
  }
  found.lines = [...kept.other, ...kept.utf8];
  return found;
}

/** Parts of lines around bytes above 0x7f, cut where no character can be cut. */
function* highLines(bytes: Uint8Array): Generator<Uint8Array> {
  let from = 0;
  while (from < bytes.length) {
    let high = from;
    while (high < bytes.length && bytes[high] < 0x80) high++;
    if (high === bytes.length) return;
    const before = Math.max(from, bytes.lastIndexOf(0x0a, high) + 1, high - 64);
    let start = before;
    // A stretch may begin within a character.
    if (start === 0 && bytes[0] >= 0x80) start = nextCut(bytes, 0);
    const lineEnd = bytes.indexOf(0x0a, high);
    let end = lineEnd < 0 ? lastCut(bytes) : lineEnd;
    if (end - start > LINE_BYTES) end = nextCut(bytes, start + LINE_BYTES);
    if (end > start && end > high) yield bytes.subarray(start, end);
    from = Math.max(end, high) + 1;
  }
}

function nextCut(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] >= 0x30) at++;
  return at;
}

/** The file may go on in the middle of a character. */
function lastCut(bytes: Uint8Array): number {
  let at = bytes.length;
  while (at > 0 && bytes[at - 1] >= 0x30 && bytes.length - at < 64) at--;
  return at > 0 && bytes[at - 1] < 0x30 ? at : bytes.length;
}

function countNulls({ nulls }: Evidence, bytes: Uint8Array): void {
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) nulls[at & 3]++;
}

function hasEscapes(bytes: Uint8Array): boolean {
  const text = new TextDecoder("windows-1252").decode(bytes);
  // deno-lint-ignore no-control-regex
  return /\x1b(\$[@B]|\([BJI])/.test(text);
}
