/** @module xz. */
import xz from "xz-decompress";
import type { Bytes } from "./bytes.ts";

const reasons: Readonly<Record<string, string>> = {
  "5": "it needs more memory than its reader has",
  "6": "it uses a filter or a check that is not supported",
  "7": "its data are damaged",
  "8": "it ends too early, or other bytes follow it",
};

/** What is in it. Throws Error where it is broken, cut off, or followed by other bytes. */
export async function* unxz(bytes: Bytes): Bytes {
  try {
    yield* new xz.XzReadableStream(ReadableStream.from(bytes) as ReadableStream<Uint8Array>);
  } catch (error) {
    const code = /error code (\d+)/.exec(String(error))?.[1];
    throw code && code in reasons ? new Error(reasons[code], { cause: error }) : error;
  }
}
