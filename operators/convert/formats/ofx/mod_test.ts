import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  convertedTexts,
  damage,
  errorOf,
  readWith,
} from "../../../../tests/support/format_call.ts";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { ofx } from "./mod.ts";
import { amountOf, dateOf } from "./values.ts";

const header = `OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

`;
const sgml = `${header}<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>
<FI><ORG>Bank &amp; Co<FID>7</FI></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>011<ACCTID>0042<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260101<DTEND>20260131
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260102120000.500[-5:EST]<TRNAMT>-12,30<FITID>a1<NAME>Shop<MEMO></STMTTRN>
<STMTTRN>
<TRNTYPE>CREDIT</TRNTYPE>
<DTPOSTED>20260103</DTPOSTED>
<TRNAMT>123456789012345678.90</TRNAMT>
<FITID>a2</FITID>
</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>100.00<DTASOF>20260131</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`;

const markup = `<?xml version="1.0"?><?OFX OFXHEADER="200" VERSION="211"?><OFX><INVSTMTMSGSRSV1>` +
  `<INVSTMTTRNRS><INVSTMTRS><DTASOF>20260131</DTASOF><CURDEF>EUR</CURDEF><INVACCTFROM><BROKERID>b` +
  `</BROKERID><ACCTID>9</ACCTID></INVACCTFROM><INVTRANLIST><DTSTART>20260101</DTSTART><DTEND>20260131` +
  `</DTEND><BUYSTOCK><INVBUY><INVTRAN><FITID>i1</FITID><DTTRADE>20260105</DTTRADE></INVTRAN><SECID>` +
  `<UNIQUEID>037833100</UNIQUEID><UNIQUEIDTYPE>CUSIP</UNIQUEIDTYPE></SECID><UNITS>10</UNITS><UNITPRICE>` +
  `1.5</UNITPRICE><TOTAL>-15.00</TOTAL></INVBUY><BUYTYPE>BUY</BUYTYPE></BUYSTOCK></INVTRANLIST>` +
  `</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1></OFX>`;

Deno.test("ofx", async (t) => {
  await using context = await tableContext();
  const dir = context.root;
  const records = async (content: string) => {
    const { columns, rows, format } = await convertedTexts(context, content);
    assertEquals(format, "ofx");
    return rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value])));
  };

  await t.step("1.x: elements without end tags, a row a transaction with its account", async () => {
    const [debit, credit] = await records(sgml);
    assertEquals([debit.institution, debit.bank_id, debit.account, debit.currency], [
      "Bank & Co",
      "011",
      "0042",
      "USD",
    ]);
    assertEquals([debit.amount, debit.transaction_id, debit.name, debit.memo], [
      "-12.30",
      "a1",
      "Shop",
      null,
    ]);
    assertEquals(debit.ledger_balance, "100.00");
    assertEquals([credit.amount, credit.type], ["123456789012345678.90", "CREDIT"]);
  });

  await t.step("2.x is XML; investments have securities", async () => {
    const [row] = await records(markup);
    assertEquals([row.type, row.transaction_id, row.security_id, row.units, row.amount], [
      "BUYSTOCK",
      "i1",
      "037833100",
      "10",
      "-15.00",
    ]);
  });

  await t.step("a transaction with a bad date or amount is refused by itself", async () => {
    const bad = sgml.replace("20260103<", "20260231<").replace("<TRNAMT>-12,30", "");
    const { rows, refused } = await readWith(ofx, bad, { dir });
    assertEquals([rows, refused.length], [0, 2]);
    assertStringIncludes(refused[0].reason, "it has no TRNAMT");
    assertStringIncludes(refused[1].reason, '"20260231" is no date of OFX');
    assert(refused[1].raw.startsWith("<STMTTRN>"));
  });

  await t.step("an answer without a statement says what its server says", async () => {
    const content = `${header}<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500<SEVERITY>ERROR` +
      `<MESSAGE>Signon invalid</STATUS></SONRS></SIGNONMSGSRSV1></OFX>`;
    const error = await errorOf(readWith(ofx, content, { dir }));
    assertStringIncludes(error!.message, "its server says 15500 Signon invalid");
  });

  await t.step("a file cut after any byte is refused", async () => {
    for (const content of [sgml, markup]) {
      const { cut } = await damage(ofx, content, { dir, flips: 200 });
      assert(cut.every((outcome) => outcome instanceof AppError));
    }
  });
});

Deno.test("dateOf() and amountOf() keep what was written", () => {
  assertEquals(dateOf("20260102120000.500[-5:EST]"), "2026-01-02T12:00:00.500-05:00");
  assertEquals(dateOf("20260102120000[5.30:IST]"), "2026-01-02T12:00:00+05:30");
  assertEquals(dateOf("202601021200"), "2026-01-02T12:00:00");
  assertEquals(dateOf("20260102"), "2026-01-02");
  assertEquals(amountOf("+1,5"), "1.5");
  assertEquals(amountOf("-.50"), "-0.50");
});
