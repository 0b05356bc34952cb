/** @module Types of staged columns, as Parquet and as SQL. */
import type { SchemaElement } from "hyparquet";
import { ident } from "../../table/sql.ts";

/** Types without parts, with the value that a decoder gives for one; null is null in all. */
const plain = {
  /** A boolean. */
  BOOLEAN: { type: "BOOLEAN" },
  /** A number. */
  TINYINT: { type: "INT32", converted_type: "INT_8" },
  SMALLINT: { type: "INT32", converted_type: "INT_16" },
  INTEGER: { type: "INT32" },
  UTINYINT: { type: "INT32", converted_type: "UINT_8" },
  USMALLINT: { type: "INT32", converted_type: "UINT_16" },
  UINTEGER: { type: "INT32", converted_type: "UINT_32" },
  FLOAT: { type: "FLOAT" },
  DOUBLE: { type: "DOUBLE" },
  /** A bigint. */
  BIGINT: { type: "INT64" },
  UBIGINT: { type: "INT64", converted_type: "UINT_64" },
  /** A string, or its UTF-8 bytes, which is several times faster. */
  VARCHAR: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  /** The same: one JSON text. */
  JSON: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  /** A Uint8Array. */
  BLOB: { type: "BYTE_ARRAY" },
  /** A Uint8Array of 16. */
  UUID: { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16, logical_type: { type: "UUID" } },
  /** A number: days since 1970-01-01. */
  DATE: { type: "INT32", converted_type: "DATE" },
  /** A bigint: microseconds since midnight. */
  TIME: {
    type: "INT64",
    logical_type: { type: "TIME", isAdjustedToUTC: false, unit: "MICROS" },
  },
  /** A bigint: nanoseconds since midnight. The engine cuts Parquet's own type to microseconds. */
  TIME_NS: stamp("NANOS", false),
  /** A bigint: units since 1970-01-01 00:00. */
  TIMESTAMP_MS: stamp("MILLIS", false),
  TIMESTAMP: stamp("MICROS", false),
  TIMESTAMP_NS: stamp("NANOS", false),
  /** A bigint: units since 1970-01-01 00:00 UTC. */
  "TIMESTAMP_MS WITH TIME ZONE": stamp("MILLIS", true),
  "TIMESTAMP WITH TIME ZONE": stamp("MICROS", true),
  /** The same in nanoseconds, which the engine would cut: it sees no zone. */
  "TIMESTAMP_NS WITH TIME ZONE": stamp("NANOS", false),
} satisfies Record<string, Omit<SchemaElement, "name">>;

/** Name of a type without parts. */
export type PlainType = keyof typeof plain;

/**
 * A column's type. Values: of a decimal the unscaled bigint (precision up to 38), of a list an array,
 * of a struct an object by field, of a map an array of `{ key, value }`.
 */
export type StagedType =
  | PlainType
  | { decimal: readonly [precision: number, scale: number] }
  | { list: StagedType }
  | { struct: readonly { name: string; type: StagedType }[] }
  | { map: readonly [key: StagedType, value: StagedType] };

/** Types that are read from the staged file as others. */
const sqlNames: Partial<Record<PlainType, string>> = {
  TIMESTAMP_MS: "TIMESTAMP",
  "TIMESTAMP_MS WITH TIME ZONE": "TIMESTAMP WITH TIME ZONE",
};

/** The type's name in SQL; `TIMESTAMP_NS WITH TIME ZONE` is the product's own. */
export function sqlOf(type: StagedType): string {
  if (typeof type === "string") return sqlNames[type] ?? type;
  if ("decimal" in type) return `DECIMAL(${type.decimal.join(",")})`;
  if ("list" in type) return `${sqlOf(type.list)}[]`;
  if ("map" in type) return `MAP(${type.map.map(sqlOf).join(", ")})`;
  return `STRUCT(${
    type.struct.map(({ name, type }) => `${ident(name)} ${sqlOf(type)}`).join(", ")
  })`;
}

/** Does SQL see another type in the staged file than is meant? */
export function isRecast(type: StagedType): boolean {
  if (typeof type === "string") return type === "JSON" || type === "TIME_NS";
  if ("decimal" in type) return false;
  if ("list" in type) return isRecast(type.list);
  if ("map" in type) return type.map.some(isRecast);
  return type.struct.some((field) => isRecast(field.type));
}

/** The elements of a column in a Parquet schema, parents first. */
export function schemaOf(
  name: string,
  type: StagedType,
  repetition_type: SchemaElement["repetition_type"] = "OPTIONAL",
): SchemaElement[] {
  const own = { name, repetition_type };
  if (typeof type === "string") return [{ ...own, ...plain[type] } as SchemaElement];
  if ("decimal" in type) {
    const [precision, scale] = type.decimal;
    const physical = precision <= 18
      ? { type: "INT64" as const }
      : { type: "FIXED_LEN_BYTE_ARRAY" as const, type_length: 16 };
    return [{ ...own, ...physical, converted_type: "DECIMAL", precision, scale }];
  }
  if ("list" in type) {
    return [
      { ...own, converted_type: "LIST", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...schemaOf("element", type.list),
    ];
  }
  if ("map" in type) {
    return [
      { ...own, converted_type: "MAP", num_children: 1 },
      { name: "key_value", repetition_type: "REPEATED", num_children: 2 },
      ...schemaOf("key", type.map[0], "REQUIRED"),
      ...schemaOf("value", type.map[1]),
    ];
  }
  return [
    { ...own, num_children: type.struct.length },
    ...type.struct.flatMap((field) => schemaOf(field.name, field.type)),
  ];
}

function stamp(unit: "MILLIS" | "MICROS" | "NANOS", isAdjustedToUTC: boolean) {
  return { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC, unit } } as const;
}
