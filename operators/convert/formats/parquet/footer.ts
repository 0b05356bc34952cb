/** @module A Parquet file's footer, read with every length in it checked. */
import { type FileMetaData, parquetMetadata, type SchemaElement } from "hyparquet";
import { OffsetError } from "../offset_window.ts";

const MAGIC = "PAR1";
const ENCRYPTED_MAGIC = "PARE";
/** A larger footer is damage: one of a thousand columns and groups has some megabytes. */
const FOOTER_MAX = 512 * 1024 * 1024;
const LEVELS_MAX = 64;
const latin = new TextDecoder("latin1");

/** One element of the schema with those below it. */
export interface ParquetNode {
  element: SchemaElement;
  children: ParquetNode[];
  path: string[];
  /** Levels of a value that is there. */
  def: number;
  rep: number;
}

/** A footer. */
export interface Footer {
  metadata: FileMetaData;
  root: ParquetNode;
  leaves: ParquetNode[];
  /** Where it begins in the file. */
  offset: number;
}

/** Read the footer. Throws {@link OffsetError}. */
export async function readFooter(path: string): Promise<Footer> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  if (size < 12) throw new OffsetError(`it has ${size} bytes, which is no file of Parquet`, size);
  const first = latin.decode(readAt(file, 0, 4));
  const tail = readAt(file, size - 8, 8);
  const last = latin.decode(tail.subarray(4));
  if (first === ENCRYPTED_MAGIC || last === ENCRYPTED_MAGIC) {
    throw new OffsetError("it is encrypted, its footer too, and there is no key for it", 0);
  }
  if (first !== MAGIC) throw new OffsetError(`it does not begin with ${MAGIC}`, 0);
  if (last !== MAGIC) {
    throw new OffsetError(`it does not end with ${MAGIC}: it is cut off`, size - 4);
  }
  const length = new DataView(tail.buffer).getUint32(0, true);
  const offset = size - 8 - length;
  if (length > FOOTER_MAX || offset < 4) {
    throw new OffsetError(`its footer says that it has ${length} bytes`, size - 8);
  }
  const bytes = readAt(file, offset, length + 8);
  try {
    checkThrift(bytes.subarray(0, length));
    const metadata = parquetMetadata(bytes.buffer as ArrayBuffer);
    const root = treeOf(metadata.schema);
    return { metadata, root, leaves: leavesOf(root), offset };
  } catch (error) {
    throw new OffsetError(`its footer is damaged: ${(error as Error).message}`, offset, {
      cause: error,
    });
  }
}

/**
 * Bytes of a file, at once: waiting for a turn costs ten times as much, and a file has thousands of
 * pages. Throws {@link OffsetError} where it has not so many.
 */
export function readAt(file: Deno.FsFile, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let used = 0; used < length;) {
    const read = file.readSync(bytes.subarray(used));
    if (read === null) throw new OffsetError(`it ends before ${length} bytes at ${offset}`, offset);
    used += read;
  }
  return bytes;
}

function treeOf(schema: readonly SchemaElement[]): ParquetNode {
  let at = 0;
  const read = (path: string[], def: number, rep: number, depth: number): ParquetNode => {
    const element = schema[at++];
    if (element === undefined) throw new Error("its schema has fewer elements than it says");
    if (depth > LEVELS_MAX) throw new Error(`its schema is nested deeper than ${LEVELS_MAX}`);
    const isRoot = depth === 0;
    const { repetition_type: repetition, num_children: count = 0 } = element;
    const own = isRoot ? path : [...path, element.name];
    const ownDef = def + (isRoot || repetition === "REQUIRED" ? 0 : 1);
    const ownRep = rep + (!isRoot && repetition === "REPEATED" ? 1 : 0);
    if (!isRoot && !["REQUIRED", "OPTIONAL", "REPEATED"].includes(repetition as string)) {
      throw new Error(`column ${own.join(".")} has an unknown repetition`);
    }
    if (count < 0 || count > schema.length) throw new Error(`an element has ${count} children`);
    if (element.type === undefined && !isRoot && count === 0) {
      throw new Error(`column ${own.join(".")} has no type, or an unknown one`);
    }
    const children = element.type === undefined || isRoot
      ? Array.from({ length: count }, () => read(own, ownDef, ownRep, depth + 1))
      : [];
    return { element, children, path: own, def: ownDef, rep: ownRep };
  };
  const root = read([], 0, 0, 0);
  if (at !== schema.length) throw new Error("its schema has more elements than it says");
  if (root.children.length === 0) throw new Error("it has no columns");
  return root;
}

function leavesOf(node: ParquetNode): ParquetNode[] {
  return node.children.length === 0 ? [node] : node.children.flatMap(leavesOf);
}

/**
 * Walk a struct of Thrift's compact protocol and check that it ends where its bytes do: what takes
 * memory for lists and texts afterwards takes no more than there are. `visit` is given each field's
 * number, behind those of the fields and places in lists that it is in, and where its head is.
 */
export function checkThrift(
  bytes: Uint8Array,
  visit: (fields: readonly number[], at: number) => void = () => {},
): void {
  const fields: number[] = [];
  let at = 0;
  const byte = () => {
    if (at >= bytes.length) throw new Error("it ends too early");
    return bytes[at++];
  };
  const varint = () => {
    let value = 0;
    for (let i = 0, factor = 1; i < 10; i++, factor *= 128) {
      const part = byte();
      value += (part & 127) * factor;
      if (part < 128) return value;
    }
    throw new Error("it has a number of more than 10 bytes");
  };
  const skip = (length: number) => {
    if (length > bytes.length - at) throw new Error(`it has a text of ${length} bytes`);
    at += length;
  };
  const value = (type: number, depth: number): void => {
    if (depth > 64) throw new Error("it is nested too deep");
    switch (type) {
      case 3:
        return skip(1);
      case 4:
      case 5:
      case 6:
        return void varint();
      case 7:
        return skip(8);
      case 8:
        return skip(varint());
      case 9:
      case 10: {
        const head = byte();
        const count = head >> 4 === 15 ? varint() : head >> 4;
        if (count > bytes.length - at) throw new Error(`it has a list of ${count}`);
        const item = head & 15;
        for (let i = 0; i < count; i++) {
          fields.push(i);
          value(item < 3 ? 3 : item, depth + 1);
          fields.pop();
        }
        return;
      }
      case 12:
        return struct(depth + 1);
    }
    throw new Error(`it has a value of type ${type}`);
  };
  const struct = (depth: number): void => {
    for (let field = 0;;) {
      const start = at;
      const head = byte();
      const type = head & 15;
      if (type === 0) return;
      field = head >> 4 === 0 ? varint() / 2 : field + (head >> 4);
      fields.push(field);
      visit(fields, start);
      if (type > 2) value(type, depth);
      fields.pop();
    }
  };
  struct(0);
}
