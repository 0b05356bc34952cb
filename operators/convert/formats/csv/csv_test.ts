import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Converter, converter } from "../../../../tests/support/converted.ts";

type Options = Parameters<Converter["table"]>[1];

/** Columns, rows as lists, and what was refused. */
async function read(convert: Converter, content: string | Uint8Array, options: Options = {}) {
  const { types, rows, refused, accounting } = await convert.table(content, {
    file: "data.csv",
    ...options,
  });
  const columns = Object.keys(types);
  assertEquals(accounting.in, accounting.out + accounting.quarantined);
  return {
    columns,
    types: Object.values(types),
    rows: rows.map((row) => columns.map((column) => row[column])),
    refused: refused.map(({ row, offset, rule, raw }) => [row, offset, rule, raw]),
  };
}

Deno.test("csv", async (t) => {
  await using convert = await converter();

  await t.step("a record with a cell too many in the middle is not shifted", async () => {
    const text = "k,a,b,c\n" + "1,x,y,z\n".repeat(5) + "2,,x,y,\n" + "3,x,,\n";
    const { rows, refused } = await read(convert, text, { format: "csv" });
    assertEquals(refused, [[6, 48, "columns", "2,,x,y,"]]);
    assertEquals(rows.at(-1), [3, "x", null, null]);
  });

  await t.step("empty cells too many or too few at the end are nothing", async () => {
    const text = "k,a,b\n1,x,y\n2,x,\n3,x\n4,x,y,,\n5,,\n6\n7,x,y,z\n";
    const { rows, refused } = await read(convert, text);
    assertEquals(rows.map((row) => row.join()), ["1,x,y", "2,x,", "3,x,", "4,x,y", "5,,", "6,,"]);
    assertEquals(refused, [[7, 35, "columns", "7,x,y,z"]]);
  });

  await t.step("a trailer's count must be that of the rows", async () => {
    const body = "sym|qty|px\nA|1|2.5\nB|2|3.5\nC|3|4.5\n";
    for (
      const trailer of [
        "3\n",
        "TRL|3\n",
        "Trailer record count 3\n",
        "\nRows: 3",
        "END|20240102|3|",
      ]
    ) {
      const { rows, refused } = await read(convert, body + trailer);
      assertEquals([trailer, rows.length, refused], [trailer, 3, []]);
    }
    for (
      const trailer of ["4\n", "TRL|000004\n", "Trailer record count 4\n", "Total records: 2\n"]
    ) {
      const error = await assertRejects(() => read(convert, body + trailer));
      assertStringIncludes((error as Error).message, "and there are 3");
    }
    const { refused } = await read(convert, `${body}TRL|4\n`, { csv: { footer: "none" } });
    assertEquals(refused, [[4, 35, "columns", "TRL|4"]]);
  });

  await t.step("totals, notes and times below the table are none of its rows", async () => {
    const body = "sym|qty|px\nA|1|2.5\nB|2|3.5\nC|3|4.5\n";
    for (
      const footer of [
        "Total||10.5\n",
        "File Creation Time: 1102202422:03||\n",
        "\nSource: the exchange, all rights reserved\n",
        "---\nGenerated at noon | by the desk\n",
      ]
    ) {
      const { rows, refused } = await read(convert, body + footer);
      assertEquals([footer, rows.length, refused], [footer, 3, []]);
    }
  });

  await t.step("a last line that was cut off is refused, whatever it lacks", async () => {
    const { rows, refused } = await read(convert, "a,b,c\n1,2,\n3,4,5\n6,7,8\n9,1");
    assertEquals(rows.length, 3);
    assertEquals(refused, [[4, 23, "columns", "9,1"]]);
  });

  await t.step("line ends of all kinds, also in one file", async () => {
    for (
      const [a, b] of [["\n", "\n"], ["\r\n", "\r\n"], ["\r", "\r"], ["\r\n", "\n"], ["\r", "\n"]]
    ) {
      const text = `k,t${a}1,"x${b}y"${b}2,z${a}3,w${b}4,v${a}5,u${b}`;
      const { rows, refused } = await read(convert, text);
      assertEquals([rows.length, refused], [5, []]);
      assertEquals(rows[0], [1, `x${b}y`]);
    }
  });

  await t.step("quotes that are escaped by a backslash, or not at all", async () => {
    const backslash = 'k,t\n1,"a \\"b\\", c"\n2,"d, \\\\"\n3,"e, f"\n';
    assertEquals((await read(convert, backslash)).rows, [[1, 'a "b", c'], [2, "d, \\"], [
      3,
      "e, f",
    ]]);
    const bare = 'k,t\n1,"a 5" pipe, long"\n2,"b, 3" wide"\n3,"c, d"\n';
    assertEquals((await read(convert, bare)).rows, [
      [1, 'a 5" pipe, long'],
      [2, 'b, 3" wide'],
      [3, "c, d"],
    ]);
  });

  await t.step("an empty text in quotes is no null", async () => {
    for (const line of ['1,"",x', '1, "" ,x']) {
      const { rows } = await read(convert, `k,a,b\n${line}\n2,,y\n3,"q, r",z\n`);
      assertEquals(rows.slice(0, 2), [[1, "", "x"], [2, null, "y"]]);
    }
  });

  await t.step("comments are no rows, but a header that begins like one is a header", async () => {
    const { rows } = await read(
      convert,
      "# made up\nk,v\n1,2\n# a remark, or two, or three\n3,4\n",
    );
    assertEquals(rows, [[1, 2], [3, 4]]);
    const ric = await read(convert, "#RIC,Bid\nA.N,1\nB.N,2\n");
    assertEquals([ric.columns, ric.rows.length], [["#RIC", "Bid"], 2]);
  });

  await t.step("columns of the same name, ten thousand columns", async () => {
    const { columns } = await read(convert, "a,A,a,\n1,2,3,4\n");
    assertEquals(columns, ["a", "A_1", "a_2", "column3"]);
    const wide = Array.from({ length: 10_000 }, (_, i) => i);
    const text = `${wide.map((i) => `c${i}`).join(",")}\n${wide.join(",")}\n${wide.join(",")}\n`;
    const error = await assertRejects(() => read(convert, text));
    assertStringIncludes((error as Error).message, "would have 10000 columns, and one has at most");
  });

  await t.step("a NUL stays in its text, and in a number refuses its row", async () => {
    const { rows, refused } = await read(convert, "k,t\n1,a\0b\n2,c\n3,d\n", { format: "csv" });
    assertEquals([rows, refused], [[[1, "a\0b"], [2, "c"], [3, "d"]], []]);
  });

  await t.step("two tables: rows of the other one are refused, not lost", async () => {
    const { rows, refused } = await read(
      convert,
      "k,v\n" + "1,2\n".repeat(20) + "\nname,of,more\na,b,c\nd,e,f\n",
    );
    assertEquals(rows.length, 20);
    assertEquals(refused.map(([, , rule, raw]) => [rule, raw]), [
      ["columns", "name,of,more"],
      ["columns", "a,b,c"],
      ["columns", "d,e,f"],
    ]);
  });

  await t.step("the header again, as in files that were joined, is no row", async () => {
    const texts = "name,city\n" + "Ann,Rome\nBob,Oslo\n".repeat(3);
    const { rows, refused } = await read(convert, texts + texts);
    assertEquals(rows.length, 12);
    assertEquals(refused, [[7, texts.length, "header", "name,city"]]);
    const figures = "name,age\n" + "Ann,3\nBob,4\n".repeat(3);
    const typed = await read(convert, figures + figures);
    assertEquals([typed.rows.length, typed.refused.map(([row]) => row)], [12, [7]]);
  });

  await t.step("a line of megabytes costs itself, in bounded memory", async () => {
    const text = `k,v\n1,2\n${"x".repeat(9_000_000)}\n3,4\n`;
    const { rows, refused } = await read(convert, text);
    assertEquals(rows, [[1, 2], [3, 4]]);
    assertEquals(
      refused.map(([row, offset, rule, raw]) => [row, offset, rule, String(raw).length]),
      [
        [2, 8, "too_long", 65_536],
      ],
    );
    const error = await assertRejects(() =>
      read(convert, "x".repeat(3_000_000), { format: "csv" })
    );
    assertStringIncludes(
      (error as Error).message,
      "its first line, from byte 0 on, is longer than",
    );
  });

  await t.step("a byte order mark counts in offsets, and is none of the first name", async () => {
    const { columns, refused } = await read(convert, "\ufeffk,v\n1,2\n3\n4,5\n");
    assertEquals(columns, ["k", "v"]);
    assertEquals(refused, [[2, 11, "columns", "3"]]);
  });

  await t.step("headers of several lines give names of several parts", async () => {
    const { columns, rows } = await read(
      convert,
      "Trades of the day\n\ntime,price,price,size\n,bid,ask,lots\n10:00:00,1.5,1.6,3\n" +
        "10:00:01,1.5,1.7,4\n10:00:02,1.4,1.6,2\n10:00:03,1.4,1.6,2\n",
    );
    assertEquals(columns, ["time", "price bid", "price ask", "size lots"]);
    assertEquals(rows.length, 4);
  });

  await t.step("a file that grows while it is read is refused", async () => {
    const { csv } = await import("./mod.ts");
    const path = await Deno.makeTempFile();
    await Deno.writeTextFile(path, 'k,t\n1,"a \\" b"\n2,"c, d"\n');
    let reads = 0;
    const grown = csv.read({
      file: { path, name: "grows.csv", bytes: 24, isAsCollected: true },
      options: { nullTokens: [], pointers: [], knownColumns: [] },
      engine: { run: () => Promise.reject(new Error("no engine")) },
      signal: new AbortController().signal,
      tempPath(extension) {
        if (reads++ === 0) Deno.writeTextFileSync(path, "3,e\n", { append: true });
        return `${path}.${reads}.${extension}`;
      },
      refuse: () => Promise.resolve(),
      isCareful: true,
    });
    const error = await assertRejects(() => grown);
    assert(error instanceof Error);
    assertStringIncludes(error.message, "it changed while it was read, from 24 bytes to 28");
  });
});
