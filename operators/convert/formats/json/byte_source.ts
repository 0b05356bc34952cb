/** @module Bytes of a file, a window at a time: memory stays flat however long the file is. */

/** Reads forward; keeps what lies behind a mark. */
export class ByteSource {
  readonly #read: (into: Uint8Array) => number | null;
  #buffer: Uint8Array;
  #at = 0;
  #length = 0;
  #base = 0;
  #mark = -1;
  #isEnd = false;

  /** `read` fills a part of what it is given and says how much; null at the end. */
  constructor(read: (into: Uint8Array) => number | null, windowBytes = 1 << 20) {
    this.#read = read;
    this.#buffer = new Uint8Array(windowBytes);
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** The next byte, without going past it; -1 at the end. */
  peek(): number {
    if (this.#at < this.#length || this.#fill()) return this.#buffer[this.#at];
    return -1;
  }

  /** Go past one byte. */
  skip(): void {
    this.#at++;
  }

  /** Go past bytes of a string that mean themselves: no quote, backslash or control character. */
  skipPlain(): void {
    const buffer = this.#buffer;
    let at = this.#at;
    while (at < this.#length && buffer[at] >= 0x20 && buffer[at] !== 0x22 && buffer[at] !== 0x5c) {
      at++;
    }
    this.#at = at;
  }

  /** Go to the next such byte, at most `bytesMax` further; false when it is not there. */
  skipTo(byte: number, bytesMax: number): boolean {
    const start = this.offset;
    while (this.peek() !== -1) {
      const found = this.#buffer.indexOf(byte, this.#at);
      const end = found < 0 || found >= this.#length ? this.#length : found;
      const room = bytesMax - (this.offset - start);
      if (end - this.#at > room) {
        this.#at += room;
        return false;
      }
      this.#at = end;
      if (end < this.#length) return true;
    }
    return false;
  }

  /** Keep the bytes from here on until {@link take}. */
  mark(): void {
    this.#mark = this.#at;
  }

  /** Bytes since the mark; valid until the next call. */
  take(): Uint8Array {
    const taken = this.#buffer.subarray(this.#mark, this.#at);
    this.#mark = -1;
    return taken;
  }

  /** Bytes since the mark, so far. */
  get markedBytes(): number {
    return this.#mark < 0 ? 0 : this.#at - this.#mark;
  }

  #fill(): boolean {
    if (this.#isEnd) return false;
    const keepFrom = this.#mark < 0 ? this.#at : this.#mark;
    if (keepFrom > 0) {
      this.#buffer.copyWithin(0, keepFrom, this.#length);
      this.#base += keepFrom;
      this.#length -= keepFrom;
      this.#at -= keepFrom;
      if (this.#mark >= 0) this.#mark = 0;
    }
    if (this.#length === this.#buffer.length) {
      const larger = new Uint8Array(2 * this.#buffer.length);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    const read = this.#read(this.#buffer.subarray(this.#length));
    if (read === null || read === 0) {
      this.#isEnd = true;
      return false;
    }
    this.#length += read;
    return true;
  }
}

/** Bytes that are in memory. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  let at = 0;
  return new ByteSource((into) => {
    if (at === bytes.length) return null;
    const part = bytes.subarray(at, at + into.length);
    into.set(part);
    at += part.length;
    return part.length;
  });
}
