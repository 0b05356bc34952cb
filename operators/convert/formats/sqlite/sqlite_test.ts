import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { plainNumber } from "../plain_number.ts";
import { sqlite } from "./mod.ts";

/** A file that these statements make. */
async function database(...statements: string[]): Promise<Uint8Array> {
  const dir = await Deno.makeTempDir();
  try {
    const made = new DatabaseSync(`${dir}/file`);
    for (const statement of statements) made.exec(statement);
    made.close();
    return await Deno.readFile(`${dir}/file`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const messageOf = (error: unknown) => (error as Error).message;

Deno.test("SQLite is converted", async (t) => {
  await using convert = await converter();

  await t.step("values decide the types, exactly", async () => {
    const file = await database(
      `CREATE TABLE t (n INTEGER, price DECIMAL(10,2), day DATE, ok BOOLEAN, r REAL, b BLOB, any,
        empty TEXT)`,
      `INSERT INTO t VALUES
        (9223372036854775807, 1.10, '2024-01-02', 1, 0.1, x'00ff', 'text', NULL),
        (NULL, 2, NULL, 0, 1e300, x'', 9007199254740993, NULL),
        (-1, 0.0000001, '2024-12-31', NULL, -0.5, NULL, x'0a', NULL),
        (0, NULL, '2024-01-02', 1, NULL, NULL, 2.50, NULL)`,
    );
    const table = await convert.table(file, { file: "a.sqlite" });
    assertEquals(table.format, "sqlite");
    assertEquals(table.types, {
      n: "BIGINT",
      price: "DECIMAL(18,7)",
      day: "DATE",
      ok: "BOOLEAN",
      r: "DOUBLE",
      b: "BLOB",
      any: "VARCHAR",
      empty: "VARCHAR",
    });
    assertEquals(table.rows.map(({ n }) => n), ["9223372036854775807", null, -1, 0]);
    assertEquals(table.rows.map(({ any }) => any), ["text", "9007199254740993", "X'0A'", "2.5"]);
    assertEquals(table.rows.map(({ price }) => price), [
      "1.1000000",
      "2.0000000",
      "0.0000001",
      null,
    ]);
    assertEquals(table.rows.map(({ day }) => day), [
      "2024-01-02",
      null,
      "2024-12-31",
      "2024-01-02",
    ]);
  });

  await t.step("a text that is no UTF-8 costs its row", async () => {
    const file = await database(
      "CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID",
      "INSERT INTO t VALUES ('a'), (CAST(x'61ff' AS TEXT)), ('é')",
    );
    const table = await convert.table(file);
    assertEquals(table.rows.map(({ a }) => a), ["a", "é"]);
    assertEquals(table.refused.map(({ row, rule, column }) => [row, rule, column]), [
      [2, "encoding", "a"],
    ]);
    assertEquals(table.accounting.in, 3);
  });

  await t.step("UTF-16 inside", async () => {
    const file = await database(
      "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a TEXT, b)",
      "INSERT INTO t VALUES ('é€😀', 1), ('', 'x')",
    );
    const table = await convert.table(file);
    assertEquals(
      table.rows,
      [{ a: "é€😀", b: "1" }, { a: "", b: "x" }].map((row) => ({
        ...row,
        _tw_cells: null,
      })),
    );
  });

  await t.step("a file that was written with a write-ahead log", async () => {
    const file = await database("PRAGMA journal_mode = wal; CREATE TABLE t AS SELECT 1 AS a");
    assertEquals(file[18], 2);
    assertEquals((await convert.table(file)).rows.length, 1);
  });

  await t.step(
    "several tables: the error lists them; a named one is read, a view too",
    async () => {
      const file = await database(
        "CREATE TABLE a (x); CREATE TABLE b (y); INSERT INTO b VALUES (1), (2)",
        "CREATE VIEW v AS SELECT y + 1 AS z FROM b",
      );
      const error = messageOf(await assertRejects(() => convert.table(file)));
      assert(error.includes('it has "a", "b"; name one with "sqlite": { "table": … }'), error);
      const read = (table: string) => convert.table(file, { sqlite: { table } });
      assertEquals((await read("B")).rows.map(({ y }) => y), [1, 2]);
      assertEquals((await read("v")).rows.map(({ z }) => z), [2, 3]);
      const missing = messageOf(await assertRejects(() => read("c")));
      assert(missing.includes('table "c"') && missing.includes('it has "a", "b", "v"'), missing);
    },
  );
});

Deno.test("an encrypted file is told from a SQLite file that is damaged", async () => {
  const random = crypto.getRandomValues(new Uint8Array(4096));
  const error = messageOf(await assertRejects(() => readAlone(sqlite, random)));
  assert(error.includes("at byte 0") && error.includes("encrypted"), error);
});

Deno.test("SQLite cut off anywhere, or with bits flipped, is read or refused", async () => {
  const file = await database(
    "PRAGMA page_size = 512; CREATE TABLE t (a, b); CREATE INDEX i ON t (a)",
    `INSERT INTO t VALUES ${Array.from({ length: 40 }, (_, i) => `(${i}, 'text ${i}')`).join()}`,
  );
  for (let length = 1; length < file.length; length += 7) {
    const error = messageOf(await assertRejects(() => readAlone(sqlite, file.subarray(0, length))));
    assert(/^Cannot read input as SQLite: .*at byte \d+/.test(error), `${length}: ${error}`);
  }
  for (let bit = 0; bit < 8 * file.length; bit += 41) {
    const flipped = file.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    await readAlone(sqlite, flipped).catch((error) => {
      assert(/^Cannot read (input|rows of input)/.test(error.message), `${bit}: ${error.stack}`);
    });
  }
});

Deno.test("plainNumber writes the shortest digits, without exponents where they are few", () => {
  const cases: [number, string][] = [
    [0.1, "0.1"],
    [1e-7, "0.0000001"],
    [-1.5e-7, "-0.00000015"],
    [1e21, "1000000000000000000000"],
    [1.25e22, "12500000000000000000000"],
    [1e300, "1e+300"],
    [-0, "-0"],
    [123456789012345680, "123456789012345680"],
  ];
  for (const [value, text] of cases) assertEquals(plainNumber(value), text);
});
