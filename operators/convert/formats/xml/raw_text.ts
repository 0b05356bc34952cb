/** @module The text of a record as it stands in its file. */

const RAW_BYTES_MAX = 64 * 1024;

/** So many bytes from `offset` on, or the first 64 KB of them. */
export async function rawText(path: string, offset: number, bytes: number): Promise<string> {
  using file = await Deno.open(path);
  await file.seek(offset, Deno.SeekMode.Start);
  const raw = new Uint8Array(Math.min(bytes, RAW_BYTES_MAX));
  let length = 0;
  while (length < raw.length) {
    const read = await file.read(raw.subarray(length));
    if (read === null) break;
    length += read;
  }
  return new TextDecoder().decode(raw.subarray(0, length));
}
