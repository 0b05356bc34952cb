/** @module Writes Arrow's IPC files and streams, with the library of Apache's project. */
import { writeAllSync } from "../../../table/write_all.ts";
import {
  AsyncByteQueue,
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  makeData,
  Map_,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimeMicrosecond,
  TimeNanosecond,
  Timestamp,
  TimeUnit,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from "apache-arrow";
import type { WriteColumn } from "../format.ts";
import { type LeafRows, plainRows, type PlainValue, type RowNode } from "../plain_rows.ts";
import { uniqueNames } from "../unique_names.ts";

/** Write the rows of a plain Parquet file, a batch a row group. */
export async function writeArrow(
  from: string,
  to: string,
  { columns, signal, isStream }: {
    columns: readonly WriteColumn[];
    signal: AbortSignal;
    isStream: boolean;
  },
): Promise<void> {
  const rows = await plainRows(from, columns, signal);
  const schema = new Schema(fieldsOf(rows.columns));
  using file = await Deno.open(to, { write: true, createNew: true });
  const sink = new FileSink(file);
  const writer = isStream ? new RecordBatchStreamWriter() : new RecordBatchFileWriter();
  writer.reset(sink, schema);
  for await (const { rows: length, leaves } of rows.groups()) {
    const children = rows.columns.map((column) => dataOf(column, leaves, top));
    const type = new Struct(schema.fields);
    writer.write(new RecordBatch(schema, makeData({ type, length, nullCount: 0, children })));
  }
  writer.finish();
}

/** Bytes go to the file as they are made. */
class FileSink extends AsyncByteQueue {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    super();
    this.#file = file;
  }

  override write(bytes: Uint8Array): void {
    writeAllSync(this.#file, bytes);
  }
}

function fieldsOf(nodes: readonly RowNode[]): Field[] {
  const names = uniqueNames(nodes.map(({ name }) => name));
  return nodes.map((node, i) => fieldOf(node, names[i]));
}

function fieldOf(node: RowNode, name = node.name): Field {
  const kind = node.kind === "leaf" ? node.type.kind : null;
  const extension = kind === "uuid" ? "arrow.uuid" : kind === "json" ? "arrow.json" : null;
  const metadata = extension
    ? new Map([["ARROW:extension:name", extension], ["ARROW:extension:metadata", ""]])
    : undefined;
  return new Field(name, typeOf(node), !node.isRequired, metadata);
}

function typeOf(node: RowNode): DataType {
  switch (node.kind) {
    case "leaf":
      return valueType(node.type);
    case "struct":
      return new Struct(fieldsOf(node.fields));
    case "list":
      return new List(fieldOf(node.item, "item"));
    case "map":
      return new Map_(entriesField(node.key, node.value));
  }
}

// deno-lint-ignore no-explicit-any
function entriesField(key: RowNode, value: RowNode): Field<any> {
  return new Field("entries", new Struct([fieldOf(key, "key"), fieldOf(value, "value")]), false);
}

const ints = { 8: Int8, 16: Int16, 32: Int32, 64: Int64 } as const;
const uints = { 8: Uint8, 16: Uint16, 32: Uint32, 64: Uint64 } as const;
const units = {
  ms: TimeUnit.MILLISECOND,
  us: TimeUnit.MICROSECOND,
  ns: TimeUnit.NANOSECOND,
} as const;

function valueType(type: PlainValue): DataType {
  switch (type.kind) {
    case "boolean":
      return new Bool();
    case "float":
      return new Float32();
    case "double":
      return new Float64();
    case "utf8":
    case "json":
      return new Utf8();
    case "blob":
      return new Binary();
    case "uuid":
      return new FixedSizeBinary(16);
    case "date":
      return new DateDay();
    case "int":
      return new (type.isSigned ? ints : uints)[type.bits]();
    case "decimal":
      return new Decimal(type.scale, type.precision, 128);
    case "time":
      return type.unit === "us" ? new TimeMicrosecond() : new TimeNanosecond();
    case "timestamp":
      return new Timestamp(units[type.unit], type.isZoned ? "UTC" : null);
  }
}

/** Where values of a node are: at slots of at most this repetition, and at least this definition. */
interface Within {
  rep: number;
  def: number;
}

const top: Within = { rep: 0, def: 0 };

function dataOf(node: RowNode, leaves: readonly LeafRows[], within: Within): Data {
  if (node.kind === "leaf") return leafData(node.type, leaves[node.leaf], node.def, within);
  const type = typeOf(node);
  const found = instancesOf(node, leaves[node.leaf], within);
  const { length, nullCount, nullBitmap, valueOffsets } = found;
  if (node.kind === "struct") {
    const children = node.fields.map((field) => dataOf(field, leaves, within));
    return makeData({ type: type as Struct, length, nullCount, nullBitmap, children });
  }
  const inner = { rep: node.rep, def: node.itemDef };
  if (node.kind === "list") {
    const child = dataOf(node.item, leaves, inner);
    return makeData({ type: type as List, length, nullCount, nullBitmap, valueOffsets, child });
  }
  const children = [node.key, node.value].map((part) => dataOf(part, leaves, inner));
  const entries = entriesField(node.key, node.value).type as Struct;
  const child = makeData({ type: entries, length: children[0].length, nullCount: 0, children });
  const map = { type: type as Map_, length, nullCount, nullBitmap, valueOffsets, child };
  return makeData(map as unknown as Parameters<typeof makeData>[0]) as unknown as Data;
}

interface Instances {
  length: number;
  nullCount: number;
  nullBitmap: Uint8Array;
  valueOffsets: Int32Array;
}

/** Which values of a node with parts are there, and of lists, where their items end. */
function instancesOf(
  node: RowNode,
  { slots, reps, defs }: LeafRows,
  within: Within,
): Instances {
  const isList = node.kind === "list" || node.kind === "map";
  const nullBitmap = new Uint8Array((slots >> 3) + 1);
  const valueOffsets = new Int32Array(isList ? slots + 1 : 0);
  let length = 0;
  let nullCount = 0;
  let items = 0;
  for (let slot = 0; slot < slots; slot++) {
    const rep = reps === null ? 0 : reps[slot];
    const def = defs === null ? 0 : defs[slot];
    if (rep <= within.rep && def >= within.def) {
      if (def >= node.def) nullBitmap[length >> 3] |= 1 << (length & 7);
      else nullCount++;
      length++;
      if (isList) {
        if (def >= node.itemDef) items++;
        valueOffsets[length] = items;
      }
    } else if (isList && rep === node.rep && def >= within.def) {
      items++;
      valueOffsets[length] = items;
    }
  }
  return { length, nullCount, nullBitmap, valueOffsets: valueOffsets.subarray(0, length + 1) };
}

function leafData(type: PlainValue, rows: LeafRows, def: number, within: Within): Data {
  const { slots, defs, values } = rows;
  const nullBitmap = new Uint8Array((slots >> 3) + 1);
  const places = new Int32Array(slots);
  let length = 0;
  let present = 0;
  for (let slot = 0; slot < slots; slot++) {
    const own = defs === null ? def : defs[slot];
    if (own < within.def) continue;
    if (own === def) {
      nullBitmap[length >> 3] |= 1 << (length & 7);
      places[length] = present++;
    } else places[length] = -1;
    length++;
  }
  const nullCount = length - present;
  const all = { length, nullCount, nullBitmap };
  const at = places.subarray(0, length);
  const arrow = valueType(type);
  if (type.kind === "utf8" || type.kind === "json" || type.kind === "blob") {
    return makeData({ type: arrow as Utf8, ...all, ...textsOf(values, at, present) });
  }
  // deno-lint-ignore no-explicit-any
  return makeData({ type: arrow as any, ...all, data: fixedOf(type, values, at, nullCount) });
}

/** Lengths are before the values in pages, and offsets apart from them in Arrow. */
function textsOf(
  values: Uint8Array,
  places: Int32Array,
  present: number,
): { valueOffsets: Int32Array; data: Uint8Array } {
  const data = new Uint8Array(values.length - 4 * present);
  const valueOffsets = new Int32Array(places.length + 1);
  const view = new DataView(values.buffer, values.byteOffset, values.length);
  let from = 0;
  let to = 0;
  for (let i = 0; i < places.length; i++) {
    if (places[i] >= 0) {
      const length = view.getUint32(from, true);
      data.set(values.subarray(from + 4, from + 4 + length), to);
      from += 4 + length;
      to += length;
    }
    valueOffsets[i + 1] = to;
  }
  return { valueOffsets, data };
}

// deno-lint-ignore no-explicit-any
function fixedOf(type: PlainValue, values: Uint8Array, places: Int32Array, nulls: number): any {
  if (type.kind === "boolean") return bitsOf(values, places);
  if (type.kind === "decimal") return decimalsOf(type.bytes, values, places);
  const stored = type.kind === "uuid" ? 16 : storedWidth(type);
  let bytes: Uint8Array = values;
  if (nulls > 0 || bytes.byteOffset % 8 !== 0) {
    bytes = new Uint8Array(places.length * stored);
    for (let i = 0; i < places.length; i++) {
      const from = places[i] * stored;
      if (from >= 0) bytes.set(values.subarray(from, from + stored), i * stored);
    }
  }
  const buffer = bytes.buffer as ArrayBuffer;
  const words = new Int32Array(buffer, bytes.byteOffset, stored === 16 ? 0 : bytes.length >> 2);
  if (type.kind === "uuid") return bytes;
  if (type.kind === "float") return new Float32Array(buffer, bytes.byteOffset, bytes.length >> 2);
  if (type.kind === "double") return new Float64Array(buffer, bytes.byteOffset, bytes.length >> 3);
  if (type.kind === "int" && type.bits < 32) {
    const narrow = {
      "8true": Int8Array,
      "8false": Uint8Array,
      "16true": Int16Array,
      "16false": Uint16Array,
    }[`${type.bits as 8 | 16}${type.isSigned}`];
    return narrow.from(words);
  }
  if (type.kind === "int" && !type.isSigned && type.bits === 32) {
    return new Uint32Array(buffer, bytes.byteOffset, bytes.length >> 2);
  }
  if (stored === 4) return words;
  return type.kind === "int" && !type.isSigned
    ? new BigUint64Array(buffer, bytes.byteOffset, bytes.length >> 3)
    : new BigInt64Array(buffer, bytes.byteOffset, bytes.length >> 3);
}

function storedWidth(type: PlainValue): 4 | 8 {
  if (type.kind === "int") return type.bits === 64 ? 8 : 4;
  return type.kind === "float" || type.kind === "date" ? 4 : 8;
}

function bitsOf(values: Uint8Array, places: Int32Array): Uint8Array {
  const bits = new Uint8Array((places.length >> 3) + 1);
  for (let i = 0; i < places.length; i++) {
    const at = places[i];
    if (at >= 0 && (values[at >> 3] >> (at & 7)) & 1) bits[i >> 3] |= 1 << (i & 7);
  }
  return bits;
}

/** As 16 bytes, lowest first. */
function decimalsOf(size: 4 | 8 | 16, values: Uint8Array, places: Int32Array): Uint32Array {
  const bytes = new Uint8Array(places.length * 16);
  for (let i = 0; i < places.length; i++) {
    if (places[i] < 0) continue;
    const from = places[i] * size;
    const to = i * 16;
    if (size === 16) { for (let k = 0; k < 16; k++) bytes[to + k] = values[from + 15 - k]; }
    else {
      const sign = values[from + size - 1] > 127 ? 255 : 0;
      for (let k = 0; k < 16; k++) bytes[to + k] = k < size ? values[from + k] : sign;
    }
  }
  return new Uint32Array(bytes.buffer);
}
