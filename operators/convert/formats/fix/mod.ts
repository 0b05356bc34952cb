/** @module FIX tag=value: streams and logs of messages, of FIX 4.0 to 5.0 SP2. */
import type { Format } from "../format.ts";
import { delimiterOf } from "./scanner.ts";

/** A row per message, a column per tag by its name; repeating groups as JSON lists of entries. */
export const fix: Format = {
  name: "fix",
  extensions: ["fix", "fixlog", "messages"],
  mediaType: "application/x-fix",
  // Lengths and checksums are of the bytes as they were sent.
  content: "binary",
  recognise(head) {
    const delimiter = delimiterOf(head);
    if (delimiter === null) return 0;
    // In a log messages come after other text; in a table of them, they are but a column.
    const text = new TextDecoder().decode(head.subarray(0, 4096));
    const lines = text.split(/\r?\n/).filter((line) => line !== "");
    const telling = lines.filter((line) => line.includes("8=FIX")).length;
    return text.startsWith("8=FIX") ? 0.99 : telling > lines.length / 2 ? 0.93 : 0.5;
  },
  read: async (call) => await (await import("./read.ts")).readFix(call),
};
