import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { corpus } from "../../../../tests/support/corpora.ts";
import {
  convertedTexts,
  damage,
  errorOf,
  readWith,
} from "../../../../tests/support/format_call.ts";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { DecimalSum } from "./controls.ts";
import { iso20022 } from "./mod.ts";

const entry = (amount: string, side: string, more = "") =>
  `<Ntry><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>` +
  `<BookgDt><Dt>2026-01-02</Dt></BookgDt>${more}</Ntry>`;

const details = (id: string, amount: string) =>
  `<TxDtls><Refs><EndToEndId>${id}</EndToEndId></Refs><Amt Ccy="EUR">${amount}</Amt>` +
  `<RltdPties><Dbtr><Pty><Nm>A &amp; B</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE89370400440532013000` +
  `</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>one</Ustrd><Ustrd>two</Ustrd></RmtInf></TxDtls>`;

const statement = (entries: string, count: string, sum: string) =>
  `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr>` +
  `<MsgId>M1</MsgId><CreDtTm>2026-01-03T01:02:03</CreDtTm></GrpHdr><Stmt><Id>S1</Id><Acct><Id>` +
  `<Othr><Id>0012</Id></Othr></Id><Ccy>EUR</Ccy></Acct><Bal><Tp><CdOrPrtry><Cd>OPBD</Cd>` +
  `</CdOrPrtry></Tp><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>2026-01-01</Dt>` +
  `</Dt></Bal><TxsSummry><TtlNtries><NbOfNtries>${count}</NbOfNtries><Sum>${sum}</Sum>` +
  `</TtlNtries></TxsSummry>${entries}</Stmt></BkToCstmrStmt></Document>`;

const batch = `<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>${details("e1", "1.10")}${
  details("e2", "0.000000000000000002")
}</NtryDtls>`;
const good = statement(
  entry("1.100000000000000002", "CRDT", batch) + entry("7.00", "DBIT"),
  "2",
  "8.100000000000000002",
);

Deno.test("iso20022", async (t) => {
  await using context = await tableContext();
  const dir = context.root;
  const records = async (content: string, params: Record<string, unknown> = {}) => {
    const found = await convertedTexts(context, content, { params });
    const rows = found.rows.map((row) =>
      Object.fromEntries(row.map((value, i) => [found.columns[i], value]))
    );
    return { ...found, rows };
  };

  await t.step("a row per transaction, with its entry, statement and group", async () => {
    const { rows, format, reasons } = await records(good);
    assertEquals([format, reasons], ["iso20022", {}]);
    assertEquals(rows.map((row) => [row.end_to_end_id, row.amount, row.credit_debit]), [
      ["e1", "1.100000000000000000", "CRDT"],
      ["e2", "0.000000000000000002", "CRDT"],
      [null, "7.000000000000000000", "DBIT"],
    ]);
    const [row] = rows;
    assertEquals([row.message, row.message_id, row.statement_id, row.account, row.currency], [
      "camt.053.001.08",
      "M1",
      "S1",
      "0012",
      "EUR",
    ]);
    assertEquals([row.debtor, row.debtor_account, row.remittance, row.opening_balance], [
      "A & B",
      "DE89370400440532013000",
      "one\ntwo",
      "-5.00",
    ]);
  });

  await t.step("rows can be entries or balances", async () => {
    const entries = await records(good, { iso20022: { rows: "entry" } });
    assertEquals(entries.rows.map((row) => row.entry_transactions), ["2", "0"]);
    const balances = await records(good, { iso20022: { rows: "balance" } });
    assertEquals(balances.rows.map(({ balance, amount }) => [balance, amount]), [["OPBD", "5.00"]]);
  });

  await t.step("controls that are not met go to quarantine, or fail the file", async () => {
    const bad = statement(entry("1.00", "CRDT"), "2", "1.0");
    const { rows, reasons } = await records(bad);
    assertEquals([rows.length, reasons], [1, { control_sum: 1 }]);
    const { refused } = await readWith(iso20022, bad, { dir });
    assertStringIncludes(refused[0].reason, "TxsSummry/TtlNtries/NbOfNtries 2, and there are 1");
    assert(refused[0].raw.startsWith("<TxsSummry>"));
    const params = { iso20022: { controls: "fail" } };
    const error = await errorOf(readWith(iso20022, bad, { dir, params }));
    assertStringIncludes(error!.message, "NbOfNtries 2, and there are 1, at byte");
  });

  await t.step("an entry without amount or side is refused by itself", async () => {
    const content = statement(
      entry("x", "CRDT") + entry("1", "CRDT") + entry("2", "?"),
      "3",
      "3",
    );
    const { rows, refused } = await readWith(iso20022, content, { dir });
    assertEquals(rows, 1);
    assertEquals(refused.map(({ row, rule }) => [row, rule]), [[1, "iso20022"], [3, "iso20022"]]);
    assertStringIncludes(refused[0].reason, 'its amount is no number, "x"');
  });

  await t.step("payments take what their group says for all of them", async () => {
    const content =
      `<e:Env xmlns:e="urn:e"><AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"/>` +
      `<p:Document xmlns:p="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><p:CstmrCdtTrfInitn>` +
      `<p:GrpHdr><p:MsgId>M</p:MsgId><p:NbOfTxs>2</p:NbOfTxs><p:CtrlSum>3.50</p:CtrlSum></p:GrpHdr>` +
      `<p:PmtInf><p:PmtInfId>P</p:PmtInfId><p:Dbtr><p:Nm>D</p:Nm></p:Dbtr>` +
      ["1.25", "2.25"].map((amount) =>
        `<p:CdtTrfTxInf><p:PmtId><p:EndToEndId>E</p:EndToEndId></p:PmtId><p:Amt><p:InstdAmt ` +
        `Ccy="CHF">${amount}</p:InstdAmt></p:Amt></p:CdtTrfTxInf>`
      ).join("") + `</p:PmtInf></p:CstmrCdtTrfInitn></p:Document></e:Env>`;
    const { rows, reasons } = await records(content);
    assertEquals(reasons, {});
    assertEquals(rows.map((row) => [row.message, row.payment_id, row.debtor, row.amount]), [
      ["pain.001.001.03", "P", "D", "1.25"],
      ["pain.001.001.03", "P", "D", "2.25"],
    ]);
  });

  await t.step("a status of a whole group is a row", async () => {
    const { rows } = await records(
      `<Document><FIToFIPmtStsRpt><GrpHdr><MsgId>M</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>O` +
        `</OrgnlMsgId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Prtry>118</Prtry></Rsn></StsRsnInf>` +
        `</OrgnlGrpInfAndSts></FIToFIPmtStsRpt></Document>`,
    );
    assertEquals(rows.map((row) => [row.original_message_id, row.group_status, row.group_reason]), [
      ["O", "RJCT", "118"],
    ]);
  });

  await t.step("other messages are one record, or as their records are named", async () => {
    const { columns, rows } = await records(
      `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:seev.031.001.04"><CorpActnNtfctn><NtfctnGnlInf>` +
        `<NtfctnTp>NEWM</NtfctnTp></NtfctnGnlInf></CorpActnNtfctn></Document>`,
    );
    assertEquals(columns, ["CorpActnNtfctn/NtfctnGnlInf/NtfctnTp"]);
    assertEquals(rows.length, 1);
    const named = await records(good, { records: "//Bal" });
    assertEquals(named.rows.length, 1);
  });

  await t.step(
    "a file cut after any byte is refused, flipped bits are refused or read",
    async () => {
      const { cut } = await damage(iso20022, good, { dir });
      assert(cut.every((outcome) => outcome instanceof AppError));
    },
  );

  const samples = corpus("iso20022");
  await t.step({
    name: "every message of the samples is read",
    ignore: samples === null, // TIDEWHEEL_CORPORA has no iso20022
    async fn() {
      for (const path of xmlFiles(samples!)) {
        const { rows, refused } = await readWith(iso20022, await Deno.readFile(path), { dir });
        assert(rows > 0 || path.endsWith("camt.053.001.07.xml"), path);
        assert(refused.every(({ rule }) => rule === "control_sum"), path);
      }
    },
  });
});

Deno.test("DecimalSum adds exactly, whatever the scales", () => {
  const sum = new DecimalSum();
  for (const text of ["0.1", "0.20", "-1", "99999999999999999999.000000000000000001"]) {
    sum.add(text);
  }
  assertEquals(String(sum), "99999999999999999998.300000000000000001");
  assert(sum.equals("99999999999999999998.3000000000000000010"));
  assert(!sum.equals("99999999999999999998.3"));
});

function* xmlFiles(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory) yield* xmlFiles(`${folder}/${entry.name}`);
    else if (entry.name.endsWith(".xml")) yield `${folder}/${entry.name}`;
  }
}
