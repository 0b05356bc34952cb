/**
 * @module Rows that the engine wrote as plain Parquet, for formats that are written in TypeScript: a
 * row group at a time, levels and values as they lie in its pages.
 */
import type { SchemaElement } from "hyparquet";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { type ParquetNode, readAt, readFooter } from "./parquet/footer.ts";
import { type Chunk, chunksOf, pagesOf } from "./parquet/pages.ts";
import type { WriteColumn } from "./format.ts";
import { zonesOf } from "./plain_select.ts";

/** A type of values without parts. */
export type PlainValue =
  | { kind: "boolean" | "utf8" | "json" | "blob" | "uuid" | "date" | "float" | "double" }
  | { kind: "int"; bits: 8 | 16 | 32 | 64; isSigned: boolean }
  | { kind: "decimal"; precision: number; scale: number; bytes: 4 | 8 | 16 }
  | { kind: "time"; unit: "us" | "ns" }
  | { kind: "timestamp"; unit: "ms" | "us" | "ns"; isZoned: boolean };

/** A column, or a part of one, with its levels. */
export type RowNode =
  & {
    name: string;
    /** Definition level from which it is there. */
    def: number;
    isRequired: boolean;
    /** Of the first end below, whose levels tell about it. */
    leaf: number;
    /** Ends below. */
    leaves: number[];
  }
  & (
    | { kind: "leaf"; type: PlainValue }
    /** `rep`: level of all items but the first; `itemDef`: from which there is an item. */
    | { kind: "list"; rep: number; itemDef: number; item: RowNode }
    | { kind: "map"; rep: number; itemDef: number; key: RowNode; value: RowNode }
    | { kind: "struct"; fields: RowNode[] }
  );

/** What one end of a column has in a row group. */
export interface LeafRows {
  slots: number;
  /** Null where there is no level but 0, or, of definitions, no level but the highest. */
  reps: Uint8Array | null;
  defs: Uint8Array | null;
  /** As in plain pages: texts and blobs have their length before them. */
  values: Uint8Array;
}

/** Rows of a row group. */
export interface RowGroup {
  rows: number;
  leaves: LeafRows[];
}

/** Rows of the file that the engine wrote. */
export interface PlainRows {
  columns: RowNode[];
  groups(): AsyncGenerator<RowGroup>;
}

/** Open the file at `path`, whose columns have these types. */
export async function plainRows(
  path: string,
  columns: readonly WriteColumn[],
  signal: AbortSignal,
): Promise<PlainRows> {
  const footer = await readFooter(path);
  let leaf = 0;
  const nodes = footer.root.children.map((child, i) => {
    const { type } = columns[i];
    const zones = zonesOf(type);
    const next = { leaf: () => leaf++, isZoned: () => zones.shift() ?? false };
    const node = nodeOf(child, next);
    return type === "TIME_NS" && node.kind === "leaf"
      ? { ...node, type: { kind: "time", unit: "ns" } as const }
      : node;
  });
  return {
    columns: nodes,
    async *groups() {
      using file = await Deno.open(path);
      for (const chunks of chunksOf(footer)) {
        signal.throwIfAborted();
        const leaves = chunks.map((chunk) => leafOf(file, chunk));
        yield { rows: chunks[0].rows, leaves };
      }
    },
  };
}

interface Next {
  leaf(): number;
  isZoned(): boolean;
}

function nodeOf(node: ParquetNode, next: Next): RowNode {
  const { element, children, def } = node;
  const { name } = element;
  const isRequired = element.repetition_type === "REQUIRED";
  const own = { name, def, isRequired };
  if (children.length === 0) {
    const leaf = next.leaf();
    return { ...own, leaf, leaves: [leaf], kind: "leaf", type: valueOf(element, next) };
  }
  const [repeated] = children;
  const isRepeated = repeated.element.repetition_type === "REPEATED";
  if (!isRepeated) {
    const fields = children.map((child) => nodeOf(child, next));
    const leaves = fields.flatMap(({ leaves }) => leaves);
    return { ...own, leaf: leaves[0], leaves, kind: "struct", fields };
  }
  const parts = repeated.children.map((child) => nodeOf(child, next));
  const leaves = parts.flatMap(({ leaves }) => leaves);
  const within = { ...own, leaf: leaves[0], leaves, rep: repeated.rep, itemDef: repeated.def };
  return parts.length === 1
    ? { ...within, kind: "list", item: parts[0] }
    : { ...within, kind: "map", key: parts[0], value: parts[1] };
}

function valueOf(element: SchemaElement, next: Next): PlainValue {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (converted === "DECIMAL" || logical?.type === "DECIMAL") {
    const bytes = type === "INT32" ? 4 : type === "INT64" ? 8 : 16;
    return { kind: "decimal", precision: element.precision!, scale: element.scale ?? 0, bytes };
  }
  if (logical?.type === "UUID") return { kind: "uuid" };
  if (logical?.type === "TIMESTAMP") {
    const unit = { MILLIS: "ms", MICROS: "us", NANOS: "ns" } as const;
    const isNanos = logical.unit === "NANOS";
    const isZoned = isNanos ? next.isZoned() : logical.isAdjustedToUTC;
    return { kind: "timestamp", unit: unit[logical.unit], isZoned };
  }
  if (logical?.type === "TIME" || converted === "TIME_MICROS") return { kind: "time", unit: "us" };
  if (converted === "TIMESTAMP_MICROS") return { kind: "timestamp", unit: "us", isZoned: true };
  if (converted === "TIMESTAMP_MILLIS") return { kind: "timestamp", unit: "ms", isZoned: true };
  if (converted === "DATE") return { kind: "date" };
  if (converted === "JSON" || logical?.type === "JSON") return { kind: "json" };
  switch (type) {
    case "BOOLEAN":
      return { kind: "boolean" };
    case "FLOAT":
      return { kind: "float" };
    case "DOUBLE":
      return { kind: "double" };
    case "INT32":
    case "INT64": {
      const [, unsigned, bits] = converted?.match(/^(U?)INT_(\d+)$/) ?? [];
      const own = (bits ? Number(bits) : type === "INT32" ? 32 : 64) as 8 | 16 | 32 | 64;
      return { kind: "int", bits: own, isSigned: unsigned !== "U" };
    }
    case "BYTE_ARRAY":
      return { kind: converted === "UTF8" || logical?.type === "STRING" ? "utf8" : "blob" };
  }
  throw new Error(`Cannot write a column of Parquet's type ${type}`);
}

function leafOf(file: Deno.FsFile, chunk: Chunk): LeafRows {
  const { node } = chunk;
  const slots = Number(chunk.meta.num_values);
  const reps = node.rep > 0 ? new Uint8Array(slots) : null;
  const defs = node.def > 0 ? new Uint8Array(slots) : null;
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { header, offset, values } of pagesOf(file, chunk)) {
    if (!header.data_page_header) continue;
    const content = readAt(file, offset, header.compressed_page_size);
    const reader = {
      view: new DataView(content.buffer, content.byteOffset, content.length),
      offset: 0,
    };
    for (const [levels, max] of [[reps, node.rep], [defs, node.def]] as const) {
      if (!levels) continue;
      const own = levels.subarray(at, at + values);
      readRleBitPackedHybrid(reader, 32 - Math.clz32(max), own);
    }
    parts.push(content.subarray(reader.offset));
    at += values;
  }
  return { slots, reps, defs, values: parts.length === 1 ? parts[0] : joined(parts) };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
