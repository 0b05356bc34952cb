/** @module BAI2: cash management reports of banks, checked by their control totals. */
import type { Format } from "../format.ts";

/**
 * BAI Cash Management Balance Reporting, version 2. Accounts whose control record (49) has another sum
 * or count are refused whole; a file or group whose own (99, 98) has, is no whole file.
 */
export const bai2: Format = {
  name: "bai2",
  extensions: ["bai", "bai2"],
  mediaType: "application/x-bai2",
  content: "text",
  recognise(head) {
    const lines = new TextDecoder().decode(head.subarray(0, 4096)).split(/\r?\n/);
    if (!/^01,[^,]*,[^,]*,\d{6},\d{1,4},/.test(lines[0])) return 0;
    return lines.length < 2 || /^(02|88),/.test(lines[1]) ? 0.99 : 0.3;
  },
  read: async (call) => await (await import("./read.ts")).readBai2(call),
};
