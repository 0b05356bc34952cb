/** @module BAI2: rows by their accounts, and control totals that decide whether they are kept. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { bai2 } from "./mod.ts";

const file = `01,122099999,123456789,260105,0800,1,,,2/
02,031001234,122099999,1,260104,2359,USD,2/
03,0975312468,,010,500000,,,190,70000000,4,0/
16,165,1500000,1,DD1620,,DEALER PAYMENTS
88,second line, with comma / and slash/
16,455,7000,V,260107,,BANKREF,CUST/
49,72007000,5/
03,5550,JPY,015,-2500,,/
16,115,1000,S,500,300,200,,,/
49,-1500,3/
98,72005500,2,10/
99,72005500,1,12/
`;

Deno.test("bai2", async (t) => {
  await using convert = await converter();

  await t.step(
    "a transaction is a row with its account; amounts by the currency's minor unit",
    async () => {
      const table = await convert.table(file, { file: "prior_day.bai" });
      assertEquals([table.format, table.accounting.in, table.refused], ["bai2", 3, []]);
      const [first, second, yen] = table.rows;
      assertEquals(
        [
          first.account,
          first.currency,
          first.as_of_date,
          first.type_code,
          first.direction,
          first.amount,
        ],
        ["0975312468", "USD", "2026-01-04", "165", "credit", "15000.00"],
      );
      assertEquals(
        [first.bank_reference, first.text],
        ["DD1620", "DEALER PAYMENTS second line, with comma / and slash"],
      );
      assertEquals([second.direction, second.bank_reference, second.customer_reference], [
        "debit",
        "BANKREF",
        "CUST",
      ]);
      assertEquals(JSON.parse(second.funds_detail as string), {
        value_date: "2026-01-07",
        value_time: null,
      });
      assertEquals([yen.currency, yen.amount, yen.funds_type], ["JPY", "1000.00", "S"]);
    },
  );

  await t.step("balances are rows of their own", async () => {
    const { rows } = await convert.table(file, { format: "bai2", bai2: { rows: "balance" } });
    assertEquals(
      rows.map((row) => [row.account, row.type_code, row.amount, row.item_count]),
      [["0975312468", "010", "5000.00", null], ["0975312468", "190", "700000.00", 4], [
        "5550",
        "015",
        "-2500.00",
        null,
      ]],
    );
  });

  await t.step(
    "an account whose total is another is refused whole, the others are kept",
    async () => {
      const bent = file.replace("16,455,7000,", "16,455,7001,");
      const { rows, refused } = await convert.table(bent, { format: "bai2" });
      assertEquals([rows.length, refused.length], [1, 2]);
      assert(
        refused[0].reason.includes("says 72007000, its amounts sum up to 72007001"),
        refused[0].reason,
      );
      assertEquals(refused[1].offset, bent.indexOf("16,455"));
    },
  );

  await t.step(
    "a file that is not whole is refused, wherever it is cut off or loses a line",
    async () => {
      const bytes = new TextEncoder().encode(file);
      for (let length = 0; length < bytes.length - 2; length++) {
        await assertRejects(
          () => readAlone(bai2, bytes.subarray(0, length)),
          AppError,
          undefined,
          `${length}`,
        );
      }
      const lines = file.trimEnd().split("\n");
      for (let i = 0; i < lines.length; i++) {
        const without = lines.toSpliced(i, 1).join("\n");
        const outcome = await readAlone(bai2, new TextEncoder().encode(without)).catch((error) => {
          assert(error instanceof AppError, String(error));
          return null;
        });
        assert(outcome === null || outcome.refused.length > 0, lines[i]);
      }
    },
  );
});
