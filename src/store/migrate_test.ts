import { assertEquals, assertRejects } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { until } from "../../tests/support/until.ts";
import { AppError } from "../model/errors.ts";
import { openDatabase } from "./database.ts";
import { isBreaking, migrate, type Migration } from "./migrate.ts";
import { migrations as shipped } from "./migrations/mod.ts";

const now = new Date("2030-01-01T00:00:00Z");
const one: Migration = { version: 1, name: "0001_a.sql", text: "create table a (x int);" };
const two: Migration = { version: 2, name: "0002_b.sql", text: "create table b (x int);" };
const breaking = { ...two, text: "-- breaking: a is no more\ndrop table a;" };

Deno.test("migrate() applies what is missing, once", async () => {
  await using db = await testDatabase({ migrated: false });

  const first = await migrate(db.sql, { now, migrations: [one] });
  const second = await migrate(db.sql, { now, migrations: [one, two] });
  const third = await migrate(db.sql, { now, migrations: [one, two] });

  assertEquals(first, { applied: ["0001_a.sql"], version: 1 });
  assertEquals(second, { applied: ["0002_b.sql"], version: 2 });
  assertEquals(third, { applied: [], version: 2 });
});

Deno.test("migrate() lets one of several starting processes do the work", async () => {
  await using db = await testDatabase({ migrated: false });
  const others = await Promise.all([1, 2, 3].map(() => openDatabase(db.url, { max: 1 })));

  const done = await Promise.all(
    others.map((sql) => migrate(sql, { now, migrations: [one, two] })),
  );

  assertEquals(done.flatMap(({ applied }) => applied).toSorted(), ["0001_a.sql", "0002_b.sql"]);
  await Promise.all(others.map((sql) => sql.end()));
});

Deno.test("migrate() tries a step again that gives way to others more than a few times", async () => {
  await using db = await testDatabase({ migrated: false });
  await db.sql`create sequence tries`;
  // As a deadlock with an older program's writes; a sequence keeps its count over a rollback.
  const yielding = {
    ...one,
    text: `create table a (x int);
      do $$ begin if nextval('tries') < 7 then raise exception 'gives way' using errcode = '40P01'; end if; end $$;`,
  };
  assertEquals(await migrate(db.sql, { now, migrations: [yielding] }), {
    applied: ["0001_a.sql"],
    version: 1,
  });
});

Deno.test("migrate() leaves nothing of a step that fails", async () => {
  await using db = await testDatabase({ migrated: false });
  const bad = { ...two, text: "create table b (x int); select nothing from nowhere;" };

  await assertRejects(
    () => migrate(db.sql, { now, migrations: [one, bad] }),
    AppError,
    "Cannot apply 0002_b.sql",
  );

  const [row] = await db.sql`select to_regclass('a') as a, to_regclass('b') as b`;
  assertEquals({ ...row }, { a: "a", b: null });
  assertEquals((await migrate(db.sql, { now, migrations: [one, two] })).version, 2);
});

Deno.test("migrate() gives way to writes of programs that run, and tries again", async () => {
  await using db = await testDatabase({ migrated: false });
  await migrate(db.sql, { now, migrations: [one, two] });
  const both = "alter table a add column y int; alter table b add column y int;";
  const three: Migration = { version: 3, name: "0003_c.sql", text: both };
  const writer = await openDatabase(db.url, { max: 1 });

  // The writer has b and wants a, the step has a and wants b.
  await writer`begin`;
  await writer`insert into b values (1)`;
  const migrating = migrate(db.sql, { now, migrations: [one, two, three] });
  await until("the step to wait", async () => {
    const [{ waits }] = await writer`select count(*)::int as waits from pg_locks where not granted`;
    return waits > 0;
  });
  await writer`insert into a values (1)`;
  await writer`commit`;

  assertEquals((await migrating).applied, ["0003_c.sql"]);
  await writer.end();
});

Deno.test("migrate() names a step whose text changed after it was applied", async () => {
  await using db = await testDatabase({ migrated: false });
  await migrate(db.sql, { now, migrations: [one] });

  const error = await assertRejects(
    () => migrate(db.sql, { now, migrations: [{ ...one, text: "create table z (x int);" }] }),
    AppError,
    "0001_a.sql",
  );

  assertEquals(error.code, "CORRUPT");
});

Deno.test("migrate() goes on with a newer database unless it went past a breaking step", async () => {
  await using db = await testDatabase({ migrated: false });
  await migrate(db.sql, { now, migrations: [one, two] });
  assertEquals(await migrate(db.sql, { now, migrations: [one] }), { applied: [], version: 2 });

  await using broken = await testDatabase({ migrated: false });
  await migrate(broken.sql, { now, migrations: [one, breaking] });
  const error = await assertRejects(
    () => migrate(broken.sql, { now, migrations: [one] }),
    AppError,
    "0002_b.sql",
  );
  assertEquals(error.code, "CONFLICT");
});

Deno.test("isBreaking() reads the mark at the start of a line", () => {
  assertEquals(isBreaking(breaking.text), true);
  assertEquals(isBreaking("-- this is not breaking anything"), false);
});

Deno.test("migrations: every file of the folder is in the list with its own text", async () => {
  const files = (await Array.fromAsync(Deno.readDir(new URL("migrations", import.meta.url))))
    .map((entry) => entry.name).filter((name) => name.endsWith(".sql")).toSorted();

  assertEquals(shipped.map(({ name }) => name), files);
  for (const { name, text } of shipped) {
    assertEquals(text, await Deno.readTextFile(new URL(`migrations/${name}`, import.meta.url)));
  }
});
