/** @module Messages of Arrow's streams and files. */
import { OffsetError, type OffsetWindow } from "../offset_window.ts";
import { batchBytesMax } from "./arrays.ts";
import { MAGIC } from "./magic.ts";
import { longAt, Table } from "./flatbuffer.ts";

const CONTINUATION = 0xffffffff;
const METADATA_MAX = 256 * 1024 * 1024;
const latin = new TextDecoder("latin1");

/** Kinds of messages, by their number. */
const kinds = { 1: "schema", 2: "dictionary", 3: "batch" } as const;

/** A message with its body, good until the next one. */
export interface Message {
  kind: "schema" | "dictionary" | "batch";
  offset: number;
  header: Table;
  body: Uint8Array;
  isVersion4: boolean;
}

/** The next message of a stream; null at its end. Throws {@link OffsetError}. */
export async function nextMessage(window: OffsetWindow): Promise<Message | null> {
  const { offset } = window;
  if (window.left === 0) return null;
  let length = await readUint32(window);
  // Before 0.15, the length came first.
  if (length === CONTINUATION) length = await readUint32(window);
  if (length === 0) return null;
  return await messageOf(window, length, offset);
}

async function readUint32(window: OffsetWindow): Promise<number> {
  const bytes = await window.take(4, "the length of a message");
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

async function messageOf(
  window: OffsetWindow,
  length: number,
  offset: number,
): Promise<Message> {
  if (length > METADATA_MAX) {
    throw new OffsetError(`a message says that its metadata have ${length} bytes`, offset);
  }
  const metadata = (await window.take(length, "a message's metadata")).slice();
  return await at(offset, async () => {
    const table = Table.root(metadata);
    const version = table.short(0, 0);
    if (version < 3 || version > 4) {
      throw new Error(`its metadata are of version ${version + 1}; 4 and 5 are read`);
    }
    const number = table.byte(1, 0);
    const kind = kinds[number as keyof typeof kinds];
    const header = table.table(2);
    if (!kind || !header) throw new Error(`a message is of kind ${number}, which is no rows`);
    const bytes = table.long(3, 0);
    if (bytes < 0 || bytes > batchBytesMax) {
      throw new Error(
        `a message says that it has ${bytes} bytes; at most ${batchBytesMax} are read at once: ` +
          `write smaller batches`,
      );
    }
    const body = await window.take(bytes, "a message's body");
    return { kind, offset, header, body, isVersion4: version === 3 };
  });
}

/** Where a file says that its messages are. */
export interface Footer {
  schema: Table;
  dictionaries: Block[];
  batches: Block[];
}

/** A message's place. */
export interface Block {
  offset: number;
  length: number;
}

/** Read a file's footer. Throws {@link OffsetError}. */
export async function readFooter(file: Deno.FsFile, size: number): Promise<Footer> {
  const tail = await readAt(file, Math.max(0, size - 10), Math.min(10, size));
  if (size < 24 || latin.decode(tail.subarray(4)) !== MAGIC) {
    throw new OffsetError(`it begins with ${MAGIC} and does not end with it: it is cut off`, size);
  }
  const length = new DataView(tail.buffer).getInt32(0, true);
  const start = size - 10 - length;
  if (length <= 0 || start < 8) {
    throw new OffsetError(`its footer says that it has ${length} bytes`, size - 10);
  }
  const bytes = await readAt(file, start, length);
  return await at(start, () => {
    const table = Table.root(bytes);
    const schema = table.table(1);
    if (!schema) throw new Error("its footer has no schema");
    const blocks = (field: number) =>
      table.structs(field, 24, (view, at) => ({
        offset: longAt(view, at),
        length: view.getInt32(at + 8, true) + longAt(view, at + 16),
      }));
    const footer = { schema, dictionaries: blocks(2), batches: blocks(3) };
    for (const block of [...footer.dictionaries, ...footer.batches]) {
      if (block.offset < 8 || block.length < 8 || block.offset + block.length > start) {
        throw new Error(
          `its footer says that a message of ${block.length} bytes is at ${block.offset}`,
        );
      }
    }
    return footer;
  });
}

async function readAt(file: Deno.FsFile, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let used = 0; used < length;) {
    const read = await file.read(bytes.subarray(used));
    if (read === null) throw new OffsetError("the file became shorter while it was read", offset);
    used += read;
  }
  return bytes;
}

/** Gives what goes wrong in metadata an offset. */
export async function at<T>(offset: number, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OffsetError) throw error;
    if (!(error instanceof Error)) throw error;
    const what = error instanceof RangeError
      ? `its metadata are damaged: ${error.message}`
      : error.message;
    throw new OffsetError(what, offset, { cause: error });
  }
}
