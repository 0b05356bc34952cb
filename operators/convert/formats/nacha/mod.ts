/** @module NACHA ACH files: records of 94 characters, checked by their batches' and file's controls. */
import type { Format } from "../format.ts";

/** Of every record. */
export const RECORD_CHARS = 94;

/**
 * A row per entry, with its batch and file. A batch whose control (8) has other counts, sums or hash
 * is refused whole; a file whose own (9) has, is no whole file. Layout: the Nacha Operating Rules.
 */
export const nacha: Format = {
  name: "nacha",
  extensions: ["ach", "nacha"],
  mediaType: "application/x-nacha",
  content: "text",
  recognise(head) {
    const text = new TextDecoder("latin1").decode(head.subarray(0, 2 * RECORD_CHARS + 2));
    if (!/^101.{31}094101/s.test(text)) return 0;
    return /^\r?\n?[59]/.test(text.slice(RECORD_CHARS)) ? 0.99 : 0.9;
  },
  read: async (call) => await (await import("./read.ts")).readNacha(call),
};
