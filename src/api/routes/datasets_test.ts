import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { enginePool } from "../../engine/pool.ts";
import { systemClock } from "../../base/clock.ts";
import { sha256 } from "../../base/hash.ts";
import { tableReader } from "../../compose/table_reader.ts";
import { memoryObjectStore } from "../../objects/memory.ts";
import { parserStore } from "../../store/dag.ts";

const intent = (dataset: string, partition: string, more: object = {}) => ({
  dataset,
  partition,
  kind: dataset.startsWith("raw") ? "raw" : "table",
  schema: null,
  files: [],
  rows: 1,
  inputs: [],
  ...more,
});

/** A run whose tasks publish these, one after the other, a second apart. */
async function publish(w: ApiWorld, intents: object[][]) {
  const tasks = intents.map((_, i) => `t${i}`);
  await w.addDag("d", tasks.map((taskId) => ({ taskId })));
  const run = await w.trigger("d");
  const works = await w.start("d", run, tasks);
  for (const [i, publish] of intents.entries()) {
    w.parts.clock.advance(1_000);
    const work = works.find((each) => each.task.taskId === `t${i}`)!;
    const answer = await w.end(work, { outcome: { kind: "done", effects: { publish } } });
    if (answer.status !== 204) throw new Error(JSON.stringify(answer.body));
  }
  return run;
}

Deno.test("datasets list their versions; as_of gives what was known at an instant", async () => {
  await using w = await apiWorld();
  await publish(w, [
    [intent("prices.daily", "a"), intent("prices.daily", "b")],
    [intent("prices.daily", "a", { rows: 2 })],
  ]);
  const { body: { datasets } } = await w.call("GET", "/api/v2/datasets");
  assertEquals(
    datasets.map((d: Record<string, unknown>) => [d.name, d.partitions, d.versions, d.last_rows]),
    [["prices.daily", 2, 3, 2]],
  );
  const versions = async (query: string) => {
    const { body } = await w.call("GET", `/api/v2/datasets/prices.daily/versions?${query}`);
    return body.versions.map((v: Record<string, unknown>) => `${v.partition}${v.version}`);
  };
  assertEquals(await versions(""), ["a2", "b1", "a1"]);
  assertEquals(await versions("newest=true"), ["a2", "b1"]);
  assertEquals(await versions("as_of=2030-01-10T12:00:01.500Z&order_by=partition"), ["a1", "b1"]);
  assertEquals(await versions("as_of=2030-01-10T12:00:00Z"), []);
  assertEquals(await versions("partition=a"), ["a2", "a1"]);
  assertEquals((await w.call("GET", "/api/v2/datasets/none/versions")).status, 404);
});

Deno.test("schemas of a dataset: each stretch of versions with one, and what it changed", async () => {
  await using w = await apiWorld();
  const schema = (type: string) => ({
    name: "bars",
    key: ["symbol"],
    columns: [
      { name: "symbol", type: "VARCHAR", nullable: false },
      { name: "px", type, nullable: true },
    ],
  });
  const of = (partition: string, type: string) =>
    intent("prices.daily", partition, { schema: schema(type) });
  await publish(w, [
    [of("a", "DECIMAL(18,2)")],
    [of("b", "DECIMAL(18,2)")],
    [of("c", "DECIMAL(20,4)")],
    [of("a", "DECIMAL(18,2)")],
  ]);
  const { body } = await w.call("GET", "/api/v2/datasets/prices.daily/schemas");
  assertEquals(
    body.schemas.map((one: Record<string, unknown>) => [
      one.number,
      one.versions,
      one.first_partition,
      one.is_compatible,
    ]),
    [[3, 1, "a", false], [2, 1, "c", true], [1, 2, "a", true]],
  );
  assertEquals(body.schemas[0].sha256, body.schemas[2].sha256);
  assertEquals(body.schemas[0].changes, [{
    kind: "retyped",
    column: "px",
    before: "DECIMAL(20,4)",
    after: "DECIMAL(18,2)",
    is_breaking: true,
  }]);
  assertEquals((await w.call("GET", "/api/v2/datasets/none/schemas")).status, 404);
});

Deno.test("DELETE dagRun keeps a run that published: where a version came from stays known", async () => {
  await using w = await apiWorld();
  const run = await publish(w, [[intent("prices.daily", "a")]]);
  await w.moveRun("d", run, "running");
  await w.moveRun("d", run, "success");
  const { status, body } = await w.call("DELETE", `/api/v2/dags/d/dagRuns/${run}`);
  assertEquals(status, 409);
  assertStringIncludes(body.detail, "it published prices.daily[a] version 1");
});

Deno.test("DELETE dag keeps one whose runs published, also when its file is gone", async () => {
  await using w = await apiWorld();
  const run = await publish(w, [[intent("prices.daily", "a")]]);
  await w.moveRun("d", run, "running");
  await w.moveRun("d", run, "success");
  await parserStore(w.parts.sql, w.parts.ids).removeFiles(["d.ts"], w.parts.clock.now());
  const { status, body } = await w.call("DELETE", "/api/v2/dags/d");
  assertEquals([status, body.code], [409, "CONFLICT"]);
  assertStringIncludes(body.detail, `its run "${run}" published prices.daily[a] version 1`);
  assertEquals((await w.call("GET", `/api/v2/dags/d/dagRuns/${run}`)).status, 200);
});

Deno.test("lineage goes up and down, over versions and columns", async () => {
  await using w = await apiWorld();
  const raw = { files: [], schema: null };
  const made = {
    inputs: [{ dataset: "raw.x", partition: "p", sha256: null }],
    columns: [{
      column: "close",
      inputs: [{ dataset: "raw.x", column: "c" }],
      transformation: "merge: priority x",
    }],
  };
  await publish(w, [[intent("raw.x", "p", raw)], [intent("prices.daily", "p", made)]]);
  const { body } = await w.call("GET", "/api/v2/lineage/prices.daily");
  assertEquals(
    body.upstream.map((u: Record<string, unknown>) => [u.dataset, u.version, u.depth, u.kind]),
    [["raw.x", 1, 1, "raw"]],
  );
  assertEquals([body.columns[0].input_column, body.columns[0].transformation], [
    "c",
    "merge: priority x",
  ]);
  const below = (await w.call("GET", "/api/v2/lineage/raw.x?partition=p&version=1")).body;
  assertEquals(below.downstream.map((d: Record<string, unknown>) => d.dataset), ["prices.daily"]);
  assertEquals((await w.call("GET", "/api/v2/lineage/prices.daily?column=x")).body.columns, []);
  assertEquals((await w.call("GET", "/api/v2/lineage/prices.daily?partition=none")).status, 404);
  const key = await w.call("GET", "/api/v2/lineage/prices.daily?key=symbol=IBM");
  assertEquals([key.status, key.body.code], [503, "UNAVAILABLE"]);
});

Deno.test("rows and cells are read from a version's files", async () => {
  const engines = enginePool({ clock: systemClock });
  const objects = memoryObjectStore();
  const workDir = await Deno.makeTempDir({ prefix: "tidewheel-tables-" });
  const tables = tableReader({ engines, objects, workDir });
  await using w = await apiWorld({ objects, tables });
  const put = async (key: string, select: string) => {
    const engine = await engines.start({ workDir, memoryBytes: 300 * 1024 * 1024 });
    const path = `${workDir}/${key}`;
    await engine.run(select, { to: { path, format: "parquet" } });
    await engine.close();
    const data = await Deno.readFile(path);
    await objects.put(`attempts/x/${key}`, data);
    return { key: `attempts/x/${key}`, bytes: data.length, sha256: sha256(data) };
  };
  const row = (source: string, close: string, rank: number, cells: string, rule: string) =>
    `select 'IBM' as symbol, ${close}::decimal(18,4) as close, 12345678901234567890::hugeint as n,
      '${source}' as _tw_source, 'raw/${source}' as _tw_file, 3::bigint as _tw_row,
      40::bigint as _tw_offset, ${cells} as _tw_cells, ${rank}::bigint as _tw_rank, ${rule} as _tw_rule`;
  const empty = 'null::map(varchar, struct(source varchar, file varchar, "row" bigint))';
  const cells = `map {'n': {'source': 'c', 'file': 'raw/c', 'row': 9::bigint}}`;
  const files = [await put("data.parquet", "select 'IBM' as symbol, 1.5::decimal(18,4) as close")];
  const lineageFiles = [
    await put(
      "lineage.parquet",
      `${row("a", "1.5", 0, cells, "'priority a > b'")} union all ${
        row("b", "2", 1, empty, "null")
      }`,
    ),
  ];
  const schema = {
    name: "bar",
    key: ["symbol"],
    columns: [{ name: "symbol", type: "VARCHAR" }, { name: "close", type: "DECIMAL(18,4)" }, {
      name: "n",
      type: "HUGEINT",
    }],
  };
  await publish(w, [[intent("prices.daily", "p", { files, lineageFiles, schema })]]);
  const { body: { versions: [version] } } = await w.call(
    "GET",
    "/api/v2/datasets/prices.daily/versions",
  );
  const rows = await w.call("GET", `/api/v2/datasets/prices.daily/versions/${version.id}/rows`);
  assertEquals(rows.body.rows, [["IBM", "1.5000"]]);
  const lineage = (query: string) => w.call("GET", `/api/v2/lineage/prices.daily?${query}`);
  const { body } = await lineage("key=symbol=IBM,close=1.5");
  assertEquals(body.cells.map((c: Record<string, unknown>) => [c.column, c.source, c.raw_row]), [
    ["symbol", "a", 3],
    ["close", "a", 3],
    ["n", "c", 9],
  ]);
  const [close] = (await lineage("key=symbol=IBM&column=close")).body.cells;
  assertEquals([close.value, close.rule, close.others], ["1.5000", "priority a > b", [{
    source: "b",
    value: "2.0000",
  }]]);
  assertEquals((await lineage("key=symbol=XXX")).body.cells, []);
  const wrong = await lineage("key=nothing=1");
  assertEquals(wrong.status, 400);
  assertStringIncludes(wrong.body.detail, "it has symbol, close, n");
  const sneaky = await lineage(`key=symbol=${encodeURIComponent("' or 1=1 --")}`);
  assertEquals(sneaky.body.cells, []);
  await engines.close();
  await Deno.remove(workDir, { recursive: true });
});

Deno.test("quarantine lists refused rows with place, rule and reason", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  const refused = {
    dataset: "prices.daily",
    source: "x",
    rows: 1,
    reasons: { "close.range": 1 },
    file: { key: "attempts/x/q.ndjson", bytes: 1, sha256: "0".repeat(64) },
    sample: [{
      file: "x.csv",
      row: 7,
      offset: 99,
      column: "close",
      rule: "close.range",
      reason: "-1 is below 0",
      raw: "IBM,-1",
    }],
  };
  const effects = { accounting: { in: 1, quarantined: 1 }, quarantine: [refused] };
  await w.end(work, { outcome: { kind: "done", effects } });
  const { body } = await w.call("GET", "/api/v2/quarantine?dataset=prices.daily");
  const [one] = body.quarantines;
  const metrics = (await w.call("GET", "/metrics")).body;
  assertStringIncludes(metrics, 'tidewheel_quarantine_rows{dataset="prices.daily"} 1');
  assertEquals([one.run_id, one.task_id, one.rows, one.reasons], [run, "a", 1, {
    "close.range": 1,
  }]);
  const rows = async (what: string) =>
    (await w.call("GET", `/api/v2/quarantine/${one.id}/${what}`)).body.rows;
  const expected = {
    file: "x.csv",
    row_number: 7,
    byte_offset: 99,
    column_name: "close",
    rule: "close.range",
    reason: "-1 is below 0",
    raw: "IBM,-1",
  };
  assertEquals(await rows("raw_rows"), [expected]);
  assertEquals(await rows("rows"), [{ ...expected, reason: "-# is below 0", raw: "XXX,-#" }]);
});
