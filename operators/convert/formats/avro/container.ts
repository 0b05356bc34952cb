/** @module Avro's object container files: header, and block after block. */
import { OffsetError, type OffsetWindow } from "../offset_window.ts";
import { blockBytesMax, codecNamed } from "./codecs.ts";
import { MAGIC } from "./magic.ts";
import { AvroError, Cursor } from "./cursor.ts";
import { type AvroType, parseSchema } from "./schema.ts";

const SYNC_BYTES = 16;
const HEADER_MAX = 64 * 1024 * 1024;
const latin = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** What a file says of itself. */
export interface AvroHeader {
  schema: AvroType;
  codec: string;
  sync: string;
}

/** Records of one block. */
export interface AvroBlock {
  /** In the file. */
  offset: number;
  records: number;
  /** Decompressed. */
  bytes: Uint8Array;
  /** Offset of the first byte, where the block is not compressed. */
  plainOffset: number | null;
}

/** Read the header. Throws {@link OffsetError}. */
export async function readHeader(window: OffsetWindow): Promise<AvroHeader> {
  const magic = latin.decode(await window.peek(4));
  if (magic !== MAGIC) {
    throw new OffsetError(`it begins with ${JSON.stringify(magic)}, not with "Obj\\u0001"`, 0);
  }
  await window.take(4, "its magic number");
  // The header's length is nowhere: take more until it is whole.
  for (let length = 64 * 1024;; length *= 4) {
    const head = await window.peek(length);
    const isAll = head.length < length || length >= HEADER_MAX;
    const cursor = new Cursor();
    cursor.load(head);
    try {
      const meta = readMeta(cursor);
      cursor.need(SYNC_BYTES);
      const sync = latin.decode(head.subarray(cursor.at, cursor.at + SYNC_BYTES));
      const header = headerOf(meta, sync, window.offset);
      await window.take(cursor.at + SYNC_BYTES, "its header");
      return header;
    } catch (error) {
      if (!(error instanceof AvroError)) throw error;
      if (isAll) {
        throw new OffsetError(`its header: ${error.message}`, window.offset + error.at);
      }
    }
  }
}

/** Metadata by key; keys need not be UTF-8. */
export function readMeta(cursor: Cursor): Map<string, Uint8Array> {
  const meta = new Map<string, Uint8Array>();
  for (let count; (count = cursor.count(false)) > 0;) {
    for (; count > 0; count--) {
      const key = take(cursor);
      meta.set(utf8.decode(key), take(cursor));
    }
  }
  return meta;
}

/** Throws {@link OffsetError} where schema or codec are not such. */
export function headerOf(
  meta: ReadonlyMap<string, Uint8Array>,
  sync: string,
  offset: number,
  prefix = "avro.",
): AvroHeader {
  const schema = meta.get(`${prefix}schema`);
  if (!schema) throw new OffsetError("its header has no schema", offset);
  const codec = utf8.decode(meta.get(`${prefix}codec`) ?? new TextEncoder().encode("null"));
  try {
    codecNamed(codec);
    return { schema: parseSchema(utf8.decode(schema)), codec, sync };
  } catch (error) {
    const { message } = error as Error;
    const what = error instanceof SyntaxError ? `its schema is not JSON: ${message}` : message;
    throw new OffsetError(what, offset, { cause: error });
  }
}

/** Blocks, decompressed, one by one. Throws {@link OffsetError}. */
export async function* blocks(
  window: OffsetWindow,
  { codec, sync }: AvroHeader,
): AsyncGenerator<AvroBlock> {
  const decompress = codecNamed(codec);
  while (window.left > 0) {
    const offset = window.offset;
    const [records, bytes] = await readCounts(window);
    const plainOffset = codec === "null" ? window.offset : null;
    const packed = await window.take(bytes, "a block");
    let plain: Uint8Array;
    try {
      plain = await decompress(packed);
    } catch (error) {
      throw new OffsetError(
        `its block of ${bytes} bytes of ${codec} cannot be decompressed: ` +
          `${(error as Error).message ?? error}`,
        offset,
        { cause: error },
      );
    }
    yield { offset, records, bytes: plain, plainOffset };
    const at = window.offset;
    if (latin.decode(await window.take(SYNC_BYTES, "a sync marker")) !== sync) {
      throw new OffsetError("a block does not end with the file's sync marker", at);
    }
  }
}

async function readCounts(window: OffsetWindow): Promise<[records: number, bytes: number]> {
  const { offset } = window;
  const cursor = new Cursor();
  cursor.load(await window.peek(20));
  try {
    const records = cursor.number();
    const bytes = cursor.number();
    cursor.checkEnd();
    if (records < 0) cursor.fail(`a block says that it has ${records} records`, 0);
    if (bytes < 0 || bytes > blockBytesMax) {
      cursor.fail(`a block says that it has ${bytes} bytes`, 0);
    }
    await window.take(cursor.at, "a block");
    return [records, bytes];
  } catch (error) {
    if (!(error instanceof AvroError)) throw error;
    throw new OffsetError(error.message, offset + error.at);
  }
}

function take(cursor: Cursor): Uint8Array {
  const length = cursor.length();
  cursor.at += length;
  return cursor.bytes.slice(cursor.at - length, cursor.at);
}
