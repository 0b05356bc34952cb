/** @module What a Parquet column's leaf becomes where the engine has no type for it. */
import type { SchemaElement } from "hyparquet";
import { textOfDecimal } from "../decimal_text.ts";
import { OffsetError } from "../offset_window.ts";
import { Leaf } from "../staged_leaf.ts";
import { signedOf } from "../signed_bytes.ts";
import type { ParquetNode } from "./footer.ts";
import { nanosOfInt96 } from "./int96.ts";

/** A leaf of a file written anew. */
export interface Rewritten {
  /** More than one for a value of several parts. */
  leaves: Leaf[];
  schema: SchemaElement[];
  /** Takes a value that is there. */
  put(value: unknown): void;
}

/** What a leaf is beyond the type that the engine sees. */
export type Meaning = "zoned_ns" | "time_ns" | null;

const digitsMax = 38;

/** Precision of a decimal; null for others. */
export function precisionOf(
  { converted_type, logical_type, precision }: SchemaElement,
): number | null {
  if (logical_type?.type === "DECIMAL") return logical_type.precision;
  return converted_type === "DECIMAL" ? precision ?? 0 : null;
}

/** A decimal that the engine would make a double. */
export function isWideDecimal(element: SchemaElement): boolean {
  return (precisionOf(element) ?? 0) > digitsMax;
}

/** A map that has only keys. */
export function isMapWithoutValues({ element, children }: ParquetNode): boolean {
  const { converted_type: converted, logical_type: logical } = element;
  const isMap = converted === "MAP" || converted === "MAP_KEY_VALUE" || logical?.type === "MAP";
  return isMap && children.length === 1 && children[0].element.repetition_type === "REPEATED" &&
    children[0].children.length === 1;
}

/** See {@link Meaning}. */
export function meaningOf({ logical_type: logical }: SchemaElement): Meaning {
  if (logical?.type === "TIME" && logical.unit === "NANOS") return "time_ns";
  const isZoned = logical?.type === "TIMESTAMP" && logical.unit === "NANOS" &&
    logical.isAdjustedToUTC;
  return isZoned ? "zoned_ns" : null;
}

const plainNanos = { type: "TIMESTAMP", isAdjustedToUTC: false, unit: "NANOS" } as const;

/** The element as the engine may see it: nanoseconds that it would cut are plain timestamps. */
export function asElement(element: SchemaElement): SchemaElement {
  const { logical_type: logical } = element;
  // What writes the footer makes the width an integer of 32 bits, which the engine refuses.
  if (logical?.type === "INTEGER") {
    const converted_type = `${
      logical.isSigned ? "" : "U"
    }INT_${logical.bitWidth}` as SchemaElement["converted_type"];
    return { ...element, converted_type, logical_type: undefined };
  }
  if (meaningOf(element) === null) return element;
  return { ...element, converted_type: undefined, logical_type: plainNanos };
}

/** The leaf of the new file. */
export function rewrittenOf(node: ParquetNode, int96: "TIMESTAMP" | "TIMESTAMP_NS"): Rewritten {
  const { element, path } = node;
  if (element.type === "INT96") return int96Leaf(node, int96);
  if (element.converted_type === "INTERVAL") return intervalLeaf(node);
  if (isWideDecimal(element)) return decimalLeaf(node);
  const leaf = leafOf(node, widthOf(element));
  const schema = [asElement(element)];
  const put = putOf(leaf, element);
  if (!put) throw new OffsetError(`column ${path.join(".")} has an unknown type`, 0);
  return { leaves: [leaf], schema, put };
}

function leafOf({ rep, def }: ParquetNode, width: number | null): Leaf {
  return new Leaf({ width, repMax: rep, defMax: def, budget: { bytes: 0 } });
}

function widthOf({ type, type_length }: SchemaElement): number | null {
  switch (type) {
    case "BOOLEAN":
      return 0;
    case "INT32":
    case "FLOAT":
      return 4;
    case "INT64":
    case "DOUBLE":
      return 8;
    case "FIXED_LEN_BYTE_ARRAY":
      return type_length ?? 0;
    default:
      return null;
  }
}

function putOf(leaf: Leaf, { type }: SchemaElement): Rewritten["put"] | null {
  switch (type) {
    case "BOOLEAN":
      return (value) => leaf.boolean(value as boolean);
    case "INT32":
      return (value) => leaf.int(value as number);
    case "INT64":
      return (value) => leaf.bigint(value as bigint);
    case "FLOAT":
      return (value) => leaf.float(value as number);
    case "DOUBLE":
      return (value) => leaf.double(value as number);
    case "BYTE_ARRAY":
      return (value) => leaf.bytes(value as Uint8Array, 0, (value as Uint8Array).length);
    case "FIXED_LEN_BYTE_ARRAY":
      return (value) => leaf.fixed(value as Uint8Array, 0);
    default:
      return null;
  }
}

function int96Leaf(node: ParquetNode, to: "TIMESTAMP" | "TIMESTAMP_NS"): Rewritten {
  const { name, repetition_type } = node.element;
  const leaf = leafOf(node, 8);
  const unit = to === "TIMESTAMP" ? "MICROS" : "NANOS";
  const logical_type = { type: "TIMESTAMP", isAdjustedToUTC: false, unit } as const;
  const put = (value: unknown) => {
    const nanos = nanosOfInt96(value as Uint8Array);
    // Spark's days of the last years that it has overflow, and overflow back in 64 bits.
    leaf.bigint(BigInt.asIntN(64, to === "TIMESTAMP" ? nanos / 1000n : nanos));
  };
  return { leaves: [leaf], schema: [{ name, repetition_type, type: "INT64", logical_type }], put };
}

/** Months, days and milliseconds, of 32 bits without a sign. */
function intervalLeaf(node: ParquetNode): Rewritten {
  const { name, repetition_type } = node.element;
  const parts = ["months", "days", "milliseconds"];
  const leaves = parts.map(() => leafOf(node, 4));
  const put = (value: unknown) => {
    const bytes = value as Uint8Array;
    const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
    for (const [i, leaf] of leaves.entries()) leaf.int(view.getInt32(4 * i, true));
  };
  const fields = parts.map((name): SchemaElement => ({
    name,
    type: "INT32",
    converted_type: "UINT_32",
    repetition_type: "REQUIRED",
  }));
  return { leaves, schema: [{ name, repetition_type, num_children: 3 }, ...fields], put };
}

/** Of more digits than the engine's decimals have: the exact text. */
function decimalLeaf(node: ParquetNode): Rewritten {
  const { name, repetition_type, scale: ownScale, logical_type: logical, type } = node.element;
  const scale = (logical?.type === "DECIMAL" ? logical.scale : ownScale) ?? 0;
  const leaf = leafOf(node, null);
  const put = (value: unknown) => {
    const unscaled = value instanceof Uint8Array
      ? signedOf(value, 0, value.length)
      : BigInt(value as number | bigint);
    leaf.text(textOfDecimal(unscaled, scale));
  };
  if (type === "BOOLEAN" || type === "FLOAT" || type === "DOUBLE") {
    throw new OffsetError(`column ${node.path.join(".")} is a decimal of type ${type}`, 0);
  }
  const schema: SchemaElement[] = [
    { name, repetition_type, type: "BYTE_ARRAY", converted_type: "UTF8" },
  ];
  return { leaves: [leaf], schema, put };
}
