/** @module bzip2. */
import { Readable } from "node:stream";
import unbzip2Stream from "unbzip2-stream";
import type { Bytes } from "./bytes.ts";

/** What is in it. Throws Error where it is broken, cut off, or followed by other bytes. */
export async function* bunzip2(bytes: Bytes): Bytes {
  const unpacked = unbzip2Stream() as unknown as NodeJS.ReadWriteStream;
  const source = Readable.from(bytes);
  const waiting = new Queue();
  unpacked.on("data", (chunk) => {
    if (waiting.put(chunk as unknown as Uint8Array)) unpacked.pause();
  });
  unpacked.on("end", () => waiting.end(null));
  unpacked.on("error", (error: Error) => waiting.end(plainError(error)));
  source.on("error", (error) => waiting.end(error));
  source.pipe(unpacked);
  try {
    yield* waiting.chunks(() => unpacked.resume());
  } finally {
    source.destroy();
  }
}

/** The package reads past the end where the data are cut off. */
function plainError(error: Error): Error {
  const isCut = error instanceof TypeError && /undefined/.test(error.message);
  return isCut ? new Error("it ends too early", { cause: error }) : error;
}

/** Chunks of an old-style stream, a few at a time. */
class Queue {
  #chunks: Uint8Array[] = [];
  #isEnd = false;
  #error: Error | null = null;
  #wake = () => {};

  /** True: enough for now. */
  put(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    this.#wake();
    return this.#chunks.length >= 4;
  }

  end(error: Error | null): void {
    this.#error ??= error;
    this.#isEnd = true;
    this.#wake();
  }

  async *chunks(goOn: () => void): AsyncGenerator<Uint8Array> {
    while (true) {
      const chunk = this.#chunks.shift();
      if (chunk) yield chunk;
      else if (this.#error) throw this.#error;
      else if (this.#isEnd) return;
      else {
        const woken = new Promise<void>((resolve) => this.#wake = resolve);
        goOn();
        await woken;
      }
    }
  }
}
