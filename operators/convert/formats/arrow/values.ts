/** @module Values of Arrow's arrays without parts, moved to the leaves of a staged column. */
import { textOfDecimal } from "../decimal_text.ts";
import type { Leaf } from "../staged_leaf.ts";
import type { StagedType } from "../staged_type.ts";
import { isUtf8 } from "../utf8.ts";
import type { ArrowArray } from "./arrays.ts";
import { TooNarrow } from "./columns.ts";
import type { ArrowType } from "./schema.ts";

/** Moves the i-th value. */
export type Put = (i: number) => void;

type Text = Extract<ArrowType, { kind: "binary" | "utf8" | "list" | "listview" }>;

/** Integers of up to 32 bits. */
export function numbersOf(
  bytes: Uint8Array,
  bits: 8 | 16 | 32,
  isSigned: boolean,
): ArrayLike<number> {
  const { byteOffset, length } = bytes;
  const buffer = bytes.buffer as ArrayBuffer;
  if (bits === 8) return isSigned ? new Int8Array(buffer, byteOffset, length) : bytes;
  if (bits === 16) {
    return isSigned
      ? new Int16Array(buffer, byteOffset, length >> 1)
      : new Uint16Array(buffer, byteOffset, length >> 1);
  }
  return isSigned
    ? new Int32Array(buffer, byteOffset, length >> 2)
    : new Uint32Array(buffer, byteOffset, length >> 2);
}

/** 32-bit integers of a buffer. */
export function intsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

/** Offsets of any size. Those past 2^53 are damage, and found to be out of bounds. */
export function offsetsOf(bytes: Uint8Array, isLarge: boolean): (i: number) => number {
  const ints = intsOf(bytes);
  if (bytes.length === 0) return () => 0;
  return isLarge ? (i) => ints[2 * i + 1] * 2 ** 32 + (ints[2 * i] >>> 0) : (i) => ints[i];
}

/** What moves the values of an array. */
export function putOf(array: ArrowArray, leaf: Leaf, column: StagedType): Put {
  const { type } = array.field;
  const [bytes] = array.buffers;
  switch (type.kind) {
    case "boolean":
      return (i) => leaf.boolean(((bytes[i >> 3] >> (i & 7)) & 1) === 1);
    case "int":
      return integers(type, bytes, leaf);
    case "float":
      return floats(type.bits, bytes, leaf);
    case "utf8":
    case "binary":
      return texts(array, type, leaf);
    case "utf8view":
    case "binaryview":
      return views(array, leaf);
    case "fixedbinary": {
      const { bytes: width } = type;
      return leaf.width === 16
        ? (i) => leaf.fixed(bytes, i * 16)
        : (i) => leaf.bytes(bytes, i * width, (i + 1) * width);
    }
    case "decimal":
      return decimals(array, leaf, column);
    case "date":
      return column === "INTEGER" ? integers(int32, bytes, leaf) : dates(array, leaf);
    case "time":
      return column === "BIGINT" ? wideTimes(array, leaf) : times(array, leaf);
    case "timestamp":
      return stamps(array, leaf, column);
    case "duration":
      return longs(intsOf(bytes), leaf);
    case "interval": {
      const ints = intsOf(bytes);
      return (i) => leaf.int(ints[i]);
    }
  }
  throw new Error(`No column for ${type.kind}`);
}

function longs(ints: Int32Array, leaf: Leaf): Put {
  return (i) => leaf.long(ints[2 * i], ints[2 * i + 1]);
}

function integers(
  { bits, isSigned }: Extract<ArrowType, { kind: "int" }>,
  bytes: Uint8Array,
  leaf: Leaf,
): Put {
  if (bits === 64) return longs(intsOf(bytes), leaf);
  const values = numbersOf(bytes, bits, isSigned);
  return (i) => leaf.int(values[i]);
}

/** Bits are moved as they are, those of NaN, too. */
function floats(bits: 16 | 32 | 64, bytes: Uint8Array, leaf: Leaf): Put {
  const ints = intsOf(bytes);
  if (bits === 64) return longs(ints, leaf);
  if (bits === 32) return (i) => leaf.int(ints[i]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return (i) => leaf.float(view.getFloat16(2 * i, true));
}

function texts(
  { field, buffers: [offsets, data] }: ArrowArray,
  { kind, isLarge }: Text,
  leaf: Leaf,
): Put {
  const at = offsetsOf(offsets, isLarge);
  const isText = kind === "utf8";
  return (i) => {
    const from = at(i);
    const to = at(i + 1);
    if (!(from >= 0 && from <= to && to <= data.length)) {
      throw new Error(`column "${field.name}" has a value from byte ${from} to ${to} of its data`);
    }
    if (isText && !isUtf8(data, from, to)) {
      throw new Error(`column "${field.name}" has a text that is not UTF-8`);
    }
    leaf.bytes(data, from, to);
  };
}

/** Short values are in the view; of others, it says where. */
function views({ field, buffers: [bytes, ...data] }: ArrowArray, leaf: Leaf): Put {
  const ints = intsOf(bytes);
  const isText = field.type.kind === "utf8view";
  return (i) => {
    const length = ints[4 * i];
    const isShort = length <= 12;
    const source = isShort ? bytes : data[ints[4 * i + 2]];
    const from = isShort ? 16 * i + 4 : ints[4 * i + 3];
    if (!source || !(length >= 0 && from >= 0 && length <= source.length - from)) {
      throw new Error(`column "${field.name}" has a value of ${length} bytes that is not there`);
    }
    if (isText && !isUtf8(source, from, from + length)) {
      throw new Error(`column "${field.name}" has a text that is not UTF-8`);
    }
    leaf.bytes(source, from, from + length);
  };
}

function decimals({ field, buffers: [bytes] }: ArrowArray, leaf: Leaf, column: StagedType): Put {
  const { bits, scale } = field.type as Extract<ArrowType, { kind: "decimal" }>;
  const read = bigintsOf(bytes, bits);
  const factor = 10n ** BigInt(Math.max(-scale, 0));
  if (typeof column === "string") {
    return (i) => leaf.text(textOfDecimal(read(i) * factor, Math.max(scale, 0)));
  }
  const [precision] = (column as { decimal: readonly [number, number] }).decimal;
  const limit = 10n ** BigInt(precision);
  const isLong = leaf.width === 8;
  return (i) => {
    const value = read(i) * factor;
    if (value >= limit || -value >= limit) throw new TooNarrow(field, `${value} unscaled`);
    if (isLong) leaf.bigint(value);
    else leaf.wide(value);
  };
}

function bigintsOf(bytes: Uint8Array, bits: 32 | 64 | 128 | 256): (i: number) => bigint {
  if (bits === 32) {
    const ints = intsOf(bytes);
    return (i) => BigInt(ints[i]);
  }
  const parts = bits / 64;
  const low = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
  const high = new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
  if (bits === 64) return (i) => high[i];
  return (i) => {
    let value = high[(i + 1) * parts - 1];
    for (let part = parts - 2; part >= 0; part--) value = (value << 64n) | low[i * parts + part];
    return value;
  };
}

const int32 = { kind: "int", bits: 32, isSigned: true } as const;
const DAY_MS = 86_400_000;
/** The engine's infinities are the outermost days. */
const DAY_MAX = 2 ** 31 - 2;

function dates({ field, buffers: [bytes] }: ArrowArray, leaf: Leaf): Put {
  const ints = intsOf(bytes);
  const { unit } = field.type as Extract<ArrowType, { kind: "date" }>;
  if (leaf.width === 8) return longs(ints, leaf);
  return (i) => {
    const day = unit === "day"
      ? ints[i]
      : (ints[2 * i + 1] * 2 ** 32 + (ints[2 * i] >>> 0)) / DAY_MS;
    if (!Number.isInteger(day) || Math.abs(day) > DAY_MAX) {
      throw new TooNarrow(field, `day ${day}`);
    }
    leaf.int(day);
  };
}

const perDay = { s: 86_400, ms: 86_400_000, us: 86_400_000_000, ns: 86_400_000_000_000 } as const;
const toMicros = { s: 1_000_000, ms: 1000, us: 1, ns: 1 } as const;

function times({ field, buffers: [bytes] }: ArrowArray, leaf: Leaf): Put {
  const ints = intsOf(bytes);
  const { unit } = field.type as Extract<ArrowType, { kind: "time" }>;
  const isShort = unit === "s" || unit === "ms";
  const max = perDay[unit];
  const factor = toMicros[unit];
  return (i) => {
    const value = isShort ? ints[i] : ints[2 * i + 1] * 2 ** 32 + (ints[2 * i] >>> 0);
    if (value < 0 || value > max) throw new TooNarrow(field, `the time ${value} ${unit}`);
    const scaled = value * factor;
    leaf.long(scaled | 0, Math.floor(scaled / 2 ** 32));
  };
}

/** Of what is no time of day. */
function wideTimes({ field, buffers: [bytes] }: ArrowArray, leaf: Leaf): Put {
  const ints = intsOf(bytes);
  const { unit } = field.type as Extract<ArrowType, { kind: "time" }>;
  return unit === "s" || unit === "ms"
    ? (i) => leaf.long(ints[i], ints[i] >> 31)
    : longs(ints, leaf);
}

/** Milliseconds that a timestamp of microseconds can be; past them, the engine has none. */
const MILLIS_MAX = 9_223_372_022_400_000;
/** High half of the outermost timestamps, with two hours of margin: the engine's infinities. */
const HIGH_MAX = 2 ** 31 - 3;

function stamps({ field, buffers: [bytes] }: ArrowArray, leaf: Leaf, column: StagedType): Put {
  const ints = intsOf(bytes);
  if (column === "BIGINT") return longs(ints, leaf);
  const { unit } = field.type as Extract<ArrowType, { kind: "timestamp" }>;
  if (unit === "us" || unit === "ns") {
    return (i) => {
      const high = ints[2 * i + 1];
      if (high > HIGH_MAX || high < -HIGH_MAX) {
        throw new TooNarrow(field, "a timestamp too far off");
      }
      leaf.long(ints[2 * i], high);
    };
  }
  const factor = unit === "s" ? 1000 : 1;
  return (i) => {
    const millis = (ints[2 * i + 1] * 2 ** 32 + (ints[2 * i] >>> 0)) * factor;
    if (Math.abs(millis) > MILLIS_MAX) throw new TooNarrow(field, "a timestamp too far off");
    leaf.long(millis | 0, Math.floor(millis / 2 ** 32));
  };
}
