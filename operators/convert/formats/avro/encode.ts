/** @module Rows of plain Parquet as Avro's records: one function a node of the columns' trees. */
import type { LeafRows, PlainValue, RowNode } from "../plain_rows.ts";
import type { ByteSink } from "./byte_sink.ts";

/** Goes through the slots of one end of a column. */
export class LeafCursor {
  #rows: LeafRows = { slots: 0, reps: null, defs: null, values: new Uint8Array() };
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Of the next slot. */
  slot = 0;
  /** Of the next value: in bytes, of booleans in bits. */
  at = 0;

  load(rows: LeafRows): void {
    const { values } = rows;
    this.#rows = rows;
    this.view = new DataView(values.buffer, values.byteOffset, values.length);
    this.slot = 0;
    this.at = 0;
  }

  get values(): Uint8Array {
    return this.#rows.values;
  }

  /** Definition level of the next slot. */
  def(): number {
    const { defs } = this.#rows;
    return defs === null ? 0 : defs[this.slot];
  }

  /** Slots from here that begin an item of this level, or of the list that the first one begins. */
  items(rep: number): number {
    const { reps, slots } = this.#rows;
    let count = 1;
    for (let at = this.slot + 1; at < slots && reps![at] >= rep; at++) {
      if (reps![at] === rep) count++;
    }
    return count;
  }
}

/** Writes the value that comes next. */
export type Encode = () => void;

/** A function that writes a node's values, with null or without, from the cursors of its ends. */
export function encoderOf(node: RowNode, cursors: readonly LeafCursor[], out: ByteSink): Encode {
  const present = presentOf(node, cursors, out);
  if (node.isRequired) return present;
  const first = cursors[node.leaf];
  const ends = node.leaves.map((leaf) => cursors[leaf]);
  return () => {
    if (first.def() < node.def) {
      out.byte(0);
      for (const end of ends) end.slot++;
      return;
    }
    // The second branch of the union with null.
    out.byte(2);
    present();
  };
}

function presentOf(node: RowNode, cursors: readonly LeafCursor[], out: ByteSink): Encode {
  if (node.kind === "struct") {
    const fields = node.fields.map((field) => encoderOf(field, cursors, out));
    return () => {
      for (const field of fields) field();
    };
  }
  if (node.kind === "leaf") {
    const cursor = cursors[node.leaf];
    const value = valueOf(node.type, cursor, out);
    return () => {
      cursor.slot++;
      value();
    };
  }
  const parts = node.kind === "list"
    ? [encoderOf(node.item, cursors, out)]
    : [node.key, node.value].map((part) => encoderOf(part, cursors, out));
  const first = cursors[node.leaf];
  const ends = node.leaves.map((leaf) => cursors[leaf]);
  return () => {
    if (first.def() < node.itemDef) {
      for (const end of ends) end.slot++;
      out.byte(0);
      return;
    }
    const count = first.items(node.rep);
    out.number(count);
    for (let i = 0; i < count; i++) {
      for (const part of parts) part();
    }
    out.byte(0);
  };
}

function valueOf(type: PlainValue, cursor: LeafCursor, out: ByteSink): Encode {
  switch (type.kind) {
    case "boolean":
      return () => {
        const { at, values } = cursor;
        out.byte((values[at >> 3] >> (at & 7)) & 1);
        cursor.at = at + 1;
      };
    case "float":
    case "double": {
      const size = type.kind === "float" ? 4 : 8;
      return () => {
        out.copy(cursor.values, cursor.at, cursor.at + size);
        cursor.at += size;
      };
    }
    case "date":
      return () => intOf(cursor, out);
    case "int":
      if (type.bits < 32 || (type.bits === 32 && type.isSigned)) return () => intOf(cursor, out);
      if (type.bits === 32) {
        return () => {
          out.number(cursor.view.getUint32(cursor.at, true));
          cursor.at += 4;
        };
      }
      return type.isSigned ? () => longOf(cursor, out) : () => {
        integerOf(cursor, out, 8, false, true);
      };
    case "time":
    case "timestamp":
      return () => longOf(cursor, out);
    case "decimal":
      return () => integerOf(cursor, out, type.bytes, type.bytes === 16, false);
    case "uuid":
      return () => {
        const hex = cursor.values.slice(cursor.at, cursor.at + 16).toHex();
        const text = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
        out.int(36);
        for (let i = 0; i < 36; i++) out.byte(text.charCodeAt(i));
        cursor.at += 16;
      };
    case "utf8":
    case "json":
    case "blob":
      return () => {
        const length = cursor.view.getUint32(cursor.at, true);
        const from = cursor.at + 4;
        out.number(length);
        out.copy(cursor.values, from, from + length);
        cursor.at = from + length;
      };
  }
}

function intOf(cursor: LeafCursor, out: ByteSink): void {
  out.int(cursor.view.getInt32(cursor.at, true));
  cursor.at += 4;
}

function longOf(cursor: LeafCursor, out: ByteSink): void {
  const { at, view } = cursor;
  out.long(view.getInt32(at, true), view.getInt32(at + 4, true));
  cursor.at = at + 8;
}

/** An integer as bytes of two's complement, highest first, no more than it takes. */
function integerOf(
  cursor: LeafCursor,
  out: ByteSink,
  size: number,
  isBigEndian: boolean,
  isUnsigned: boolean,
): void {
  const { values, at } = cursor;
  const byteAt = (i: number) => values[isBigEndian ? at + i : at + size - 1 - i];
  const sign = !isUnsigned && byteAt(0) > 127 ? 255 : 0;
  let first = 0;
  while (
    first < size - 1 && byteAt(first) === sign && (byteAt(first + 1) > 127 ? 255 : 0) === sign
  ) {
    first++;
  }
  const extra = sign === 0 && byteAt(first) > 127 ? 1 : 0;
  out.int(size - first + extra);
  if (extra === 1) out.byte(0);
  for (let i = first; i < size; i++) out.byte(byteAt(i));
  cursor.at = at + size;
}
