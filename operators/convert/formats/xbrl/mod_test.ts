import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  convertedTexts,
  damage,
  errorOf,
  readWith,
} from "../../../../tests/support/format_call.ts";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { xbrl } from "./mod.ts";
import { scaled, transformed } from "./transforms.ts";

const resources =
  `<xbrli:context id="c1"><xbrli:entity><xbrli:identifier scheme="http://www.sec.gov/CIK">0000320193` +
  `</xbrli:identifier><xbrli:segment><xbrldi:explicitMember dimension="us-gaap:Axis">a:Member` +
  `</xbrldi:explicitMember><xbrldi:typedMember dimension="us-gaap:Typed"><a:t>x &amp; y</a:t>` +
  `</xbrldi:typedMember></xbrli:segment></xbrli:entity><xbrli:period><xbrli:startDate>2025-01-01` +
  `</xbrli:startDate><xbrli:endDate>2025-12-31</xbrli:endDate></xbrli:period></xbrli:context>` +
  `<xbrli:context id="c2"><xbrli:entity><xbrli:identifier scheme="s">1</xbrli:identifier>` +
  `</xbrli:entity><xbrli:period><xbrli:instant>2025-12-31</xbrli:instant></xbrli:period>` +
  `</xbrli:context><xbrli:unit id="u1"><xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:USD` +
  `</xbrli:measure></xbrli:unitNumerator><xbrli:unitDenominator><xbrli:measure>xbrli:shares` +
  `</xbrli:measure></xbrli:unitDenominator></xbrli:divide></xbrli:unit><xbrli:unit id="u2">` +
  `<xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>`;

const namespaces = `xmlns:xbrli="http://www.xbrl.org/2003/instance" ` +
  `xmlns:xbrldi="http://xbrl.org/2006/xbrldi" xmlns:us-gaap="http://fasb.org/us-gaap/2025" ` +
  `xmlns:a="urn:a" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`;

const instance = `<xbrli:xbrl ${namespaces}>${resources}` +
  `<us-gaap:Revenues id="f1" contextRef="c1" unitRef="u2" decimals="-6">12345678901234567890.10` +
  `</us-gaap:Revenues><us-gaap:Eps contextRef="c2" unitRef="u1" decimals="INF" xsi:nil="true"/>` +
  `<us-gaap:Policy contextRef="c2" xml:lang="en">&lt;p&gt; text </us-gaap:Policy></xbrli:xbrl>`;

const inline =
  `<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL" ` +
  `xmlns:ixt="http://www.xbrl.org/inlineXBRL/transformation/2020-02-12" ${namespaces}><body>` +
  `<p><ix:nonNumeric name="us-gaap:Note" contextRef="c2" continuedAt="k">One <b>two</b><ix:exclude> no` +
  `</ix:exclude></ix:nonNumeric> gap <ix:continuation id="k"> three</ix:continuation></p>` +
  `<ix:nonFraction name="us-gaap:Revenues" contextRef="c1" unitRef="u2" decimals="-6" scale="6" ` +
  `sign="-" format="ixt:num-dot-decimal">1,234.5</ix:nonFraction>` +
  `<ix:nonFraction name="us-gaap:Costs" contextRef="c2" unitRef="u2" format="ixt:fixed-zero">—` +
  `</ix:nonFraction><ix:nonNumeric name="a:Date" contextRef="c2" ` +
  `format="ixt:date-monthname-day-year-en">December 31, 2025</ix:nonNumeric>` +
  `<ix:nonNumeric name="a:Exchange" contextRef="c2" format="ixt-sec:exchnameen">The Exchange` +
  `</ix:nonNumeric><div><ix:header><ix:resources>${resources}</ix:resources></ix:header></div>` +
  `</body></html>`;

Deno.test("xbrl", async (t) => {
  await using context = await tableContext();
  const dir = context.root;
  const records = async (content: string) => {
    const { columns, rows, format } = await convertedTexts(context, content);
    assertEquals(format, "xbrl");
    return rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value])));
  };

  await t.step("an instance is a row a fact, with its context and unit", async () => {
    const [revenues, eps, policy] = await records(instance);
    assertEquals(revenues, {
      concept: "us-gaap:Revenues",
      namespace: "http://fasb.org/us-gaap/2025",
      value: "12345678901234567890.10",
      unit: "USD",
      decimals: "-6",
      entity: "0000320193",
      entity_scheme: "http://www.sec.gov/CIK",
      period_type: "duration",
      period_start: "2025-01-01",
      period_end: "2025-12-31",
      dimensions: '{"us-gaap:Axis":"a:Member","us-gaap:Typed":"x & y"}',
      language: null,
      format: null,
      context_id: "c1",
      fact_id: "f1",
    });
    assertEquals([eps.value, eps.unit, eps.period_type, eps.decimals], [
      null,
      "USD/shares",
      "instant",
      "INF",
    ]);
    assertEquals([policy.value, policy.language], ["<p> text ", "en"]);
  });

  await t.step("an inline document: formats, scales, signs, continuations", async () => {
    const rows = await records(inline);
    assertEquals(rows.map(({ concept, value, format }) => [concept, value, format]), [
      ["us-gaap:Note", "One two three", null],
      ["us-gaap:Revenues", "-1234500000", null],
      ["us-gaap:Costs", "0", null],
      ["a:Date", "2025-12-31", null],
      ["a:Exchange", "The Exchange", "ixt-sec:exchnameen"],
    ]);
    assertEquals(rows[1].namespace, "http://fasb.org/us-gaap/2025");
  });

  await t.step(
    "a fact without context, or that is no number of its format, is refused",
    async () => {
      const bad = inline.replace('contextRef="c1"', 'contextRef="c9"').replace(">—<", ">n/a<")
        .replace("fixed-zero", "num-dot-decimal");
      const { rows, refused } = await readWith(xbrl, bad, { dir });
      assertEquals(rows, 3);
      assertStringIncludes(refused[0].reason, 'there is no context "c9"');
      assertStringIncludes(refused[1].reason, '"n/a" is none of the format ixt:num-dot-decimal');
    },
  );

  await t.step("SEC's company facts, concepts and frames", async () => {
    const values = `{"USD":[{"start":"2024-01-01","end":"2024-12-31","val":12345678901234567890,` +
      `"accn":"0000320193-25-1","fy":2024,"fp":"FY","form":"10-K","filed":"2025-02-01","frame":"CY2024"}]}`;
    const facts = `{"cik":320193,"entityName":"A","facts":{"us-gaap":{"Revenues":{"label":"Rev",` +
      `"description":"d","units":${values}}}}}`;
    const concept = `{"cik":320193,"taxonomy":"us-gaap","tag":"Revenues","label":"Rev",` +
      `"entityName":"A","units":${values}}`;
    for (const content of [facts, concept]) {
      const [row] = await records(content);
      assertEquals(
        [row.cik, row.entity, row.taxonomy, row.concept, row.unit, row.value, row.frame],
        [
          "320193",
          "A",
          "us-gaap",
          "Revenues",
          "USD",
          "12345678901234567890",
          "CY2024",
        ],
      );
    }
    const frame = `{"taxonomy":"us-gaap","tag":"Revenues","ccp":"CY2024","uom":"USD","data":[` +
      `{"accn":"1","cik":5,"entityName":"B","loc":"US","end":"2024-12-31","val":1.50}]}`;
    const [row] = await records(frame);
    assertEquals([row.cik, row.value, row.frame], ["5", "1.50", "CY2024"]);
    const { cut } = await damage(xbrl, facts, { dir, flips: 50 });
    assert(cut.slice(10).every((outcome) => outcome instanceof AppError));
  });

  await t.step("a document cut after any byte is refused", async () => {
    const { cut } = await damage(xbrl, instance, { dir, flips: 100 });
    assert(cut.every((outcome) => outcome instanceof AppError));
    const error = await errorOf(readWith(xbrl, "<a/>", { dir }));
    assertStringIncludes(error!.message, "no element of an instance");
  });
});

Deno.test("transformed() and scaled() are exact", () => {
  assertEquals(scaled("1234.5", "6", null), "1234500000");
  assertEquals(scaled("0.05", "-2", "-"), "-0.0005");
  assertEquals(scaled(".5", null, null), "0.5");
  assertEquals(scaled("0", "3", null), "0");
  assertEquals(transformed(" 1.234,56 ", "ixt:num-comma-decimal"), "1234.56");
  assertEquals(transformed("31.12.2025", "ixt:datedoteu"), "2025-12-31");
  assertEquals(transformed("12/31/25", "ixt:date-month-day-year"), "2025-12-31");
  assertEquals(transformed("December 31", "ixt:date-monthname-day-en"), "--12-31");
  assertEquals(transformed("Twenty-one thousand and five", "ixt-sec:numwordsen"), "21005");
  assertEquals(transformed("none", "ixt-sec:numwordsen"), "0");
  assertEquals(transformed("☒", "ixt:fixed-true"), "true");
  assertThrows(() => transformed("13/31/25", "ixt:date-month-day-year"));
});
