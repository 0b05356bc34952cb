/** @module The desk's rules: which rows and tables they find fault with. */
import { assertEquals, assertRejects } from "@std/assert";
import { type TableContext, tableContext } from "../../tests/support/table_context.ts";
import { ConvertParams } from "../convert/params.ts";
import { run as convert } from "../convert/run.ts";
import { QualityParams } from "./params.ts";
import { run } from "./run.ts";

/** Rows, by number, that a rule takes out; lines are CSV with a header. */
async function takenOut(t: TableContext, lines: string[], rule: Record<string, unknown>) {
  const file = await t.raw(lines.join("\n") + "\n");
  const converted = await convert({
    params: ConvertParams.parse({}),
    inputs: { from: t.rawFiles([file]) },
    ctx: t.ctx,
  });
  if (converted.kind !== "done" || converted.output.kind !== "table") throw new Error("no table");
  const params = QualityParams.parse({ rules: [rule], errorRateMax: 1, completenessMin: 0 });
  const outcome = await run({ params, inputs: { from: converted.output }, ctx: t.ctx });
  if (outcome.kind !== "done") throw new Error(outcome.kind);
  const refused = outcome.effects?.quarantine?.[0];
  return refused ? refused.sample.map(({ row }) => row).toSorted((a, b) => a! - b!) : [];
}

const series = (values: (number | string)[]) => [
  "symbol,date,px",
  ...values.map((value, i) => `A,2026-01-${String(i + 1).padStart(2, "0")},${value}`),
];
const by = { column: "px", by: ["symbol"], order: ["date"] };

Deno.test("desk rules", async (t) => {
  await using context = await tableContext();
  const cases: [string, string[], Record<string, unknown>, number[]][] = [
    ["positive", series([1.5, 0, -1, 2.5]), { rule: "positive", columns: ["px"] }, [2, 3]],
    ["non_negative", series([1, 0, -1]), { rule: "non_negative", columns: ["px"] }, [3]],
    ["crossed", ["bid,ask", "1.0,1.1", "1.2,1.1", "1.1,1.1", ",1.1"], { rule: "crossed" }, [2, 3]],
    ["crossed, locked allowed", ["bid,ask", "1.2,1.1", "1.1,1.1"], {
      rule: "crossed",
      allowLocked: true,
    }, [1]],
    ["stale", series([1, 2, 2, 2, 2, 3]), { rule: "stale", ...by, after: 3 }, [5]],
    ["spike", series([100, 101, 100, 101, 100, 150, 100]), { rule: "spike", ...by, window: 4 }, [
      6,
      7,
    ]],
    ["spike under its floor", series([100, 101, 100, 101, 100, 110]), { rule: "spike", ...by }, []],
    ["jump", series([1.0, 1.2, 2.0, 2.1]), { rule: "jump", ...by, max: 0.5 }, [3]],
    [
      "volume_vs_median",
      series([100, 110, 90, 100, 5, 2000]),
      { rule: "volume_vs_median", ...by },
      [5, 6],
    ],
    [
      "cross_vendor",
      ["vendor,k,px", "a,1,100.00", "b,1,100.05", "c,1,101.00", "a,2,7.00"],
      { rule: "cross_vendor", column: "px", by: ["k"], toleranceBp: 10 },
      [3],
    ],
    [
      "extra_session",
      series([1, 2, 3]),
      { rule: "extra_session", column: "date", dates: ["2026-01-01", "2026-01-03"] },
      [2],
    ],
    [
      "in_order",
      ["a,b", "2026-01-01,2026-01-02", "2026-01-03,2026-01-02", ",2026-01-02"],
      { rule: "in_order", columns: ["a", "b"] },
      [2],
    ],
    [
      "sum_check",
      ["s,open,amount,close", "1,10.00,1.50,9.25", "1,10.00,-2.25,9.25", "2,1.00,1.00,2.01"],
      { rule: "sum_check", amount: "amount", opening: "open", closing: "close", by: ["s"] },
      [3],
    ],
    [
      "reference, with check digits",
      ["isin", "US0378331005", "US0378331006", "DE0007164600"],
      { rule: "reference", column: "isin", kind: "isin" },
      [2],
    ],
    ["reference, of a list", ["ccy", "USD", "EUR", "XQX"], {
      rule: "reference",
      column: "ccy",
      kind: "currency",
    }, [3]],
  ];
  for (const [name, lines, rule, rows] of cases) {
    await t.step(name, async () => assertEquals(await takenOut(context, lines, rule), rows));
  }

  await t.step("date_window: by the clock, days ahead and behind", async () => {
    const day = (ahead: number) =>
      new Date(context.ctx.clock.now().getTime() + ahead * 86_400_000).toISOString().slice(0, 10);
    const lines = ["d,n", `${day(-40)},1`, `${day(0)},2`, `${day(9)},3`];
    const rule = { rule: "date_window", column: "d", aheadDays: 2, behindDays: 30 };
    assertEquals(await takenOut(context, lines, rule), [1, 3]);
  });

  const two = ["symbol,date,px", "A,2026-01-05,1", "A,2026-01-06,1", "B,2026-01-05,1"];
  const missing = { rule: "missing_session", column: "date", by: ["symbol"] };
  for (
    const [name, rule, why] of [
      ["missing_session, by the others", missing, "1 sessions are missing: 2026-01-06 of [B]"],
      [
        "missing_session, by a list",
        { ...missing, dates: ["2026-01-05", "2026-01-06", "2026-01-07"] },
        "3 sessions are missing",
      ],
      [
        "freshness",
        { rule: "freshness", column: "date", withinMinutes: 1 },
        "its newest date, 2026-01-06",
      ],
      [
        "curve_shape",
        { rule: "curve_shape", tenor: "symbol", tenors: ["A", "C"] },
        "1 tenors are missing: C",
      ],
    ] as const
  ) {
    await t.step(name, async () => {
      await assertRejects(() => takenOut(context, two, rule), Error, why);
      assertEquals(await takenOut(context, two, { ...rule, severity: "warn" }), []);
    });
  }
});
