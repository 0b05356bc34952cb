import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  convertedTexts,
  damage,
  errorOf,
  readWith,
} from "../../../../tests/support/format_call.ts";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { qif } from "./mod.ts";

const content = `!Account
NChecking
TBank
^
!Type:Bank
D1/ 5'26
T-1,234.50
PShop
MMemo
LFood
SFood
EApples
$-1,000.00
SHome
$-234.50
^
D1/15/2026
T10.00
^
!Type:Cat
NFood
^
`;

Deno.test("qif", async (t) => {
  await using context = await tableContext();
  const dir = context.root;

  await t.step("a row a transaction, with its account and splits", async () => {
    const { columns, rows, format } = await convertedTexts(context, content);
    assertEquals(format, "qif");
    const [first, second] = rows.map((row) =>
      Object.fromEntries(row.map((value, i) => [columns[i], value]))
    );
    assertEquals([first.type, first.account, first.amount, first.payee], [
      "Bank",
      "Checking",
      "-1234.50",
      "Shop",
    ]);
    assertEquals(JSON.parse(first.splits!), [
      { category: "Food", memo: "Apples", amount: "-1000.00" },
      { category: "Home", amount: "-234.50" },
    ]);
    assertEquals([second.amount, second.splits], ["10.00", null]);
    assertEquals(rows.length, 2);
  });

  await t.step("investments have securities", async () => {
    const { columns, rows } = await convertedTexts(
      context,
      "!Type:Invst\nD1/2/2026\nNBuy\nYACME\nI1.50\nQ10\nT15.00\n^\n",
    );
    const row = Object.fromEntries(rows[0].map((value, i) => [columns[i], value]));
    assertEquals([row.action, row.security, row.price, row.quantity], [
      "Buy",
      "ACME",
      "1.50",
      "10",
    ]);
  });

  await t.step("a transaction without date or with a bad amount is refused by itself", async () => {
    const bad = "!Type:Bank\nT1\n^\nD1/1/26\nTx\n^\nD1/1/26\nT1\n^\n";
    const { rows, refused } = await readWith(qif, bad, { dir });
    assertEquals(rows, 1);
    assertEquals(refused.map(({ row, offset }) => [row, offset]), [[1, 11], [2, 16]]);
  });

  await t.step("a file that ends within a transaction is refused", async () => {
    const { cut } = await damage(qif, content, { dir, flips: 100 });
    // Behind a "^" nothing says that more should come.
    for (const [length, outcome] of cut.entries()) {
      const isBetween = /(^|\n)(\^\r?\n?|![^\n]*\n?)$/.test(content.slice(0, length)) ||
        length === 0;
      if (!isBetween) assert(outcome instanceof AppError, `after ${length} bytes`);
    }
    const error = await errorOf(readWith(qif, "Dxx\n^\n", { dir }));
    assertStringIncludes(error!.message, "its first line is not !Type:");
  });
});
