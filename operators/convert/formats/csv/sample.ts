/** @module Pieces of a file from which its dialect is told. */
import type { Sample } from "./dialect.ts";

const HEAD_BYTES = 256 * 1024;
const PIECE_BYTES = 64 * 1024;

/** Pieces of a file as texts. */
export interface FileSample extends Sample {
  /** Bytes of the beginning as they are, behind the byte order mark. */
  headBytes: Uint8Array;
  /** The end of the file from the start of a line on. */
  tail: string;
  /** Size and time of change when the sample was taken. */
  state: FileState;
}

/** What changes when a file does. */
export interface FileState {
  bytes: number;
  changedAtMs: number | null;
}

/** Take a sample: the beginning, two pieces from the middle, the end. */
export async function sampleFile(path: string): Promise<FileSample> {
  using file = await Deno.open(path);
  const state = await stateOf(file);
  const { bytes } = state;
  const decoder = new TextDecoder();
  const headBytes = withoutMark(await readAt(file, 0, HEAD_BYTES));
  const head = decoder.decode(headBytes);
  const isCut = bytes > HEAD_BYTES;
  if (!isCut) return { headBytes, head, isCut, tail: head, state };
  const pieces: string[] = [];
  if (bytes > 4 * HEAD_BYTES) {
    for (const at of [Math.floor(bytes / 3), Math.floor(bytes / 3 * 2)]) {
      pieces.push(decoder.decode(await readAt(file, at, PIECE_BYTES)));
    }
  }
  const end = decoder.decode(await readAt(file, bytes - PIECE_BYTES, PIECE_BYTES));
  const line = end.search(/[\r\n]/);
  const tail = line < 0 ? "" : end.slice(end.startsWith("\r\n", line) ? line + 2 : line + 1);
  return { headBytes, head, isCut, pieces, tail, state };
}

/** The state of a file now. */
export async function stateOf(file: string | Deno.FsFile): Promise<FileState> {
  const { size, mtime } = typeof file === "string" ? await Deno.stat(file) : await file.stat();
  return { bytes: size, changedAtMs: mtime?.getTime() ?? null };
}

async function readAt(file: Deno.FsFile, at: number, bytes: number): Promise<Uint8Array> {
  await file.seek(at, Deno.SeekMode.Start);
  const piece = new Uint8Array(bytes);
  let length = 0;
  while (length < piece.length) {
    const read = await file.read(piece.subarray(length));
    if (read === null) break;
    length += read;
  }
  return piece.subarray(0, length);
}

function withoutMark(head: Uint8Array): Uint8Array {
  const hasMark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  return head.subarray(hasMark ? 3 : 0);
}
