import { assert, assertEquals } from "@std/assert";
import { corpus } from "../../../../tests/support/corpora.ts";
import { converter } from "../../../../tests/support/converted.ts";
import { detectDialect, type Dialect } from "./dialect.ts";
import { sampleRecords } from "./tokenize.ts";

const hints = { knownColumns: [] };

function dialectOf(head: string): Dialect {
  return detectDialect({ head, isCut: false }, hints)!;
}

const rows = [
  ["symbol", "date", "price", "note"],
  ["IBM", "2024-01-02", "100.5", "a, b; c"],
  ["MSFT", "2024-01-03", "99.25", "it's | fine"],
  ["AAPL", "2024-01-04", "1.5", 'said "no"'],
  ["TSLA", "2024-01-05", "-3", ""],
];

Deno.test("detectDialect() tells delimiter, quote and escape", async (t) => {
  for (
    const delimiter of [",", ";", "\t", "|", ":", "^", "~", "\x01", "\x1f", "||", "|~|", "::", "§"]
  ) {
    for (const quote of ['"', "'"]) {
      for (const escape of ["doubled", "backslash"] as const) {
        for (const newLine of ["\n", "\r\n", "\r"] as const) {
          const text = rows.map((cells) =>
            cells.map((cell) => {
              if (!cell.includes(delimiter) && !/["' ]/.test(cell)) return cell;
              const inner = cell.replaceAll(
                quote,
                escape === "doubled" ? quote + quote : `\\${quote}`,
              );
              return quote + inner + quote;
            }).join(delimiter) + newLine
          ).join("");
          const name = JSON.stringify([delimiter, quote, escape, newLine]);
          await t.step(name, () => {
            const found = dialectOf(text);
            assertEquals([found.delimiter, found.quote, found.newLine, found.header], [
              delimiter,
              quote,
              newLine,
              true,
            ]);
            assertEquals(sampleRecords(text, found).map(({ cells }) => cells), rows);
          });
        }
      }
    }
  }
});

Deno.test("detectDialect() finds the table among what is around it", () => {
  const of = (text: string) => {
    const { delimiter, skipLines, headerLines, header, columns } = dialectOf(text);
    return { delimiter, skipLines, headerLines, header, columns };
  };
  const body = "IBM;2024-01-02;1,5\nMSFT;2024-01-03;2,25\nAAPL;2024-01-04;3\n";
  const found = { delimiter: ";", skipLines: 0, headerLines: 1, header: true };
  const columns = ["symbol", "day", "price"];
  assertEquals(of(`symbol;day;price\n${body}`), { ...found, columns });
  assertEquals(of(`Prices of the day, all of them\n\nsymbol;day;price\n${body}`), {
    ...found,
    skipLines: 2,
    columns,
  });
  assertEquals(of(`Prices;;\nby;Desk;\n;;\nsymbol;day;price\n${body}`), {
    ...found,
    skipLines: 3,
    columns,
  });
  assertEquals(of(`symbol;day;price\n${body}# a remark\n${body}`).columns, columns);
  assertEquals(of(body), {
    ...found,
    headerLines: 0,
    header: false,
    columns: ["column0", "column1", "column2"],
  });
  assertEquals(of(`symbol;when;how much\n;day;EUR\n${body}`).columns, [
    "symbol",
    "when day",
    "how much EUR",
  ]);
  assertEquals(of(`symbol;day;day\n${body}`).columns, ["symbol", "day", "day_1"]);
  assertEquals(of(`symbol;day;;price\n${body}`).columns, columns);
  assertEquals(of(`symbol;day;price\n\n\nsymbol;day;price\n${body}`).headerLines, 4);
});

Deno.test("detectDialect() takes numbers, dates, times and lists for what they are", () => {
  for (
    const [text, delimiter, columns] of [
      ["a\n1\n2\n3\n", ",", 1],
      ["when\n2024-01-02\n2024-01-03\n", ",", 1],
      ["at\n10:15:00\n10:16:00\n10:17:00\n", ",", 1],
      ["a;b\n1,5;2,5\n1,25;3,5\n", ";", 2],
      ["name,tags\nx,a;b;c\ny,d;e;f\n", ",", 2],
      ["url,n\nhttp://a.b/c/d,1\nhttp://a.b/e/f,2\n", ",", 2],
      ["a b c\n1 2 3\n4 5 6\n7 8 9\n", " ", 3],
      ["x     y   z\n1.5   2   3\n-1.25 22  4\n  7   8   9\n", " ", 3],
      ["one long sentence, with a comma\nanother one\nand a third, or not\nmore\n", "\x1f", 1],
    ] as const
  ) {
    const found = dialectOf(text);
    assertEquals([text, found.delimiter, found.columns.length], [text, delimiter, columns]);
  }
});

const signs: Record<string, string> = { comma: ",", tab: "\t", space: " ", semicolon: ";" };

Deno.test({
  name: "detectDialect() agrees with dialects that people noted for real files",
  ignore: corpus("csv_dialect") === null, // corpora are not at hand
  fn() {
    const dir = corpus("csv_dialect")!;
    const notes = Deno.readTextFileSync(`${dir}/ground_truth/W3C-CSVW-dialect_annotations.txt`);
    const wrong: string[] = [];
    let files = 0;
    for (const line of notes.split("\n").slice(2)) {
      const [name, encoding, delimiter] = line.trim().split("|");
      const bytes = name && readOrNull(`${dir}/W3C-CSVW/${name}`);
      if (!bytes) continue;
      files++;
      const label = encoding === "ansi" ? "windows-1252" : "utf-8";
      const text = new TextDecoder(label).decode(bytes);
      const head = text.slice(0, 256 * 1024);
      const found = detectDialect({ head, isCut: head.length < text.length }, hints);
      const isQuoteRight = found?.quote === '"' || (found?.quote === "" && !text.includes('"'));
      if (found?.delimiter !== signs[delimiter] || !isQuoteRight) wrong.push(name);
    }
    assert(files > 200);
    assert(wrong.length < files * 0.02, `${wrong.length} of ${files} are wrong: ${wrong}`);
  },
});

Deno.test({
  name: "csv reads csv-spectrum exactly",
  ignore: corpus("csv_spectrum") === null, // corpora are not at hand
  async fn() {
    const dir = corpus("csv_spectrum")!;
    await using convert = await converter();
    for (const { name } of Deno.readDirSync(`${dir}/csvs`)) {
      const bytes = Deno.readFileSync(`${dir}/csvs/${name}`);
      const expected = JSON.parse(
        Deno.readTextFileSync(`${dir}/json/${name.replace(".csv", ".json")}`),
      ) as Record<string, string>[];
      const { rows, refused } = await convert.table(bytes, { file: name, format: "csv" });
      const texts = rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).filter(([key]) => !key.startsWith("_tw_")).map((
            [key, value],
          ) => [key, value === null ? "" : String(value)]),
        )
      );
      assertEquals([name, texts, refused], [name, expected, []]);
    }
  },
});

function readOrNull(path: string): Uint8Array | null {
  try {
    return Deno.readFileSync(path);
  } catch {
    return null;
  }
}
