/** @module Values of one column of a stripe, with its nulls and its children. */
import type { StagedTexts, StagedValues } from "../staging.ts";
import { BitRuns, ByteRuns } from "./byte_runs.ts";
import { decimalReader } from "./decimals.ts";
import { dateReader, timestampReader } from "./instants.ts";
import { IntegerRuns } from "./integer_runs.ts";
import type { Stripe } from "./stripe.ts";
import type { OrcType } from "./tail.ts";
import { textReader } from "./texts.ts";
import { memberNames } from "./types.ts";

/** Reads the next `count` values. */
export type ColumnReader = (count: number) => PlainValues;

/** Elements of lists and maps of one batch; more is more than a process should hold. */
const ELEMENTS_MAX = 1 << 24;

/** Values that can be taken one by one. */
type PlainValues = Exclude<StagedValues, StagedTexts>;

/** Read a column of rows: its texts are no objects. */
export function topReader(type: OrcType, stripe: Stripe): (count: number) => StagedValues {
  if (!/^(string|char|varchar|binary)$/.test(type.kind)) return columnReader(type, stripe);
  const texts = textReader(type, stripe);
  const present = presence(type, stripe);
  return (count) => {
    const bits = present(count);
    if (bits === null) return texts(count);
    return texts(countOf(bits)).amongNulls(bits);
  };
}

function valuesOf(texts: (count: number) => StagedTexts): ColumnReader {
  return (count) => texts(count).values();
}

/** Read a column of a stripe, nulls and all. */
export function columnReader(type: OrcType, stripe: Stripe): ColumnReader {
  const values = valueReader(type, stripe);
  const present = presence(type, stripe);
  return (count) => {
    const bits = present(count);
    return bits === null ? values(count) : withNulls(bits, values);
  };
}

/** Says which of the next values are there; null: all. */
export function presence(type: OrcType, stripe: Stripe): (count: number) => Uint8Array | null {
  if (!stripe.has(type.id, "present")) return () => null;
  const runs = new BitRuns(stripe.stream(type.id, "present"));
  return (count) => {
    const bits = runs.take(count);
    return bits.includes(0) ? bits : null;
  };
}

/** Values where bits are set, null elsewhere. */
export function withNulls(bits: Uint8Array, values: ColumnReader): unknown[] {
  const dense = values(countOf(bits));
  const all: unknown[] = new Array(bits.length);
  for (let i = 0, k = 0; i < bits.length; i++) all[i] = bits[i] === 1 ? dense[k++] : null;
  return all;
}

function countOf(bits: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bits.length; i++) count += bits[i];
  return count;
}

/** Reads those values of a column that are there. */
function valueReader(type: OrcType, stripe: Stripe): ColumnReader {
  switch (type.kind) {
    case "boolean": {
      const runs = new BitRuns(stripe.stream(type.id, "data"));
      return (count) => Array.from(runs.take(count), (bit) => bit === 1);
    }
    case "byte": {
      const runs = new ByteRuns(stripe.stream(type.id, "data"));
      return (count) => Int32Array.from({ length: count }, () => (runs.next() << 24) >> 24);
    }
    case "short":
    case "int":
    case "long":
      return integerReader(type, stripe);
    case "float":
    case "double":
      return floatReader(type, stripe);
    case "string":
    case "char":
    case "varchar":
    case "binary":
      return valuesOf(textReader(type, stripe));
    case "date":
      return dateReader(type, stripe);
    case "timestamp":
    case "timestamp_instant":
      return timestampReader(type, stripe);
    case "decimal":
      return decimalReader(type, stripe);
    case "list":
      return listReader(type, stripe);
    case "map":
      return mapReader(type, stripe);
    case "struct":
      return structReader(type, stripe);
    case "union":
      return unionReader(type, stripe);
  }
}

function integerReader({ id, kind }: OrcType, stripe: Stripe): ColumnReader {
  const { version } = stripe.encoding(id);
  const stream = stripe.stream(id, "data");
  const runs = new IntegerRuns(stream, { version, isSigned: true });
  if (kind === "long") return (count) => runs.takeInt64(count);
  if (kind === "int") return (count) => runs.takeInt32(count);
  return (count) => {
    const values = runs.takeInt32(count);
    for (const value of values) {
      if (value << 16 >> 16 !== value) stream.fail(`${value} does not fit 16 bits`);
    }
    return values;
  };
}

function floatReader({ id, kind }: OrcType, stripe: Stripe): ColumnReader {
  const stream = stripe.stream(id, "data");
  // The bytes are copied, so that they are aligned; they are little-endian, as all machines are.
  if (kind === "float") return (count) => new Float32Array(stream.take(4 * count).slice().buffer);
  return (count) => new Float64Array(stream.take(8 * count).slice().buffer);
}

function lengthReader({ id }: OrcType, stripe: Stripe) {
  const { version } = stripe.encoding(id);
  const stream = stripe.stream(id, "length");
  const runs = new IntegerRuns(stream, { version, isSigned: false });
  return (count: number): { lengths: Float64Array; total: number } => {
    const lengths = runs.takeNumbers(count);
    let total = 0;
    for (const length of lengths) {
      if (length < 0) stream.fail(`a list of ${length} elements`);
      total += length;
    }
    if (total > ELEMENTS_MAX) stream.fail(`${count} lists have ${total} elements`);
    stripe.bytesRead += 16 * (count + total);
    return { lengths, total };
  };
}

function listReader(type: OrcType, stripe: Stripe): ColumnReader {
  const read = lengthReader(type, stripe);
  const elements = columnReader(type.children[0], stripe);
  return (count) => {
    const { lengths, total } = read(count);
    const all = elements(total);
    let at = 0;
    return Array.from(lengths, (length) => Array.from(all.slice(at, at += length)));
  };
}

function mapReader(type: OrcType, stripe: Stripe): ColumnReader {
  const read = lengthReader(type, stripe);
  const keys = columnReader(type.children[0], stripe);
  const values = columnReader(type.children[1], stripe);
  return (count) => {
    const { lengths, total } = read(count);
    const allKeys = keys(total);
    const allValues = values(total);
    if (Array.isArray(allKeys) && allKeys.includes(null)) {
      stripe.stream(type.children[0].id, "present").fail("a key of a map is null");
    }
    let at = 0;
    return Array.from(lengths, (length) => {
      const entries = new Array(length);
      for (let i = 0; i < length; i++, at++) {
        entries[i] = { key: allKeys[at], value: allValues[at] };
      }
      return entries;
    });
  };
}

function structReader(type: OrcType, stripe: Stripe): ColumnReader {
  const names = memberNames(type);
  const readers = type.children.map((child) => columnReader(child, stripe));
  if (names.length === 0) return (count) => new Array(count).fill(true);
  return (count) => {
    const columns = readers.map((read) => read(count));
    stripe.bytesRead += 8 * count * (1 + names.length);
    return Array.from({ length: count }, (_, i) => {
      const value: Record<string, unknown> = {};
      for (let k = 0; k < names.length; k++) value[names[k]] = columns[k][i];
      return value;
    });
  };
}

function unionReader(type: OrcType, stripe: Stripe): ColumnReader {
  const stream = stripe.stream(type.id, "data");
  const tags = new ByteRuns(stream);
  const names = memberNames(type);
  const readers = type.children.map((child) => columnReader(child, stripe));
  return (count) => {
    const own = Uint8Array.from({ length: count }, () => tags.next());
    const counts = new Array(readers.length).fill(0);
    for (const tag of own) {
      if (tag >= readers.length) stream.fail(`branch ${tag} of a union of ${readers.length}`);
      counts[tag]++;
    }
    const columns = readers.map((read, k) => read(counts[k]));
    const next = new Array(readers.length).fill(0);
    stripe.bytesRead += 8 * count * (2 + names.length);
    return Array.from(own, (tag) => {
      const value: Record<string, unknown> = { tag };
      for (const name of names) value[name] = null;
      value[names[tag]] = columns[tag][next[tag]++];
      return value;
    });
  };
}
