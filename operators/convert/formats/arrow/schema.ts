/** @module Arrow's schemas, from their metadata. */
import type { Table } from "./flatbuffer.ts";

/** Units of times. */
export type Unit = "s" | "ms" | "us" | "ns";

/** A type; of large and small offsets the same, which `isLarge` tells apart. */
export type ArrowType =
  | { kind: "null" | "boolean" | "struct" | "map" | "runs" | "utf8view" | "binaryview" }
  | { kind: "int"; bits: 8 | 16 | 32 | 64; isSigned: boolean }
  | { kind: "float"; bits: 16 | 32 | 64 }
  | { kind: "binary" | "utf8" | "list" | "listview"; isLarge: boolean }
  | { kind: "decimal"; bits: 32 | 64 | 128 | 256; precision: number; scale: number }
  | { kind: "date"; unit: "day" | "ms" }
  | { kind: "time"; unit: Unit }
  | { kind: "timestamp"; unit: Unit; zone: string | null }
  | { kind: "interval"; unit: "months" | "days_ms" | "months_days_ns" }
  | { kind: "duration"; unit: Unit }
  | { kind: "fixedbinary"; bytes: number }
  | { kind: "fixedlist"; items: number }
  | { kind: "union"; isDense: boolean; typeIds: number[] };

/** A field. */
export interface ArrowField {
  /** Ordinal in the schema, over all levels. */
  id: number;
  name: string;
  type: ArrowType;
  children: ArrowField[];
  /** Values are numbers of values of this dictionary. */
  dictionary: { id: number; index: Extract<ArrowType, { kind: "int" }> } | null;
  /** Name of an extension type. */
  extension: string | null;
}

/** A schema. */
export interface ArrowSchema {
  isBigEndian: boolean;
  fields: ArrowField[];
  /** The fields that use a dictionary, by its id. */
  dictionaries: Map<number, ArrowField>;
}

const DEPTH_MAX = 64;
const units: readonly Unit[] = ["s", "ms", "us", "ns"];

/** Read a Schema table. Throws Error for what is none. */
export function schemaOf(table: Table): ArrowSchema {
  const dictionaries = new Map<number, ArrowField>();
  let ids = 0;
  const fieldOf = (table: Table, depth: number): ArrowField => {
    if (depth > DEPTH_MAX) throw new Error(`its schema is nested deeper than ${DEPTH_MAX}`);
    const metadata = new Map(table.tables(6).map((pair) => [pair.text(0), pair.text(1)]));
    const dictionary = table.table(4);
    const field: ArrowField = {
      id: ids++,
      name: table.text(0) ?? "",
      type: typeOf(table.byte(2, 0), table.table(3)),
      children: table.tables(5).map((child) => fieldOf(child, depth + 1)),
      dictionary: dictionary && dictionaryOf(dictionary),
      extension: metadata.get("ARROW:extension:name") ?? null,
    };
    checkChildren(field);
    if (field.dictionary) dictionaries.set(field.dictionary.id, field);
    return field;
  };
  const fields = table.tables(1).map((child) => fieldOf(child, 0));
  return { isBigEndian: table.short(0, 0) === 1, fields, dictionaries };
}

function dictionaryOf(table: Table): ArrowField["dictionary"] {
  const index = table.table(1);
  const type = index ? intOf(index) : { kind: "int", bits: 32, isSigned: true } as const;
  return { id: table.long(0, 0), index: type };
}

const childrenOf: Readonly<Record<string, number>> = {
  list: 1,
  listview: 1,
  fixedlist: 1,
  map: 1,
  runs: 2,
};

function checkChildren({ name, type, children }: ArrowField): void {
  const want = childrenOf[type.kind];
  if (want !== undefined && children.length !== want) {
    throw new Error(`field "${name}" of type ${type.kind} has ${children.length} children`);
  }
  if (type.kind === "map") {
    const [entries] = children;
    if (entries.type.kind !== "struct" || entries.children.length !== 2) {
      throw new Error(`field "${name}" is a map whose entries are no pairs`);
    }
  }
  if (type.kind === "runs" && children[0].type.kind !== "int") {
    throw new Error(`field "${name}" has runs whose ends are no integers`);
  }
}

function intOf(table: Table): Extract<ArrowType, { kind: "int" }> {
  const bits = table.int(0, 0);
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) {
    throw new Error(`its schema has integers of ${bits} bits`);
  }
  return { kind: "int", bits, isSigned: table.byte(1, 0) !== 0 };
}

/** One of a list, by number. */
function oneOf<T>(list: readonly T[], index: number, what: string): T {
  if (list[index] === undefined) throw new Error(`its schema has an unknown ${what}, ${index}`);
  return list[index];
}

type TypeReader = (table: Table) => ArrowType;

/** By the number of the type in the metadata. */
const types: readonly (TypeReader | null)[] = [
  null,
  () => ({ kind: "null" }),
  intOf,
  (t) => ({ kind: "float", bits: oneOf([16, 32, 64] as const, t.short(0, 0), "float") }),
  () => ({ kind: "binary", isLarge: false }),
  () => ({ kind: "utf8", isLarge: false }),
  () => ({ kind: "boolean" }),
  decimalOf,
  (t) => ({ kind: "date", unit: oneOf(["day", "ms"] as const, t.short(0, 1), "unit of dates") }),
  timeOf,
  (t) => ({
    kind: "timestamp",
    unit: oneOf(units, t.short(0, 0), "unit of time"),
    zone: t.text(1) || null,
  }),
  (t) => ({
    kind: "interval",
    unit: oneOf(["months", "days_ms", "months_days_ns"] as const, t.short(0, 0), "interval"),
  }),
  () => ({ kind: "list", isLarge: false }),
  () => ({ kind: "struct" }),
  (t) => ({
    kind: "union",
    isDense: t.short(0, 0) === 1,
    typeIds: t.structs(1, 4, (view, at) => view.getInt32(at, true)),
  }),
  (t) => ({ kind: "fixedbinary", bytes: sizeOf(t.int(0, 0)) }),
  (t) => ({ kind: "fixedlist", items: sizeOf(t.int(0, 0)) }),
  () => ({ kind: "map" }),
  (t) => ({ kind: "duration", unit: oneOf(units, t.short(0, 1), "unit of time") }),
  () => ({ kind: "binary", isLarge: true }),
  () => ({ kind: "utf8", isLarge: true }),
  () => ({ kind: "list", isLarge: true }),
  () => ({ kind: "runs" }),
  () => ({ kind: "binaryview" }),
  () => ({ kind: "utf8view" }),
  () => ({ kind: "listview", isLarge: false }),
  () => ({ kind: "listview", isLarge: true }),
];

function typeOf(number: number, table: Table | null): ArrowType {
  const read = types[number];
  if (!read) throw new Error(`its schema has a type unknown here, number ${number}`);
  if (!table) throw new Error("its schema has a field without a type");
  return read(table);
}

function decimalOf(table: Table): ArrowType {
  const [precision, scale, bits] = [table.int(0, 0), table.int(1, 0), table.int(2, 128)];
  if (bits !== 32 && bits !== 64 && bits !== 128 && bits !== 256) {
    throw new Error(`its schema has decimals of ${bits} bits`);
  }
  if (precision < 1 || precision > 76 || Math.abs(scale) > 1000) {
    throw new Error(`its schema has a decimal of ${precision} digits, ${scale} behind the point`);
  }
  return { kind: "decimal", bits, precision, scale };
}

function timeOf(table: Table): ArrowType {
  const unit = oneOf(units, table.short(0, 1), "unit of time");
  const bits = table.int(1, 32);
  if (bits !== (unit === "s" || unit === "ms" ? 32 : 64)) {
    throw new Error(`its schema has times in ${unit} of ${bits} bits`);
  }
  return { kind: "time", unit };
}

function sizeOf(size: number): number {
  if (size < 0) throw new Error(`its schema has the size ${size}`);
  return size;
}
