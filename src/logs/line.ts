/** @module Lines as bytes: numbered, cut to size, one JSON object each. */
import { limits } from "../base/limits.ts";
import type { LogLine } from "../contract/execution.ts";
import type { StoredLine } from "./port.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NEWLINE = 10;

/** One line as NDJSON; past `limits.logLineBytes` its message is cut with a note. */
export function encodeLine(line: LogLine, n: number): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(JSON.stringify({ n, ...line }) + "\n");
  if (bytes.length <= limits.logLineBytes) return bytes;
  const head = decoder.decode(encoder.encode(line.message).subarray(0, limits.logLineBytes / 4));
  const message = `${head}… (cut: the line had ${bytes.length} bytes, at most ` +
    `${limits.logLineBytes} are kept)`;
  return encoder.encode(
    JSON.stringify({ n, at: line.at, level: line.level, from: line.from, message }) + "\n",
  );
}

/** How the note ends that closes a log. */
export const fullNoteEnd = "later lines are dropped";

/** The note that closes a log that reached `bytesMax`. */
export function fullNote(at: string, n: number, bytesMax: number): Uint8Array<ArrayBuffer> {
  return encodeLine({
    at,
    level: "WARN",
    from: "worker",
    message: `The log reached ${bytesMax} bytes: ${fullNoteEnd}`,
  }, n);
}

/** Whole lines at the start of `bytes`, and how many bytes they are. */
export function decodeLines(bytes: Uint8Array): { lines: StoredLine[]; used: number } {
  const used = bytes.lastIndexOf(NEWLINE) + 1;
  if (used === 0) return { lines: [], used: 0 };
  const lines = decoder.decode(bytes.subarray(0, used - 1)).split("\n")
    .map((text) => JSON.parse(text) as StoredLine);
  return { lines, used };
}

/** Join pieces. */
export function concat(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
