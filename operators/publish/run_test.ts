import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { accountingGap, PublishIntent, type TableRef } from "../../src/model/data.ts";
import { column, table } from "../../src/sdk/table.ts";
import { type TableTask, tableTests } from "../../tests/support/table_task.ts";
import { MergeParams } from "../merge/params.ts";
import { run as runMerge } from "../merge/run.ts";
import { PublishParams } from "./mod.ts";
import { run } from "./run.ts";
import type { z } from "zod";

const Bar = table("bar", {
  symbol: column.varchar(),
  close: column.decimal(38, 18),
}, { key: ["symbol"] });

function select(source: string, ...rows: [string, string][]): string {
  return rows.map(([symbol, close], i) =>
    `SELECT '${symbol}' AS symbol, ${close}::DECIMAL(38,18) AS close, '${source}' AS _tw_source, ` +
    `'file-${source}' AS _tw_file, ${i + 1}::BIGINT AS _tw_row, ${i * 10}::BIGINT AS _tw_offset`
  ).join(" UNION ALL ");
}

async function publish(
  task: TableTask,
  from: TableRef,
  params: Partial<z.input<typeof PublishParams>> = {},
) {
  const outcome = await run({
    params: PublishParams.parse({ dataset: "prices.daily", ...params }),
    inputs: { from },
    ctx: task.ctx,
  });
  assert(outcome.kind === "done");
  const { accounting, publish: [intent] } = outcome.effects as {
    accounting: NonNullable<NonNullable<typeof outcome.effects>["accounting"]>;
    publish: PublishIntent[];
  };
  assertEquals(accountingGap(accounting), 0);
  assertEquals(PublishIntent.parse(intent), intent);
  return { output: outcome.output, intent, accounting };
}

Deno.test("publish", async (t) => {
  await using tests = tableTests();
  const step = (name: string, body: (task: TableTask) => Promise<void>) =>
    t.step(name, async () => {
      await using task = await tests.task();
      await body(task);
    });

  await step("publishes clean rows in the order of the key, lineage beside them", async (task) => {
    const sha256 = "a".repeat(64);
    const from = await task.table(Bar, select("acme", ["Y", "2"], ["X", "1.000000000000000001"]), {
      sources: ["acme"],
      inputs: [`raw.acme@2026-01-05#${sha256}`, "raw.acme@late #1"],
    });
    const { intent, output, accounting } = await publish(task, from);

    assertEquals(await task.rows(intent.files), [
      ["X", "1.000000000000000001"],
      ["Y", "2.000000000000000000"],
    ]);
    assertEquals(
      await task.rows(
        intent.lineageFiles,
        "symbol, close::INT, _tw_source, _tw_file, _tw_row, _tw_offset, _tw_cells, _tw_rank, _tw_rule",
      ),
      [
        ["X", 1, "acme", "file-acme", 2, 10, null, 0, null],
        ["Y", 2, "acme", "file-acme", 1, 0, null, 0, null],
      ],
    );
    assertEquals([intent.partition, intent.kind, intent.rows], ["2013-03-01", "table", 2]);
    assertEquals(intent.inputs, [
      { dataset: "raw.acme", partition: "2026-01-05", sha256 },
      { dataset: "raw.acme", partition: "late #1", sha256: null },
    ]);
    assertEquals(intent.columns[1], {
      column: "close",
      inputs: [{ dataset: "raw.acme", column: "close" }],
      transformation: "same name",
    });
    assertEquals(accounting.out, 2);
    assertEquals(output, {
      dataset: "prices.daily",
      partition: "2013-03-01",
      rows: 2,
      bytes: intent.files[0].bytes,
      sha256: intent.files[0].sha256,
      sources: ["acme"],
    });
  });

  await step("keeps of a merged table what won and what the others said", async (task) => {
    const tables = [
      await task.table(Bar, select("a", ["X", "1"]), { sources: ["a"] }),
      await task.table(Bar, select("b", ["X", "2"], ["Y", "3"], ["Z", "4"]), { sources: ["b"] }),
      await task.table(Bar, select("c", ["Z", "5"]), { sources: ["c"] }),
    ];
    const merged = await runMerge({
      params: MergeParams.parse({ key: ["symbol"], resolve: { priority: ["a", "b", "c"] } }),
      inputs: { from: tables },
      ctx: task.ctx,
    });
    assert(merged.kind === "done");
    // What is filtered between merge and publish takes its lineage along.
    const { columns, lineage } = merged.output;
    const kept = await task.table(
      Bar,
      `SELECT * FROM read_parquet('${await task.ctx.files.open(merged.output.files[0])}') ` +
        `WHERE symbol <> 'Z'`,
      { columns, lineage, sources: ["a", "b"] },
    );
    const { intent } = await publish(task, kept, { partition: "p" });

    assertEquals(
      await task.rows(
        intent.lineageFiles,
        "symbol, close::INT, _tw_source, _tw_rank > 0, _tw_rule",
      ),
      [
        ["X", 1, "a", false, "merge: priority a > b > c"],
        ["X", 2, "b", true, null],
        ["Y", 3, "b", false, "merge: priority a > b > c"],
      ],
    );
    assertEquals(intent.columns[1].inputs.map(({ dataset }) => dataset), [
      "raw.a",
      "raw.b",
      "raw.c",
    ]);
  });

  await step("gives a column its own rule of the merge", async (task) => {
    const rule = (column: string, transformation: string) => ({
      column,
      inputs: [],
      transformation,
    });
    const from = await task.table(Bar, select("a", ["X", "1"]), {
      columns: [rule("symbol", "merge: first"), rule("close", "merge: last")],
    });
    const { intent } = await publish(task, from);
    assertEquals(await task.rows(intent.lineageFiles, "_tw_rule, _tw_rules"), [
      ["merge: first", [["close", "merge: last"]]],
    ]);
  });

  await step("gives the same bytes for the same rows, in many row groups too", async (task) => {
    const rows = (order: string) =>
      task.table(
        Bar,
        `SELECT 's' || lpad(i::VARCHAR, 7, '0') AS symbol, (i % 977)::DECIMAL(38,18) AS close, ` +
          `'a' AS _tw_source, 'f' AS _tw_file, i AS _tw_row FROM range(150000) r(i) ORDER BY ${order}`,
      );
    const one = await publish(task, await rows("i"));
    const two = await publish(task, await rows("hash(i)"));
    assertEquals(two.output.sha256, one.output.sha256);
    assertEquals(two.intent.lineageFiles[0].sha256, one.intent.lineageFiles[0].sha256);
  });

  await step("sorts a table without a key by the places of its rows", async (task) => {
    const keyless = { ...Bar, key: [] };
    const parts = [select("b", ["X", "1"]), select("a", ["Y", "2"], ["Y", "2"])];
    const from = await task.table(keyless, parts.join(" UNION ALL "));
    const { intent } = await publish(task, from);
    assertEquals((await task.rows(intent.files, "symbol")).flat(), ["Y", "Y", "X"]);
  });

  await step("refuses a key that is none, with how many and an example", async (task) => {
    const refuse = async (from: TableRef, text: string) => {
      const error = await assertRejects(() => publish(task, from), Error);
      assertStringIncludes(error.message, text);
    };
    const twice = select("a", ["X", "1"], ["X", "2"], ["Y", "1"], ["Y", "2"], ["Y", "3"], [
      "Z",
      "1",
    ]);
    await refuse(
      await task.table(Bar, twice),
      'Cannot publish "prices.daily"[2013-03-01] with the key (symbol): 2 keys are there more ' +
        "than once, such as symbol=Y (3 rows); merge takes one row for each key",
    );
    const nulls = select("a", ["X", "1"]).replace("'X'", "NULL::VARCHAR");
    await refuse(await task.table(Bar, nulls), "it is null in 1 rows, such as symbol=null");
  });

  await step("refuses a table without rows, unless it may be empty", async (task) => {
    const from = await task.table(Bar, `SELECT * FROM (${select("a", ["X", "1"])}) WHERE false`);
    const error = await assertRejects(() => publish(task, from), Error);
    assertStringIncludes(error.message, 'the table "bar" has no rows; allowEmpty: true');
    const { intent } = await publish(task, { ...from, files: [] }, { allowEmpty: true });
    assertEquals([intent.rows, await task.rows(intent.files)], [0, []]);
  });

  await step("refuses a schema that breaks readers, where it is to be compatible", async (task) => {
    const from = await task.table(Bar, select("a", ["X", "1"]));
    const newest = (type: string) => ({
      ...task,
      ctx: {
        ...task.ctx,
        dataset: () =>
          Promise.resolve({
            partition: "2013-02-28",
            schema: {
              ...from.schema,
              columns: from.schema.columns.map((column) =>
                column.name === "close" ? { ...column, type } : column
              ),
            },
          } as Awaited<ReturnType<typeof task.ctx.dataset>>),
      },
    });
    const compatibility = "compatible" as const;
    const error = await assertRejects(
      () => publish(newest("DOUBLE"), from, { compatibility }),
      Error,
    );
    assertStringIncludes(error.message, 'column "close" is DECIMAL(38,18), not DOUBLE');
    assertEquals((await publish(newest("DOUBLE"), from)).intent.rows, 1);
    assertEquals((await publish(newest("DECIMAL(18,9)"), from, { compatibility })).intent.rows, 1);
    assertEquals((await publish(task, from, { compatibility })).intent.rows, 1);
  });

  await step("refuses files that hold other rows than the table says", async (task) => {
    const from = await task.table(Bar, select("a", ["X", "1"]));
    const error = await assertRejects(() => publish(task, { ...from, rows: 2 }), Error);
    assertStringIncludes(error.message, "hold 1 rows, not 2");
  });
});

Deno.test("publish takes no names that are for what is collected", () => {
  assert(!PublishParams.safeParse({ dataset: "raw.acme" }).success);
  assert(!PublishParams.safeParse({ dataset: "Prices" }).success);
});
