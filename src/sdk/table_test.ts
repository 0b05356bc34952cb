import { assertEquals, assertThrows } from "@std/assert";
import { TableRef, TableSchema } from "../model/data.ts";
import { column, type ColumnDefs, table, tableOf } from "./table.ts";

const Bar = table("daily_bar", {
  symbol: column.varchar(),
  date: column.date().doc("Trading day"),
  close: column.decimal(18, 4).nullable(),
  seen: column.timestampTz(),
  tags: column.list(column.varchar()),
}, { key: ["symbol", "date"] });

Deno.test("table() is a TableSchema with DuckDB's type names", () => {
  assertEquals(TableSchema.parse(Bar), {
    name: "daily_bar",
    columns: [
      { name: "symbol", type: "VARCHAR", nullable: false },
      { name: "date", type: "DATE", nullable: false, doc: "Trading day" },
      { name: "close", type: "DECIMAL(18,4)", nullable: true },
      { name: "seen", type: "TIMESTAMP WITH TIME ZONE", nullable: false },
      { name: "tags", type: "VARCHAR[]", nullable: false },
    ],
    key: ["symbol", "date"],
  });
  assertEquals(JSON.parse(JSON.stringify(Bar)), TableSchema.parse(Bar));
});

Deno.test("table() refuses names and keys that cannot be", () => {
  const refuse = (name: string, columns: ColumnDefs, key: string[], message: string) =>
    assertThrows(() => table(name, columns, { key: key as never[] }), RangeError, message);
  const a = column.int64();
  refuse("daily bar", { a }, [], "letters, digits and _");
  refuse("t", {}, [], "it has no columns");
  refuse("t", { _tw_source: a }, [], "_tw_ is for provenance");
  refuse("t", { a }, ["b"], 'its key names "b", which is none of a');
  refuse("t", { a: a.nullable() }, ["a"], 'its key column "a" is nullable');
});

Deno.test("decimal() refuses a precision or scale that no engine has", () => {
  for (const [precision, scale] of [[0, 0], [39, 2], [10, 11], [10.5, 2]]) {
    assertThrows(() => column.decimal(precision, scale), RangeError, "precision goes from 1 to 38");
  }
});

Deno.test("tableOf() makes the reference that operators read", () => {
  const file = { key: "a/b.parquet", bytes: 1, sha256: "0".repeat(64) };
  const ref = tableOf(Bar, { files: [file], rows: 3, sources: ["mine"] });
  assertEquals(TableRef.parse(ref).schema.name, "daily_bar");
});
