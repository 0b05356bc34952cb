/** @module A table of a SQLite file, read by the runtime's own SQLite. */
import type { Format } from "../format.ts";
import { sqliteMagic } from "./magic.ts";

/** A SQLite database. */
export const sqlite: Format = {
  name: "sqlite",
  extensions: ["sqlite", "sqlite3", "db3"],
  mediaType: "application/vnd.sqlite3",
  content: "binary",
  recognise(head, name) {
    const isSqlite = new TextDecoder("latin1").decode(head.subarray(0, sqliteMagic.length)) ===
      sqliteMagic;
    return isSqlite ? 1 : /\.(sqlite3?|db3)$/i.test(name) ? 0.3 : 0;
  },
  read: async (call) => await (await import("./read.ts")).readSqlite(call),
};
