/** @module NACHA: entries with their batch, held to the controls. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { nacha } from "./mod.ts";

const record = (...parts: [string, number][]) => {
  const text = parts.map(([value, width]) => value.padEnd(width)).join("");
  assertEquals(text.length, 94, text);
  return text;
};
const digits = (value: number, width: number) => String(value).padStart(width, "0");

const header = record(
  ["101", 3],
  [" 091000019", 10],
  [" 123456789", 10],
  ["260105", 6],
  ["0930", 4],
  ["A094101", 7],
  [
    "BANK",
    23,
  ],
  ["COMPANY", 23],
  ["", 8],
);
const batch = record(
  ["5200", 4],
  ["ACME", 16],
  ["", 20],
  ["1234567890", 10],
  ["PPD", 3],
  ["PAYROLL", 10],
  ["", 6],
  [
    "260106",
    6,
  ],
  ["", 3],
  ["109100001", 9],
  ["0000001", 7],
);
const entry = (code: string, cents: number, name: string, hasAddenda = false) =>
  record(
    ["6" + code, 3],
    ["091000019", 9],
    ["0123456", 17],
    [digits(cents, 10), 10],
    ["ID1", 15],
    [name, 22],
    [
      "",
      2,
    ],
    [hasAddenda ? "1" : "0", 1],
    ["091000010000001", 15],
  );
const addenda = record(["705", 3], ["RMR*IV*123", 80], ["0001", 4], ["0000001", 7]);
const control = (debit: number, credit: number) =>
  record(
    ["8200", 4],
    [digits(3, 6), 6],
    [digits(2 * 9100001, 10), 10],
    [digits(debit, 12), 12],
    [
      digits(credit, 12),
      12,
    ],
    ["1234567890", 10],
    ["", 25],
    ["09100001", 8],
    ["0000001", 7],
  );
const end = record(
  ["9", 1],
  ["000001", 6],
  ["000001", 6],
  [digits(3, 8), 8],
  [digits(2 * 9100001, 10), 10],
  [
    digits(5000, 12),
    12,
  ],
  [digits(12_345, 12), 12],
  ["", 39],
);
const records = [
  header,
  batch,
  entry("22", 12_345, "ALICE", true),
  addenda,
  entry("27", 5000, "BOB"),
  control(5000, 12_345),
  end,
];
const file = [...records, "9".repeat(94), "9".repeat(94), "9".repeat(94)].join("\n") + "\n";

Deno.test("nacha", async (t) => {
  await using convert = await converter();

  await t.step("an entry is a row with its batch and addenda, amounts from cents", async () => {
    for (const content of [file, file.replaceAll("\n", "\r\n"), file.replaceAll("\n", "")]) {
      const table = await convert.table(content, { file: "payroll.ach" });
      assertEquals([table.format, table.accounting.in, table.refused], ["nacha", 2, []]);
      const [alice, bob] = table.rows;
      assertEquals(
        [
          alice.company_name,
          alice.entry_class,
          alice.effective_entry_date,
          alice.amount,
          alice.direction,
        ],
        ["ACME", "PPD", "2026-01-06", "123.45", "credit"],
      );
      assertEquals([alice.receiving_dfi, alice.account_number, alice.trace_number], [
        "091000019",
        "0123456",
        "091000010000001",
      ]);
      assertEquals([alice.addenda, bob.addenda], [[addenda.slice(1)], null]);
      assertEquals([bob.individual_name, bob.direction], ["BOB", "debit"]);
    }
  });

  await t.step("a batch whose control is another is refused whole", async () => {
    const bent = file.replace(digits(12_345, 10), digits(12_346, 10));
    const { rows, refused } = await convert.table(bent, { format: "nacha" }).catch(() => ({
      rows: [],
      refused: [],
    }));
    assertEquals([rows.length, refused.length], [0, 2]);
    assert(
      refused[0].reason.includes("says credits of 12345 cents, and they sum up to 12346"),
      refused[0].reason,
    );
  });

  await t.step("a file that is not whole is refused", async () => {
    const bytes = new TextEncoder().encode(records.join("\n"));
    for (let length = 0; length < bytes.length - 40; length += 1) {
      await assertRejects(
        () => readAlone(nacha, bytes.subarray(0, length)),
        AppError,
        undefined,
        `${length}`,
      );
    }
    for (const without of [2, 3, 4, 6]) {
      const content = new TextEncoder().encode(records.toSpliced(without, 1).join("\n"));
      const outcome = await readAlone(nacha, content).catch((error) => {
        assert(error instanceof AppError, String(error));
        return null;
      });
      assert(outcome === null || outcome.refused.length > 0, records[without]);
    }
  });
});
