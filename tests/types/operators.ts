/** @module What the programs beside this file are made of: shipped operators, and one that does nothing. */
import { column, operator, RawFiles, table } from "tidewheel";
import { z } from "zod";

export { convert, merge, publish, quality } from "tidewheel/operators";

const load = () => Promise.reject(new Error("never"));

/** Fetches. */
export const collect = operator({
  name: "types.collect",
  summary: "Fetch",
  params: z.object({ source: z.string(), pages: z.int().default(1), query: z.json().optional() }),
  output: RawFiles,
  load,
});

/** Daily prices. */
export const Bar = table("bar", {
  symbol: column.varchar(),
  date: column.date(),
  close: column.decimal(18, 4).nullable(),
  volume: column.int64().nullable(),
}, { key: ["symbol", "date"] });
