/**
 * @module From Avro's binary encoding into staged columns, without a value in between: a schema
 * becomes a tree of functions, each of which moves the bytes of its value to a leaf.
 */
import type { Leaf } from "../staged_leaf.ts";
import { type StagedNode, writeNull } from "../staged_node.ts";
import { isUtf8 } from "../utf8.ts";
import { textOfDecimal } from "../decimal_text.ts";
import type { Cursor } from "./cursor.ts";
import { jsonReader } from "./json.ts";
import { readDecimal, timeInMicros } from "./logical.ts";
import {
  type AvroRecord,
  type AvroType,
  isEmptyPossible,
  precisionMax,
  shapeOf,
} from "./schema.ts";

/** Read one value and write it at a repetition level. */
export type Decode = (rep: number) => void;

const encoder = new TextEncoder();

/** The functions of a schema, from `cursor` into `node`. */
export function decoderOf(type: AvroType, node: StagedNode, cursor: Cursor): Decode {
  const { kind } = type;
  if (kind === "null") return (rep) => writeNull(node, rep);
  if (kind === "union") return unionDecoder(type, node, cursor);
  if (kind === "array" || kind === "map") return itemsDecoder(type, node, cursor);
  if (kind === "record" && node.kind === "struct") {
    const fields = type.fields.map((field, i) =>
      decoderOf(field.type, node.fields[i].node, cursor)
    );
    return (rep) => {
      for (let i = 0; i < fields.length; i++) fields[i](rep);
    };
  }
  if ("logical" in type && type.logical?.name === "duration" && node.kind === "struct") {
    return durationDecoder(node, cursor);
  }
  if (node.kind !== "leaf") throw new Error(`No column for ${kind}`);
  const { leaf } = node;
  const def = leaf.defMax;
  const value = valueDecoder(type, leaf, cursor);
  return (rep) => {
    leaf.slot(rep, def);
    value();
  };
}

function unionDecoder(
  type: Extract<AvroType, { kind: "union" }>,
  node: StagedNode,
  cursor: Cursor,
): Decode {
  const shape = shapeOf(type);
  let kinds = -1;
  const branches = type.branches.map((branch): Decode => {
    if (branch.kind === "null") return (rep) => writeNull(node, rep);
    kinds++;
    if (shape.kind === "one") return decoderOf(branch, node, cursor);
    if (shape.kind === "number") return widened(branch, node, cursor);
    if (node.kind !== "struct") throw new Error("No struct for a union");
    const own = decoderOf(branch, node.fields[kinds].node, cursor);
    const before = node.fields.slice(0, kinds).map((field) => field.node);
    const after = node.fields.slice(kinds + 1).map((field) => field.node);
    return (rep) => {
      for (const other of before) writeNull(other, rep);
      own(rep);
      for (const other of after) writeNull(other, rep);
    };
  });
  return (rep) => {
    const start = cursor.at;
    const index = cursor.number();
    const branch = branches[index];
    if (branch === undefined) {
      cursor.checkEnd();
      cursor.fail(`a union of ${branches.length} says branch ${index}`, start);
    }
    branch(rep);
  };
}

/** A number in a column of a wider type; an int is written as a long is. */
function widened(branch: AvroType, node: StagedNode, cursor: Cursor): Decode {
  if (branch.kind === "double") return decoderOf(branch, node, cursor);
  if (branch.kind !== "float") return decoderOf({ kind: "long" }, node, cursor);
  const { leaf } = node as Extract<StagedNode, { kind: "leaf" }>;
  return (rep) => {
    cursor.need(4);
    leaf.slot(rep, leaf.defMax);
    leaf.double(cursor.view.getFloat32(cursor.at, true));
    cursor.at += 4;
  };
}

function itemsDecoder(
  type: Extract<AvroType, { kind: "array" | "map" }>,
  node: StagedNode,
  cursor: Cursor,
): Decode {
  let item: Decode;
  if (type.kind === "array") {
    if (node.kind === "map") {
      const [key, value] = (type.items as AvroRecord).fields;
      const read = [
        decoderOf(key.type, node.key, cursor),
        decoderOf(value.type, node.value, cursor),
      ];
      item = (rep) => {
        for (const part of read) part(rep);
      };
    } else if (node.kind !== "list") throw new Error("No list for an array");
    else item = decoderOf(type.items, node.item, cursor);
  } else {
    if (node.kind !== "map") throw new Error("No map for a map");
    const key = decoderOf({ kind: "string" }, node.key, cursor);
    const value = decoderOf(type.values, node.value, cursor);
    item = (rep) => {
      key(rep);
      value(rep);
    };
  }
  const isEmpty = type.kind === "array" && isEmptyPossible(type.items);
  const { rep: within, nullDef } = node;
  return (rep) => {
    let count = cursor.count(isEmpty);
    if (count === 0) return writeNull(node, rep, nullDef + 1);
    item(rep);
    count--;
    while (true) {
      for (; count > 0; count--) {
        item(within);
        if (cursor.at > cursor.end) cursor.checkEnd();
      }
      count = cursor.count(isEmpty);
      if (count === 0) return;
    }
  };
}

function durationDecoder(
  node: Extract<StagedNode, { kind: "struct" }>,
  cursor: Cursor,
): Decode {
  const leaves = node.leaves;
  return (rep) => {
    cursor.need(12);
    for (const leaf of leaves) {
      leaf.slot(rep, leaf.defMax);
      leaf.int(cursor.view.getInt32(cursor.at, true));
      cursor.at += 4;
    }
  };
}

function valueDecoder(type: AvroType, leaf: Leaf, cursor: Cursor): () => void {
  const logical = "logical" in type ? type.logical : undefined;
  if (logical) return logicalDecoder(type as LogicalAvro, leaf, cursor);
  switch (type.kind) {
    case "boolean":
      return () => {
        const byte = cursor.byte();
        if (byte > 1) cursor.fail(`a boolean is ${byte}`, cursor.at - 1);
        leaf.boolean(byte === 1);
      };
    case "int":
      return () => leaf.int(cursor.int());
    case "long":
      return () => {
        cursor.long();
        leaf.long(cursor.low, cursor.high);
      };
    case "float":
      return () => {
        cursor.need(4);
        leaf.int(cursor.view.getInt32(cursor.at, true));
        cursor.at += 4;
      };
    case "double":
      return () => {
        cursor.need(8);
        const { at, view } = cursor;
        leaf.long(view.getInt32(at, true), view.getInt32(at + 4, true));
        cursor.at = at + 8;
      };
    case "string":
      return () => decodeText(leaf, cursor);
    case "bytes":
      return () => {
        const length = cursor.length();
        leaf.bytes(cursor.bytes, cursor.at, cursor.at + length);
        cursor.at += length;
      };
    case "fixed": {
      const { size } = type;
      return () => {
        cursor.need(size);
        leaf.bytes(cursor.bytes, cursor.at, cursor.at + size);
        cursor.at += size;
      };
    }
    case "enum":
      return enumDecoder(type, leaf, cursor);
    default: {
      const read = jsonReader(type, cursor);
      return () => leaf.text(read(0));
    }
  }
}

function decodeText(leaf: Leaf, cursor: Cursor): void {
  const length = cursor.length();
  const { bytes, at } = cursor;
  const end = at + length;
  if (!isUtf8(bytes, at, end)) cursor.fail("a string is not UTF-8", at);
  leaf.bytes(bytes, at, end);
  cursor.at = end;
}

function enumDecoder(
  { symbols, name }: Extract<AvroType, { kind: "enum" }>,
  leaf: Leaf,
  cursor: Cursor,
): () => void {
  const encoded = symbols.map((symbol) => encoder.encode(symbol));
  return () => {
    const start = cursor.at;
    const symbol = encoded[cursor.number()];
    if (symbol === undefined) {
      cursor.fail(`the enum ${name} of ${symbols.length} symbols says another`, start);
    }
    leaf.bytes(symbol, 0, symbol.length);
  };
}

type LogicalAvro = Extract<AvroType, { logical?: unknown }> & {
  logical: NonNullable<Extract<AvroType, { logical?: unknown }>["logical"]>;
};

function logicalDecoder(type: LogicalAvro, leaf: Leaf, cursor: Cursor): () => void {
  const { logical } = type;
  switch (logical.name) {
    case "decimal":
      return decimalDecoder(type, logical, leaf, cursor);
    case "date":
      return () => {
        const start = cursor.at;
        const day = cursor.int();
        if (day > 2 ** 31 - 2 || day < -(2 ** 31) + 2) cursor.fail(`a date is day ${day}`, start);
        leaf.int(day);
      };
    case "time-millis":
    case "time-micros": {
      const factor = logical.name === "time-millis" ? 1000 : 1;
      return () => {
        const micros = timeInMicros(cursor, factor);
        leaf.long(micros | 0, Math.floor(micros / 2 ** 32));
      };
    }
    case "uuid":
      return type.kind === "fixed"
        ? () => {
          cursor.need(16);
          leaf.fixed(cursor.bytes, cursor.at);
          cursor.at += 16;
        }
        : uuidDecoder(leaf, cursor);
    default:
      // Timestamps: the leaf's type says their unit.
      return () => {
        cursor.long();
        leaf.long(cursor.low, cursor.high);
      };
  }
}

function decimalDecoder(
  type: AvroType,
  { precision, scale }: { precision: number; scale: number },
  leaf: Leaf,
  cursor: Cursor,
): () => void {
  const size = type.kind === "fixed" ? type.size : null;
  const read = readDecimal(precision, size, cursor);
  if (precision > precisionMax) return () => leaf.text(textOfDecimal(read(), scale));
  return leaf.width === 8 ? () => leaf.bigint(read()) : () => leaf.wide(read());
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function uuidDecoder(leaf: Leaf, cursor: Cursor): () => void {
  return () => {
    const length = cursor.length();
    const start = cursor.at;
    cursor.at += length;
    const text = length === 36
      ? String.fromCharCode(...cursor.bytes.subarray(start, cursor.at))
      : "";
    if (!UUID.test(text)) cursor.fail("a UUID is none", start);
    leaf.fixed(Uint8Array.fromHex(text.replaceAll("-", "")), 0);
  };
}
