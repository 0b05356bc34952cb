/** @module ORC: read in TypeScript, a stripe at a time. */
import type { Format } from "../format.ts";

const MAGIC = "ORC";

/** Apache ORC. */
export const orc: Format = {
  name: "orc",
  extensions: ["orc"],
  mediaType: "application/vnd.apache.orc",
  content: "binary",
  recognise(head, name) {
    const isNamed = /\.orc$/i.test(name);
    if (new TextDecoder().decode(head.subarray(0, 3)) !== MAGIC) return isNamed ? 0.3 : 0;
    // A text may begin with these letters as well; what follows them in a file is no text.
    return isNamed || head.subarray(0, 512).some((byte) => byte < 9) ? 1 : 0.5;
  },
  read: async (call) => await (await import("./read.ts")).readOrc(call),
};
