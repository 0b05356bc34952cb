/** @module Pieces from all over a file of lines, as a smaller file of lines. */
import type { SourceFile } from "../formats/format.ts";

const PIECES = 32;
const HEAD_BYTES = 256 * 1024;
const PIECE_BYTES_MIN = 4 * 1024;
const PIECE_BYTES_MAX = 256 * 1024;
const NEW_LINE = 10;

const formatsOfLines: ReadonlySet<string> = new Set(["csv", "tsv", "ndjson"]);

/** Is a record a line, in most files of the format? */
export function hasLines(format: string): boolean {
  return formatsOfLines.has(format);
}

/** The head of the file and pieces behind it. Null when the file is small, or has no lines. */
export async function spreadLines(
  { path, bytes }: SourceFile,
  rows: number,
  tempPath: (extension: string) => string,
): Promise<{ file: Pick<SourceFile, "path" | "bytes">; headRows: number } | null> {
  using input = await Deno.open(path);
  const begin = await piece(input, 0, HEAD_BYTES, true);
  if (begin === null) return null;
  const { head, headRows } = firstLines(begin, Math.ceil(rows / 2));
  const size = Math.ceil(rows / PIECES * head.length / headRows);
  const pieceBytes = Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, size));
  if (bytes < HEAD_BYTES + 2 * PIECES * pieceBytes) return null;
  const to = tempPath("sample");
  using output = await Deno.open(to, { write: true, createNew: true });
  let written = await writeAll(output, head);
  const step = (bytes - HEAD_BYTES - pieceBytes) / (PIECES - 1);
  for (let i = 0; i < PIECES; i++) {
    const found = await piece(input, Math.floor(HEAD_BYTES + i * step), pieceBytes, false);
    if (found) written += await writeAll(output, found);
  }
  return { file: { path: to, bytes: written }, headRows };
}

function firstLines(bytes: Uint8Array, max: number): { head: Uint8Array; headRows: number } {
  let end = 0;
  let lines = 0;
  while (lines < max) {
    const next = bytes.indexOf(NEW_LINE, end) + 1;
    if (next === 0) break;
    end = next;
    lines++;
  }
  return { head: bytes.subarray(0, end), headRows: lines };
}

/** Whole lines between two places. */
async function piece(
  file: Deno.FsFile,
  at: number,
  size: number,
  isHead: boolean,
): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(size);
  await file.seek(at, Deno.SeekMode.Start);
  let length = 0;
  while (length < size) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  const from = isHead ? 0 : bytes.indexOf(NEW_LINE) + 1;
  const to = bytes.lastIndexOf(NEW_LINE, length - 1) + 1;
  return (!isHead && from === 0) || to <= from ? null : bytes.subarray(from, to);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  let done = 0;
  while (done < bytes.length) done += await file.write(bytes.subarray(done));
  return done;
}
