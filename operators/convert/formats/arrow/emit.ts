/** @module Arrow's arrays, written slot by slot into staged columns. */
import { type StagedNode, writeNull } from "../staged_node.ts";
import type { ArrowArray } from "./arrays.ts";
import { intsOf, numbersOf, offsetsOf, putOf } from "./values.ts";

/** Writes the i-th value at a repetition level. */
export type Emit = (i: number, rep: number) => void;

/** Finds the arrays of a dictionary: one, and those that were added to it. */
export type FindDictionary = (id: number) => readonly ArrowArray[];

/** What writes an array into a node. Throws Error for what is damaged, when it is come to. */
export function emitOf(array: ArrowArray, node: StagedNode, find: FindDictionary): Emit {
  const { field, validity } = array;
  const emit = field.dictionary ? dictionaryOf(array, node, find) : presentOf(array, node, find);
  if (validity === null) return emit;
  return (i, rep) => {
    if ((validity[i >> 3] >> (i & 7)) & 1) emit(i, rep);
    else writeNull(node, rep);
  };
}

/** Write rows of a column, in one piece where they are stored as they are. */
export function emitRows(
  array: ArrowArray,
  node: StagedNode,
  find: FindDictionary,
): (from: number, to: number) => void {
  const { field, validity } = array;
  const width = storedWidth(array);
  if (width > 0 && validity === null && !field.dictionary && node.kind === "leaf") {
    const [bytes] = array.buffers;
    const { leaf } = node;
    return (from, to) => {
      leaf.slotsOfMany(to - from);
      leaf.raw(bytes.subarray(from * width, to * width));
    };
  }
  const emit = emitOf(array, node, find);
  return (from, to) => {
    for (let i = from; i < to; i++) emit(i, 0);
  };
}

/** Bytes of a value that is stored here as it is in Arrow; 0 for others, and those to be looked at. */
function storedWidth({ field: { type } }: ArrowArray): number {
  if (type.kind === "int") return type.bits >= 32 ? type.bits / 8 : 0;
  if (type.kind === "float") return type.bits >= 32 ? type.bits / 8 : 0;
  return type.kind === "duration" ? 8 : 0;
}

function presentOf(array: ArrowArray, node: StagedNode, find: FindDictionary): Emit {
  const { type } = array.field;
  switch (type.kind) {
    case "null":
      return (_i, rep) => writeNull(node, rep);
    case "struct":
      return structOf(array, node, find);
    case "union":
      return unionOf(array, node, find);
    case "runs":
      return runsOf(array, node, find);
    case "list":
    case "listview":
    case "fixedlist":
    case "map":
      return itemsOf(array, node, find);
    case "interval":
      if (node.kind === "struct") return intervalOf(array, node);
  }
  if (node.kind !== "leaf") throw new Error(`No column for ${type.kind}`);
  const { leaf } = node;
  const put = putOf(array, leaf, node.type);
  const def = leaf.defMax;
  return (i, rep) => {
    leaf.slot(rep, def);
    put(i);
  };
}

function structOf(array: ArrowArray, node: StagedNode, find: FindDictionary): Emit {
  if (node.kind === "leaf") {
    const { leaf } = node;
    return (_i, rep) => {
      leaf.slot(rep, leaf.defMax);
      leaf.text("{}");
    };
  }
  const fields = (node as Extract<StagedNode, { kind: "struct" }>).fields;
  const emits = array.children.map((child, i) => emitOf(child, fields[i].node, find));
  return (i, rep) => {
    for (let k = 0; k < emits.length; k++) emits[k](i, rep);
  };
}

function unionOf(array: ArrowArray, node: StagedNode, find: FindDictionary): Emit {
  const { field, children, buffers: [kinds, offsets] } = array;
  const type = field.type as { isDense: boolean; typeIds: number[] };
  if (node.kind !== "struct") return structOf(array, node, find);
  const emits = children.map((child, i) => emitOf(child, node.fields[i].node, find));
  const ids = type.typeIds.length > 0 ? type.typeIds : children.map((_, i) => i);
  const byId = new Map(ids.map((id, i) => [id, i]));
  const at = type.isDense ? intsOf(offsets) : null;
  return (i, rep) => {
    const chosen = byId.get(kinds[i]) ?? -1;
    const place = at ? at[i] : i;
    if (!children[chosen] || !(place >= 0 && place < children[chosen].length)) {
      throw new Error(
        `column "${field.name}" is a union that says type ${kinds[i]}, value ${place}`,
      );
    }
    for (let k = 0; k < emits.length; k++) {
      if (k === chosen) emits[k](place, rep);
      else writeNull(node.fields[k].node, rep);
    }
  };
}

/** The run that a value is in: the next one as a rule, since values come in order. */
function runsOf(array: ArrowArray, node: StagedNode, find: FindDictionary): Emit {
  const { field, length, children: [ends, values] } = array;
  const { bits } = ends.field.type as { bits: number };
  const [bytes] = ends.buffers;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const endOf = (run: number) =>
    bits === 16
      ? view.getInt16(run * 2, true)
      : bits === 32
      ? view.getInt32(run * 4, true)
      : Number(view.getBigInt64(run * 8, true));
  const runs = ends.length;
  for (let run = 0; run < runs; run++) {
    if (endOf(run) <= (run === 0 ? 0 : endOf(run - 1))) {
      throw new Error(`column "${field.name}" has runs that do not ascend`);
    }
  }
  if (values.length < runs || (length > 0 && !(runs > 0 && endOf(runs - 1) >= length))) {
    throw new Error(`column "${field.name}" has runs that end before its ${length} values`);
  }
  const emit = emitOf(values, node, find);
  let run = 0;
  return (i, rep) => {
    if (run > 0 && endOf(run - 1) > i) run = 0;
    while (endOf(run) <= i) run++;
    emit(run, rep);
  };
}

function itemsOf(array: ArrowArray, node: StagedNode, find: FindDictionary): Emit {
  const { field, children: [child] } = array;
  const [from, count] = boundsOf(array);
  const { length } = child;
  let item: Emit;
  if (node.kind === "map") {
    const [keys, values] = child.children;
    const key = emitOf(keys, node.key, find);
    const value = emitOf(values, node.value, find);
    const isNull = (array: ArrowArray, i: number) =>
      array.validity !== null && !((array.validity[i >> 3] >> (i & 7)) & 1);
    item = (i, rep) => {
      if (isNull(keys, i) || isNull(child, i)) {
        throw new Error(`column "${field.name}" is a map with a key that is null`);
      }
      key(i, rep);
      value(i, rep);
    };
  } else if (node.kind === "list") item = emitOf(child, node.item, find);
  else throw new Error("No list for a list");
  const { nullDef, rep: within } = node;
  return (i, rep) => {
    const first = from(i);
    const items = count(i);
    if (!(first >= 0 && items >= 0 && items <= length - first)) {
      throw new Error(`column "${field.name}" has ${items} items from ${first} of ${length}`);
    }
    if (items === 0) return writeNull(node, rep, nullDef + 1);
    item(first, rep);
    for (let k = first + 1; k < first + items; k++) item(k, within);
  };
}

/** Where the items of the i-th list begin, and how many they are. */
function boundsOf(
  { field: { type }, buffers }: ArrowArray,
): [from: (i: number) => number, count: (i: number) => number] {
  if (type.kind === "fixedlist") return [(i) => i * type.items, () => type.items];
  if (type.kind === "listview") {
    return [offsetsOf(buffers[0], type.isLarge), offsetsOf(buffers[1], type.isLarge)];
  }
  const at = offsetsOf(buffers[0], type.kind === "list" && type.isLarge);
  return [at, (i) => at(i + 1) - at(i)];
}

function intervalOf(array: ArrowArray, { leaves }: StagedNode): Emit {
  const ints = intsOf(array.buffers[0]);
  const isNanos = leaves.length === 3;
  const words = isNanos ? 4 : 2;
  return (i, rep) => {
    for (const leaf of leaves) leaf.slot(rep, leaf.defMax);
    const at = i * words;
    leaves[0].int(ints[at]);
    leaves[1].int(ints[at + 1]);
    if (isNanos) leaves[2].long(ints[at + 2], ints[at + 3]);
  };
}

function dictionaryOf(array: ArrowArray, node: StagedNode, find: FindDictionary): Emit {
  const { field, buffers: [bytes] } = array;
  const { id, index: { bits, isSigned } } = field.dictionary!;
  const chunks = find(id);
  const emits = chunks.map((chunk) => emitOf(chunk, node, find));
  const starts: number[] = [0];
  for (const chunk of chunks) starts.push(starts.at(-1)! + chunk.length);
  const total = starts.at(-1)!;
  const at = indexesOf(bytes, bits, isSigned);
  return (i, rep) => {
    const index = at(i);
    if (!(index >= 0 && index < total)) {
      throw new Error(`column "${field.name}" has value ${index} of a dictionary of ${total}`);
    }
    let chunk = 0;
    while (index >= starts[chunk + 1]) chunk++;
    emits[chunk](index - starts[chunk], rep);
  };
}

function indexesOf(
  bytes: Uint8Array,
  bits: 8 | 16 | 32 | 64,
  isSigned: boolean,
): (i: number) => number {
  if (bits === 64) return offsetsOf(bytes, true);
  const values = numbersOf(bytes, bits, isSigned);
  return (i) => values[i];
}
