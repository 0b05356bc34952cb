import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  convertedTexts,
  damage,
  errorOf,
  readWith,
} from "../../../../tests/support/format_call.ts";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { html } from "./mod.ts";

const page = `<!DOCTYPE html>
<html><head><title>Prices</title><style>table { color: red }</style></head><body>
<table><tr><td><a href="/">Home</a></td><td>
  <table id="quotes"><caption>Daily <b>quotes</b></caption>
    <thead><tr><th rowspan=2>Date<th colspan="2">Price</tr><tr><th>Open<th>Close</tr></thead>
    <tr><td rowspan="2">2026-01-02<td>1.10<td>&euro;&nbsp;2
    <tr><td>1.20<td>3<br>4<span style="display:none">x</span></td>
    <tr><th>Date<th>Price<th>Price</tr>
    <tr><td>2026-01-03<td><td>a &lt; b <script>var x = "<td>no</td>";</script></tr>
  </table>
</td></tr></table>
<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>
</body></html>`;

Deno.test("html", async (t) => {
  await using context = await tableContext();
  const dir = context.root;

  await t.step(
    "told nothing, the largest table of data; spans are filled, headers joined",
    async () => {
      const { columns, rows, format } = await convertedTexts(context, page);
      assertEquals(format, "html");
      assertEquals(columns, ["Date", "Price Open", "Price Close"]);
      assertEquals(rows, [
        ["2026-01-02", "1.10", "€\u00a02"],
        ["2026-01-02", "1.20", "3\n4"],
        ["2026-01-03", null, "a < b"],
      ]);
    },
  );

  await t.step("a table can be named by number, id, caption or header", async () => {
    for (const table of [2, "quotes", "Daily quotes", "Open"]) {
      const { rows } = await readWith(html, page, { dir, params: { html: { table } } });
      assertEquals(rows, 3, `${table}`);
    }
    const third = await convertedTexts(context, page, { params: { html: { table: 3 } } });
    assertEquals(third.columns, ["column_1", "column_2"]);
    assertEquals(third.rows.length, 2);
    const error = await errorOf(readWith(html, page, { dir, params: { html: { table: "x" } } }));
    assertStringIncludes(error!.message, 'no table is "x"; the page has 1 (1 × 2), 2 #quotes');
  });

  await t.step(
    "a first row of words above figures is a header, and one that says it again none",
    async () => {
      const row = (a: string, b: string) => `<tr><td>${a}</td><td>${b}</td></tr>`;
      const plain = `<table>${row("name", "n")}${row("x", "1")}${row("y", "1,5 %")}</table>`;
      const { columns, rows } = await convertedTexts(context, plain);
      assertEquals([columns, rows.length], [["name", "n"], 2]);
      const head = "<tr><th>a</th><th>b</th></tr>";
      const again = `<table>${head}${row("1", "2")}${head}${row("3", "4")}</table>`;
      assertEquals((await readWith(html, again, { dir })).rows, 2);
    },
  );

  await t.step("an error page is told by its title", async () => {
    const content =
      "<html><head><title>503 Service\n Unavailable</title></head><body>No</body></html>";
    const error = await errorOf(readWith(html, content, { dir }));
    assertStringIncludes(error!.message, 'has no table, and is titled "503 Service Unavailable"');
  });

  await t.step("a page that is cut within a table or tag is refused", async () => {
    const { cut } = await damage(html, page, { dir, flips: 200 });
    const end = page.lastIndexOf("</body>") + "</body>".length;
    for (const [length, outcome] of cut.entries()) {
      if (length < end) assert(outcome instanceof AppError, `after ${length} bytes`);
    }
  });

  await t.step("spans without measure are bounded", async () => {
    const wide = `<table><tr><th>a<th>b<tr><td colspan=999999999 rowspan=99999999>x<td>y</table>`;
    const { rows, source } = await readWith(html, wide, { dir });
    assertEquals([rows, source.columns.length], [1, 1001]);
    const cell = "<td rowspan=60000 colspan=1000>x";
    const bomb = `<table><tr>${cell.repeat(5)}${"<tr><td>y".repeat(5000)}</table>`;
    const error = await errorOf(readWith(html, bomb, { dir }));
    assertStringIncludes(error!.message, "stand for too many others");
  });
});
