/** @module Parquet. */
import { ident } from "../../../table/sql.ts";
import type { Format, WriteColumn, WriteStatement } from "../format.ts";
import { zonesOf } from "../plain_select.ts";
import type { Meaning } from "./leaves.ts";

const MAGIC = "PAR1";

/** Parquet, read and written by the engine; what that cannot read exactly is made ready for it. */
export const parquet: Format = {
  name: "parquet",
  extensions: ["parquet", "pq"],
  mediaType: "application/vnd.apache.parquet",
  content: "binary",
  recognise(head, name) {
    const isNamed = /\.(parquet|pq)$/i.test(name);
    const magic = new TextDecoder("latin1").decode(head.subarray(0, 4));
    return magic === MAGIC || magic === "PARE" ? 1 : isNamed ? 0.3 : 0;
  },
  read: async (call) => await (await import("./read.ts")).readParquet(call),
  write: writeParquet,
};

function writeParquet(relation: string, columns: readonly WriteColumn[]): WriteStatement {
  const selected = columns.map(({ name, type }) => {
    const column = ident(name);
    // The engine would write a text; as a timestamp, it has its digits, and is marked afterwards.
    return type === "TIME_NS" ? `make_timestamp_ns(epoch_ns(${column})) AS ${column}` : column;
  });
  const meanings = columns.flatMap(({ type }): Meaning[] =>
    type === "TIME_NS" ? ["time_ns"] : zonesOf(type).map((isZoned) => isZoned ? "zoned_ns" : null)
  );
  const sql = `SELECT ${selected.join(", ")} FROM (${relation})`;
  const to = { format: "parquet", compression: "zstd" } as const;
  if (meanings.every((meaning) => meaning === null)) return { sql, to };
  return {
    sql,
    to,
    async encode(from, path) {
      const { markNanos } = await import("./mark.ts");
      await markNanos(from, meanings);
      await Deno.rename(from, path);
    },
  };
}
