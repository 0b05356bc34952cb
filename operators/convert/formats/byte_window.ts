/** @module A window on a binary file: bytes at hand by their offset, memory flat. */

/** Thrown where bytes are wanted that the window has not, and of which the file may have more. */
export const needsMore: unique symbol = Symbol("needs more");

/** Options of {@link ByteWindow}. */
export interface ByteWindowOptions {
  /** Fills a part of what it is given and says how much; null at the end. */
  read(into: Uint8Array): number | null;
  /** Bytes that one step may ask for. */
  stepBytesMax: number;
  /** That a step asks for more. */
  tooLong(offset: number): Error;
}

/** Reads forward by steps; a step that lacks bytes is taken again with more of them. */
export class ByteWindow {
  buffer: Uint8Array<ArrayBuffer> = new Uint8Array(1 << 20);
  view: DataView = new DataView(this.buffer.buffer);
  /** Where in the buffer the next step begins. */
  at = 0;
  /** How many bytes of the buffer are the file's. */
  end = 0;
  /** Nothing comes after them. */
  isEnd = false;
  #base = 0;
  readonly #options: ByteWindowOptions;

  constructor(options: ByteWindowOptions) {
    this.#options = options;
  }

  /** Offset in the file. */
  get offset(): number {
    return this.#base + this.at;
  }

  /** Offset in the file of a place in the buffer. */
  offsetOf(at: number): number {
    return this.#base + at;
  }

  /** Are there bytes after here? */
  hasMore(): boolean {
    while (this.at === this.end && this.#fill());
    return this.at < this.end;
  }

  /** Take a step from here, which says where it ended. It throws {@link needsMore} for more bytes. */
  step(step: (at: number) => number): void {
    while (true) {
      try {
        this.at = step(this.at);
        return;
      } catch (error) {
        if (error !== needsMore) throw error;
        if (this.end - this.at > this.#options.stepBytesMax) {
          throw this.#options.tooLong(this.offset);
        }
        this.#fill();
      }
    }
  }

  #fill(): boolean {
    if (this.isEnd) return false;
    if (this.at > 0) {
      this.buffer.copyWithin(0, this.at, this.end);
      this.#base += this.at;
      this.end -= this.at;
      this.at = 0;
    }
    if (this.end === this.buffer.length) {
      const larger = new Uint8Array(2 * this.buffer.length);
      larger.set(this.buffer);
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    const read = this.#options.read(this.buffer.subarray(this.end));
    if (read === null || read === 0) this.isEnd = true;
    else this.end += read;
    return !this.isEnd;
  }
}
