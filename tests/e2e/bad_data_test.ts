/** @module Bad files and bad vendors: each ends in a clear word at the right place, nothing is lost. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type SandboxServer, startSandbox } from "../../src/sandbox/mod.ts";
import type { Run } from "../support/product_api.ts";
import { type Product, runVerb, startProduct } from "../support/product.ts";
import { connectVendors } from "../support/vendors.ts";

let product: Product;
let sandbox: SandboxServer;
let files: Run;
Deno.test.beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 });
  product = await startProduct();
  await connectVendors(product, sandbox);
  const inbox = `${product.root}/dropped`;
  await Deno.mkdir(inbox);
  await dropFiles(inbox);
  await product.write({ "files.ts": filesDag(inbox), "vendor.ts": vendorDag });
  files = await product.api.runDag("files", {}, { withinMs: 60_000 });
});
Deno.test.afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await sandbox.stop();
});

const csv = `symbol,name,close
AAPL,"Apple, Inc.",442.80
IBM,"International Business Machines,201.51
MSFT,Microsoft,27.95
GOOG,"Google ""Class A""",806.19
`;

/** Twelve entities that grow to gigabytes where somebody resolves them. */
const bomb = `<?xml version="1.0"?>\n<!DOCTYPE bars [\n<!ENTITY e0 "bar">\n` +
  Array.from({ length: 12 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">\n`).join("") +
  "]>\n<bars>&e12;</bars>\n";

async function dropFiles(inbox: string): Promise<void> {
  await Deno.writeTextFile(`${inbox}/quotes.csv`, csv);
  await Deno.writeTextFile(`${inbox}/empty.csv`, "");
  await Deno.writeTextFile(`${inbox}/bomb.json`, bomb);
  await Deno.writeTextFile(
    `${inbox}/digits.json`,
    `[{"id": 12345678901234567890, "rate": 0.12345678901234567890, "small": 9007199254740993},` +
      ` {"id": -12345678901234567890, "rate": 1e-20, "small": 12345678901234567890}]`,
  );
  await Deno.writeTextFile(`${inbox}/source.csv`, "id,name\n" + "1,some text\n".repeat(5_000));
  const converted = await runVerb(["convert", `${inbox}/source.csv`, "--out", inbox], {});
  assertEquals(converted.code, 0, converted.stderr);
  const parquet = await Deno.readFile(`${inbox}/source.parquet`);
  await Deno.writeFile(`${inbox}/torn.parquet`, parquet.subarray(0, parquet.length / 2));
}

const filesDag = (inbox: string) =>
  `import { column, dag, RawFiles, table, type TableRef, task, type TaskContext } from "tidewheel";
import { collect, convert } from "tidewheel/operators";

const Bars = table("bars", {
  symbol: column.varchar(),
  name: column.varchar(),
  close: column.decimal(18, 4),
});
const Digits = table("digits", {
  id: column.decimal(38, 0),
  rate: column.decimal(38, 20),
  small: column.int64(),
});

export default dag({ id: "files", schedule: null }, () => {
  const drop = (name: string, pattern: string) =>
    collect.file({
      id: "collect_" + name,
      source: "drop." + name,
      folder: ${JSON.stringify(inbox)},
      pattern,
      ready: { kind: "settled", quietMs: 10 },
      partition: "p",
    });
  const quotes = convert({ id: "quotes", from: drop("quotes", "quotes.csv"), schema: Bars });
  drop("empty", "empty.csv");
  const nothing = task({ id: "nothing", output: RawFiles }, async (ctx) => {
    const path = ctx.workDir + "/nothing.csv";
    await Deno.writeTextFile(path, "");
    const files = [await ctx.files.put(path)];
    const of = { source: "made", dataset: "raw.made", partition: "p" };
    return { kind: "raw" as const, ...of, files, collectedAt: ctx.clock.now().toISOString() };
  });
  convert({ id: "empty", from: nothing, schema: Bars });
  convert({ id: "bomb", from: drop("bomb", "bomb.json"), schema: Bars });
  convert({ id: "bomb_as_json", from: drop("bomb2", "bomb.json"), schema: Bars, format: "json" });
  convert({ id: "torn", from: drop("torn", "torn.parquet") });
  const digits = convert({ id: "digits", from: drop("digits", "digits.json"), schema: Digits });
  task({ id: "quotes_rows", inputs: { from: quotes } }, (ctx, { from }) =>
    rowsOf(ctx, from, "symbol, name, close"));
  task({ id: "digits_rows", inputs: { from: digits } }, (ctx, { from }) =>
    rowsOf(ctx, from, "id, rate, small"));
});

async function rowsOf(ctx: TaskContext, { files }: TableRef, columns: string) {
  const sql = "SELECT " + columns + " FROM read_parquet(?) ORDER BY _tw_row";
  const params = [await ctx.files.open(files[0])];
  return (await ctx.engine.run(sql, { params, rowsMax: 100 })).rows;
}
`;

const vendorDag = `import { column, dag, table } from "tidewheel";
import { collect, convert, merge, publish } from "tidewheel/operators";

const Bar = table("bar", {
  symbol: column.varchar(),
  date: column.date(),
  close: column.decimal(18, 4),
}, { key: ["symbol", "date"] });

export default dag({ id: "vendor", schedule: null, defaults: { retryDelay: 0 } }, ({ fromRun }) => {
  const raw = collect.http({
    id: "collect",
    source: "marketstack.eod",
    connection: "marketstack",
    path: "/v1/eod",
    query: { symbols: "AAPL,IBM,MSFT", date_from: "2013-02-01", date_to: "2013-03-01", sort: "ASC" },
    format: "json",
    records: "/data",
    paging: { kind: "offset", limit: 20, total: "/pagination/total" },
    partition: fromRun(({ params }) => String(params.on)),
    stallMs: 400,
    requestRetry: { delayMs: 50 },
    retries: 3,
  });
  const table = convert({
    id: "convert",
    from: raw,
    schema: Bar,
    records: "/data",
    ignore: ["*"],
  });
  const golden = merge({ id: "merge", from: [table], key: ["symbol", "date"], resolve: { priority: ["marketstack.eod"] } });
  publish({
    id: "publish",
    from: golden,
    dataset: "bars.vendor",
    partition: fromRun(({ params }) => String(params.on)),
  });
});
`;

/** Why a task of the files' run failed. */
async function failureOf(taskId: string): Promise<string> {
  const attempts = await product.api.attempts(files, taskId);
  // The same bytes fail the same way: trying again would not help.
  assertEquals(attempts.map(({ end_reason }) => end_reason), ["task_error"]);
  return attempts[0].evidence.message!;
}

/** Rows that a task refused: what was said of them, and they themselves. */
async function refusedBy(taskId: string) {
  const { quarantines } = await product.api.get<{
    quarantines: { id: string; task_id: string; rows: number }[];
  }>("/api/v2/quarantine?limit=1000");
  const ours = quarantines.filter((quarantine) => quarantine.task_id === taskId);
  const pages = await Promise.all(ours.map(({ id }) =>
    product.api.get<{
      rows: { row_number: number; rule: string; reason: string; raw: string }[];
    }>(`/api/v2/quarantine/${id}/raw_rows`)
  ));
  return pages.flatMap(({ rows }) => rows);
}

Deno.test("a CSV with a broken quote: that record goes to quarantine as it is, the others go on", async () => {
  assertEquals(await product.api.output(files, "quotes_rows"), [
    ["AAPL", "Apple, Inc.", "442.8000"],
    ["MSFT", "Microsoft", "27.9500"],
    ["GOOG", 'Google "Class A"', "806.1900"],
  ]);
  const [{ row_number, rule, raw }, ...more] = await refusedBy("quotes");
  assertEquals([row_number, rule, more.length], [2, "quote", 0]);
  assertEquals(raw, csv.split("\n")[2]);
});

Deno.test("a JSON number of 20 digits keeps them all, or its row goes to quarantine", async () => {
  assertEquals(await product.api.output(files, "digits_rows"), [
    ["12345678901234567890", "0.12345678901234567890", "9007199254740993"],
  ]);
  const [{ rule, reason, raw }] = await refusedBy("digits");
  assertEquals(rule, "type");
  assertStringIncludes(reason, '"12345678901234567890", which BIGINT cannot hold exactly');
  assertStringIncludes(raw, "-12345678901234567890");
});

Deno.test("a Parquet file that is cut off is refused by name", async () => {
  assertMatch(await failureOf("torn"), /^Cannot read torn\.parquet as Parquet: .*cut off/);
});

Deno.test("an XML bomb is refused before it expands, also where somebody calls it JSON", async () => {
  assertMatch(
    await failureOf("bomb"),
    /^Cannot read bomb\.json as XML: .*as in an attack, at line/,
  );
  assertMatch(await failureOf("bomb_as_json"), /^Cannot read bomb\.json as JSON: .*XML/);
});

Deno.test("an empty file is not taken from a folder, and not converted to nothing unasked", async () => {
  const { end_reason, evidence } = await product.api.lastAttempt(files, "collect_empty");
  assertEquals(end_reason, "skipped");
  assertStringIncludes(evidence.message!, "not whole yet");
  assertStringIncludes(await failureOf("empty"), "nothing.csv");
});

Deno.test("a vendor that stalls, repeats half a page and answers in HTML: the same rows as on a good day", async () => {
  const rowsOf = async (on: string) => {
    const run = await product.api.runDag("vendor", { on }, { withinMs: 60_000 });
    assertEquals(run.state, "success", JSON.stringify(await product.api.attempts(run)));
    const { versions } = await product.api.get<{ versions: { id: string; partition: string }[] }>(
      "/api/v2/datasets/bars.vendor/versions",
    );
    const ours = versions.filter(({ partition }) => partition === on);
    assertEquals(ours.length, 1);
    const { rows } = await product.api.get<{ rows: unknown[] }>(
      `/api/v2/datasets/bars.vendor/versions/${ours[0].id}/rows?limit=1000`,
    );
    return { run, rows };
  };
  const good = await rowsOf("good");
  const { faults } = sandbox.sandbox;
  faults.add({ fault: { kind: "stall", afterBytes: 300 }, match: "offset=0" });
  faults.add({ fault: { kind: "half_page_twice" }, match: "offset=20" });
  faults.add({ fault: { kind: "html" }, match: "offset=40" });

  const bad = await rowsOf("bad");

  assertEquals(faults.list(), []);
  assert(good.rows.length > 50);
  assertEquals(bad.rows, good.rows);
  const { accounting } = await product.api.lastAttempt(bad.run, "convert");
  assertEquals([accounting!.in, accounting!.out], [good.rows.length, good.rows.length]);
});
