/** @module Arrays of a record batch: nodes of the metadata with their buffers. */
import { zstdDecompressSync } from "node:zlib";
import { longAt, type Table } from "./flatbuffer.ts";
import { unlz4Frame } from "./lz4.ts";
import type { ArrowField, ArrowType } from "./schema.ts";

/** Bytes that a batch may have, decompressed; its arrays are in memory at once. */
export const batchBytesMax = 1024 * 1024 * 1024;
/** Rows that a batch may have beyond what its bytes can tell: nulls and runs take none. */
const ROWS_MAX = 100_000_000;

/** An array, its buffers aligned and little-endian. */
export interface ArrowArray {
  field: ArrowField;
  length: number;
  /** One bit a value; null where all are there. */
  validity: Uint8Array | null;
  /** Without the validity. */
  buffers: Uint8Array[];
  children: ArrowArray[];
}

/** A body and how to read it. */
export interface Body {
  bytes: Uint8Array;
  isBigEndian: boolean;
  /** Version 4 of the metadata, in which unions have a validity. */
  isVersion4: boolean;
}

/** The arrays of a RecordBatch table. Throws Error for one that is damaged. */
export function arraysOf(
  batch: Table,
  fields: readonly ArrowField[],
  body: Body,
): { rows: number; arrays: ArrowArray[] } {
  const rows = batch.long(0, 0);
  if (rows < 0 || rows > Math.max(ROWS_MAX, body.bytes.length * 8)) {
    throw new Error(`a batch says that it has ${rows} rows`);
  }
  const reader = new ArrayReader(batch, body);
  const arrays = fields.map((field) => reader.read(field, rows));
  reader.checkAllRead();
  return { rows, arrays };
}

/** Bytes of a value by type; 0 where it is not of fixed size or a bit. */
function widthOf(type: ArrowType): number {
  switch (type.kind) {
    case "int":
    case "float":
    case "decimal":
      return type.bits / 8;
    case "date":
      return type.unit === "day" ? 4 : 8;
    case "time":
      return type.unit === "s" || type.unit === "ms" ? 4 : 8;
    case "timestamp":
    case "duration":
      return 8;
    case "interval":
      return { months: 4, days_ms: 8, months_days_ns: 16 }[type.unit];
    case "fixedbinary":
      return type.bytes;
    case "utf8view":
    case "binaryview":
      return 16;
    default:
      return 0;
  }
}

class ArrayReader {
  readonly #body: Body;
  readonly #nodes: { length: number; nulls: number }[];
  readonly #buffers: { offset: number; length: number }[];
  readonly #variadic: number[];
  readonly #codec: "lz4" | "zstd" | null;
  #node = 0;
  #buffer = 0;
  #view = 0;
  #total = 0;

  constructor(batch: Table, body: Body) {
    this.#body = body;
    this.#nodes = batch.structs(1, 16, (view, at) => ({
      length: longAt(view, at),
      nulls: longAt(view, at + 8),
    }));
    this.#buffers = batch.structs(2, 16, (view, at) => ({
      offset: longAt(view, at),
      length: longAt(view, at + 8),
    }));
    this.#variadic = batch.structs(4, 8, longAt);
    const compression = batch.table(3);
    const codec = compression?.byte(0, 0);
    if (codec !== undefined && codec > 1) throw new Error(`a batch has the codec ${codec}`);
    this.#codec = codec === undefined ? null : codec === 0 ? "lz4" : "zstd";
  }

  checkAllRead(): void {
    if (this.#node !== this.#nodes.length || this.#buffer !== this.#buffers.length) {
      throw new Error(
        `a batch has ${this.#nodes.length} arrays and ${this.#buffers.length} buffers, ` +
          `and its schema ${this.#node} and ${this.#buffer}`,
      );
    }
  }

  /** `least`: values that its parent has need of. */
  read(field: ArrowField, least: number): ArrowArray {
    const node = this.#nodes[this.#node++];
    if (!node) throw new Error("a batch has fewer arrays than its schema");
    const { length, nulls } = node;
    if (length < least) {
      throw new Error(`column "${field.name}" has ${length} values where ${least} are wanted`);
    }
    if (length > Math.max(ROWS_MAX, this.#body.bytes.length * 8)) {
      throw new Error(`column "${field.name}" says that it has ${length} values`);
    }
    const type = field.dictionary ? field.dictionary.index : field.type;
    const validity = this.#validity(type, length, nulls);
    const buffers = this.#values(field, type, length);
    const children = field.dictionary ? [] : field.children.map((child) => {
      return this.read(child, leastOf(type, length));
    });
    return { field, length, validity, buffers, children };
  }

  #validity(type: ArrowType, length: number, nulls: number): Uint8Array | null {
    if (type.kind === "null" || type.kind === "runs") return null;
    if (type.kind === "union") {
      if (this.#body.isVersion4) this.#take(0, 0);
      return null;
    }
    const bytes = this.#take(0, 0);
    if (nulls === 0) return null;
    if (bytes.length * 8 < length) throw new Error(`${length} values have too short a validity`);
    return bytes;
  }

  #values(field: ArrowField, type: ArrowType, length: number): Uint8Array[] {
    switch (type.kind) {
      case "null":
      case "runs":
      case "struct":
      case "fixedlist":
        return [];
      case "boolean":
        return [this.#take(Math.ceil(length / 8), 0)];
      case "binary":
      case "utf8":
        return [this.#offsets(length, type.isLarge), this.#take(0, 0)];
      case "list":
        return [this.#offsets(length, type.isLarge)];
      case "map":
        return [this.#offsets(length, false)];
      case "listview": {
        const width = type.isLarge ? 8 : 4;
        return [this.#take(length * width, width), this.#take(length * width, width)];
      }
      case "union":
        return type.isDense
          ? [this.#take(length, 0), this.#take(length * 4, 4)]
          : [this.#take(length, 0)];
      case "utf8view":
      case "binaryview":
        return this.#views(field, length);
    }
    return [this.#take(length * widthOf(type), swapOf(type))];
  }

  /** An array without values may have no offsets. */
  #offsets(length: number, isLarge: boolean): Uint8Array {
    const width = isLarge ? 8 : 4;
    return this.#take(length === 0 ? 0 : (length + 1) * width, width);
  }

  #views({ name }: ArrowField, length: number): Uint8Array[] {
    const views = this.#take(length * 16, 0);
    const count = this.#variadic[this.#view++] ?? 0;
    if (count < 0 || count > this.#buffers.length) {
      throw new Error(`column "${name}" says that it has ${count} buffers`);
    }
    if (this.#body.isBigEndian) swapViews(views, length);
    return [views, ...Array.from({ length: count }, () => this.#take(0, 0))];
  }

  /** The next buffer, of at least so many bytes; turned around by `swap` bytes if need be. */
  #take(least: number, swap: number): Uint8Array {
    const buffer = this.#buffers[this.#buffer++];
    if (!buffer) throw new Error("a batch has fewer buffers than its schema");
    const { offset, length } = buffer;
    const { bytes, isBigEndian } = this.#body;
    if (offset < 0 || length < 0 || offset > bytes.length || length > bytes.length - offset) {
      throw new Error(
        `a buffer of ${length} bytes at ${offset} is not in its body of ${bytes.length}`,
      );
    }
    let found = bytes.subarray(offset, offset + length);
    if (this.#codec && length > 0) found = this.#decompress(found, this.#codec);
    if (found.length < least) {
      throw new Error(`a buffer has ${found.length} bytes, where its values take ${least}`);
    }
    if (isBigEndian && swap > 1) return swapped(found, swap);
    if (isBigEndian && swap === -1) return swappedIntervals(found);
    return found.byteOffset % 8 === 0 ? found : found.slice();
  }

  #decompress(packed: Uint8Array, codec: "lz4" | "zstd"): Uint8Array {
    if (packed.length < 8) throw new Error("a compressed buffer is cut off");
    const view = new DataView(packed.buffer, packed.byteOffset, 8);
    const content = packed.subarray(8);
    if (view.getBigInt64(0, true) === -1n) return content;
    const length = longAt(view, 0);
    this.#total += length;
    if (length < 0 || this.#total > batchBytesMax) {
      throw new Error(`a buffer says that it becomes ${length} bytes`);
    }
    if (length === 0) return new Uint8Array();
    if (codec === "lz4") return unlz4Frame(content, length);
    const plain = zstdDecompressSync(content, { maxOutputLength: length });
    if (plain.length !== length) {
      throw new Error(`a buffer becomes ${plain.length} bytes, not ${length}`);
    }
    return plain;
  }
}

function leastOf(type: ArrowType, length: number): number {
  if (type.kind === "struct") return length;
  if (type.kind === "fixedlist") return length * type.items;
  return type.kind === "union" && !type.isDense ? length : 0;
}

/** Bytes that are turned around together. */
function swapOf(type: ArrowType): number {
  if (type.kind === "fixedbinary") return 0;
  if (type.kind !== "interval") return widthOf(type);
  return type.unit === "months_days_ns" ? -1 : 4;
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const turned = new Uint8Array(bytes.length);
  for (let at = 0; at + width <= bytes.length; at += width) {
    for (let i = 0; i < width; i++) turned[at + i] = bytes[at + width - 1 - i];
  }
  return turned;
}

/** Length, number of the buffer and offset in it; short texts have their bytes there. */
function swapViews(views: Uint8Array, length: number): void {
  const view = new DataView(views.buffer, views.byteOffset, views.length);
  const turn = (at: number) => view.setInt32(at, view.getInt32(at, false), true);
  for (let i = 0; i < length; i++) {
    turn(i * 16);
    if (view.getInt32(i * 16, true) <= 12) continue;
    turn(i * 16 + 8);
    turn(i * 16 + 12);
  }
}

/** Months and days of four bytes each, nanoseconds of eight. */
function swappedIntervals(bytes: Uint8Array): Uint8Array {
  const turned = bytes.slice();
  for (let at = 0; at + 16 <= turned.length; at += 16) {
    turned.subarray(at, at + 4).reverse();
    turned.subarray(at + 4, at + 8).reverse();
    turned.subarray(at + 8, at + 16).reverse();
  }
  return turned;
}
