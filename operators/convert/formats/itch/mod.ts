/** @module Nasdaq TotalView-ITCH 5.0 files: each message behind two bytes with its length. */
import type { Format } from "../format.ts";
import { FRAME_BYTES, layouts } from "./layouts.ts";

/**
 * A row per message, with the columns of all messages: those that a message has not are null.
 * `timestamp_ns` is in nanoseconds since midnight, Eastern time; the file has no date.
 */
export const itch: Format = {
  name: "itch",
  extensions: ["itch", "nasdaq_itch50", "itch50"],
  mediaType: "application/x-nasdaq-itch",
  content: "binary",
  recognise(bytes) {
    let at = 0;
    let frames = 0;
    while (at + FRAME_BYTES < bytes.length) {
      const length = (bytes[at] << 8) | bytes[at + 1];
      if (layouts.get(bytes[at + FRAME_BYTES])?.bytes !== length) return 0;
      at += FRAME_BYTES + length;
      frames++;
    }
    return frames >= 2 ? 0.99 : frames === 1 ? 0.8 : 0;
  },
  read: async (call) => await (await import("./read.ts")).readItch(call),
};
