import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { accountingGap, type TableRef } from "../../src/model/data.ts";
import type { EngineValue } from "../../src/contract/child.ts";
import { column, table } from "../../src/sdk/table.ts";
import { type TableTask, tableTests } from "../../tests/support/table_task.ts";
import { MergeParams } from "./params.ts";
import { run } from "./run.ts";
import type { z } from "zod";

const Bar = table("bar", {
  symbol: column.varchar().nullable(),
  close: column.decimal(38, 18).nullable(),
  volume: column.int64().nullable(),
  asOf: column.date().nullable(),
});

/** source, raw file, ordinal, then the columns. */
type BarRow = [string, string, number, string | null, string | null, number | null, string | null];

function select(rows: BarRow[]): string {
  const text = (value: string | null) => value === null ? "NULL" : `'${value}'`;
  return rows.map(([source, file, row, symbol, close, volume, asOf]) =>
    `SELECT ${text(symbol)}::VARCHAR AS symbol, ${text(close)}::DECIMAL(38,18) AS close, ` +
    `${volume}::BIGINT AS volume, ${text(asOf)}::DATE AS "asOf", ${text(source)} AS _tw_source, ` +
    `${text(file)} AS _tw_file, ${row}::BIGINT AS _tw_row, ${row * 10}::BIGINT AS _tw_offset`
  ).join(" UNION ALL ");
}

function bars(task: TableTask, ...rows: BarRow[]): Promise<TableRef> {
  return task.table(Bar, select(rows), { sources: [...new Set(rows.map(([source]) => source))] });
}

async function merge(task: TableTask, from: TableRef[], params: z.input<typeof MergeParams>) {
  const outcome = await run({ params: MergeParams.parse(params), inputs: { from }, ctx: task.ctx });
  assert(outcome.kind === "done");
  const { output, effects } = outcome;
  assertEquals(accountingGap(effects!.accounting!), 0);
  return { output, effects: effects!, rows: await task.rows(output.files) };
}

const byPriority = { key: ["symbol"], resolve: { priority: ["a", "b"] } };
const own = (rows: EngineValue[][]) => rows.map((row) => row.slice(0, 4));

Deno.test("merge", async (t) => {
  await using tests = tableTests();
  const step = (name: string, body: (task: TableTask) => Promise<void>) =>
    t.step(name, async () => {
      await using task = await tests.task();
      await body(task);
    });

  await step(
    "takes the row of the first source by priority, decimals to the digit",
    async (task) => {
      const a = await bars(task, [
        "a",
        "fa",
        1,
        "X",
        "12345678901234567890.123456789012345678",
        1,
        null,
      ]);
      const b = await bars(
        task,
        ["b", "fb", 1, "X", "2", 2, null],
        ["b", "fb", 2, "Y", "3", null, null],
        ["c", "fc", 1, "Y", "4", null, null],
      );
      const { rows, output, effects } = await merge(task, [b, a], byPriority);
      assertEquals(rows, [
        ["X", "12345678901234567890.123456789012345678", 1, null, "a", "fa", 1, 10, null],
        ["Y", "3.000000000000000000", null, null, "b", "fb", 2, 20, null],
      ]);
      assertEquals([output.rows, output.sources, output.schema.key], [2, ["a", "b", "c"], [
        "symbol",
      ]]);
      assertEquals(effects.accounting!.mergedAway, 2);
      assertEquals(effects.metrics!.wonBySource, { a: 1, b: 1 });
      assertStringIncludes(task.logged.join("\n"), '"unnamed":["c"]');
    },
  );

  await step("keeps what the others said as lineage, and how columns came to be", async (task) => {
    const a = await bars(task, ["a", "fa", 1, "X", "1", 1, null]);
    const b = await bars(task, ["b", "fb", 7, "X", "2", 2, null], [
      "b",
      "fb",
      8,
      "Y",
      "3",
      3,
      null,
    ]);
    const { output } = await merge(task, [a, b], byPriority);
    assertEquals(
      await task.rows(
        output.lineage,
        "symbol, close::INT, _tw_source, _tw_row, _tw_offset, _tw_rank",
      ),
      [["X", 2, "b", 7, 70, 2]],
    );
    assertEquals(output.columns![1], {
      column: "close",
      inputs: [{ dataset: "raw.a", column: "close" }, { dataset: "raw.b", column: "close" }],
      transformation: "merge: priority a > b",
    });
  });

  await step("counts the same row of one source once, and no lineage of it", async (task) => {
    const one = await bars(
      task,
      ["a", "f1", 1, "X", "1", 1, null],
      ["a", "f1", 2, "X", "1", 1, null],
      ["a", "f2", 1, "X", "1.0", 1, null],
    );
    const { rows, output, effects } = await merge(task, [one, one], byPriority);
    assertEquals(rows.length, 1);
    assertEquals(rows[0].slice(5, 7), ["f2", 1]);
    assertEquals(output.lineage, []);
    assertEquals([effects.accounting!.in, effects.accounting!.mergedAway], [6, 5]);
  });

  await step(
    "takes of one source what was collected last, by number and not by text",
    async (task) => {
      const rows: BarRow[] = [
        ["a", "attempts/01/10-p.csv", 1, "X", "10", 1, null],
        ["a", "attempts/01/9-p.csv", 5, "X", "9", 1, null],
        ["a", "attempts/00/11-p.csv", 5, "X", "8", 1, null],
      ];
      const close = async (resolve: z.input<typeof MergeParams>["resolve"]) => {
        const merged = await merge(task, [await bars(task, ...rows)], { key: ["symbol"], resolve });
        return Number(merged.rows[0][1]);
      };
      assertEquals(await close({ priority: ["a"] }), 10);
      assertEquals(await close({ lastWriteWins: true }), 10);
      assertEquals(await close({ firstWriteWins: true }), 8);
    },
  );

  await step("takes the last or first by a column, where null never wins", async (task) => {
    const from = [
      await bars(task, ["a", "f", 1, "X", "1", 1, "2026-01-02"], ["a", "f", 2, "Y", "1", 1, null]),
      await bars(task, ["b", "g", 1, "X", "2", 1, "2026-01-01"], [
        "b",
        "g",
        2,
        "Y",
        "2",
        1,
        "2020-01-01",
      ]),
    ];
    const closes = async (resolve: z.input<typeof MergeParams>["resolve"]) =>
      (await merge(task, from, { key: ["symbol"], resolve })).rows.map((row) => Number(row[1]));
    assertEquals(await closes({ lastWriteWins: "asOf" }), [1, 2]);
    assertEquals(await closes({ firstWriteWins: "asOf" }), [2, 2]);
  });

  await step(
    "takes a field by its own rule, past nulls, and says where it is from",
    async (task) => {
      const a = await bars(
        task,
        ["a", "fa", 1, "X", "1", null, null],
        ["a", "fa", 2, "Y", "1", null, null],
        ["a", "fa", 3, "Z", "1", 5, null],
      );
      const b = await bars(task, ["b", "fb", 1, "X", "2", 20, null], [
        "b",
        "fb",
        2,
        "Z",
        "2",
        null,
        null,
      ]);
      const { rows, output } = await merge(task, [a, b], {
        ...byPriority,
        fields: { volume: { priority: ["b", "a"] } },
      });
      assertEquals(rows.map((row) => [row[0], Number(row[1]), row[2], row[4], row[8]]), [
        ["X", 1, 20, "a", [["volume", { source: "b", file: "fb", row: 1 }]]],
        ["Y", 1, null, "a", null],
        ["Z", 1, 5, "a", null],
      ]);
      assertEquals(await task.rows(output.lineage, "symbol, _tw_source, volume, _tw_rank"), [
        ["X", "a", null, 1],
        ["X", "b", 20, 2],
        ["Z", "b", null, 2],
      ]);
      assertEquals(output.columns![2].transformation, "merge: priority b > a");
    },
  );

  await step("keeps origins and losers of an earlier merge", async (task) => {
    const a = await bars(task, ["a", "fa", 1, "X", "1", null, null]);
    const b = await bars(task, ["b", "fb", 1, "X", "2", 20, null]);
    const fields = { volume: { priority: ["b"] } };
    const first = await merge(task, [a, b], { ...byPriority, fields });
    const c = await bars(task, ["c", "fc", 1, "X", "3", 30, null]);
    const second = await merge(task, [first.output, c], byPriority);
    assertEquals(second.rows[0].slice(4), [
      "a",
      "fa",
      1,
      10,
      [["volume", { source: "b", file: "fb", row: 1 }]],
    ]);
    assertEquals(
      await task.rows(second.output.lineage, "_tw_source, volume"),
      [["c", 30], ["a", null], ["b", 20]],
    );
  });

  await step("quarantines rows whose key has a null, by source", async (task) => {
    const from = await bars(
      task,
      ["a", "fa", 1, null, "1", 1, null],
      ["b", "fb", 4, null, "2", 2, null],
      ["a", "fa", 2, "X", "3", 3, null],
    );
    const { effects, rows } = await merge(task, [from], byPriority);
    assertEquals(rows.length, 1);
    assertEquals(effects.accounting!.quarantined, 2);
    assertEquals(effects.quarantine!.map(({ source, reasons }) => [source, reasons]), [
      ["a", { key_null: 1 }],
      ["b", { key_null: 1 }],
    ]);
    const [, { sample, file }] = effects.quarantine!;
    assertEquals([sample[0].file, sample[0].row, sample[0].offset, sample[0].column], [
      "fb",
      4,
      40,
      "symbol",
    ]);
    assertStringIncludes(task.text(file), '\\"close\\":\\"2.000000000000000000\\"');
  });

  await step("gives an empty table for empty tables", async (task) => {
    const empty = await task.table(
      Bar,
      `SELECT * FROM (${select([["a", "f", 1, "X", "1", 1, null]])}) WHERE false`,
    );
    const { output, effects } = await merge(task, [empty, { ...empty, files: [] }], byPriority);
    assertEquals([output.rows, output.lineage, effects.accounting!.in], [0, [], 0]);
  });

  await step(
    "refuses tables of different columns, and rules on columns that are not",
    async (task) => {
      const a = await bars(task, ["a", "f", 1, "X", "1", 1, null]);
      const other = (columns: typeof Bar.columns) => ({ ...a, schema: { ...Bar, columns } });
      const refuse = async (
        from: TableRef[],
        params: z.input<typeof MergeParams>,
        text: string,
      ) => {
        const error = await assertRejects(() => merge(task, from, params), Error);
        assertStringIncludes(error.message, text);
      };
      const wrong = Bar.columns.map((one) =>
        one.name === "close" ? { ...one, type: "DOUBLE" } : one
      );
      await refuse(
        [a, other(wrong)],
        byPriority,
        'its column "close" is DOUBLE, not DECIMAL(38,18)',
      );
      await refuse([a, other(Bar.columns.slice(1))], byPriority, 'it has no column "symbol"');
      await refuse([other(Bar.columns.slice(1)), a], byPriority, 'it also has a column "symbol"');
      await refuse([a], { ...byPriority, key: ["isin"] }, 'key names the column "isin"');
      await refuse(
        [a],
        { key: ["symbol"], resolve: { lastWriteWins: "when" } },
        'resolve names the column "when"',
      );
      await refuse([{ ...a, rows: 2 }], byPriority, "hold 1 rows, not 2");
    },
  );

  await step("comes out the same in whatever order rows and tables come", async (task) => {
    const row = fc.tuple(
      fc.constantFrom("a", "b", "c"),
      fc.constantFrom("attempts/1/2-f", "attempts/1/10-f"),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom("X", "Y", null),
      fc.constantFrom("1.5", "2.25", null),
      fc.constantFrom(7, 8, null),
      fc.constantFrom("2026-01-01", "2026-01-02", null),
    ) as fc.Arbitrary<BarRow>;
    const mode = fc.constantFrom<z.input<typeof MergeParams>["resolve"]>(
      { priority: ["b", "a"] },
      { lastWriteWins: "asOf" },
      { firstWriteWins: "asOf" },
      { lastWriteWins: true },
    );
    const all = async (from: BarRow[][], params: z.input<typeof MergeParams>) => {
      const tables: TableRef[] = [];
      for (const rows of from) tables.push(await bars(task, ...rows));
      const { output, rows, effects } = await merge(task, tables, params);
      return {
        rows: own(rows),
        sha256: output.files[0].sha256,
        lineage: output.lineage.map((file) => file.sha256),
        accounting: effects.accounting,
      };
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 2, maxLength: 12 }),
        mode,
        mode,
        async (rows, resolve, volume) => {
          const params = { key: ["symbol"], resolve, fields: { volume } };
          const half = rows.length >> 1;
          const one = await all([rows.slice(0, half), rows.slice(half)], params);
          assertEquals(await all([rows.toReversed()], params), one);
          assert(one.accounting!.out === new Set(rows.flatMap((r) => r[3] ?? [])).size);
        },
      ),
      { numRuns: 12 },
    );
  });
});
