/** @module Bytes from all over a file, to judge it by. */

/** A stretch of a file. */
export interface Stretch {
  offset: number;
  bytes: Uint8Array;
}

/** What was looked at. */
export interface Sample {
  /** In order; the first is the file's beginning. */
  stretches: Stretch[];
  /** Is the file looked at whole? */
  isWhole: boolean;
}

/** Files up to this size are looked at whole. */
const WHOLE_BYTES = 64 * 1024 * 1024;
const STRETCHES = 64;
const STRETCH_BYTES = 256 * 1024;

/** A file whole, or 64 stretches of it from its first to its last byte. */
export async function* stretchesOf(path: string): AsyncGenerator<Stretch> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const isWhole = size <= WHOLE_BYTES;
  const count = isWhole ? Math.ceil(size / STRETCH_BYTES) : STRETCHES;
  for (let i = 0; i < count; i++) {
    const offset = isWhole
      ? i * STRETCH_BYTES
      // A multiple of 4, so that wide characters are whole.
      : Math.floor(i * (size - STRETCH_BYTES) / (STRETCHES - 1) / 4) * 4;
    await file.seek(offset, Deno.SeekMode.Start);
    yield { offset, bytes: await readUpTo(file, STRETCH_BYTES) };
  }
}

/** Up to `bytes` next bytes; fewer only at the end. */
export async function readUpTo(file: Deno.FsFile, bytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes);
  let length = 0;
  while (length < bytes) {
    const read = await file.read(buffer.subarray(length));
    if (read === null) break;
    length += read;
  }
  return buffer.subarray(0, length);
}

/** Up to `bytes` first bytes. */
export async function readHead(path: string, bytes: number): Promise<Uint8Array> {
  using file = await Deno.open(path);
  return await readUpTo(file, bytes);
}
