import { assertEquals, assertRejects } from "@std/assert";
import type { EngineResult } from "../contract/child.ts";
import type { DatasetVersionRow } from "../store/dataset_query.ts";
import { readCells } from "./cells.ts";
import type { TableReader } from "./parts.ts";

const version = {
  dataset: "prices",
  partition: "p",
  version: 1,
  schema: {
    name: "bar",
    columns: ["symbol", "close", "volume"].map((name) => ({ name, type: "VARCHAR" })),
    key: ["symbol"],
  },
  lineageFiles: [{ key: "attempts/1/0-lineage.parquet", bytes: 1, sha256: "0".repeat(64) }],
} as unknown as DatasetVersionRow;

const names = [
  "symbol",
  "close",
  "volume",
  "_tw_source",
  "_tw_file",
  "_tw_row",
  "_tw_offset",
  "_tw_cells",
  "_tw_rank",
  "_tw_rule",
  "_tw_rules",
];

/** A reader whose lineage files have these rows. */
function lineage(rows: EngineResult["rows"]): TableReader {
  const columns = names.map((name) => ({ name, type: "VARCHAR" }));
  return { read: () => Promise.resolve({ columns, rows, rowsChanged: 0 }) } as TableReader;
}

const published = ["X", "1", "20", "a", "fa", 1, 10];

Deno.test("readCells() tells of each value its record, its rule and what the others said", async () => {
  const cells = [["volume", { source: "b", file: "fb", row: 7 }]];
  const tables = lineage([
    ["X", "2", "20", "b", "fb", 7, 70, null, 2, null, null],
    [...published, cells, 0, "by row", [["volume", "by field"]]] as EngineResult["rows"][number],
    ["X", "1", null, "a", "fa", 1, 10, null, 1, null, null],
  ]);
  const found = await readCells(tables, version, { key: { symbol: "X" } });

  assertEquals(found.slice(1), [{
    column: "close",
    value: "1",
    source: "a",
    raw_file: "fa",
    raw_row: 1,
    raw_offset: 10,
    rule: "by row",
    others: [{ source: "b", value: "2" }],
  }, {
    column: "volume",
    value: "20",
    source: "b",
    raw_file: "fb",
    raw_row: 7,
    raw_offset: 70,
    rule: "by field",
    others: [{ source: "a", value: null }],
  }]);
});

Deno.test("readCells() refuses a key that several published rows have", async () => {
  const row = [...published, null, 0, null, null] as EngineResult["rows"][number];
  await assertRejects(
    () => readCells(lineage([row, row]), version, { key: { symbol: "X" } }),
    Error,
    "2 rows have that key; name one by symbol",
  );
});
