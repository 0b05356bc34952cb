import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { crc32 } from "node:zlib";
import iconv from "iconv-lite";
import { accountingGap } from "../../src/model/data.ts";
import type { RowAccounting } from "../../src/model/data.ts";
import { type TableContext, tableContext } from "../../tests/support/table_context.ts";
import { ConvertParams } from "./params.ts";
import { run } from "./run.ts";

const schema = {
  name: "bar",
  key: ["symbol", "date"],
  columns: [
    { name: "symbol", type: "VARCHAR", nullable: false },
    { name: "date", type: "DATE", nullable: false },
    { name: "close", type: "DECIMAL(18,4)", nullable: true },
    { name: "volume", type: "BIGINT", nullable: true },
  ],
};
const header = "symbol,date,close,volume\n";

interface Given {
  name?: string;
  labels?: Record<string, string>;
  params?: Record<string, unknown>;
}

async function converted(
  t: TableContext,
  content: string | Uint8Array,
  { name = "data.csv", labels, params = { schema } }: Given = {},
) {
  const file = await t.raw(content, { name, labels });
  const outcome = await run({
    params: ConvertParams.parse(params),
    inputs: { from: t.rawFiles([file]) },
    ctx: t.ctx,
  });
  if (outcome.kind !== "done") throw new Error(outcome.kind);
  const { output, effects } = outcome;
  if (output.kind !== "table") throw new Error(output.kind);
  const accounting = effects!.accounting as RowAccounting;
  assertEquals(accountingGap(accounting), 0);
  const quarantine = effects?.quarantine?.[0] ?? null;
  return {
    file,
    output,
    accounting,
    quarantine,
    refused: quarantine?.sample.map(({ row, rule, raw }) => [row, rule, raw]) ?? [],
    rows: await t.rowsOf(output),
    metrics: effects!.metrics!,
    types: output.schema.columns.map(({ type }) => type),
  };
}

/** An archive without compression. */
function zipOf(members: Record<string, string>): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  const record = (signature: number, numbers: [number, 2 | 4][]) => {
    const bytes = new DataView(
      new ArrayBuffer(4 + numbers.reduce((sum, [, size]) => sum + size, 0)),
    );
    bytes.setUint32(0, signature, true);
    let at = 4;
    for (const [value, size] of numbers) {
      if (size === 2) bytes.setUint16(at, value, true);
      else bytes.setUint32(at, value, true);
      at += size;
    }
    return new Uint8Array(bytes.buffer);
  };
  for (const [path, text] of Object.entries(members)) {
    const [name, content] = [encoder.encode(path), encoder.encode(text)];
    const sum = crc32(content);
    const sizes: [number, 2 | 4][] = [[sum, 4], [content.length, 4], [content.length, 4]];
    const both: [number, 2 | 4][] = [[20, 2], [0, 2], [0, 2], [0, 4], ...sizes, [name.length, 2]];
    const local = record(0x04034b50, [...both, [0, 2]]);
    parts.push(local, name, content);
    const rest: [number, 2 | 4][] = [[0, 2], [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]];
    directory.push(record(0x02014b50, [[20, 2], ...both, ...rest]), name);
    offset += local.length + name.length + content.length;
  }
  const count = Object.keys(members).length;
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = record(0x06054b50, [[0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [offset, 4], [
    0,
    2,
  ]]);
  return Uint8Array.from([...parts, ...directory, end].flatMap((part) => [...part]));
}

Deno.test("convert", async (t) => {
  await using context = await tableContext();
  const convert = (content: string | Uint8Array, given?: Given) =>
    converted(context, content, given);

  await t.step("a clean CSV becomes a table whose rows know their record", async () => {
    const { rows, output, file, accounting } = await convert(
      `${header}IBM,2024-01-02,100.1234,5\nAAPL,2024-01-03,,\n`,
    );
    assertEquals(rows, [["IBM", "2024-01-02", "100.1234", 5], ["AAPL", "2024-01-03", null, null]]);
    assertEquals(accounting.in, 2);
    assertEquals(output.provenance, [{ source: "test.source", file: file.key, missing: [] }]);
    assertEquals(output.schema, schema);
    assert(/^raw\.test\.source@2024-01-02#[0-9a-f]{64}$/.test(output.inputs[0]));
  });

  await t.step("values that would lose a digit go to quarantine, never rounded", async () => {
    const { rows, refused, quarantine, accounting } = await convert(
      `${header}A,2024-01-02,9.99999,1\nB,2024-01-02,1.5e-9,1\nC,2024-01-02,1,1.5\n` +
        `D,2024-01-02 10:00:00,1,1\nE,2024-01-02,99999999999999999999,1\n` +
        `F,2024-01-02,1,9223372036854775808\nG,2024-01-02,0x10,1\n` +
        `ok,2024-01-02,1.50000,7.0\nok,2024-01-02,15e-1,-3\nok,20240102,-.5,+9223372036854775807\n`,
    );
    assertEquals(rows, [
      ["ok", "2024-01-02", "1.5000", 7],
      ["ok", "2024-01-02", "1.5000", -3],
      ["ok", "2024-01-02", "-0.5000", "9223372036854775807"],
    ]);
    assertEquals(refused.map(([row]) => row), [1, 2, 3, 4, 5, 6, 7]);
    assertEquals(quarantine!.reasons, { type: 7 });
    assertEquals(quarantine!.sample[0], {
      file: "data.csv",
      row: 1,
      offset: 25,
      column: "close",
      rule: "type",
      reason: 'Column "close" holds "9.99999", which DECIMAL(18,4) cannot hold exactly',
      raw: "A,2024-01-02,9.99999,1",
    });
    assertEquals(accounting, {
      in: 10,
      generated: 0,
      out: 3,
      quarantined: 7,
      mergedAway: 0,
      filtered: 0,
    });
    assertEquals((await context.linesOf(quarantine!.file)).length, 7);
  });

  await t.step("a quote that is never closed costs its own line, not those after it", async () => {
    const more = Array.from({ length: 2000 }, (_, i) => `S${i},2024-01-02,1,${i}\n`).join("");
    const { rows, refused } = await convert(
      `${header}A,2024-01-02,1,1\n"B,2024-01-02,1,1\n${more}`,
    );
    assertEquals(rows.length, 2001);
    assertEquals(refused, [[2, "quote", '"B,2024-01-02,1,1']]);
  });

  await t.step("a quote that is closed rows later swallows none of them", async () => {
    const { rows, refused } = await convert(
      `date,symbol,close,volume\n2024-01-02,"A,1,1\n2024-01-02,B,1,2\n2024-01-02,C",1,3\n` +
        `2024-01-02,"two\nlines, and more",1,4\n`,
    );
    assertEquals(refused, [[1, "quote", '2024-01-02,"A,1,1']]);
    assertEquals(rows.map(([symbol]) => symbol), ["B", 'C"', "two\nlines, and more"]);
  });

  await t.step("records with too few or too many columns are refused as they are", async () => {
    const { rows, refused } = await convert(
      `${header}A,2024-01-02,1\r\nB,2024-01-02,1,1,1\nC,2024-01-02,1,1\n\n"D"x,2024-01-02,1,1\n`,
    );
    assertEquals(rows.length, 1);
    assertEquals(refused, [
      [1, "columns", "A,2024-01-02,1"],
      [2, "columns", "B,2024-01-02,1,1,1"],
      [4, "quote", '"D"x,2024-01-02,1,1'],
    ]);
  });

  await t.step("bytes that are no UTF-8 are read in the encoding found or named", async () => {
    const named = (encoding: string) => ({ params: { schema, encoding } });
    const encoded = (text: string, encoding: string) => iconv.encode(header + text, encoding);
    const umlaut = encoded("Mü,2024-01-02,1,1\n", "windows-1252");
    assertEquals((await convert(umlaut)).rows, [["Mü", "2024-01-02", "1.0000", 1]]);
    const polish = encoded("Żabka,2024-01-02,1,1\nBank Śląski,2024-01-02,1,1\n", "iso-8859-2");
    assertEquals((await convert(polish)).rows.map(([name]) => name), ["Żabka", "Bank Śląski"]);
    const kanji = encoded("トヨタ,2024-01-02,1,1\n", "shift_jis");
    assertEquals((await convert(kanji, named("cp932"))).rows[0][0], "トヨタ");
    const dos = encoded("Mü,2024-01-02,1,1\n", "cp437");
    assertEquals((await convert(dos)).quarantine!.reasons, { encoding: 1 });
    assertEquals((await convert(dos, named("cp437"))).rows[0][0], "Mü");
  });

  await t.step("a line in another encoding than the file's is refused, not bent", async () => {
    const line = (name: string, encoding: string) =>
      iconv.encode(`${name},2024-01-02,1,1\n`, encoding);
    const bytes = Uint8Array.of(
      ...new TextEncoder().encode(header),
      ...line("Zoë", "utf-8"),
      ...line("Köln", "utf-8"),
      ...line("Mü", "windows-1252"),
    );
    const { rows, refused } = await convert(bytes);
    assertEquals(rows.map(([name]) => name), ["Zoë", "Köln"]);
    assertEquals(refused, [[3, "encoding", "M\ufffd,2024-01-02,1,1"]]);
    const broken = Uint8Array.of(
      ...iconv.encode(`${header}トヨタ自動車,2024-01-02,1,1\nソニー,2024-01-02,1,`, "shift_jis"),
      0x81,
      0x0a,
      ...iconv.encode("日本銀行,2024-01-02,1,1\n", "shift_jis"),
    );
    const japanese = await convert(broken, { params: { schema, encoding: "shift_jis" } });
    assertEquals(japanese.rows.map(([name]) => name), ["トヨタ自動車", "日本銀行"]);
    assertEquals(japanese.refused.map(([row, rule]) => [row, rule]), [[2, "encoding"]]);
  });

  await t.step("gzip, byte order marks and UTF-16 are read through", async () => {
    const text = `${header}ä,2024-01-02,1,1\n`;
    const gzip = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    const utf16 = new Uint8Array(Uint16Array.from(`\ufeff${text}`, (c) => c.charCodeAt(0)).buffer);
    for (
      const content of [
        new Uint8Array(await new Response(gzip).arrayBuffer()),
        new TextEncoder().encode(`\ufeff${text}`),
        utf16,
      ]
    ) {
      assertEquals((await convert(content)).rows, [["ä", "2024-01-02", "1.0000", 1]]);
    }
  });

  await t.step("members of an archive are files, each with its own rows and name", async () => {
    const bytes = zipOf({
      "eod/a.csv": `${header}A,2024-01-02,1,1\n`,
      "eod/b.json": '[{"symbol":"B","date":"2024-01-02","close":2,"volume":3},{"symbol":null}]',
      "__MACOSX/._a.csv": "x",
    });
    const found = await convert(bytes, { name: "day.zip" });
    assertEquals(found.rows.map(([symbol]) => symbol), ["A", "B"]);
    assertEquals(found.quarantine!.sample.map(({ file, row }) => [file, row]), [
      ["day.zip/eod/b.json", 2],
    ]);
    assertEquals(found.metrics.skippedMembers, { hidden: 1 });
    const path = context.pathOf(found.output.files[0]);
    assertEquals(
      await context.query(`SELECT _tw_file, _tw_row FROM read_parquet('${path}')`),
      [[`${found.file.key}#eod/a.csv`, 1]],
    );
    const unpack = { members: "*.csv" };
    const { accounting } = await convert(bytes, { name: "day.zip", params: { schema, unpack } });
    assertEquals(accounting.in, 1);
  });

  for (
    const { what, content, given, message } of [
      { what: "an empty file", content: "", message: "it is empty, 0 bytes" },
      {
        what: "an XML bomb named JSON",
        content: '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><lolz>&lol;</lolz>',
        given: { params: { schema, format: "json" }, name: "x.json" },
        message: "it begins like XML or HTML",
      },
      {
        what: "an HTML page named CSV",
        content: "<!doctype html><html>429</html>",
        given: { params: { schema, format: "csv" } },
        message: "it begins like XML or HTML",
      },
      {
        what: "bytes of no known format",
        content: new Uint8Array([0xc1, 0, 3, 0xff, 0xc1, 1, 0, 0xfe, 7, 0xc1, 0, 0]),
        message: "Cannot tell the format of data.csv",
      },
      {
        what: "JSON that is cut off",
        content: '[{"a":1},{"a":',
        given: { name: "x.json", params: {} },
        message: "at byte 14, it ends too early",
      },
      {
        what: "a bomb of nested arrays",
        content: "[".repeat(100_000),
        given: { name: "x.json", params: {} },
        message: "nesting is deeper than 512",
      },
      {
        what: "records that are not where they should be",
        content: '{"data":[1]}',
        given: { name: "x.json", params: { records: "/bars" } },
        message: 'there is nothing at "/bars"',
      },
      {
        what: "text that is no Parquet",
        content: "PAR1 and nothing else",
        given: { name: "x.parquet", params: {} },
        message: "it does not end with PAR1",
      },
      {
        what: "gzip that is cut off",
        content: new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 75]),
        message: "as gzip",
      },
      {
        what: "an archive that holds nothing known",
        content: zipOf({ "notes.bin": "\0\x01\x02" }),
        message: "Cannot tell the format of data.csv/notes.bin",
      },
    ] as { what: string; content: string | Uint8Array; given?: Given; message: string }[]
  ) {
    await t.step(`${what} ends in a clear error that no retry would better`, async () => {
      const error = await assertRejects(() => convert(content, given), Error, message);
      assert((error as { final?: boolean }).final);
    });
  }

  await t.step("a Parquet file that is cut off or damaged is refused", async () => {
    const { output } = await convert(`${header}A,2024-01-02,1,1\n`);
    const whole = await Deno.readFile(context.pathOf(output.files[0]));
    const damaged = whole.slice();
    damaged.fill(0xff, 4, 40);
    for (const content of [whole.slice(0, -20), damaged, whole.slice(0, 8)]) {
      const given = { name: "x.parquet", params: { schema, ignore: ["*"] } };
      const error = await assertRejects(() => convert(content, given), Error, "x.parquet");
      assertEquals((error as { code?: string }).code, "CORRUPT");
    }
  });

  await t.step("a header without rows is a table without rows", async () => {
    const { output, accounting } = await convert(header);
    assertEquals([output.rows, output.files, accounting.in], [0, [], 0]);
  });

  await t.step("an empty file may be allowed", async () => {
    const { output } = await convert("", { params: { schema, onEmpty: "allow" } });
    assertEquals(output.rows, 0);
  });

  const drifted = "symbol,date,close,extra\nA,2024-01-02,1,2.50\nB,2024-01-02,x,\n";
  await t.step("onDrift evolve takes new columns in, and misfits go to quarantine", async () => {
    const { rows, types, refused } = await convert(drifted, {
      params: { schema, onDrift: "evolve" },
    });
    assertEquals(types.at(-1), "DECIMAL(18,2)");
    assertEquals(rows, [["A", "2024-01-02", "1.0000", null, "2.50"]]);
    assertEquals(refused.map(([, rule]) => rule), ["type"]);
  });

  await t.step("onDrift freeze fails on new columns and on misfits", async () => {
    const params = { schema, onDrift: "freeze" };
    await assertRejects(() => convert(drifted, { params }), Error, "new columns extra");
    await assertRejects(
      () => convert(`${header}A,2024-01-02,x,1\n`, { params }),
      Error,
      "record 1 does not fit the frozen schema",
    );
  });

  await t.step("onDrift discard leaves both out and counts them", async () => {
    const { rows, accounting, quarantine, metrics } = await convert(drifted, {
      params: { schema, onDrift: "discard" },
    });
    assertEquals(rows, [["A", "2024-01-02", "1.0000", null]]);
    assertEquals([accounting.filtered, quarantine], [1, null]);
    assertEquals(metrics.newColumns, ["extra"]);
  });

  await t.step("onDrift quarantine keeps rows with a new column whole", async () => {
    const { rows, refused } = await convert(drifted.replace("x,", "1,"), { params: { schema } });
    assertEquals(rows.map(([symbol]) => symbol), ["B"]);
    assertEquals(refused, [[1, "new_column", "A,2024-01-02,1,2.50"]]);
    const ignoring = await convert(drifted.replace("x,", "1,"), {
      params: { schema, ignore: ["extra"] },
    });
    assertEquals(ignoring.rows.length, 2);
  });

  await t.step("a required column that is missing or null refuses the row", async () => {
    const { refused } = await convert("symbol,close\nA,1\n", { params: { schema } });
    assertEquals(refused.map(([, rule]) => rule), ["missing_column"]);
    assertEquals((await convert(`${header},2024-01-02,1,1\n`)).quarantine!.reasons, {
      not_null: 1,
    });
  });

  await t.step("many misfits carry their own rows in the file, few do not", async () => {
    const bad = Array.from(
      { length: 3000 },
      (_, i) => `S${i},2024-01-02,${i % 2 ? "x" : i},1\n`,
    ).join("");
    const many = await convert(header + bad);
    assertEquals(many.output.provenance, [null]);
    const path = context.pathOf(many.output.files[0]);
    assertEquals(
      await context.query(
        `SELECT min(_tw_row), max(_tw_row), count(*), any_value(_tw_source) ` +
          `FROM read_parquet('${path}')`,
      ),
      [[1, 2999, 1500, "test.source"]],
    );
    assertEquals(many.quarantine!.rows, 1500);
    assertEquals(many.quarantine!.sample[99].row, 200);
  });

  await t.step("records of a vendor's map get their key, their label and their names", async () => {
    const { rows, refused } = await convert(
      JSON.stringify({
        "Meta Data": { "1. Information": "Daily" },
        "Time Series (Daily)": {
          "2024-01-03": { "1. open": "1.5", "4. close": "100.10", "5. volume": "7" },
          "2024-01-02": { "1. open": "1.5", "4. close": "None", "5. volume": "8" },
        },
      }),
      {
        name: "ibm.json",
        labels: { symbol: "IBM" },
        params: {
          schema,
          records: "/Time Series (Daily)",
          recordKey: "date",
          columns: { close: "4. close", volume: "5. volume" },
          ignore: ["1. open"],
          nullTokens: ["None"],
        },
      },
    );
    assertEquals(refused, []);
    assertEquals(rows, [["IBM", "2024-01-03", "100.1000", 7], ["IBM", "2024-01-02", null, 8]]);
  });

  await t.step("numbers of JSON keep all their digits", async () => {
    const { rows, types } = await convert(
      '[{"a":12345678901234567890,"b":0.1234567890123456789012345,"c":{"d":[1,2.50]}}]',
      { name: "x.json", params: { columns: { d: "/c/d/1" } } },
    );
    assertEquals(types, ["DECIMAL(18,2)", "DECIMAL(38,0)", "DECIMAL(38,25)", "JSON"]);
    assertEquals(rows[0], [
      "2.50",
      "12345678901234567890",
      "0.1234567890123456789012345",
      '{"d":[1,2.50]}',
    ]);
  });

  await t.step("lines that are no JSON are refused, a field that comes twice is two", async () => {
    const { rows, refused } = await convert(
      '{"a":1}\n{"a":\n\n{"a":2,"a":3}\n{"a":"\\ud800"}\n{"b":true}\n',
      { name: "x.ndjson", params: {} },
    );
    assertEquals(rows, [[1, null, null], [2, 3, null], [null, null, true]]);
    assertEquals(refused.map(([row, rule]) => [row, rule]), [[2, "json"], [4, "encoding"]]);
  });

  await t.step("types nobody declared are the narrowest that hold all rows", async () => {
    const many = Array.from({ length: 25_000 }, (_, i) => `${i},0${i},${i}.5,x\n`).join("");
    const { types, output } = await convert(
      `id,code,price,late\n${many}99999999999999999999,1,2.125,7\n`,
      { params: {} },
    );
    assertEquals(types, ["DECIMAL(38,0)", "VARCHAR", "DECIMAL(18,3)", "VARCHAR"]);
    assertEquals(output.rows, 25_001);
  });

  await t.step("decimal commas, groups and formats of dates are read as told", async () => {
    const { rows } = await convert("symbol;date;close;volume\nA;31/12/2023;1.234,5;1.000\n", {
      params: { schema, decimalMark: ",", thousandsMark: ".", dateFormat: "%d/%m/%Y" },
    });
    assertEquals(rows, [["A", "2023-12-31", "1234.5000", 1000]]);
  });

  await t.step("a timestamp without a zone refuses one with an offset", async () => {
    const stamps = {
      name: "s",
      key: [],
      columns: [
        { name: "naive", type: "TIMESTAMP", nullable: true },
        { name: "nano", type: "TIMESTAMP_NS", nullable: true },
        { name: "zoned", type: "TIMESTAMP WITH TIME ZONE", nullable: true },
      ],
    };
    const { rows, refused } = await convert(
      "naive,nano,zoned\n2024-01-02T03:04:05Z,2024-01-02 03:04:05.123456789," +
        "2024-01-02T03:04:05.5+02:00\n2024-01-02T03:04:05+02:00,,\n" +
        "2024-01-02 03:04:05.1234567,,\n,2024-01-02 03:04:05.1234567891,\nnow,,\n,,infinity\n",
      { params: { schema: stamps } },
    );
    assertEquals(rows, [[
      "2024-01-02 03:04:05",
      "2024-01-02 03:04:05.123456789",
      "2024-01-02 01:04:05.5+00",
    ]]);
    assertEquals(refused.length, 5);
  });

  await t.step("several files become one table, each row with its own file", async () => {
    const files = [
      await context.raw(`${header}A,2024-01-02,1,1\n`, { name: "a.csv" }),
      await context.raw('[{"symbol":"B","date":"2024-01-02","close":2}]', {
        name: "b.json",
        source: "fallback",
      }),
    ];
    const outcome = await run({
      params: ConvertParams.parse({ schema }),
      inputs: { from: context.rawFiles(files) },
      ctx: context.ctx,
    });
    if (outcome.kind !== "done" || outcome.output.kind !== "table") throw new Error(outcome.kind);
    assertEquals(await context.rowsOf(outcome.output), [
      ["A", "2024-01-02", "1.0000", 1],
      ["B", "2024-01-02", "2.0000", null],
    ]);
    assertEquals(outcome.output.sources, ["test.source", "fallback"]);
    assertStringIncludes(outcome.output.files[0].name!, "bar-0");
  });

  for (
    const [to, text] of [
      ["csv", 'symbol,date,close,volume\n"A,B",2024-01-02,1.0000,\n'],
      ["tsv", "symbol\tdate\tclose\tvolume\nA,B\t2024-01-02\t1.0000\t\n"],
      ["ndjson", '{"symbol":"A,B","date":"2024-01-02","close":1.0000,"volume":null}\n'],
    ] as const
  ) {
    await t.step(`to ${to} writes one file of that format`, async () => {
      const outcome = await run({
        params: ConvertParams.parse({ schema, to }),
        inputs: {
          from: context.rawFiles([await context.raw(`${header}"A,B",2024-01-02,1,\nA,x,,\n`)]),
        },
        ctx: context.ctx,
      });
      if (outcome.kind !== "done" || outcome.output.kind !== "raw") throw new Error(outcome.kind);
      const [file] = outcome.output.files;
      assertEquals([file.name, file.rows], [`bar.${to}`, 1]);
      assertEquals(await Deno.readTextFile(context.pathOf(file)), text);
      assertEquals(outcome.effects!.accounting!.quarantined, 1);
    });
  }
});
