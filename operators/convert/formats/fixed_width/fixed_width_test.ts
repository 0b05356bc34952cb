import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Converter, converter, readAlone } from "../../../../tests/support/converted.ts";
import { hasCode } from "../../../../src/model/errors.ts";
import { fixedWidth } from "./mod.ts";

type Options = Parameters<Converter["table"]>[1];

const rows: [string, string, string, string][] = [
  ["US0378331005", "Apple Inc", "2024-01-02", "185.64"],
  ["US5949181045", "Microsoft Corp", "2024-01-02", "370.87"],
  ["DE0007164600", "SAP", "2024-01-03", "1.5"],
  ["US88160R1014", "Tesla", "2024-01-03", "-238.45"],
  ["GB0002634946", "BAE Systems", "2024-01-03", "1112.5"],
];
const widths = [14, 18, 12, 8];

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => i === 3 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join(
    "",
  );
}

const body = rows.map((row) => `${line(row)}\n`).join("");
const header = `${line(["isin", "name", "day", "price"])}\n`;
const expected = rows.map(([isin, name, day, price]) => [isin, name, day, Number(price)]);

Deno.test("fixed_width", async (t) => {
  await using convert = await converter();
  const read = async (content: string, options: Options = {}) => {
    const { format, types, rows, refused } = await convert.table(content, options);
    const columns = Object.keys(types);
    return {
      format,
      columns,
      rows: rows.map((row) => columns.map((column) => plain(row[column]))),
      refused: refused.map(({ row, offset, rule, raw }) => [row, offset, rule, raw]),
    };
  };
  const plain = (value: unknown) =>
    typeof value === "string" && /^-?\d+\.\d+$/.test(value) ? Number(value) : value;

  await t.step("columns are told by names, places and widths", async () => {
    const columns = [
      { name: "isin", width: 12 },
      { name: "name", start: 15, width: 18 },
      { name: "price", start: 45, width: 8 },
      { name: "day", start: 33, width: 10 },
    ];
    const found = await read(body, {
      format: "fixed_width",
      fixed_width: { columns: columns.slice(0, 2).concat(columns[3], columns[2]), footer: "find" },
    });
    assertEquals([found.columns, found.rows], [["isin", "name", "day", "price"], expected]);
  });

  await t.step("widths alone, with a header or without", async () => {
    const options: Options = { format: "fixed_width", fixed_width: { widths, footer: "find" } };
    const without = await read(body, options);
    assertEquals([without.columns[0], without.rows], ["column0", expected]);
    const named = await read(header + body, options);
    assertEquals([named.columns, named.rows], [["isin", "name", "day", "price"], expected]);
  });

  await t.step("columns are found by a ruler, and by blank columns", async () => {
    const rule = `${line(["-".repeat(12), "-".repeat(16), "-".repeat(10), "-".repeat(8)])}\n`;
    for (const text of [`Prices of the day\n\n${header}${rule}${body}`, header + body]) {
      const found = await read(text, { file: "prices.txt" });
      assertEquals([found.format, found.columns, found.rows, found.refused], [
        "fixed_width",
        ["isin", "name", "day", "price"],
        expected,
        [],
      ]);
    }
  });

  await t.step("what stands outside of its columns is refused with its offset", async () => {
    const stray = `XX           ! stray text   !  2024-01-02    1.00\n`;
    const options: Options = {
      format: "fixed_width",
      fixed_width: {
        columns: [{ name: "isin", width: 12 }, { name: "name", start: 15, width: 38 }],
        footer: "find",
      },
    };
    const { rows, refused } = await read(body + stray + body, options);
    assertEquals(rows.length, 10);
    assertEquals(refused, [[6, body.length, "columns", stray.trimEnd()]]);
  });

  await t.step("a trailer's count must be that of the rows", async () => {
    for (const trailer of ["TRAILER 0000005\n", "Total records: 5\n", "(5 rows)\n"]) {
      assertEquals((await read(header + body + trailer, { format: "fixed_width" })).rows, expected);
    }
    const error = await assertRejects(() =>
      read(`${header}${body}TRAILER 0000006\n`, { format: "fixed_width" })
    );
    assertStringIncludes((error as Error).message, "counts 6 rows, and there are 5");
  });

  await t.step("text without columns is no table", async () => {
    const error = await assertRejects(() => read("a\nb\nc\nd\ne\n", { format: "fixed_width" }));
    assertStringIncludes((error as Error).message, "say fixed_width: { widths");
  });
});

Deno.test("fixed-width text that is cut at any byte is read, refused in part, or an error", async () => {
  const bytes = new TextEncoder().encode(`${header}${body}TRAILER 0000005\n`);
  const found: number[] = [];
  for (let length = 0; length <= bytes.length; length++) {
    try {
      const { rows, refused } = await readAlone(fixedWidth, bytes.slice(0, length), {
        fixed_width: { widths, footer: "find" },
      });
      found.push(rows + refused.length);
    } catch (error) {
      assert(hasCode(error, "CORRUPT") || hasCode(error, "INVALID"), String(error));
    }
  }
  assertEquals(found.at(-1), 5);
});
