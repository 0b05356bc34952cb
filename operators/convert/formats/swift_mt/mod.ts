/** @module SWIFT MT (FIN): statements, payments and every other message of blocks and tags. */
import type { Format } from "../format.ts";

/** Messages in the FIN format of SWIFT's user handbook; text blocks alone, as banks deliver, too. */
export const swiftMt: Format = {
  name: "swift_mt",
  extensions: ["sta", "mt940", "fin", "rje", "mt", "940", "942"],
  mediaType: "application/x-swift-mt",
  content: "text",
  recognise(head) {
    const text = new TextDecoder().decode(head.subarray(0, 4096)).trimStart();
    if (/^\{1:[FAL]\d{2}[A-Z0-9]{8,12}/.test(text)) return 0.99;
    const tags = text.split(/\r\n?|\n/).flatMap((line) =>
      line.match(/^:(\d{2}[A-Z]?):/)?.[1] ?? []
    );
    if (!/^:\d{2}[A-Z]?:/.test(text)) return 0;
    return tags.some((tag) => /^(20|25P?|28C?|6[0-2][FM]?|32A|86)$/.test(tag)) ? 0.95 : 0.4;
  },
  read: async (call) => await (await import("./read.ts")).readMt(call),
};
