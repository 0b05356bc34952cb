/** @module Avro schemas: parsed, with their names resolved, and what each becomes in columns. */
import type { StagedType } from "../staged_type.ts";
import { uniqueNames } from "../unique_names.ts";

/** A logical type that fits what it annotates; others are ignored, as the specification asks. */
export type LogicalType =
  | { name: "decimal"; precision: number; scale: number }
  | {
    name:
      | "date"
      | "time-millis"
      | "time-micros"
      | "timestamp-millis"
      | "timestamp-micros"
      | "timestamp-nanos"
      | "local-timestamp-millis"
      | "local-timestamp-micros"
      | "local-timestamp-nanos"
      | "uuid"
      | "duration";
  };

/** A schema. */
export type AvroType =
  | {
    kind: "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";
    logical?: LogicalType;
  }
  | { kind: "fixed"; name: string; size: number; logical?: LogicalType }
  | { kind: "enum"; name: string; symbols: readonly string[] }
  /** `isMap`: of pairs of key and value, whose keys are no texts. */
  | { kind: "array"; items: AvroType; isMap?: boolean }
  | { kind: "map"; values: AvroType }
  | AvroRecord
  | { kind: "union"; branches: readonly AvroType[] }
  /** A record within itself. */
  | { kind: "recursive"; record: AvroRecord };

/** A record, whose fields may be filled in after others refer to it. */
export interface AvroRecord {
  kind: "record";
  name: string;
  fields: { name: string; type: AvroType }[];
}

const PRIMITIVES = new Set([
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
]);
const DEPTH_MAX = 64;
/** Of a field: what its column was called, where that is no name to Avro. */
export const NAME_PROPERTY = "originalName";

/** Which logical types fit which types. */
const logicalOf: Readonly<Record<string, readonly string[]>> = {
  int: ["date", "time-millis"],
  long: [
    "time-micros",
    "timestamp-millis",
    "timestamp-micros",
    "timestamp-nanos",
    "local-timestamp-millis",
    "local-timestamp-micros",
    "local-timestamp-nanos",
  ],
  string: ["uuid"],
};

/** Parse a schema's JSON. Throws SyntaxError or Error for one that is none. */
export function parseSchema(text: string): AvroType {
  return new SchemaParser().parse(JSON.parse(text), "", 0);
}

type Json = unknown;

class SchemaParser {
  readonly #named = new Map<string, AvroType>();
  readonly #open = new Set<AvroType>();

  parse(json: Json, namespace: string, depth: number): AvroType {
    if (depth > DEPTH_MAX) throw new Error(`its schema is nested deeper than ${DEPTH_MAX}`);
    if (typeof json === "string") return this.#byName(json, namespace);
    if (Array.isArray(json)) {
      const branches = json.map((branch) => this.parse(branch, namespace, depth + 1));
      if (branches.some(({ kind }) => kind === "union")) {
        throw new Error("its schema has a union in a union");
      }
      return { kind: "union", branches };
    }
    if (typeof json !== "object" || json === null) {
      throw new Error(`its schema has ${JSON.stringify(json)} for a type`);
    }
    return this.#ofObject(json as Record<string, Json>, namespace, depth);
  }

  #byName(name: string, namespace: string): AvroType {
    if (PRIMITIVES.has(name)) return { kind: name } as AvroType;
    const found = this.#named.get(fullName(name, namespace)) ?? this.#named.get(name);
    if (!found) throw new Error(`its schema refers to "${name}", which it does not define`);
    if (found.kind === "record" && this.#open.has(found)) {
      return { kind: "recursive", record: found };
    }
    return found;
  }

  #ofObject(json: Record<string, Json>, namespace: string, depth: number): AvroType {
    const { type } = json;
    switch (type) {
      case "record":
      case "error":
        return this.#record(json, namespace, depth);
      case "enum": {
        const name = nameOf(json, namespace);
        if (!Array.isArray(json.symbols) || json.symbols.some((s) => typeof s !== "string")) {
          throw new Error(`its schema's enum "${name}" has no list of symbols`);
        }
        return this.#define(name, { kind: "enum", name, symbols: json.symbols as string[] });
      }
      case "fixed": {
        const name = nameOf(json, namespace);
        const { size } = json;
        if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > 2 ** 30) {
          throw new Error(`its schema's fixed "${name}" has the size ${JSON.stringify(size)}`);
        }
        const logical = fixedLogical(json, size as number);
        return this.#define(name, { kind: "fixed", name, size: size as number, logical });
      }
      case "array":
        return arrayOf(this.parse(json.items, namespace, depth + 1), json);
      case "map":
        return { kind: "map", values: this.parse(json.values, namespace, depth + 1) };
    }
    const plain = this.parse(type, namespace, depth + 1);
    const logical = plainLogical(json, plain.kind);
    return logical ? { ...plain, logical } as AvroType : plain;
  }

  #record(json: Record<string, Json>, namespace: string, depth: number): AvroType {
    const name = nameOf(json, namespace);
    const within = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : "";
    if (!Array.isArray(json.fields)) throw new Error(`its schema's record "${name}" has no fields`);
    const record: AvroRecord = { kind: "record", name, fields: [] };
    this.#define(name, record);
    this.#open.add(record);
    for (const field of json.fields as Record<string, Json>[]) {
      if (typeof field?.name !== "string") {
        throw new Error(`its schema's record "${name}" has a field without a name`);
      }
      const original = field[NAME_PROPERTY];
      const own = typeof original === "string" ? original : field.name;
      record.fields.push({ name: own, type: this.parse(field.type, within, depth + 1) });
    }
    this.#open.delete(record);
    return record;
  }

  #define(name: string, type: AvroType): AvroType {
    this.#named.set(name, type);
    return type;
  }
}

function arrayOf(items: AvroType, { logicalType }: Record<string, Json>): AvroType {
  const isPair = items.kind === "record" && items.fields.length === 2 &&
    items.fields[0].name === "key" && items.fields[1].name === "value";
  return { kind: "array", items, isMap: isPair && logicalType === "map" };
}

function nameOf({ name, namespace }: Record<string, Json>, within: string): string {
  if (typeof name !== "string" || name === "") {
    throw new Error("its schema has a type without name");
  }
  return fullName(name, typeof namespace === "string" ? namespace : within);
}

function fullName(name: string, namespace: string): string {
  return name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
}

function plainLogical(json: Record<string, Json>, kind: string): LogicalType | undefined {
  const { logicalType } = json;
  if (kind === "bytes" && logicalType === "decimal") return decimalOf(json);
  if (typeof logicalType !== "string" || !logicalOf[kind]?.includes(logicalType)) return undefined;
  return { name: logicalType } as LogicalType;
}

function fixedLogical(json: Record<string, Json>, size: number): LogicalType | undefined {
  switch (json.logicalType) {
    case "decimal":
      return decimalOf(json);
    case "duration":
      return size === 12 ? { name: "duration" } : undefined;
    case "uuid":
      return size === 16 ? { name: "uuid" } : undefined;
  }
}

function decimalOf({ precision, scale = 0 }: Record<string, Json>): LogicalType | undefined {
  const isRight = Number.isInteger(precision) && Number.isInteger(scale) &&
    (precision as number) > 0 && (scale as number) >= 0 &&
    (scale as number) <= (precision as number);
  if (!isRight) return undefined;
  return { name: "decimal", precision: precision as number, scale: scale as number };
}

/** Widest decimal that the engine has; wider ones are texts. */
export const precisionMax = 38;

const plainTypes: Readonly<Record<string, StagedType>> = {
  // Only nulls.
  null: "VARCHAR",
  boolean: "BOOLEAN",
  int: "INTEGER",
  long: "BIGINT",
  float: "FLOAT",
  double: "DOUBLE",
  bytes: "BLOB",
  string: "VARCHAR",
  fixed: "BLOB",
  enum: "VARCHAR",
  recursive: "JSON",
};

const logicalTypes: Readonly<Record<string, StagedType>> = {
  date: "DATE",
  "time-millis": "TIME",
  "time-micros": "TIME",
  "timestamp-millis": "TIMESTAMP_MS WITH TIME ZONE",
  "timestamp-micros": "TIMESTAMP WITH TIME ZONE",
  "timestamp-nanos": "TIMESTAMP_NS WITH TIME ZONE",
  "local-timestamp-millis": "TIMESTAMP_MS",
  "local-timestamp-micros": "TIMESTAMP",
  "local-timestamp-nanos": "TIMESTAMP_NS",
  uuid: "UUID",
  duration: {
    struct: ["months", "days", "milliseconds"].map((name) => ({ name, type: "UINTEGER" })),
  },
};

/** What a union is: the one type besides null, one of the widest of its numbers, or its branches. */
export type UnionShape =
  | { kind: "one"; type: AvroType }
  | { kind: "number"; type: AvroType }
  | { kind: "branches"; branches: AvroType[] };

/** See {@link UnionShape}. */
export function shapeOf(union: Extract<AvroType, { kind: "union" }>): UnionShape {
  const branches = union.branches.filter(({ kind }) => kind !== "null");
  if (branches.length === 0) return { kind: "one", type: { kind: "null" } };
  if (branches.length === 1) return { kind: "one", type: branches[0] };
  const isOf = (...kinds: string[]) =>
    branches.every((branch) => kinds.includes(branch.kind) && !("logical" in branch));
  if (isOf("int", "long")) return { kind: "number", type: { kind: "long" } };
  if (isOf("float", "double")) return { kind: "number", type: { kind: "double" } };
  return { kind: "branches", branches };
}

/** Name of a union's branch, as in Avro's JSON encoding. */
export function branchName(type: AvroType): string {
  if (type.kind === "recursive") return type.record.name;
  return "name" in type ? type.name : type.kind;
}

/** Can a value of the type take no byte at all? */
export function isEmptyPossible(type: AvroType): boolean {
  if (type.kind === "record") return type.fields.every((field) => isEmptyPossible(field.type));
  return type.kind === "null" || (type.kind === "fixed" && type.size === 0);
}

/**
 * The column type of a schema. Unions of one type and null are that type; numbers of two widths the
 * wider one; other unions a struct with a field a branch, of which one is not null. Records within
 * themselves and those without fields are JSON; decimals of more than 38 digits are exact texts.
 */
export function columnOf(type: AvroType): StagedType {
  const logical = "logical" in type ? type.logical : undefined;
  if (logical?.name === "decimal") {
    const { precision, scale } = logical;
    return precision > precisionMax ? "VARCHAR" : { decimal: [precision, scale] };
  }
  if (logical) return logicalTypes[logical.name];
  switch (type.kind) {
    case "array": {
      if (!type.isMap) return { list: columnOf(type.items) };
      const [key, value] = (type.items as AvroRecord).fields;
      return { map: [columnOf(key.type), columnOf(value.type)] };
    }
    case "map":
      return { map: ["VARCHAR", columnOf(type.values)] };
    case "record":
      return type.fields.length === 0 ? "JSON" : structOf(type.fields);
    case "union": {
      const shape = shapeOf(type);
      return shape.kind === "branches"
        ? structOf(shape.branches.map((branch) => ({ name: branchName(branch), type: branch })))
        : columnOf(shape.type);
    }
  }
  return plainTypes[type.kind];
}

function structOf(fields: readonly { name: string; type: AvroType }[]): StagedType {
  const names = uniqueNames(fields.map(({ name }) => name));
  return { struct: fields.map(({ type }, i) => ({ name: names[i], type: columnOf(type) })) };
}
