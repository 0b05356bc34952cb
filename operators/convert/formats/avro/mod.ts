/** @module Avro's object container files. */
import type { Format } from "../format.ts";
import { plainSelect } from "../plain_select.ts";
import { MAGIC, OLD_MAGIC } from "./magic.ts";

/** Avro, decoded into columns by functions made of the file's schema. */
export const avro: Format = {
  name: "avro",
  extensions: ["avro"],
  mediaType: "application/avro",
  content: "binary",
  recognise(head, name) {
    const magic = new TextDecoder("latin1").decode(head.subarray(0, 4));
    if (magic === MAGIC || magic === OLD_MAGIC) return 1;
    return /\.avro$/i.test(name) ? 0.3 : 0;
  },
  read: async (call) => await (await import("./read.ts")).readAvro(call),
  write(relation, columns) {
    // Avro has no time of day to the nanosecond: a text has all its digits.
    const held = columns.map(({ name, type }) => ({
      name,
      type: type === "TIME_NS" ? "VARCHAR" : type,
    }));
    return {
      sql: plainSelect(relation, held),
      to: { format: "parquet", isPlain: true },
      async encode(from, path, signal) {
        const { writeAvro } = await import("./write.ts");
        await writeAvro(from, path, { columns: held, signal });
      },
    };
  },
};
