/** @module Staged rows come back from SQL as they went in. */
import { assertEquals } from "@std/assert";
import { startEngine } from "../../../src/engine/client.ts";
import type { ReadCall } from "./format.ts";
import { type StagedColumn, TableStage } from "./staging.ts";

const bytes = (...values: number[]) => new Uint8Array(values);
const big = 2n ** 63n - 1n;

const columns: (StagedColumn & { values: unknown[]; texts: (string | null)[] })[] = [
  { name: "flag", type: "BOOLEAN", values: [true, null, false], texts: ["true", null, "false"] },
  { name: "tiny", type: "TINYINT", values: [-128, null, 127], texts: ["-128", null, "127"] },
  {
    name: "unsigned",
    type: "UINTEGER",
    values: [0, 4294967295, null],
    texts: ["0", "4294967295", null],
  },
  {
    name: "long",
    type: "BIGINT",
    values: [-big - 1n, big, null],
    texts: [`${-big - 1n}`, `${big}`, null],
  },
  {
    name: "unsigned long",
    type: "UBIGINT",
    values: [2n ** 64n - 1n, 0n, null],
    texts: [`${2n ** 64n - 1n}`, "0", null],
  },
  { name: "real", type: "DOUBLE", values: [0.1, -0, null], texts: ["0.1", "-0.0", null] },
  { name: "text", type: "VARCHAR", values: ["", "é", null], texts: ["", "é", null] },
  { name: "utf-8", type: "VARCHAR", values: [bytes(0x61), bytes(), null], texts: ["a", "", null] },
  {
    name: "document",
    type: "JSON",
    values: ['{"a":1e400}', "1", null],
    texts: ['{"a":1e400}', "1", null],
  },
  {
    name: "blob",
    type: "BLOB",
    values: [bytes(0, 255), bytes(), null],
    texts: ["\\x00\\xFF", "", null],
  },
  {
    name: "id",
    type: "UUID",
    values: [bytes(...Array(16).keys()), null, null],
    texts: ["00010203-0405-0607-0809-0a0b0c0d0e0f", null, null],
  },
  {
    name: "day",
    type: "DATE",
    values: [-1, 20_000, null],
    texts: ["1969-12-31", "2024-10-04", null],
  },
  { name: "time", type: "TIME", values: [1n, null, null], texts: ["00:00:00.000001", null, null] },
  {
    name: "nanoseconds",
    type: "TIMESTAMP_NS",
    values: [1n, null, 1_700_000_000_123_456_789n],
    texts: ["1970-01-01 00:00:00.000000001", null, "2023-11-14 22:13:20.123456789"],
  },
  {
    name: "instant",
    type: "TIMESTAMP WITH TIME ZONE",
    values: [0n, null, null],
    texts: ["1970-01-01 00:00:00+00", null, null],
  },
  {
    name: "price",
    type: { decimal: [18, 4] },
    values: [-1n, 12345n, null],
    texts: ["-0.0001", "1.2345", null],
  },
  {
    name: "wide",
    type: { decimal: [38, 2] },
    values: [10n ** 37n + 1n, -(10n ** 37n), null],
    texts: [`1${"0".repeat(35)}.01`, `-1${"0".repeat(35)}.00`, null],
  },
  {
    name: "list",
    type: { list: { list: "BIGINT" } },
    values: [[[1n, null], [], null], [], null],
    texts: ["[[1, NULL], [], NULL]", "[]", null],
  },
  {
    name: "struct",
    type: {
      struct: [{ name: "a b", type: "VARCHAR" }, { name: "n n", type: { list: "INTEGER" } }],
    },
    values: [{ "a b": "x", "n n": [1] }, { "a b": null, "n n": null }, null],
    texts: ["{'a b': x, 'n n': [1]}", "{'a b': NULL, 'n n': NULL}", null],
  },
  {
    name: "map",
    type: { map: ["VARCHAR", { list: "DOUBLE" }] },
    values: [[{ key: "k", value: [1.5] }, { key: "l", value: null }], [], null],
    texts: ["{k=[1.5], l=NULL}", "{}", null],
  },
];

Deno.test("staged values of every type come back exactly, by row and by column", async () => {
  const workDir = await Deno.makeTempDir();
  const engine = await startEngine({
    workDir,
    allowedDirectories: [],
    memoryBytes: 512 * 1024 ** 2,
  });
  let next = 0;
  const call = {
    file: { path: "", name: "rows", bytes: 0, isAsCollected: true },
    signal: new AbortController().signal,
    tempPath: (extension: string) => `${workDir}/${next++}.${extension}`,
  } as unknown as ReadCall;
  const read = async (relation: string) => {
    const texts = columns.map((_, i) => `c${i}::VARCHAR`).join(", ");
    return (await engine.run(`SELECT ${texts} FROM (${relation})`, { rowsMax: 10 })).rows;
  };
  try {
    const byRow = new TableStage(call, columns, { isPositioned: true });
    for (let row = 0; row < 3; row++) {
      byRow.add(columns.map(({ values }) => values[row]), {
        row: row + 1,
        offset: 7 * row,
        bytes: null,
      });
    }
    const rows = byRow.finish();
    assertEquals(rows.position, "carried");
    const want = [0, 1, 2].map((row) => columns.map(({ texts }) => texts[row]));
    assertEquals(await read(rows.relation), want);
    const at = `SELECT _tw_row, _tw_offset, _tw_bytes FROM (${rows.relation})`;
    assertEquals((await engine.run(at, { rowsMax: 10 })).rows, [[1, 0, null], [2, 7, null], [
      3,
      14,
      null,
    ]]);
    const types = `SELECT ${
      columns.map((_, i) => `typeof(c${i})`).join(", ")
    } FROM (${rows.relation})`;
    assertEquals(
      (await engine.run(types, { rowsMax: 1 })).rows[0],
      rows.columns.map(({ type }) => type),
    );

    const byColumn = new TableStage(call, columns, { isPositioned: false });
    byColumn.addColumns(columns.map(({ values }) => values), 3);
    byColumn.addColumns(columns.map(({ values }) => values), 3);
    const twice = byColumn.finish();
    assertEquals(await read(twice.relation), [...want, ...want]);
    assertEquals([byColumn.rows, twice.position], [6, "implied"]);
  } finally {
    await engine.close();
  }
});
