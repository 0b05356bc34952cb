/** @module Pieces of a file by position. */
import { OrcError } from "./orc_error.ts";

/** A file that is read in pieces. */
export class FileBytes {
  readonly #file: Deno.FsFile;
  readonly bytes: number;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.bytes = file.statSync().size;
  }

  /** The bytes from `offset` on; a new array. Throws OrcError where the file has them not. */
  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.bytes) {
      throw new OrcError(offset, `${length} bytes are wanted of a file of ${this.bytes}`);
    }
    const bytes = new Uint8Array(length);
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < length;) {
      const read = this.#file.readSync(bytes.subarray(at));
      if (read === null) {
        throw new OrcError(offset + at, "the file became shorter while it was read");
      }
      at += read;
    }
    return bytes;
  }
}
