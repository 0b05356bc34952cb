import { assert, assertEquals } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import type { Sql } from "./database.ts";

const now = new Date("2026-01-06T08:00:00Z");

/** raw.alpha + raw.beta → clean.alpha → prices.daily (twice) → index.daily. */
async function fill(sql: Sql): Promise<void> {
  const versions = [
    ["raw.alpha.daily", 1, "raw", []],
    ["raw.beta.daily", 1, "raw", []],
    ["clean.alpha", 1, "table", ["raw.alpha.daily"]],
    ["prices.daily", 1, "table", ["clean.alpha", "raw.beta.daily"]],
    ["prices.daily", 2, "table", ["raw.beta.daily", "never.published"]],
    ["index.daily", 1, "table", ["prices.daily"]],
  ] as const;
  const made = new Map<string, string>();
  for (const [index, [dataset, version, kind, inputs]] of versions.entries()) {
    const id = `00000000-0000-7000-8000-00000000000${index}`;
    const knownAt = new Date(now.getTime() + index * 1000);
    await sql`
      insert into dataset (name, kind, created_at) values (${dataset}, ${kind}, ${now})
      on conflict do nothing`;
    await sql`
      insert into dataset_version (id, dataset, partition, version, kind, known_at, sha256, bytes,
        files, attempt_id, dag_id, run_id, task_id)
      values (${id}, ${dataset}, '2026-01-05', ${version}, ${kind}, ${knownAt}, 'x', 1,
        '[]', ${id}, 'eod', 'r1', 'publish')`;
    for (const [ordinal, input] of inputs.entries()) {
      await sql`
        insert into dataset_version_input
        values (${id}, ${ordinal}, ${input}, '2026-01-05', ${made.get(`${input} 1`) ?? null})`;
    }
    made.set(`${dataset} ${version}`, id);
  }
  const column = (version: string, dataset: string, column: string, how: string) =>
    sql`insert into column_lineage
      values (${made.get(version)!}, 'close', ${dataset}, ${column}, ${how})`;
  await column("clean.alpha 1", "raw.alpha.daily", "4. close", "cast to DECIMAL");
  await column("prices.daily 1", "clean.alpha", "close", "merge: priority");
  await column("prices.daily 1", "raw.beta.daily", "Close", "merge: priority");
}

async function examples(): Promise<string[]> {
  const page = new URL("../../docs/reference/lineage_views.md", import.meta.url);
  const text = await Deno.readTextFile(page);
  return [...text.matchAll(/```sql\n(.*?)```/gs)].map((match) => match[1]);
}

Deno.test("lineage views answer the questions of their page", async () => {
  await using db = await testDatabase();
  await fill(db.sql);
  const [sources, reached, columns, makers, asOf] = await Promise.all(
    (await examples()).map(async (text) => [...await db.sql.unsafe(text)]),
  );

  assertEquals(sources.map((row) => row.inputDataset), ["raw.beta.daily"]);
  assertEquals(
    reached.map((row) => `${row.outputDataset} ${row.outputVersion} ${row.depth}`),
    ["clean.alpha 1 1", "prices.daily 1 2", "index.daily 1 3"],
  );
  assertEquals(
    columns.map((row) => `${row.inputDataset}.${row.inputColumn}: ${row.transformation}`),
    [
      "clean.alpha.close: merge: priority",
      "raw.beta.daily.Close: merge: priority",
      "raw.alpha.daily.4. close: cast to DECIMAL",
    ],
  );
  assertEquals(makers.map((row) => row.version), [1, 2]);
  assertEquals(asOf.map((row) => row.version), [2]);
});

Deno.test("lineage_upstream names inputs that have no version here", async () => {
  await using db = await testDatabase();
  await fill(db.sql);

  const rows = await db.sql`
    select input_dataset, input_version_id, input_kind, depth from lineage_upstream
    where dataset = 'prices.daily' and version = 2 order by 1`;

  assertEquals(rows.map((row) => [row.inputDataset, row.inputVersionId === null, row.depth]), [
    ["never.published", true, 1],
    ["raw.beta.daily", false, 1],
  ]);
});

Deno.test("lineage views walk from the asked version only, and end in a circle", async () => {
  await using db = await testDatabase();
  await fill(db.sql);
  const raw = "00000000-0000-7000-8000-000000000000";
  const index = "00000000-0000-7000-8000-000000000005";
  await db.sql`
    insert into dataset_version_input values (${raw}, 0, 'index.daily', '2026-01-05', ${index})`;

  const rows = await db.sql`
    select input_dataset from lineage_upstream where dataset_version_id = ${raw}`;
  assert(rows.some((row) => row.inputDataset === "raw.alpha.daily"));

  const plan = await db.sql`
    explain select * from lineage_upstream where dataset_version_id = ${raw}`;
  assert(plan.some((line) => /dataset_version_pkey/.test(line["QUERY PLAN"])), Deno.inspect(plan));
});
