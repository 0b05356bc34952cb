/**
 * @module One leaf column of a staged row group: levels and values, kept as Parquet's PLAIN encoding
 * wants them, so that a decoder copies bytes and makes no object of a value.
 */

const encoder = new TextEncoder();
/** Below this, a loop is faster than a call into native code. */
const SHORT = 24;

/** Bytes of texts and blobs that wait in a row group. */
export interface StagedBudget {
  bytes: number;
}

/** How many bytes a value takes: null where its length comes with it, 0 for booleans. */
export type LeafWidth = number | null;

/** Grows as values come; every slot has a repetition and a definition level. */
export class Leaf {
  readonly width: LeafWidth;
  readonly repMax: number;
  readonly defMax: number;
  readonly #budget: StagedBudget;
  #reps: Uint8Array;
  #defs = new Uint8Array(4096);
  #values!: Uint8Array;
  #ints!: Int32Array;
  #longs!: BigInt64Array;
  #floats!: Float32Array;
  #doubles!: Float64Array;
  #used = 0;
  #slots = 0;
  #nulls = 0;

  constructor(
    { width, repMax, defMax, budget }: {
      width: LeafWidth;
      repMax: number;
      defMax: number;
      budget: StagedBudget;
    },
  ) {
    this.width = width;
    this.repMax = repMax;
    this.defMax = defMax;
    this.#budget = budget;
    this.#reps = new Uint8Array(repMax > 0 ? 4096 : 0);
    this.#allot(1 << 14);
  }

  /** Slots until now: values, nulls and empty lists. */
  get slots(): number {
    return this.#slots;
  }

  /** A value is there, and comes next; or, with a lower definition level, it is not. */
  slot(rep: number, def: number): void {
    const at = this.#slots++;
    if (at === this.#defs.length) this.#growLevels(at + 1);
    this.#defs[at] = def;
    if (def !== this.defMax) this.#nulls++;
    if (this.repMax === 0) return;
    this.#reps[at] = rep;
    // A row may have any number of these, so they count.
    this.#budget.bytes += 8;
  }

  /** Many values are there, of a leaf without repetition; they come next. */
  slotsOfMany(count: number): void {
    const to = this.#slots + count;
    if (to > this.#defs.length) this.#growLevels(to);
    this.#defs.fill(this.defMax, this.#slots, to);
    this.#slots = to;
  }

  boolean(value: boolean): void {
    if (this.#used === this.#values.length) this.#grow(1);
    this.#values[this.#used++] = value ? 1 : 0;
  }

  int(value: number): void {
    if (this.#used + 4 > this.#values.length) this.#grow(4);
    this.#ints[this.#used >> 2] = value;
    this.#used += 4;
  }

  /** A long in two halves, which saves a bigint. */
  long(low: number, high: number): void {
    if (this.#used + 8 > this.#values.length) this.#grow(8);
    const at = this.#used >> 2;
    this.#ints[at] = low;
    this.#ints[at + 1] = high;
    this.#used += 8;
  }

  bigint(value: bigint): void {
    if (this.#used + 8 > this.#values.length) this.#grow(8);
    this.#longs[this.#used >> 3] = value;
    this.#used += 8;
  }

  float(value: number): void {
    if (this.#used + 4 > this.#values.length) this.#grow(4);
    this.#floats[this.#used >> 2] = value;
    this.#used += 4;
  }

  double(value: number): void {
    if (this.#used + 8 > this.#values.length) this.#grow(8);
    this.#doubles[this.#used >> 3] = value;
    this.#used += 8;
  }

  /** An integer as 16 bytes, highest first. */
  wide(value: bigint): void {
    if (this.#used + 16 > this.#values.length) this.#grow(16);
    let rest = value;
    for (let at = this.#used + 12; at >= this.#used; at -= 4) {
      const part = Number(BigInt.asUintN(32, rest));
      this.#values[at] = part >>> 24;
      this.#values[at + 1] = part >>> 16;
      this.#values[at + 2] = part >>> 8;
      this.#values[at + 3] = part;
      rest >>= 32n;
    }
    this.#used += 16;
  }

  /** A text or blob: `from` up to `to` of `source`. */
  bytes(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    const at = this.#lengthOf(length);
    if (length > SHORT) this.#values.set(source.subarray(from, to), at);
    else for (let i = 0; i < length; i++) this.#values[at + i] = source[from + i];
  }

  /** A value of fixed width, as it is. */
  fixed(source: Uint8Array, from: number): void {
    const width = this.width!;
    if (this.#used + width > this.#values.length) this.#grow(width);
    for (let i = 0; i < width; i++) this.#values[this.#used + i] = source[from + i];
    this.#used += width;
  }

  text(value: string): void {
    const { length } = value;
    if (length <= SHORT) {
      const at = this.#lengthOf(length);
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        this.#values[at + i] = code;
      }
      if (i === length) return;
      this.#used -= length + 4;
      this.#budget.bytes -= length + 4;
    }
    if (!value.isWellFormed()) {
      throw new RangeError(`A text has half of a character: ${JSON.stringify(value.slice(0, 80))}`);
    }
    const encoded = encoder.encode(value);
    this.bytes(encoded, 0, encoded.length);
  }

  /** Values of fixed width in one piece, as they are stored. */
  raw(values: Uint8Array): void {
    if (this.#used + values.length > this.#values.length) this.#grow(values.length);
    this.#values.set(values, this.#used);
    this.#used += values.length;
  }

  /** Levels and values as one data page's content, in parts; the leaf is empty after it. */
  take(): { parts: Uint8Array[]; slots: number } {
    const slots = this.#slots;
    const parts: Uint8Array[] = [];
    if (this.repMax > 0) parts.push(levels(this.#reps.subarray(0, slots), this.repMax));
    if (this.defMax > 0) {
      const defs = this.#defs.subarray(0, slots);
      parts.push(
        this.#nulls === 0 ? sameLevels(slots, this.defMax, this.defMax) : levels(defs, this.defMax),
      );
    }
    const values = this.#values.subarray(0, this.#used);
    parts.push(this.width === 0 ? packedBits(values) : values);
    this.#slots = 0;
    this.#used = 0;
    this.#nulls = 0;
    return { parts, slots };
  }

  /** Writes the length; where the bytes go. */
  #lengthOf(length: number): number {
    if (this.#used + length + 4 > this.#values.length) this.#grow(length + 4);
    const at = this.#used;
    this.#values[at] = length;
    this.#values[at + 1] = length >>> 8;
    this.#values[at + 2] = length >>> 16;
    this.#values[at + 3] = length >>> 24;
    this.#used = at + 4 + length;
    this.#budget.bytes += length + 4;
    return at + 4;
  }

  #grow(more: number): void {
    const before = this.#values;
    this.#allot(Math.max(before.length * 2, Math.ceil((this.#used + more) / 8) * 8));
    this.#values.set(before.subarray(0, this.#used));
  }

  #allot(bytes: number): void {
    const buffer = new ArrayBuffer(bytes);
    this.#values = new Uint8Array(buffer);
    this.#ints = new Int32Array(buffer);
    this.#longs = new BigInt64Array(buffer);
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  #growLevels(least: number): void {
    const length = Math.max(this.#defs.length * 2, least);
    const grown = (before: Uint8Array) => {
      const after = new Uint8Array(length);
      after.set(before);
      return after;
    };
    this.#defs = grown(this.#defs);
    if (this.repMax > 0) this.#reps = grown(this.#reps);
  }
}

/** Levels in Parquet's RLE hybrid, with their length before them. */
function levels(values: Uint8Array, max: number): Uint8Array {
  const width = bitWidth(max);
  const groups = Math.ceil(values.length / 8);
  const header = varint(groups * 2 + 1);
  const bytes = new Uint8Array(4 + header.length + groups * width);
  setLength(bytes, header.length + groups * width);
  bytes.set(header, 4);
  let at = 4 + header.length;
  if (width === 1) {
    bytes.set(packedBits(values), at);
    return bytes;
  }
  let bits = 0;
  let pending = 0;
  for (let i = 0; i < groups * 8; i++) {
    pending |= (i < values.length ? values[i] : 0) << bits;
    bits += width;
    while (bits >= 8) {
      bytes[at++] = pending;
      pending >>>= 8;
      bits -= 8;
    }
  }
  return bytes;
}

function sameLevels(count: number, value: number, max: number): Uint8Array {
  const header = varint(count * 2);
  const bytes = new Uint8Array(4 + header.length + 1);
  setLength(bytes, header.length + 1);
  bytes.set(header, 4);
  bytes[4 + header.length] = value;
  return bitWidth(max) > 0 ? bytes : new Uint8Array();
}

function packedBits(values: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  for (let i = 0; i < values.length; i++) bytes[i >> 3] |= values[i] << (i & 7);
  return bytes;
}

function bitWidth(max: number): number {
  return 32 - Math.clz32(max);
}

function setLength(bytes: Uint8Array, length: number): void {
  new DataView(bytes.buffer).setUint32(0, length, true);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return new Uint8Array(bytes);
}
