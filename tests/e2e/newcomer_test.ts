/** @module What a newcomer types on the first day: the demo, then the verbs on what it left. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Product, runVerb, startProduct } from "../support/product.ts";
import { timed, until } from "../support/until.ts";

let root: string;
let product: Product | null = null;
Deno.test.beforeAll(async () => {
  root = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_product_" }));
});
Deno.test.afterAll(async () => {
  product ??= await startProduct({ root });
  await product[Symbol.asyncDispose]();
});

/** Run a verb as a user of this home does, and return what it printed; it must succeed. */
async function verb(...args: string[]): Promise<string> {
  const port = product ? new URL(product.url).port : "0";
  const env = { TIDEWHEEL_HOME: `${root}/home`, TIDEWHEEL_PORT: port };
  const { code, stdout, stderr } = await runVerb(args, env);
  assertEquals(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

const helloDag = `import { dag, task } from "tidewheel";
export default dag({ id: "hello", schedule: null, start: "2013-01-01" }, () => {
  const rows = task({ id: "rows" }, (ctx) => {
    ctx.log.info("looking at " + ctx.params.symbol);
    return [1, 2, 3];
  });
  task({ id: "sum", inputs: { rows } }, (ctx, { rows }) => {
    if (ctx.params.symbol === "NONE") throw new Error("no such symbol");
    return rows.reduce((sum, row) => sum + row, 0);
  });
});
`;

Deno.test("demo --once publishes a version and shows rows, accounting, lineage, times and URLs", async () => {
  const { result: out, tookMs } = await timed(() => verb("demo", "--once"));
  console.log(`the first demo took ${tookMs} ms`);

  assertMatch(out, /Run \S+: success/);
  assertMatch(out, /convert_stooq +success +\d+\.\d+ s +126 +125 +1 +0 +0/);
  assertMatch(out, /merge +success .* 274 +125 +0 +149 +0/);
  assertMatch(out, /Published prices\.daily\[2013-03-01\] version 1: 125 rows/);
  assertMatch(out, /AAPL +2013-01-25 +451\.6900/);
  assertMatch(out, /came from: marketstack\.eod, record 1 at byte 69 of attempts\//);
  assertMatch(out, /API docs: http:\/\/127\.0\.0\.1:\d+\/api\/docs/);
});

Deno.test("the demo runs again on the same home", async () => {
  const { result: out, tookMs } = await timed(() => verb("demo", "--once"));
  console.log(`the second demo took ${tookMs} ms`);

  assertMatch(out, /Run \S+: success/);
  assertStringIncludes(out, "Published prices.daily[2013-03-01]");
});

Deno.test("datasets and lineage tell of what the demo published", async () => {
  product = await startProduct({ root, dags: { "hello.ts": helloDag } });

  assertMatch(await verb("datasets"), /prices\.daily +table/);
  assertMatch(await verb("datasets", "prices.daily", "--rows", "2"), /2013-01-25/);
  const lineage = await verb(
    ...["lineage", "prices.daily", "--column", "close", "--key", "symbol=IBM,date=2013-03-01"],
  );
  assertStringIncludes(lineage, "desk.bars");
});

Deno.test("trigger --wait, runs, tasks and logs tell of a run, and its failure is an exit code", async () => {
  await product!.api.listed("hello");

  await verb("trigger", "hello", "--conf", '{"symbol":"IBM"}', "--wait");

  assertMatch(await verb("dags"), /hello/);
  assertMatch(await verb("runs", "hello"), /success/);
  assertMatch(await verb("tasks", "hello", "latest"), /sum .*success/);
  assertStringIncludes(await verb("logs", "hello", "latest", "rows"), "looking at IBM");
  const tasks = JSON.parse(await verb("tasks", "hello", "latest", "--json"));
  assertEquals(JSON.stringify(tasks).includes('"success"'), true);
  const env = {
    TIDEWHEEL_HOME: product!.home,
    TIDEWHEEL_PORT: new URL(product!.url).port,
  };
  const failed = await runVerb(["trigger", "hello", "--conf", '{"symbol":"NONE"}', "--wait"], env);
  assertEquals(failed.code, 1);
  const unknown = await runVerb(["trigger", "nosuch"], env);
  assertEquals(unknown.code, 1);
  assertStringIncludes(unknown.stderr, "nosuch");
});

Deno.test("db runs SQL on the metadata while the service runs, and lineage views are there", async () => {
  const rows = await verb("db", "select dag_id, state from dag_run where dag_id = 'hello'");
  assertMatch(rows, /hello +\| +success|hello +success/);

  const views = await verb(
    ...["db", "--json", "select table_name from information_schema.views order by 1"],
  );
  assertStringIncludes(views, "lineage_");
});

Deno.test("doctor finds a running installation well", async () => {
  assert((await verb("doctor")).length > 0);
});

Deno.test("run runs a DAG file without a server", async () => {
  const file = `${product!.dagsDir}/hello.ts`;
  const { result: out, tookMs } = await timed(() => verb("run", file, "--conf", '{"symbol":"FB"}'));
  console.log(`run took ${tookMs} ms`);

  assertMatch(out, /success/);
});

Deno.test("Ctrl-C drains and exits with 0, and nothing of the service is left", async () => {
  const postgres = await product!.postgresPid();

  const { code } = await product!.end("SIGINT");

  assertEquals(code, 0);
  await until("PostgreSQL to be gone", () => {
    try {
      return Deno.statSync(`/proc/${postgres}`) === null;
    } catch {
      return true;
    }
  });
  assertStringIncludes(await product!.output(), "Draining");
});
