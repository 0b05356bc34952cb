/** @module Tables of HTML pages: the one that is named, or the largest of data. */
import type { Format } from "../format.ts";

/** HTML pages with tables. */
export const html: Format = {
  name: "html",
  extensions: ["html", "htm", "xhtml"],
  mediaType: "text/html",
  content: "text",
  recognise(head, name) {
    const text = new TextDecoder().decode(head.subarray(0, 4096)).trimStart()
      .replace(/^(<\?xml[^>]*>\s*|<!--.*?-->\s*)+/s, "");
    if (/^<!doctype\s+html|^<html[\s>]/i.test(text)) return 0.97;
    if (/^<(head|body|table|title|meta|center|div|h1|p|script)[\s>]/i.test(text)) return 0.7;
    return /\.x?html?(\.gz)?$/i.test(name) && text.startsWith("<") ? 0.6 : 0;
  },
  read: async (call) => await (await import("./read.ts")).readHtml(call),
};
