import { assertEquals, assertRejects } from "@std/assert";
import { corpus } from "../../../../tests/support/corpora.ts";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { convertFiles } from "../../convert_files.ts";
import { ConvertParams } from "../../params.ts";

const current = () => ({ pre: { start: 1, end: 2 }, regular: { start: 2, end: 3 } });

/** As Yahoo's chart API answers. */
const chart = (symbol: string, closes: number[]) => ({
  meta: {
    symbol,
    validRanges: ["1d", "5d", "1mo"],
    tradingPeriods: [[{ start: 1 }]],
    current: current(),
  },
  timestamp: closes.map((_, i) => 1704188400 + 86400 * i),
  indicators: {
    quote: [{ open: closes.map((close) => close - 1), close: closes }],
    adjclose: [{ adjclose: closes.map(() => null) }],
  },
});

Deno.test("records of JSON documents", async (t) => {
  await using context = await tableContext();
  const { engine, signal } = context.ctx;
  let next = 0;
  const convert = async (
    content: string | Uint8Array | object,
    params: Record<string, unknown> = {},
  ) => {
    const path = `${context.root}/objects/${next++}.json`;
    if (content instanceof Uint8Array) await Deno.writeFile(path, content);
    else {
      await Deno.writeTextFile(
        path,
        typeof content === "string" ? content : JSON.stringify(content),
      );
    }
    const workDir = `${context.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    const raw = { path, name: "x.json", key: "x", source: "s", labels: {} };
    const parsed = ConvertParams.parse({ format: "json", ...params });
    const result = await convertFiles([raw], parsed, { engine, workDir, signal });
    await result.quarantine.close();
    const names = result.schema.columns.map(({ name }) => `"${name}"::VARCHAR`).join(", ");
    const { rows } = await engine.run(
      `SELECT ${names} FROM read_parquet('${result.files[0].path}')`,
      { rowsMax: 10_000 },
    );
    return { columns: result.schema.columns.map(({ name }) => name), rows };
  };

  for (
    const { what, content, columns, rows } of [
      {
        what: "the one array of objects",
        content: { status: "ok", data: { results: [{ a: 1 }, { a: 2 }] } },
        columns: ["a"],
        rows: [["1"], ["2"]],
      },
      {
        what: "the one map of records",
        content: {
          "Meta Data": { "1. Information": "Daily" },
          "Time Series": { "2024-01-03": { close: "1.50" }, "2024-01-02": { close: "2.5" } },
        },
        columns: ["key", "close"],
        rows: [["2024-01-03", "1.50"], ["2024-01-02", "2.50"]],
      },
      {
        what: "rows with a header, as of Nasdaq Data Link",
        content: { dataset: { id: 1, column_names: ["d", "p"], data: [["x", 1.5], ["y", null]] } },
        columns: ["d", "p"],
        rows: [["x", "1.5"], ["y", null]],
      },
      {
        what: "rows with a header that says more, as of MOEX ISS",
        content: {
          history: {
            metadata: { TRADEDATE: { type: "date" } },
            columns: ["TRADEDATE", "CLOSE", "CLOSE"],
            data: [["2024-01-03", 1.5, 2]],
          },
        },
        columns: ["TRADEDATE", "CLOSE", "CLOSE_2"],
        rows: [["2024-01-03", "1.5", "2"]],
      },
      {
        what: "arrays beside each other",
        content: '{"s":"ok","t":[1,2],"c":[1.10,null],"v":[12345678901234567890,7]}',
        columns: ["t", "c", "v"],
        rows: [["1", "1.10", "12345678901234567890"], ["2", null, "7"]],
      },
      {
        what: "arrays beside each other at different depths, as of Yahoo",
        content: { chart: { result: [chart("IBM", [10, 11])], error: null } },
        columns: ["timestamp", "open", "close", "adjclose"],
        rows: [["2024-01-02 09:40:00+00", "9", "10", null], [
          "2024-01-03 09:40:00+00",
          "10",
          "11",
          null,
        ]],
      },
      {
        what: "arrays of values, as of Binance",
        content: [[1, "1.50", 7], [2, "2.5", 8]],
        columns: ["0", "1", "2"],
        rows: [["1", "1.50", "7"], ["2", "2.50", "8"]],
      },
      {
        what: "a record in an envelope",
        content: { "Global Quote": { symbol: "IBM", price: "1.50" } },
        columns: ["symbol", "price"],
        rows: [["IBM", "1.50"]],
      },
      {
        what: "a record without any table in it",
        content: { a: 1, b: { c: [1, 2] } },
        columns: ["a", "b"],
        rows: [["1", '{"c":[1,2]}']],
      },
    ]
  ) {
    await t.step(`${what} is found`, async () => {
      assertEquals(await convert(content), { columns, rows });
    });
  }

  const two = { id: 1, a: [{ x: 1 }], b: { c: [{ y: 1 }, { y: 2 }] } };

  await t.step("which of two tables is asked for, with where they are", async () => {
    await assertRejects(
      () => convert(two),
      Error,
      '"records" may be "/a" (an array of 1), "/b/c" (an array of 2); or ""',
    );
    assertEquals((await convert(two, { records: "/b/c" })).rows, [["1"], ["2"]]);
    assertEquals((await convert(two, { records: "" })).columns, ["id", "a", "b"]);
  });

  await t.step("columns that are wanted say which table it is", async () => {
    const schema = (...names: string[]) => ({
      name: "t",
      key: [],
      columns: names.map((name) => ({ name, type: "BIGINT", nullable: true })),
    });
    assertEquals((await convert(two, { schema: schema("y") })).rows, [["1"], ["2"]]);
    const whole = await convert(two, { schema: schema("id"), ignore: ["*"] });
    assertEquals(whole.rows, [["1"]]);
  });

  await t.step("layout rows takes an object as the record that it is", async () => {
    const arrays = { t: [1, 2], c: [3, 4] };
    const told = { records: "", json: { layout: "rows" } };
    assertEquals((await convert(arrays, told)).rows, [["[1,2]", "[3,4]"]]);
  });

  await t.step("fields outside of the records come into their rows", async () => {
    const content = {
      as_of: "2024-01-02",
      result: [
        { meta: { symbol: "A" }, quotes: [{ p: 1 }, { p: 2 }] },
        { quotes: [{ p: 3 }] },
        { quotes: [{ p: 4 }], meta: { symbol: "B" } },
      ],
    };
    const { columns, rows } = await convert(content, {
      records: "/result/*/quotes",
      columns: { symbol: "#/result/*/meta/symbol", as_of: "#/as_of" },
    });
    assertEquals(columns, ["symbol", "as_of", "p"]);
    assertEquals(rows, [
      ["A", "2024-01-02", "1"],
      ["A", "2024-01-02", "2"],
      [null, "2024-01-02", "3"],
      ["B", "2024-01-02", "4"],
    ]);
  });

  const dir = corpus("api_json");
  await t.step({
    name: dir ? "real answers yield their tables" : "skipped: the corpus api_json is not here",
    ignore: dir === null,
    async fn() {
      const read = async (name: string, params = {}) => {
        const { columns, rows } = await convert(await Deno.readFile(`${dir}/${name}`), params);
        return [rows.length, columns.length];
      };
      const alpha = "test_alpha_vantage/test_data";
      const yahoo = "pandas_datareader/tests/yahoo/data/yahoo_options1.json";
      assertEquals(await read(`${alpha}/mock_time_series`), [100, 6]);
      assertEquals(await read(`${alpha}/mock_crypto_currencies`), [923, 5]);
      assertEquals(await read(`${alpha}/mock_technical_indicator`), [237, 2]);
      assertEquals(await read(`${alpha}/symbol_search`), [10, 9]);
      assertEquals(await read(`${alpha}/global_quote`), [1, 10]);
      assertEquals(await read(`${alpha}/mock_fundamental_data`, { records: "/annualReports" }), [
        5,
        29,
      ]);
      await assertRejects(() => read(yahoo), Error, "/optionChain/result/*/options/*/puts");
      const calls = { records: "/optionChain/result/*/options/*/calls" };
      assertEquals((await read(yahoo, calls))[0], 38);
    },
  });
});
