/**
 * @module A staged column as a tree whose ends are {@link Leaf}s, and values written into it.
 *
 * A decoder may write into the tree itself, slot by slot, and so make no object of a value: a null
 * anywhere is a slot in every leaf below, see {@link writeNull}.
 */
import { Leaf, type LeafWidth, type StagedBudget } from "./staged_leaf.ts";
import type { PlainType, StagedType } from "./staged_type.ts";

/** A node of a column's tree; definition levels as Parquet counts them. */
export type StagedNode =
  & {
    /** Of a null. Of a value without parts it is one more, as of an empty list. */
    nullDef: number;
    /** All ends below. */
    leaves: readonly Leaf[];
  }
  & (
    | { kind: "leaf"; type: StagedType; leaf: Leaf }
    /** `rep`: the repetition level of all items but the first, which takes the list's own. */
    | { kind: "list"; item: StagedNode; rep: number }
    | { kind: "map"; key: StagedNode; value: StagedNode; rep: number }
    | { kind: "struct"; fields: readonly { name: string; node: StagedNode }[] }
  );

interface Place {
  def: number;
  rep: number;
  isRequired?: boolean;
  budget: StagedBudget;
}

/** Make the tree of a column's type. */
export function nodeOf(type: StagedType, place: Place): StagedNode {
  const { rep, budget } = place;
  // A required value takes no level; its null is never written.
  const nullDef = place.isRequired ? place.def - 1 : place.def;
  const def = nullDef + 1;
  if (typeof type === "string" || "decimal" in type) {
    const leaf = new Leaf({ width: widthOf(type), repMax: rep, defMax: def, budget });
    return { kind: "leaf", nullDef, leaves: [leaf], type, leaf };
  }
  if ("list" in type) {
    const item = nodeOf(type.list, { def: def + 1, rep: rep + 1, budget });
    return { kind: "list", nullDef, leaves: item.leaves, item, rep: rep + 1 };
  }
  if ("map" in type) {
    const within = { def: def + 1, rep: rep + 1, budget };
    const key = nodeOf(type.map[0], { ...within, isRequired: true });
    const value = nodeOf(type.map[1], within);
    const leaves = [...key.leaves, ...value.leaves];
    return { kind: "map", nullDef, leaves, key, value, rep: rep + 1 };
  }
  const fields = type.struct.map(({ name, type }) => ({
    name,
    node: nodeOf(type, { def, rep, budget }),
  }));
  return { kind: "struct", nullDef, leaves: fields.flatMap(({ node }) => node.leaves), fields };
}

/** A null in the node, or, with other levels, the lack of it. */
export function writeNull({ leaves, nullDef }: StagedNode, rep: number, def = nullDef): void {
  for (let i = 0; i < leaves.length; i++) leaves[i].slot(rep, def);
}

/** Writes one value, or null, at a repetition level. */
export type WriteValue = (value: unknown, rep: number) => void;

/** A writer of values that are as {@link StagedType} says. */
export function writerOf(node: StagedNode): WriteValue {
  if (node.kind === "leaf") return leafWriter(node.type, node.leaf, node.nullDef);
  if (node.kind === "struct") {
    const fields = node.fields.map(({ name, node }) => ({ name, write: writerOf(node) }));
    return (value, rep) => {
      if (value === null || value === undefined) return writeNull(node, rep);
      for (const { name, write } of fields) write((value as Record<string, unknown>)[name], rep);
    };
  }
  const parts = node.kind === "list" ? null : [writerOf(node.key), writerOf(node.value)];
  const item: WriteValue = node.kind === "list" ? writerOf(node.item) : (entry, rep) => {
    const { key, value } = entry as { key: unknown; value: unknown };
    if (key === null || key === undefined) throw new RangeError("A key of a map is null");
    parts![0](key, rep);
    parts![1](value, rep);
  };
  return (value, rep) => {
    if (value === null || value === undefined) return writeNull(node, rep);
    const items = value as ArrayLike<unknown>;
    if (items.length === 0) return writeNull(node, rep, node.nullDef + 1);
    item(items[0], rep);
    for (let i = 1; i < items.length; i++) item(items[i], node.rep);
  };
}

function leafWriter(type: StagedType, leaf: Leaf, nullDef: number): WriteValue {
  const put = valueWriter(type, leaf);
  return (value, rep) => {
    if (value === null || value === undefined) return leaf.slot(rep, nullDef);
    leaf.slot(rep, leaf.defMax);
    put(value);
  };
}

const ranges: Partial<Record<PlainType, readonly [min: number, max: number]>> = {
  TINYINT: [-128, 127],
  SMALLINT: [-32_768, 32_767],
  INTEGER: [-(2 ** 31), 2 ** 31 - 1],
  UTINYINT: [0, 255],
  USMALLINT: [0, 65_535],
  UINTEGER: [0, 2 ** 32 - 1],
  // The engine's infinities are the outermost days.
  DATE: [-(2 ** 31) + 2, 2 ** 31 - 2],
};

function valueWriter(type: StagedType, leaf: Leaf): (value: unknown) => void {
  const refuse = (value: unknown) => {
    const shown = typeof value === "object" ? "an object" : String(value);
    return new RangeError(`A value is not of its column's type ${JSON.stringify(type)}: ${shown}`);
  };
  if (typeof type !== "string") {
    if (!("decimal" in type)) throw new Error(`Not a type without parts: ${JSON.stringify(type)}`);
    const limit = 10n ** BigInt(type.decimal[0]);
    return (value) => {
      if (typeof value !== "bigint" || value >= limit || -value >= limit) throw refuse(value);
      return leaf.width === 8 ? leaf.bigint(value) : leaf.wide(value);
    };
  }
  const range = ranges[type];
  if (range) {
    const [min, max] = range;
    return (value) => {
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
        throw refuse(value);
      }
      leaf.int(value as number);
    };
  }
  switch (type) {
    case "BOOLEAN":
      return (value) => {
        if (typeof value !== "boolean") throw refuse(value);
        leaf.boolean(value);
      };
    case "FLOAT":
      return (value) => {
        if (typeof value !== "number") throw refuse(value);
        leaf.float(value);
      };
    case "DOUBLE":
      return (value) => {
        if (typeof value !== "number") throw refuse(value);
        leaf.double(value);
      };
    case "VARCHAR":
    case "JSON":
    case "BLOB":
      return (value) => {
        if (typeof value === "string" && type !== "BLOB") return leaf.text(value);
        if (!(value instanceof Uint8Array)) throw refuse(value);
        leaf.bytes(value, 0, value.length);
      };
    case "UUID":
      return (value) => {
        if (!(value instanceof Uint8Array) || value.length !== 16) throw refuse(value);
        leaf.fixed(value, 0);
      };
  }
  const bounded = type === "UBIGINT" ? BigInt.asUintN : BigInt.asIntN;
  return (value) => {
    if (typeof value !== "bigint" || bounded(64, value) !== value) throw refuse(value);
    leaf.bigint(value);
  };
}

function widthOf(type: StagedType): LeafWidth {
  if (typeof type !== "string") return "decimal" in type && type.decimal[0] <= 18 ? 8 : 16;
  if (type in ranges || type === "FLOAT") return 4;
  if (type === "BOOLEAN") return 0;
  if (type === "UUID") return 16;
  return type === "VARCHAR" || type === "JSON" || type === "BLOB" ? null : 8;
}
