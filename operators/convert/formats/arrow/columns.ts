/** @module What Arrow's types become in columns. */
import type { StagedType } from "../staged_type.ts";
import { uniqueNames } from "../unique_names.ts";
import type { ArrowField, ArrowType } from "./schema.ts";

/** A value that its field's column cannot hold: the file is read again with a wider one. */
export class TooNarrow extends Error {
  readonly field: ArrowField;

  constructor(field: ArrowField, value: string) {
    super(`column "${field.name}" holds ${value}`);
    this.field = field;
  }
}

/** How often fields, by their ids, turned out too narrow. */
export type Widened = ReadonlyMap<number, number>;

const digitsMax = 38;
const floats = { 16: "FLOAT", 32: "FLOAT", 64: "DOUBLE" } as const;
const stamps = {
  s: "TIMESTAMP_MS",
  ms: "TIMESTAMP_MS",
  us: "TIMESTAMP",
  ns: "TIMESTAMP_NS",
} as const;

/**
 * The column type of a field. Dictionaries and runs are their values; intervals structs of their parts;
 * durations integers in the file's unit; unions structs with a field a type, of which one at most is
 * not null; decimals of more than 38 digits exact texts. Dates, times and timestamps that the engine
 * has not are integers.
 */
export function columnOf(field: ArrowField, widened: Widened): StagedType {
  const { type, children, extension } = field;
  const wide = widened.get(field.id) ?? 0;
  switch (type.kind) {
    case "null":
      return "VARCHAR";
    case "boolean":
      return "BOOLEAN";
    case "int":
      return integerOf(type);
    case "float":
      return floats[type.bits];
    case "utf8":
    case "utf8view":
      return extension === "arrow.json" ? "JSON" : "VARCHAR";
    case "binary":
    case "binaryview":
      return "BLOB";
    case "fixedbinary":
      return type.bytes === 16 && extension === "arrow.uuid" ? "UUID" : "BLOB";
    case "decimal":
      return decimalOf(type, wide);
    case "date":
      return wide > 0 ? (type.unit === "day" ? "INTEGER" : "BIGINT") : "DATE";
    case "time":
      return wide > 0 ? "BIGINT" : type.unit === "ns" ? "TIME_NS" : "TIME";
    case "timestamp": {
      if (wide > 0) return "BIGINT";
      const plain = stamps[type.unit];
      return type.zone === null ? plain : `${plain} WITH TIME ZONE`;
    }
    case "duration":
      return "BIGINT";
    case "interval":
      return intervals[type.unit];
    case "list":
    case "listview":
    case "fixedlist":
      return { list: columnOf(children[0], widened) };
    case "map": {
      const [key, value] = children[0].children;
      return { map: [columnOf(key, widened), columnOf(value, widened)] };
    }
    case "runs":
      return columnOf(children[1], widened);
    case "struct":
    case "union": {
      if (children.length === 0) return "JSON";
      const names = uniqueNames(children.map(({ name }) => name));
      return {
        struct: children.map((child, i) => ({ name: names[i], type: columnOf(child, widened) })),
      };
    }
  }
}

const intervals: Readonly<Record<"months" | "days_ms" | "months_days_ns", StagedType>> = {
  months: "INTEGER",
  days_ms: {
    struct: [{ name: "days", type: "INTEGER" }, { name: "milliseconds", type: "INTEGER" }],
  },
  months_days_ns: {
    struct: [
      { name: "months", type: "INTEGER" },
      { name: "days", type: "INTEGER" },
      { name: "nanoseconds", type: "BIGINT" },
    ],
  },
};

function integerOf({ bits, isSigned }: Extract<ArrowType, { kind: "int" }>): StagedType {
  const name = { 8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT" } as const;
  const plain = name[bits];
  return isSigned ? plain : `U${plain}`;
}

/** Once too narrow, as many digits as there can be; then a text. */
function decimalOf(
  { precision, scale }: Extract<ArrowType, { kind: "decimal" }>,
  wide: number,
): StagedType {
  const behind = Math.max(scale, 0);
  const digits = wide === 0
    ? Math.max(scale < 0 ? precision - scale : precision, behind)
    : digitsMax;
  return wide > 1 || digits > digitsMax || behind > digitsMax
    ? "VARCHAR"
    : { decimal: [digits, behind] };
}
