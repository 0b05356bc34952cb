/** @module Bloomberg Data License reply files (.out): getdata and gethistory. */
import type { Format } from "../format.ts";

/**
 * getdata: a row per security, with its return code and the fields that were asked for; gethistory:
 * a row per security, field and date. `N.A.`, `N.D.`, `N.S.`, `FLD UNKNOWN` and blanks are null. A
 * file without END-OF-FILE is still being written, and refused.
 */
export const bloomberg: Format = {
  name: "bloomberg",
  extensions: ["out", "px", "bbg"],
  mediaType: "application/x-bloomberg-data-license",
  content: "text",
  recognise(head) {
    const text = new TextDecoder().decode(head.subarray(0, 16_384));
    if (!/^(#[^\n]*\n)*\s*START-OF-FILE\s*\r?\n/.test(text)) return 0;
    return /START-OF-(FIELDS|DATA)|REPLYFILENAME|PROGRAMNAME|RUNDATE/.test(text) ? 0.99 : 0.7;
  },
  read: async (call) => await (await import("./read.ts")).readOut(call),
};
