import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { TableRef } from "../../src/model/data.ts";
import { accountingGap } from "../../src/model/data.ts";
import { type TableContext, tableContext } from "../../tests/support/table_context.ts";
import { ConvertParams } from "../convert/params.ts";
import { run as convert } from "../convert/run.ts";
import { QualityParams } from "./params.ts";
import { type QualityFigures, run } from "./run.ts";

const schema = {
  name: "bar",
  key: [],
  columns: [
    { name: "symbol", type: "VARCHAR", nullable: false },
    { name: "date", type: "DATE", nullable: false },
    { name: "open", type: "DECIMAL(18,4)", nullable: true },
    { name: "high", type: "DECIMAL(18,4)", nullable: true },
    { name: "low", type: "DECIMAL(18,4)", nullable: true },
    { name: "close", type: "DECIMAL(18,4)", nullable: true },
  ],
};

async function tableOf(t: TableContext, lines: string[]): Promise<TableRef> {
  const file = await t.raw(["symbol,date,open,high,low,close", ...lines, ""].join("\n"));
  const outcome = await convert({
    params: ConvertParams.parse({ schema }),
    inputs: { from: t.rawFiles([file]) },
    ctx: t.ctx,
  });
  if (outcome.kind !== "done" || outcome.output.kind !== "table") throw new Error(outcome.kind);
  return outcome.output;
}

async function check(t: TableContext, from: TableRef, params: Record<string, unknown>) {
  const outcome = await run({ params: QualityParams.parse(params), inputs: { from }, ctx: t.ctx });
  if (outcome.kind !== "done") throw new Error(outcome.kind);
  const { output, effects } = outcome;
  assertEquals(accountingGap(effects!.accounting!), 0);
  return {
    output,
    quarantine: effects?.quarantine?.[0] ?? null,
    figures: effects!.metrics!.quality as unknown as QualityFigures,
  };
}

Deno.test("quality", async (t) => {
  await using context = await tableContext();
  const good = Array.from({ length: 99 }, (_, i) => `S${i},2024-01-02,10,12,9,11`);

  await t.step("a good table passes as it is, with its figures", async () => {
    const from = await tableOf(context, good);
    const { output, figures, quarantine } = await check(context, from, {
      rules: [{ rule: "ohlc" }, { rule: "unique", columns: ["symbol", "date"] }],
    });
    assertEquals(output, from);
    assertEquals(quarantine, null);
    assertEquals([figures.score, figures.completeness, figures.rows], [1, 1, 99]);
  });

  await t.step("a row that fails goes to quarantine with its origin, the rest stay", async () => {
    const from = await tableOf(context, [...good, "BAD,2024-01-02,10,8,9,11"]);
    const { output, quarantine, figures } = await check(context, from, {
      rules: [{ rule: "ohlc", name: "prices" }],
    });
    assertEquals(output.rows, 99);
    assertEquals(quarantine!.reasons, { prices: 1 });
    const [row] = quarantine!.sample;
    assertEquals([row.row, row.rule, row.file], [100, "prices", "object-2"]);
    assertStringIncludes(row.raw, '"symbol":"BAD"');
    assertEquals(figures.errorRate, 0.01);
    assertEquals(
      (await context.query(
        `SELECT max(_tw_row) FROM read_parquet('${context.pathOf(output.files[0])}')`,
      ))[0],
      [99],
    );
  });

  await t.step("more than 1 % of failing rows fails the task for good", async () => {
    const from = await tableOf(context, [...good.slice(0, 50), "BAD,2024-01-02,10,8,9,11"]);
    const error = await assertRejects(
      () => check(context, from, { rules: [{ rule: "ohlc" }] }),
      Error,
      "1.96 % of its rows fail",
    );
    assert((error as { final?: boolean }).final);
  });

  await t.step("less than 95 % of cells fails the task, and names the worst column", async () => {
    const from = await tableOf(context, good.map((line) => line.replace(/,9,11$/, ",,")));
    await assertRejects(() => check(context, from, {}), Error, "completeness is 66.67 %");
    const { figures } = await check(context, from, { completenessColumns: ["symbol", "open"] });
    assertEquals(figures.completeness, 1);
  });

  for (
    const { rule, lines, failed } of [
      { rule: { rule: "not_null", columns: ["close"] }, lines: ["A,2024-01-02,,,,"], failed: 1 },
      {
        rule: { rule: "unique", columns: ["symbol"] },
        lines: ["A,2024-01-02,,,,1", "A,2024-01-03,,,,2", "A,2024-01-04,,,,3"],
        failed: 2,
      },
      {
        rule: { rule: "range", column: "close", min: "1.00005", max: 2 },
        lines: ["A,2024-01-02,,,,1.0000", "A,2024-01-02,,,,1.0001", "A,2024-01-02,,,,2.0001"],
        failed: 2,
      },
      {
        rule: { rule: "range", column: "date", min: "2024-01-02" },
        lines: ["A,2024-01-01,,,,1", "A,2024-01-02,,,,1"],
        failed: 1,
      },
      {
        rule: { rule: "regex", column: "symbol", pattern: "[A-Z]+" },
        lines: ["A,2024-01-01,,,,1", "a,2024-01-02,,,,1"],
        failed: 1,
      },
      {
        rule: { rule: "in_set", column: "symbol", values: ["A", "it's"] },
        lines: ["A,2024-01-01,,,,1", "it's,2024-01-02,,,,1", "B,2024-01-02,,,,1"],
        failed: 1,
      },
      {
        rule: { rule: "length", column: "symbol", max: 2 },
        lines: ["A,2024-01-01,,,,1", "ABC,2024-01-02,,,,1"],
        failed: 1,
      },
      {
        rule: { rule: "monotonic", column: "close", by: ["symbol"], order: ["date"] },
        lines: ["A,2024-01-01,,,,1", "B,2024-01-02,,,,0.5", "A,2024-01-03,,,,0.9"],
        failed: 1,
      },
      {
        rule: { rule: "sql", expression: "close > 1 OR symbol = 'A'" },
        lines: ["A,2024-01-01,,,,1", "B,2024-01-02,,,,1", "C,2024-01-02,,,,"],
        failed: 1,
      },
    ]
  ) {
    await t.step(`rule ${JSON.stringify(rule)} fails ${failed} rows`, async () => {
      const from = await tableOf(context, lines);
      const { figures, output, quarantine } = await check(context, from, {
        rules: [rule],
        completenessMin: 0,
        errorRateMax: 1,
      });
      assertEquals(figures.rules.at(-1)!.failed, failed);
      assertEquals(output.rows, lines.length - failed);
      assertEquals(quarantine!.rows, failed);
    });
  }

  await t.step("severity decides: warn counts, block fails", async () => {
    const from = await tableOf(context, [...good, "BAD,2024-01-02,10,8,9,11"]);
    const warned = await check(context, from, { rules: [{ rule: "ohlc", severity: "warn" }] });
    assertEquals([warned.output.rows, warned.figures.errorRate], [100, 0]);
    await assertRejects(
      () => check(context, from, { rules: [{ rule: "ohlc", severity: "block" }] }),
      Error,
      '1 rows fail rule "ohlc open high low close"',
    );
    await assertRejects(
      () => check(context, from, { rules: [{ rule: "row_count", max: 5 }] }),
      Error,
      "it has 100 rows, not 0 to 5",
    );
  });

  for (
    const expression of [
      "(SELECT count(*) FROM read_text('/etc/passwd')) > 0",
      "true); COPY (SELECT 1) TO '/tmp/tidewheel_escape.csv'; SELECT (true",
      "nothing_like_it > 1",
    ]
  ) {
    await t.step(`an expression cannot ${expression}`, async () => {
      const from = await tableOf(context, good);
      await assertRejects(() => check(context, from, { rules: [{ rule: "sql", expression }] }));
      await assertRejects(() => Deno.stat("/tmp/tidewheel_escape.csv"));
    });
  }

  await t.step("a file with fewer rows than the table says is refused", async () => {
    const from = await tableOf(context, good);
    await assertRejects(
      () => check(context, { ...from, rows: 100 }, {}),
      Error,
      "should have 100 rows, its files have 99",
    );
  });
});
