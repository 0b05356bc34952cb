/** @module SWIFT MT: every field and line has its row, and what is cut off is refused. */
import { assert, assertEquals } from "@std/assert";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { corpus } from "../../../../tests/support/corpora.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { swiftMt } from "./mod.ts";

const statement = `:20:REF1
:25:DE89370400440532013000
:28C:00012/001
:60F:C260105EUR1000,00
:61:2601060107CR50,25NTRFINV-1//BANK-1
additional
:86:166?00CREDIT?20EREF+E1?21SVWZ+Rent
 January?32ACME
:61:260106D1050,NMSCNONREF
:61:2512310102RC0,25FCHGX
:62F:C260107EUR0,00
:64:C260107EUR0,00
:86:closing note
-
`;

const payment = `{1:F01BANKDEFFAXXX0000000000}{2:I103BANKGB2LXXXXN}` +
  `{3:{108:REF}{121:8579f4a4-a547-463e-ae63-e7c6620d59b4}}{4:\r\n:20:P1\r\n:23B:CRED\r\n` +
  `:32A:260105JPY1000000,\r\n:33B:USD6500,5\r\n:50K:/123\r\nACME\r\n:71A:SHA\r\n:71F:USD1,\r\n` +
  `:71F:USD2,\r\n-}{5:{CHK:B3BF0D846AFD}}`;

Deno.test("swift_mt", async (t) => {
  await using convert = await converter();
  const mt = (content: string, rows?: "entry" | "statement" | "message" | "field") =>
    convert.table(content, { file: "x.sta", ...(rows ? { swift_mt: { rows } } : {}) });

  await t.step(
    "a statement has a row a line, signed, with its own and the account's facts",
    async () => {
      const table = await mt(statement);
      assertEquals([table.format, table.accounting.in, table.refused], ["swift_mt", 3, []]);
      assertEquals(table.types.amount, "DECIMAL(18,2)");
      assertEquals(
        table.rows.map((
          row,
        ) => [row.value_date, row.entry_date, row.mark, row.amount, row.transaction_type]),
        [
          ["2026-01-06", "2026-01-07", "C", "50.25", "NTRF"],
          ["2026-01-06", null, "D", "-1050.00", "NMSC"],
          ["2025-12-31", "2026-01-02", "RC", "-0.25", "FCHG"],
        ],
      );
      const [first] = table.rows;
      assertEquals(
        [
          first.account,
          first.statement_number,
          first.currency,
          first.opening_balance,
          first.funds_code,
        ],
        ["DE89370400440532013000", "00012/001", "EUR", "1000.00", "R"],
      );
      assertEquals([first.customer_reference, first.bank_reference], ["INV-1", "BANK-1"]);
      assertEquals(first.supplementary_details, "additional");
      assertEquals(JSON.parse(first.information_parts as string), {
        code: "166",
        "00": "CREDIT",
        "20": "EREF+E1",
        "21": "SVWZ+Rent January",
        "32": "ACME",
      });
    },
  );

  await t.step("a statement as one row says whether its lines add up", async () => {
    const off = statement.replace("D1050,", "D1050,01");
    const { rows } = await mt(statement + off.replace("REF1", "REF2"), "statement");
    assertEquals(
      rows.map((row) => [row.entries, row.entries_total, row.is_balanced, row.information]),
      [[3, "-1000.00", true, "closing note"], [3, "-1000.01", false, "closing note"]],
    );
  });

  await t.step("a message of any type has a column a tag, and all of its fields", async () => {
    const { rows: [row], types } = await mt(`${payment}$${payment}`);
    assertEquals(
      [row.message_type, row.direction, row.sender, row.receiver, row.uetr],
      ["103", "input", "BANKDEFFAXXX", "BANKGB2LXXXX", "8579f4a4-a547-463e-ae63-e7c6620d59b4"],
    );
    assertEquals([row.value_date, row.currency, row.amount], ["2026-01-05", "JPY", 1000000]);
    assertEquals([row.instructed_currency, row.instructed_amount], ["USD", "6500.5"]);
    assertEquals([row["50K"], row["71F"]], ["/123\nACME", "USD1,"]);
    const fields = row.fields as { tag: string; value: string }[];
    assertEquals(fields.filter(({ tag }) => tag === "71F").map(({ value }) => value), [
      "USD1,",
      "USD2,",
    ]);
    assertEquals(types.amount, "BIGINT");
    assertEquals((await mt(payment, "field")).rows.length, 8);
  });

  await t.step("a line that cannot be read is refused alone, with its place", async () => {
    const broken = statement.replace(":61:260106D1050,", ":61:261306D1050,");
    const { rows, refused } = await mt(broken);
    assertEquals(rows.length, 2);
    assertEquals([refused[0].row, refused[0].offset, refused[0].column], [
      2,
      broken.indexOf(":61:261306"),
      "61",
    ]);
    assert(refused[0].reason.includes("its value date 261306 is no day"), refused[0].reason);
    assertEquals(refused[0].raw, ":61:261306D1050,NMSCNONREF");
  });

  await t.step("cut off at any byte, it is refused where that can be known", async () => {
    for (const whole of [statement, payment]) {
      const bytes = new TextEncoder().encode(whole);
      const { rows: all } = await readAlone(swiftMt, bytes);
      for (let length = 1; length < bytes.length; length++) {
        const table = await readAlone(swiftMt, bytes.subarray(0, length)).catch((error) => {
          if (error instanceof AppError) return null;
          throw error;
        });
        if (table === null || table.refused.length > 0) continue;
        const cut = whole.slice(0, length);
        // Nothing tells a text without braces from a whole one before its first balance; what
        // follows the last one is no line of the account.
        const isUnknowable = !/:60F:|\{1:/.test(cut) || /\n:62F:|\n-\}/.test(cut);
        assert(isUnknowable && table.rows <= all, `${length}: ${cut.slice(-40)}`);
      }
    }
  });

  const folders = ["mt940/betterplace", "mt940/citi", "swift_mt/src/test/resources"].map(corpus);
  await t.step({
    name: "files of banks" + (folders.includes(null) ? ": skipped, the corpora are not here" : ""),
    ignore: folders.includes(null),
    async fn() {
      let rows = 0;
      for (const folder of folders) {
        for (const { name } of Deno.readDirSync(folder!)) {
          if (!/\.(sta|txt|fin|rje)$/.test(name) || /LICENSE/.test(name)) continue;
          const table = await convert.table(await Deno.readFile(`${folder}/${name}`), {
            file: name,
          });
          assertEquals(table.format, "swift_mt", name);
          // One has five balances and no end, one a month 45.
          const isBad = /^(amount_formats|sample_JPchar)/.test(name);
          assertEquals(table.refused.length, isBad ? 1 : 0, name);
          rows += table.rows.length;
        }
      }
      assert(rows > 130, `${rows} rows`);
    },
  });
});
