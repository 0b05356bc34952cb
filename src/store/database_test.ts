import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { AppError } from "../model/errors.ts";
import { connect, describeUrl, openDatabase, requireVersion } from "./database.ts";

Deno.test("openDatabase() keeps int8, numeric, time and JSON exact", async () => {
  await using db = await testDatabase({ migrated: false });

  const [row] = await db.sql`
    select 42::int8 as small_one, 9007199254740993::int8 as "big", 1.10::numeric as "exact",
      '2030-01-01T01:00:00+01:00'::timestamptz as "at", '2030-01-01'::date as "day",
      '{"snake_key": [1, null]}'::jsonb as "doc"`;

  assertEquals({ ...row }, {
    smallOne: 42,
    big: 9007199254740993n,
    exact: "1.10",
    at: new Date("2030-01-01T00:00:00Z"),
    day: "2030-01-01",
    doc: { snake_key: [1, null] },
  });
});

Deno.test("openDatabase() takes numbers, big integers, dates and JSON as they are", async () => {
  await using db = await testDatabase({ migrated: false });
  await db.sql`create table t (n int8, "at" timestamptz, doc jsonb, list text[])`;
  const at = new Date("2030-01-01T00:00:00Z");

  await db.sql`insert into t values (${7}, ${at}, ${db.sql.json({ a_b: 1 })}, ${["x", "y"]})`;

  const [row] = await db.sql`select * from t`;
  assertEquals({ ...row }, { n: 7, at, doc: { a_b: 1 }, list: ["x", "y"] });
});

Deno.test("openDatabase() works without named statements", async () => {
  await using db = await testDatabase({ migrated: false });
  const sql = await openDatabase(db.url, { max: 1, prepare: false });

  assertEquals((await sql`select ${sql.json({ a: 1 })} as doc`)[0].doc, { a: 1 });

  await sql.end();
});

Deno.test("openDatabase() cuts a transaction that is left idle", async () => {
  await using db = await testDatabase({ migrated: false });

  const [row] = await db.sql`show idle_in_transaction_session_timeout`;

  assertEquals(row.idleInTransactionSessionTimeout, "2s");
});

Deno.test("openDatabase() cuts long statements and refuses writes when told", async () => {
  await using db = await testDatabase({ migrated: false });
  const sql = await openDatabase(db.url, { max: 1, statementTimeoutMs: 20, readOnly: true });

  await assertRejects(() => sql`select pg_sleep(10)`, Error, "statement timeout");
  await assertRejects(() => sql`create table t (a int)`, Error, "read-only transaction");

  await sql.end();
});

Deno.test("openDatabase() says what is wrong and never the password", async () => {
  await using db = await testDatabase({ migrated: false });
  const wrong = new URL(db.url);
  wrong.password = "not-the-password";
  const missing = new URL(db.url);
  missing.pathname = "/no_such_database";
  const closed = "postgres://me:hunter2@127.0.0.1:1/x";

  for (
    const [url, says] of [
      [wrong.href, "it refused the password"],
      [missing.href, "there is no such database"],
      [closed, "nothing listens there"],
    ]
  ) {
    const error = await assertRejects(() => openDatabase(url), AppError, says);
    assertEquals(error.code, "UNAVAILABLE");
    assertEquals(Deno.inspect(error).includes(new URL(url).password), false);
  }
});

Deno.test("requireVersion() names what is too old", () => {
  const url = "postgres://me:hunter2@h/x";

  requireVersion(150_000, url);

  const says = "me@h:5432/x: it is PostgreSQL 14, Tidewheel needs 15";
  assertThrows(() => requireVersion(140_022, url), AppError, says);
});

Deno.test("connect() refuses what is not a URL of PostgreSQL", () => {
  for (const url of ["nonsense", "mysql://root:hunter2@localhost/x"]) {
    try {
      connect(url);
    } catch (error) {
      assertEquals((error as AppError).code, "INVALID");
      assertEquals(String(error).includes("hunter2"), false);
      continue;
    }
    throw new Error("was accepted");
  }
});

Deno.test("describeUrl() shows no password", () => {
  assertEquals(describeUrl("postgres://me:hunter2@h:6432/x"), "me@h:6432/x");
  assertEquals(describeUrl("postgres://me:hunter2@127.0.0.1/x?host=%2Frun"), "me@/run:5432/x");
});
