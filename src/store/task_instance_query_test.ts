import { assert, assertEquals } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { COUNTED_ROWS_MAX, countRows } from "./page.ts";

Deno.test("countRows() counts exactly up to its limit, and estimates what is beyond", async () => {
  await using db = await testDatabase();
  const { sql } = db;
  const below = COUNTED_ROWS_MAX - 1;
  const rows = (count: number) => sql`from generate_series(1, ${count}::int) g`;
  assertEquals(await countRows(sql, rows(below)), below);
  assertEquals(await countRows(sql, rows(COUNTED_ROWS_MAX)), COUNTED_ROWS_MAX);
  await sql`create table many as select g as n from generate_series(1, 300000) g`;
  await sql`analyze many`;
  const many = await countRows(sql, sql`from many where n > ${0}`);
  assert(many > 290_000 && many < 310_000, `${many}`);
  assert(await countRows(sql, sql`from many where n <= ${150_000}`) > COUNTED_ROWS_MAX);
});

Deno.test("the list of failed task instances reads the index of those that failed", async () => {
  await using db = await testDatabase({ max: 1 });
  const { sql } = db;
  await sql`set enable_seqscan = off`;
  const plan = await sql`
    explain select 1 from task_instance t where t.state = any(${["failed"]})
      and t.state in ('failed', 'cancelled', 'upstream_failed') order by t.id desc limit 50`;
  assert(JSON.stringify(plan).includes("task_instance_failed"), JSON.stringify(plan));
});
