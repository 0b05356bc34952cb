import { assert, assertEquals, assertRejects } from "@std/assert";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import {
  compoundOf,
  odsOf,
  packed,
  xlsRecord,
  xlsxOf,
  zipOf,
} from "../../../../tests/support/workbook_file.ts";
import type { Format } from "../format.ts";
import { ods, xls, xlsx } from "./mod.ts";

const messageOf = (error: unknown) => (error as Error).message;

/** Cells by their references. */
function row(number: number, cells: Readonly<Record<string, string>>): string {
  return `<row r="${number}">${
    Object.entries(cells).map(([column, cell]) => cell.replace("<c", `<c r="${column}${number}"`))
      .join("")
  }</row>`;
}
const shared = (index: number) => `<c t="s"><v>${index}</v></c>`;
const number = (value: string, style = 0) => `<c s="${style}"><v>${value}</v></c>`;

const prices = await xlsxOf({
  formats: ["yyyy-mm-dd", "dd/mm/yyyy hh:mm:ss", "[h]:mm", "0.00%"],
  strings: "<si><t>Day</t></si><si><t>Symbol</t></si><si><t>Close</t></si><si><t>At</t></si>" +
    "<si><r><t>IB</t></r><r><t>M</t></r><rPh><t>x</t></rPh></si>" +
    '<si><t xml:space="preserve"> A &amp; B_x000A_</t></si><si><t>Daily prices</t></si>',
  sheets: [
    { name: "Notes", rows: row(1, { A: '<c t="inlineStr"><is><t>no data</t></is></c>' }) },
    {
      name: "Prices",
      rows: row(1, { A: shared(6) }) +
        row(3, { A: shared(0), B: shared(1), C: shared(2), D: shared(3) }) +
        row(4, { A: number("45292", 1), B: shared(4), C: number("0.1"), D: number("45292.5", 2) }) +
        row(5, {
          A: number("59", 1),
          B: shared(5),
          C: number("1.2345678901234567E-2"),
          D: number("45292.000011574074", 2),
        }) +
        row(9, {
          A: number("45657", 1),
          B: '<c t="str"><f>"a"</f><v>123</v></c>',
          C: '<c t="e"><v>#DIV/0!</v></c>',
          D: "<c/>",
        }),
    },
    { name: "Secret", state: "hidden", rows: row(1, { A: number("1") }).repeat(200) },
  ],
});

Deno.test("workbooks are converted", async (t) => {
  await using convert = await converter();
  const plain = (rows: Record<string, unknown>[]) =>
    rows.map(({ _tw_cells: _, ...row }) => Object.values(row));

  await t.step("xlsx: the header found, values exact, errors null", async () => {
    const table = await convert.table(prices, { file: "prices.xlsx" });
    assertEquals(table.format, "xlsx");
    assertEquals(table.types, {
      Day: "DATE",
      Symbol: "VARCHAR",
      Close: "DOUBLE",
      At: "TIMESTAMP",
    });
    assertEquals(plain(table.rows), [
      ["2024-01-01", "IBM", 0.1, "2024-01-01 12:00:00"],
      ["1900-02-28", " A & B\n", 0.012345678901234567, "2024-01-01 00:00:01"],
      ["2024-12-31", "123", null, null],
    ]);
  });

  await t.step("a sheet by name or place; one that is not there is an error with all", async () => {
    const read = (sheet: string | number) => convert.table(prices, { workbook: { sheet } });
    assertEquals((await read("secret")).rows.length, 200);
    assertEquals(Object.keys((await read(1)).types), ["no data"]);
    const error = messageOf(await assertRejects(() => read("Rates")));
    assert(error.includes('"Rates"') && error.includes('"Notes", "Prices", "Secret"'), error);
  });

  await t.step("columns that begin far down, a name twice, no header", async () => {
    const wide = await convert.table(
      await xlsxOf({
        sheets: [{
          name: "a",
          rows: row(1, { B: shared(0), C: shared(0) }) +
            Array.from({ length: 300 }, (_, i) => row(i + 2, { B: number(`${i}`) })).join("") +
            row(400, { B: number("9007199254740993"), E: number("1") }),
        }],
        strings: "<si><t>n</t></si>",
      }),
      { file: "a.xlsx" },
    );
    assertEquals(wide.types, { n: "BIGINT", n_1: "VARCHAR", column2: "BIGINT" });
    assertEquals(plain(wide.rows).at(-1), ["9007199254740993", null, 1]);
    const bare = await convert.table(
      await xlsxOf({ sheets: [{ name: "a", rows: row(1, { A: number("1"), B: number("2") }) }] }),
      { file: "a.xlsx" },
    );
    assertEquals(plain(bare.rows), [[1, 2]]);
  });

  await t.step("days of 1904 and durations", async () => {
    const table = await convert.table(
      await xlsxOf({
        is1904: true,
        formats: ["d-mmm-yy", "[h]:mm", "h:mm AM/PM"],
        sheets: [{
          name: "a",
          rows: row(1, { A: number("0", 1), B: number("1.5", 2), C: number("0.25", 3) }),
        }],
      }),
      { header: false },
    );
    assertEquals(plain(table.rows).map((row) => row.map(String)), [
      ["1904-01-01", "36:00:00", "06:00:00"],
    ]);
  });

  await t.step("ods: repeated cells and rows, covered cells, notes", async () => {
    const cell = (attributes: string, text = "") =>
      `<table:table-cell ${attributes}>${text && `<text:p>${text}</text:p>`}</table:table-cell>`;
    const string = (text: string) => cell('office:value-type="string"', text);
    const table = await convert.table(
      await odsOf(
        `<table:table table:name="t"><table:table-row>${string("day")}${string("n")}${
          string("s")
        }` +
          `</table:table-row><table:table-row table:number-rows-repeated="2">` +
          cell('office:value-type="date" office:date-value="2024-01-02"', "2.1.24") +
          cell('office:value-type="currency" office:value="1.50"', "1,50 €") +
          '<table:table-cell office:value-type="string"><office:annotation><text:p>note</text:p>' +
          "</office:annotation><text:p>a<text:s text:c='2'/>b</text:p><text:p>c</text:p>" +
          "</table:table-cell>" +
          '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>' +
          '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/>' +
          "</table:table-row></table:table>",
      ),
      { file: "a.ods" },
    );
    assertEquals(table.format, "ods");
    assertEquals(table.types, { day: "DATE", n: "DECIMAL(18,2)", s: "VARCHAR" });
    assertEquals(plain(table.rows), Array(2).fill(["2024-01-02", "1.50", "a  b\nc"]));
  });

  await t.step("xls: every kind of cell, texts over the seam of two records", async () => {
    const table = await convert.table(xlsFile(), { file: "a.xls" });
    assertEquals(table.format, "xls");
    assertEquals(table.types, { name: "VARCHAR", value: "DECIMAL(18,2)", day: "DATE" });
    assertEquals(plain(table.rows), [
      ["long text", "1.50", "2024-01-01"],
      ["ÿé", "-12.34", "2024-12-31"],
      ["of a formula", "7.00", null],
    ]);
  });
});

/** BIFF8, cell by cell. */
function xlsFile(): Uint8Array {
  const short = (text: string) => packed([text.length, 1], [1, 1], text);
  const long = (text: string) =>
    packed([text.length, 2], [0, 1], [...new TextEncoder().encode(text)]);
  const label = (row: number, column: number, index: number) =>
    xlsRecord(0xfd, packed([row, 2], [column, 2], [0, 2], [index, 4]));
  const rk = (row: number, column: number, style: number, value: number) =>
    xlsRecord(0x27e, packed([row, 2], [column, 2], [style, 2], [value, 4]));
  const globals = (sheetAt: number) => [
    ...xlsRecord(0x809, packed([0x600, 2], [5, 2], [0, 4], [0, 4], [0, 4])),
    ...xlsRecord(0xe0, packed([0, 2], [0, 2])),
    ...xlsRecord(0xe0, packed([0, 2], [14, 2])),
    ...xlsRecord(0x85, packed([sheetAt, 4], [0, 1], [0, 1], short("one"))),
    ...xlsRecord(
      0xfc,
      packed([5, 4], [5, 4], long("name"), long("value"), long("day"), [9, 2], [0, 1], [
        108,
        111,
        110,
      ]),
    ),
    // The rest of the text, now in two bytes a letter; and one in Latin letters of one byte.
    ...xlsRecord(
      0x3c,
      packed([1, 1], "g text", [2, 2], [0, 1], [255, 1], [233, 1]),
    ),
    ...xlsRecord(0x0a),
  ];
  const sheet = [
    ...xlsRecord(0x809, packed([0x600, 2], [16, 2], [0, 4], [0, 4], [0, 4])),
    ...label(0, 0, 0),
    ...label(0, 1, 1),
    ...label(0, 2, 2),
    ...label(1, 0, 3),
    ...xlsRecord(0x203, packed([1, 2], [1, 2], [0, 2], Float64Array.of(1.5))),
    ...rk(1, 2, 1, (45_292 << 2) | 2),
    ...label(2, 0, 4),
    ...rk(2, 1, 0, (-1234 << 2) | 3),
    ...rk(2, 2, 1, (45_657 << 2) | 2),
    ...xlsRecord(
      0x06,
      packed([3, 2], [0, 2], [0, 2], [0, 0, 0, 0, 0, 0, 255, 255], [0, 2], [0, 4]),
    ),
    ...xlsRecord(0x207, long("of a formula")),
    ...rk(3, 1, 0, (7 << 2) | 2),
    ...xlsRecord(0x0a),
  ];
  const at = globals(0).length;
  return compoundOf("Workbook", [...globals(at), ...sheet]);
}

Deno.test("workbooks behind a password say so", async () => {
  const locked = compoundOf("EncryptedPackage", [1, 2, 3]);
  const manifest = "<m:manifest xmlns:m='m'><m:encryption-data/></m:manifest>";
  const odf = await odsOf("", { "META-INF/manifest.xml": manifest });
  const old = compoundOf("Workbook", [
    ...xlsRecord(0x809, packed([0x600, 2], [5, 2])),
    ...xlsRecord(0x2f, [0, 0]),
  ]);
  for (
    const [format, bytes] of [[xlsx, locked], [ods, odf], [xls, old]] as [Format, Uint8Array][]
  ) {
    const error = messageOf(await assertRejects(() => readAlone(format, bytes)));
    assert(error.includes("behind a password"), error);
  }
});

Deno.test("bombs are refused before they take the disk or the memory", async () => {
  const cell = '<table:table-cell office:value-type="float" office:value="1" ' +
    'table:number-columns-repeated="10000"/>';
  const bomb = await odsOf(
    `<table:table table:name="t"><table:table-row table:number-rows-repeated="1000000">${cell}` +
      "</table:table-row></table:table>",
  );
  const error = messageOf(await assertRejects(() => readAlone(ods, bomb)));
  assert(error.includes("repeats cells"), error);
  const entities = await zipOf({
    "xl/workbook.xml": '<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook>&a;</workbook>',
    "[Content_Types].xml": "<Types/>",
  });
  const declared = messageOf(await assertRejects(() => readAlone(xlsx, entities)));
  assert(declared.includes("document type"), declared);
});

Deno.test("workbooks cut off anywhere, or with bits flipped, are read or refused", async () => {
  const files: [Format, Uint8Array][] = [
    [xlsx, prices],
    [xls, xlsFile()],
    [
      ods,
      await odsOf(
        '<table:table table:name="t"><table:table-row><table:table-cell ' +
          'office:value-type="float" office:value="1"/></table:table-row></table:table>',
      ),
    ],
  ];
  for (const [format, whole] of files) {
    const step = Math.max(1, Math.floor(whole.length / 40));
    for (let length = 1; length < whole.length; length += step) {
      await readAlone(format, whole.subarray(0, length)).then(
        () => assert(format === xls, `${format.name} of ${length} bytes is read`),
        (error) => assert(error.message.startsWith("Cannot read"), error.stack),
      );
    }
    for (let bit = 0; bit < 8 * whole.length; bit += 97 * Math.ceil(whole.length / 4000)) {
      const flipped = whole.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      await readAlone(format, flipped).catch((error) => {
        assert(
          error.message.startsWith("Cannot read"),
          `${format.name}, bit ${bit}: ${error.stack}`,
        );
      });
    }
  }
});
