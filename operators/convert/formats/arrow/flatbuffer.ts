/** @module Tables of FlatBuffers, as far as Arrow's metadata need them; nothing in them is believed. */

/** Vectors longer than this are damage: none of Arrow's is. */
const VECTOR_MAX = 10_000_000;

/** A table at a place. Reading out of bounds throws RangeError. */
export class Table {
  readonly #view: DataView;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#vtable = at - view.getInt32(at, true);
    this.#vtableBytes = view.getUint16(this.#vtable, true);
  }

  /** The table that a buffer begins with. */
  static root(bytes: Uint8Array): Table {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return new Table(view, view.getUint32(0, true));
  }

  byte(field: number, absent: number): number {
    const at = this.#field(field);
    return at === 0 ? absent : this.#view.getUint8(at);
  }

  short(field: number, absent: number): number {
    const at = this.#field(field);
    return at === 0 ? absent : this.#view.getInt16(at, true);
  }

  int(field: number, absent: number): number {
    const at = this.#field(field);
    return at === 0 ? absent : this.#view.getInt32(at, true);
  }

  /** Throws RangeError past 2^53. */
  long(field: number, absent: number): number {
    const at = this.#field(field);
    return at === 0 ? absent : longAt(this.#view, at);
  }

  table(field: number): Table | null {
    const at = this.#field(field);
    return at === 0 ? null : new Table(this.#view, this.#follow(at));
  }

  text(field: number): string | null {
    const at = this.#field(field);
    if (at === 0) return null;
    const start = this.#follow(at);
    const length = this.#view.getUint32(start, true);
    const { buffer, byteOffset, byteLength } = this.#view;
    if (length > byteLength - start - 4) throw new RangeError("a text is longer than its buffer");
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset + start + 4, length));
  }

  tables(field: number): Table[] {
    return this.#vector(field, 4, (at) => new Table(this.#view, this.#follow(at)));
  }

  /** Structs of `size` bytes, as `read` takes them from a view at an offset. */
  structs<T>(field: number, size: number, read: (view: DataView, at: number) => T): T[] {
    return this.#vector(field, size, (at) => read(this.#view, at));
  }

  has(field: number): boolean {
    return this.#field(field) !== 0;
  }

  #vector<T>(field: number, size: number, read: (at: number) => T): T[] {
    const at = this.#field(field);
    if (at === 0) return [];
    const start = this.#follow(at);
    const length = this.#view.getUint32(start, true);
    if (length > VECTOR_MAX || length * size > this.#view.byteLength - start - 4) {
      throw new RangeError(`a list of ${length} is longer than its buffer`);
    }
    return Array.from({ length }, (_, i) => read(start + 4 + i * size));
  }

  #follow(at: number): number {
    return at + this.#view.getUint32(at, true);
  }

  #field(field: number): number {
    const slot = 4 + field * 2;
    if (slot + 2 > this.#vtableBytes) return 0;
    const offset = this.#view.getUint16(this.#vtable + slot, true);
    return offset === 0 ? 0 : this.#at + offset;
  }
}

/** A long as a number. Throws RangeError past 2^53. */
export function longAt(view: DataView, at: number): number {
  const value = Number(view.getBigInt64(at, true));
  if (!Number.isSafeInteger(value)) throw new RangeError(`a number is ${value}`);
  return value;
}
