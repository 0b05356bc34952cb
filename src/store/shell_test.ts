import { assertEquals, assertRejects } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { runSql } from "./shell.ts";

Deno.test("runSql() gives names and values as PostgreSQL prints them", async () => {
  await using db = await testDatabase({ migrated: false });

  const result = await runSql(
    db.url,
    `select 1 as a_b, 12345678901234567890.10 as exact, null as nothing, '{"x": [1]}'::jsonb as doc,
       '2030-01-01T00:00:00.000001Z'::timestamptz as at`,
  );

  assertEquals(result, {
    columns: [
      { name: "a_b", type: "integer" },
      { name: "exact", type: "numeric" },
      { name: "nothing", type: "text" },
      { name: "doc", type: "jsonb" },
      { name: "at", type: "timestamp with time zone" },
    ],
    rows: [["1", "12345678901234567890.10", null, '{"x": [1]}', "2030-01-01 00:00:00.000001+00"]],
    rowsChanged: null,
    truncated: false,
  });
});

Deno.test("runSql() gives columns of an empty result, and at most rowsMax rows", async () => {
  await using db = await testDatabase({ migrated: false });

  const empty = await runSql(db.url, "select 1 as x where false;");
  const many = await runSql(db.url, "select generate_series(1, 1000000) as x", { rowsMax: 2 });

  assertEquals([empty.columns[0].name, empty.rows], ["x", []]);
  assertEquals([many.rows, many.truncated], [[["1"], ["2"]], true]);
});

Deno.test("runSql() refuses to write unless told", async () => {
  await using db = await testDatabase({ migrated: false });

  await assertRejects(() => runSql(db.url, "create table t (a int)"), Error, "read-only");
  await assertRejects(() => runSql(db.url, "commit; create table t (a int)"), Error, "read-only");
  await runSql(db.url, "create table t (a int)", { write: true });
  const { rowsChanged } = await runSql(db.url, "insert into t values (1), (2)", { write: true });

  assertEquals(rowsChanged, 2);
});

Deno.test("runSql() takes several statements, all or nothing", async () => {
  await using db = await testDatabase({ migrated: false });

  const both = await runSql(db.url, "create table t (a int); select 2 as x", { write: true });
  await assertRejects(
    () => runSql(db.url, "insert into t values (1); select nothing", { write: true }),
    Error,
    'column "nothing" does not exist',
  );

  assertEquals(both.rows, [["2"]]);
  assertEquals((await runSql(db.url, "select * from t")).rows, []);
});
