/** @module Container files of Avro before 1.3, whose metadata stand at their end. */
import { OffsetError } from "../offset_window.ts";
import { type AvroHeader, headerOf, readMeta } from "./container.ts";
import { AvroError, Cursor } from "./cursor.ts";

/** Larger ones are refused: blocks of this version do not say their size, so it is read whole. */
const BYTES_MAX = 256 * 1024 * 1024;
const SYNC_BYTES = 16;
const latin = new TextDecoder("latin1");

/** A file of that version. */
export interface OldFile {
  header: AvroHeader;
  bytes: Uint8Array;
}

/** Read the file whole. Throws {@link OffsetError}. */
export async function readOld(path: string, size: number): Promise<OldFile> {
  if (size > BYTES_MAX) {
    throw new OffsetError(
      `it is of Avro before 1.3 and has ${size} bytes; at most ${BYTES_MAX} are read`,
      0,
    );
  }
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  const footer = bytes.length < 8 ? 0 : view.getUint32(bytes.length - 4);
  const start = bytes.length - footer;
  if (footer < 4 || start < 4) throw new OffsetError("its footer is damaged", bytes.length);
  const cursor = new Cursor();
  cursor.load(bytes.subarray(start));
  try {
    const meta = readMeta(cursor);
    const sync = latin.decode(meta.get("sync") ?? new Uint8Array());
    return { header: headerOf(meta, sync, start, ""), bytes };
  } catch (error) {
    if (!(error instanceof AvroError)) throw error;
    throw new OffsetError(`its footer: ${error.message}`, start + error.at);
  }
}

/** Give each record to `record`, with the cursor at it. Throws {@link AvroError}. */
export function eachOldRecord(
  { header, bytes }: OldFile,
  cursor: Cursor,
  record: (start: number) => void,
): void {
  cursor.load(bytes);
  cursor.at = 4;
  while (cursor.at < cursor.end) {
    cursor.need(SYNC_BYTES);
    const marker = latin.decode(bytes.subarray(cursor.at, cursor.at + SYNC_BYTES));
    if (marker !== header.sync) cursor.fail("a block does not begin with the file's sync marker");
    cursor.at += SYNC_BYTES;
    const start = cursor.at;
    const count = cursor.number();
    if (count === -1) {
      const length = cursor.length();
      cursor.at += length;
      continue;
    }
    if (count < 0 || count > cursor.end) cursor.fail(`a block has ${count} records`, start);
    for (let i = 0; i < count; i++) {
      record(cursor.at);
      cursor.checkEnd();
    }
  }
}
