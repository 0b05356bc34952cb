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
import { xml } from "./mod.ts";

const trades = `<?xml version="1.0" encoding="UTF-8"?>
<t:Trades xmlns:t="urn:t" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" asOf="2026-01-02">
  <t:Desk><t:Name>Rates &amp; FX</t:Name></t:Desk>
  <t:Trade id="1">
    <t:Price ccy="USD">1.10</t:Price>
    <t:Leg side="B">x</t:Leg><t:Leg side="S"/>
    <t:Tag>a</t:Tag><t:Tag>b</t:Tag>
    <t:Note>plain</t:Note>
    <t:Empty/>
    <t:Till xsi:nil="true"/>
  </t:Trade>
  <t:Trade id="2">
    <t:Price ccy="EUR">123456789012345678.9</t:Price>
    <t:Note>  see <b>this</b> &lt; </t:Note>
    <t:Till>2026-02-01</t:Till>
    <t:Buyer><t:Lei>L</t:Lei></t:Buyer>
  </t:Trade>
</t:Trades>
`;

Deno.test("xml", async (t) => {
  await using context = await tableContext();
  const dir = context.root;

  await t.step("told nothing, what repeats is the record; every field is kept", async () => {
    const { columns, rows, format } = await convertedTexts(context, trades);
    assertEquals(format, "xml");
    const [one, two] = rows.map((row) =>
      Object.fromEntries(row.map((value, i) => [columns[i], value]))
    );
    assertEquals(one, {
      "@id": "1",
      "Price/@ccy": "USD",
      Price: "1.10",
      Leg: '[{"@side":"B","#text":"x"},{"@side":"S"}]',
      Tag: '["a","b"]',
      Note: "plain",
      Empty: "",
      Till: null,
      "Buyer/Lei": null,
      "../@asOf": "2026-01-02",
      "../Desk/Name": "Rates & FX",
    });
    assertEquals(two.Price, "123456789012345678.90");
    assertEquals(two.Note, "  see <b>this</b> &lt; ");
    assertEquals([two.Leg, two.Empty, two.Till, two["Buyer/Lei"]], [null, null, "2026-02-01", "L"]);
  });

  await t.step("records and fields of what they lie in can be named", async () => {
    const { columns, rows } = await convertedTexts(context, trades, {
      params: {
        records: "/Trades/Trade/Leg",
        columns: { desk: "/Trades/Desk/Name", id: "/Trades/Trade/@id", side: "@side" },
      },
    });
    assertEquals(columns, ["desk", "id", "side", "Leg"]);
    assertEquals(rows, [["Rates & FX", "1", "B", "x"], ["Rates & FX", "1", "S", ""]]);
    const legs = await convertedTexts(context, trades, { params: { records: "//Leg" } });
    assertEquals(legs.columns, ["@side", "Leg"]);
  });

  await t.step("the table within a record is taken where it is nearly all of it", async () => {
    const rates = (day: string) =>
      `<Cube time="${day}">${
        ["USD", "JPY", "GBP"].map((code) => `<Cube currency="${code}" rate="1.5"/>`).join("")
      }</Cube>`;
    const { columns, rows } = await convertedTexts(
      context,
      `<Envelope><Cube>${rates("2026-01-02")}${rates("2026-01-05")}</Cube></Envelope>`,
    );
    assertEquals(columns, ["@currency", "@rate", "../@time"]);
    assertEquals(rows.at(-1), ["GBP", "1.5", "2026-01-05"]);
  });

  await t.step("but not where a record without such a table would be lost", async () => {
    const rates = `<Day d="1">${'<Rate c="USD" r="1.5"/>'.repeat(3)}</Day>`;
    const { columns, rows } = await convertedTexts(context, `<All>${rates}<Day d="2"/></All>`);
    assertEquals(columns, ["@d", "Rate"]);
    assertEquals(rows.map(([d, list]) => [d, list === null]), [["1", false], ["2", true]]);
    // Also when that comes late.
    const many = `<All>${rates.repeat(60_000)}<Day d="2"/></All>`;
    const late = await readWith(xml, many, { dir });
    assertEquals([late.rows, late.source.columns.length], [60_001, 2]);
  });

  await t.step("a document in which nothing repeats is one record", async () => {
    const { columns, rows } = await convertedTexts(context, "<a x='1'><b><c>2</c></b> 3 </a>");
    assertEquals(columns, ["@x", "a"]);
    assertEquals(rows, [["1", "<b><c>2</c></b> 3 "]]);
    assertEquals((await convertedTexts(context, "<a/>")).rows, [[""]]);
  });

  await t.step(
    "what is new after the beginning of a document is a column all the same",
    async () => {
      const row = (i: number) => `<r><a>${"x".repeat(500)}</a><b>${i}</b></r>`;
      const many = Array.from({ length: 12_000 }, (_, i) => row(i)).join("");
      const late = `<r z="1"><a>y</a><b>1</b><b>2</b><c><d>q</d></c></r>`;
      const { columns, accounting } = await convertedTexts(context, `<all>${many}${late}</all>`);
      assertEquals(columns, ["@z", "a", "b", "c/d"]);
      assertEquals(accounting.out, 12_001);
    },
  );

  await t.step("two tables are a question", async () => {
    const list = (name: string) => `<${name}><a>1</a><b>2</b></${name}>`.repeat(5);
    const error = await errorOf(readWith(xml, `<r>${list("x")}${list("y")}</r>`, { dir }));
    assertStringIncludes(error!.message, '/r/x (5), /r/y (5); name them with "records"');
  });

  await t.step("what cannot be is refused with its reason", async () => {
    const cases: [string, Record<string, unknown>, string][] = [
      [trades, { records: "/Trades/Deal" }, "there is no element at /Trades/Deal"],
      ["<r><a><x/></a><b><x/></b></r>", { records: "//x" }, "are at /r/a/x, /r/b/x"],
      [
        "<r><x>1</x><total>2</total><x>3</x></r>",
        { records: "/r/x", columns: { total: "/r/total" } },
        "/r/total stands behind records",
      ],
      [
        trades,
        { records: "/Trades/Trade", columns: { leg: "/Trades/Trade/Leg/@side" } },
        "repeats",
      ],
      ["<a>\n<b>x</c>\n</a>", {}, "</c> stands where </b> must, at line 2, column 5, byte 8"],
      ["<é>\r\n  <b>\xff&x;</b></é>", {}, "at line 2, column 7, byte 13"],
    ];
    for (const [document, params, why] of cases) {
      const error = await errorOf(readWith(xml, document, { dir, params }));
      assertStringIncludes(error?.message ?? "none", why);
    }
    const bad = new Uint8Array([...new TextEncoder().encode("<a>\n<b>"), 0xff, 0x3c]);
    const error = await errorOf(readWith(xml, bad, { dir }));
    assertStringIncludes(error!.message, "not UTF-8, at line 2, column 4, byte 7");
  });

  await t.step("the encoding is the declared one, or UTF-8", async () => {
    const latin = (declaration: string) =>
      Uint8Array.from(
        `<?xml version="1.0"${declaration}?><r><a>K\xf6ln</a><a>M\xfcnchen</a></r>`,
        (sign) => sign.charCodeAt(0),
      );
    const { rows } = await convertedTexts(context, latin(' encoding="ISO-8859-1"'));
    assertEquals(rows, [["Köln"], ["München"]]);
    const error = await errorOf(convertedTexts(context, latin("")));
    assertStringIncludes(error!.message, "its bytes are not UTF-8, and it declares no other");
    const named = await convertedTexts(context, latin(""), { params: { encoding: "latin1" } });
    assertEquals(named.rows[0], ["Köln"]);
  });

  await t.step("a record that refers to an outer entity goes to quarantine", async () => {
    const document = `<!DOCTYPE r [<!ENTITY x SYSTEM "x.txt">]><r><a>1</a><a>&x;</a><a>3</a></r>`;
    const { rows, refused } = await readWith(xml, document, { dir });
    assertEquals(rows, 2);
    assertEquals(refused.map(({ row, rule, raw, offset }) => [row, rule, raw, offset]), [
      [2, "external_entity", "<a>&x;</a>", 52],
    ]);
  });

  await t.step(
    "a file cut after any byte is refused, one with flipped bits is never bent",
    async () => {
      const { cut, flipped } = await damage(xml, trades.trimEnd(), { dir });
      for (const [length, outcome] of cut.entries()) {
        assert(outcome instanceof AppError, `after ${length} bytes`);
      }
      const read = flipped.filter((outcome) => !(outcome instanceof AppError));
      assert(read.length < flipped.length);
      for (const outcome of read) if (!(outcome instanceof AppError)) assert(outcome.rows >= 1);
    },
  );

  const suite = corpus("xmltest");
  await t.step({
    name: "every valid document of the suite is read or its rows are refused by reason",
    ignore: suite === null, // TIDEWHEEL_CORPORA has no xmltest
    async fn() {
      for (const folder of ["valid/sa", "valid/not-sa", "valid/ext-sa"]) {
        for (const { name } of Deno.readDirSync(`${suite}/xmltest/${folder}`)) {
          if (!name.endsWith(".xml")) continue;
          const bytes = await Deno.readFile(`${suite}/xmltest/${folder}/${name}`);
          if (bytes[0] >= 0xfe) continue;
          const { rows, refused } = await readWith(xml, bytes, { dir });
          assert(rows + refused.length > 0, `${folder}/${name}`);
        }
      }
    },
  });
});
