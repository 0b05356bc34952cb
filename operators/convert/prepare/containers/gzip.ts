/** @module gzip: members one after the other, each with its checksum; nothing else behind them. */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Bytes } from "./bytes.ts";

/** What is in it. Throws Error where it is broken, cut off, or followed by other bytes. */
export async function* gunzip(bytes: Bytes): Bytes {
  const source = Readable.from(bytes);
  const unpacked = createGunzip();
  source.on("error", (error) => unpacked.destroy(error));
  source.pipe(unpacked);
  try {
    yield* unpacked as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}
