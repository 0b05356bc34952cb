/** @module One stream of a stripe as plain bytes, a block at a time. */
import type { CodecName } from "./blocks.ts";
import type { FileBytes } from "./file_bytes.ts";
import { OrcError } from "./orc_error.ts";
import { unpackedAt } from "./tail.ts";

/** Where a stream lies and how it is packed. */
export interface StreamPlace {
  file: FileBytes;
  codec: CodecName;
  blockBytesMax: number;
  offset: number;
  bytes: number;
  /** For messages, like `column 3, data`. */
  name: string;
}

const WINDOW_BYTES = 64 * 1024;
const HEAD_BYTES = 3;

/** Reads forward; what is over raises OrcError. */
export class OrcStream {
  readonly #place: StreamPlace;
  /** Of the file: read ahead. */
  #window: Uint8Array = new Uint8Array(0);
  #windowAt: number;
  /** Next byte of the file to be unpacked, and the end of all. */
  #next: number;
  readonly #end: number;
  /** Plain bytes, from `#at` on unread. */
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(place: StreamPlace) {
    this.#place = place;
    this.#windowAt = place.offset;
    this.#next = place.offset;
    this.#end = place.offset + place.bytes;
  }

  /** Where reading stands in the file, to a block. */
  get offset(): number {
    return this.#next;
  }

  /** Raise what is wrong here. */
  fail(why: string): never {
    throw new OrcError(this.#next, `${this.#place.name}: ${why}`);
  }

  byte(): number {
    while (this.#at >= this.#block.length) this.#nextBlock();
    return this.#block[this.#at++];
  }

  /** The next `length` bytes: a piece of the block, or a new array. */
  take(length: number): Uint8Array {
    if (length <= this.#block.length - this.#at) {
      this.#at += length;
      return this.#block.subarray(this.#at - length, this.#at);
    }
    return this.#join(length);
  }

  /** Bytes over several blocks, gathered before they have an array of their length. */
  #join(length: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0;) {
      if (this.#at >= this.#block.length) this.#nextBlock();
      const part = this.#block.subarray(this.#at, this.#at + missing);
      this.#at += part.length;
      missing -= part.length;
      if (part.length > 0) parts.push(part);
    }
    const all = new Uint8Array(length);
    parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
    return all;
  }

  #nextBlock(): void {
    if (this.#next >= this.#end) this.fail("it ends before all of its values");
    this.#at = 0;
    const { codec } = this.#place;
    if (codec === "none") {
      this.#block = this.#read(Math.min(WINDOW_BYTES, this.#end - this.#next));
      return;
    }
    if (this.#end - this.#next < HEAD_BYTES) this.fail("the head of a block is cut off");
    const [a, b, c] = this.#read(HEAD_BYTES);
    const length = (a | (b << 8) | (c << 16)) >>> 1;
    if (length > this.#end - this.#next) this.fail(`a block of ${length} bytes is cut off`);
    const at = this.#next;
    const block = this.#read(length);
    this.#block = a & 1 ? block : OrcError.at(at, () => this.#unpack(block, at));
  }

  #unpack(block: Uint8Array, at: number): Uint8Array {
    try {
      return unpackedAt(block, { ...this.#place, at });
    } catch (error) {
      throw new OrcError(at, `${this.#place.name}: ${(error as Error).message}`);
    }
  }

  /** Bytes of the file as they are. */
  #read(length: number): Uint8Array {
    let from = this.#next - this.#windowAt;
    if (from + length > this.#window.length) {
      const bytes = Math.max(length, Math.min(WINDOW_BYTES, this.#end - this.#next));
      this.#window = this.#place.file.read(this.#next, bytes);
      this.#windowAt = this.#next;
      from = 0;
    }
    this.#next += length;
    return this.#window.subarray(from, from + length);
  }
}
