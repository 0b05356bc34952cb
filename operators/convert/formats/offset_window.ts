/** @module A file's bytes from front to back, as many at a time as are asked for. */

/** What is wrong with a file at an offset. */
export class OffsetError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(message, options);
    this.offset = offset;
  }
}

const READ_AHEAD = 1 << 20;

/** Reads ahead; a length that goes past the file's end is refused before any memory is taken. */
export class OffsetWindow {
  readonly #file: Deno.FsFile;
  readonly #size: number;
  #buffer: Uint8Array = new Uint8Array();
  #from = 0;
  #to = 0;
  #offset = 0;

  /** `size`: where the bytes end; the file stands at `offset`. */
  constructor(file: Deno.FsFile, size: number, offset = 0) {
    this.#file = file;
    this.#size = size;
    this.#offset = offset;
  }

  /** Of the next byte. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes from here to the file's end. */
  get left(): number {
    return this.#size - this.#offset;
  }

  /** The next bytes, good until the next call. Throws {@link OffsetError} where there are fewer. */
  async take(length: number, what: string): Promise<Uint8Array> {
    if (length > this.left) {
      throw new OffsetError(
        `${what} of ${length} bytes does not fit the ${this.left} that are left`,
        this.#offset,
      );
    }
    await this.#fill(length);
    const bytes = this.#buffer.subarray(this.#from, this.#from + length);
    this.#from += length;
    this.#offset += length;
    return bytes;
  }

  /** Up to so many of the next bytes, without taking them. */
  async peek(length: number): Promise<Uint8Array> {
    const most = Math.min(length, this.left);
    await this.#fill(most);
    return this.#buffer.subarray(this.#from, this.#from + most);
  }

  async #fill(length: number): Promise<void> {
    if (this.#to - this.#from >= length) return;
    const held = this.#buffer.subarray(this.#from, this.#to);
    if (this.#buffer.length < length) {
      const grown = new Uint8Array(Math.min(length + READ_AHEAD, this.left));
      grown.set(held);
      this.#buffer = grown;
    } else this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    while (this.#to < length) {
      const read = await this.#file.read(this.#buffer.subarray(this.#to));
      if (read === null) {
        throw new OffsetError("the file became shorter while it was read", this.#offset);
      }
      this.#to += read;
    }
  }
}
