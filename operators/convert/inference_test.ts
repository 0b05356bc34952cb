import { assert, assertEquals } from "@std/assert";
import { accountingGap, type RowAccounting, type TableRef } from "../../src/model/data.ts";
import { tableContext } from "../../tests/support/table_context.ts";
import { ConvertParams } from "./params.ts";
import { run } from "./run.ts";

Deno.test("inferred columns", async (t) => {
  await using context = await tableContext();
  const convert = async (content: string, params: Record<string, unknown> = {}) => {
    const file = await context.raw(content, { name: "data.csv" });
    const outcome = await run({
      params: ConvertParams.parse(params),
      inputs: { from: context.rawFiles([file]) },
      ctx: context.ctx,
    });
    if (outcome.kind !== "done") throw new Error(outcome.kind);
    const output = outcome.output as TableRef;
    const accounting = outcome.effects!.accounting as RowAccounting;
    assertEquals([accountingGap(accounting), accounting.quarantined], [0, 0]);
    const types = Object.fromEntries(output.schema.columns.map(({ name, type }) => [name, type]));
    return { types, rows: await context.rowsOf(output), metrics: outcome.effects!.metrics! };
  };
  const rowsOf = (count: number, row: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => row(i)).join("\n");

  await t.step("are cast exactly as they are written", async () => {
    const written: [string, string, string, string | number | boolean][] = [
      ["money", '"$1,234.50"', "DECIMAL(18,2)", "1234.50"],
      ["owed", "($3.25)", "DECIMAL(18,2)", "-3.25"],
      ["minus", "$-6.10", "DECIMAL(18,2)", "-6.10"],
      ["percent", "12.5%", "DECIMAL(18,1)", "12.5"],
      ["comma", '"1.234,56"', "DECIMAL(18,2)", "1234.56"],
      ["apostrophe", "1'234'567.25", "DECIMAL(18,2)", "1234567.25"],
      ["rupees", '"12,34,567.5"', "DECIMAL(18,1)", "1234567.5"],
      ["yes", "No", "BOOLEAN", false],
      ["german", "31.12.2026", "DATE", "2026-12-31"],
      ["american", "12/31/26", "DATE", "2026-12-31"],
      ["named", "05-Jan-2026", "DATE", "2026-01-05"],
      ["long", '"January 5, 2026"', "DATE", "2026-01-05"],
      ["us_time", '"Jan 5, 2026 4:00 PM"', "TIMESTAMP", "2026-01-05 16:00:00"],
      ["fix", "20260105-16:00:00.123", "TIMESTAMP", "2026-01-05 16:00:00.123"],
      [
        "mail",
        '"Mon, 05 Jan 2026 16:00:00 +0200"',
        "TIMESTAMP WITH TIME ZONE",
        "2026-01-05 14:00:00+00",
      ],
      ["utc", "5 Jan 2026 16:00 UTC", "TIMESTAMP WITH TIME ZONE", "2026-01-05 16:00:00+00"],
      ["nanos", "2026-01-05T16:00:00.123456789Z", "TIMESTAMP_NS", "2026-01-05 16:00:00.123456789"],
      [
        "printed",
        "Fri Oct 16 07:00:00 UTC 2015",
        "TIMESTAMP WITH TIME ZONE",
        "2015-10-16 07:00:00+00",
      ],
      ["clock", "4:05 PM", "TIME", "16:05:00"],
      ["a_ts", "1767629730", "TIMESTAMP WITH TIME ZONE", "2026-01-05 16:15:30+00"],
      ["b_ts", "1767629730123456", "TIMESTAMP WITH TIME ZONE", "2026-01-05 16:15:30.123456+00"],
      ["c_ts", "1767629730123456789", "TIMESTAMP_NS", "2026-01-05 16:15:30.123456789"],
      ["code", "007", "VARCHAR", "007"],
    ];
    const line = written.map(([, text]) => text).join(",");
    const { types, rows } = await convert(
      `${written.map(([name]) => name).join(",")}\n${line}\n${line}\n`,
    );
    assertEquals(Object.values(types), written.map(([, , type]) => type));
    assertEquals(rows[0], written.map(([, , , value]) => value));
  });

  await t.step("with years of two digits are in the century that the column shows", async () => {
    const { rows } = await convert("d\n13/1/60\n13/1/70\n13/1/00\n");
    assertEquals(rows, [["1960-01-13"], ["1970-01-13"], ["2000-01-13"]]);
  });

  await t.step("are text again when a later row is of no such kind", async () => {
    const { types, rows } = await convert(
      `id,day,price,flag\n${rowsOf(30_000, (i) => `${i + 1},${1 + i % 28}/2/2026,$1.5,yes`)}\n` +
        `007,2/28/2026,€2,maybe\n`,
    );
    assertEquals(types, { id: "VARCHAR", day: "VARCHAR", price: "VARCHAR", flag: "VARCHAR" });
    assertEquals(rows.at(-1), ["007", "2/28/2026", "€2", "maybe"]);
  });

  await t.step("are as wide as the widest row of all asks for", async () => {
    const { types, rows } = await convert(
      `n,m,x,when\n${rowsOf(30_000, (i) => `${i + 1},$1.5,1.5e3,2026-01-05`)}\n` +
        `N/A,"$12,345,678,901,234,567.125",2,2026-01-05 10:00:00\n`,
    );
    assertEquals(types, {
      n: "BIGINT",
      m: "DECIMAL(38,3)",
      x: "DOUBLE",
      when: "TIMESTAMP",
    });
    assertEquals(rows.at(-1), [null, "12345678901234567.125", 2, "2026-01-05 10:00:00"]);
  });

  await t.step("keep digits that a double would lose", async () => {
    const { types } = await convert(
      `x\n${rowsOf(30_000, (i) => `${i}.5e1`)}\n1.234567890123456789\n`,
    );
    assertEquals(types.x, "DECIMAL(38,18)");
  });

  await t.step("are seen in the whole of a file, not only at its head", async () => {
    const rows = 400_000;
    const content = `k,late\n${
      rowsOf(rows, (i) => `${i},${i < rows / 2 ? "" : `${i % 31}.5%`}`)
    }\n`;
    const { types, metrics } = await convert(content);
    assertEquals(types, { k: "BIGINT", late: "DECIMAL(18,1)" });
    const { late } = metrics.inferred as Record<string, Record<string, unknown>>;
    assert(Number(late.texts) > 1_000);
    assertEquals(late.unit, "%");
  });

  await t.step("say what was taken for null, and why a column stayed text", async () => {
    const { metrics } = await convert("n,d\n1,1/2/26\n-,2/3/26\n3,3/4/26\n");
    const { n, d } = metrics.inferred as Record<string, Record<string, unknown>>;
    assertEquals(n.nullTokens, ["-"]);
    assert(String((d.notes as string[])[0]).includes("dateFormat"));
  });
});
