import { assertEquals } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { sha256 } from "../base/hash.ts";
import { seededIds } from "../base/ids.ts";
import { seededRandom } from "../base/random.ts";
import { DagSpec } from "../model/dag_spec.ts";
import { parserStore } from "./dag.ts";
import type { FileRecord, ParsedDag } from "./port_parser.ts";

const now = new Date("2030-01-01T00:00:00Z");
const later = new Date("2030-01-02T00:00:00Z");

async function setUp() {
  const db = await testDatabase();
  const store = parserStore(db.sql, seededIds(new VirtualClock(), seededRandom(1)));
  return { db, sql: db.sql, store, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() };
}

function dag(dagId: string, meaning = "1"): ParsedDag {
  const spec = DagSpec.parse({ dagId, schedule: { kind: "none" }, tasks: [] });
  return { dagId, spec, meaningHash: sha256(meaning) };
}

function good(file: string, dags: ParsedDag[], hash = "h1"): FileRecord {
  const sources = [{ path: file, sha256: sha256(file), bytes: 3 }];
  return {
    file,
    fingerprint: "f",
    sources,
    outcome: {
      kind: "dags",
      bundle: { hash, files: sources, packedBytes: 9 },
      source: "export default 1",
      dags,
    },
  };
}

function bad(file: string, message = "Unexpected token"): FileRecord {
  const error = { message, path: file, line: 3, column: 7, frame: "3 | oops\n  |   ^" };
  return { file, fingerprint: null, sources: [], outcome: { kind: "error", error } };
}

Deno.test("record() makes a version only when the meaning changes", async () => {
  await using t = await setUp();

  const created = await t.store.record([good("a.ts", [dag("a"), dag("b")])], now);
  const same = await t.store.record([good("a.ts", [dag("a"), dag("b")], "h2")], later);
  const changed = await t.store.record([good("a.ts", [dag("a", "2"), dag("b")], "h3")], later);

  const words = (changes: typeof created) =>
    changes.map((change) => `${change.dagId} ${change.change} ${change.versionNumber}`);
  assertEquals(words(created), ["a created 1", "b created 1"]);
  assertEquals(words(same), ["a unchanged 1", "b unchanged 1"]);
  assertEquals(words(changed), ["a updated 2", "b unchanged 1"]);
  const current = await t.sql`
    select d.dag_id, v.bundle_hash, v.entry, v.source, d.last_parsed_at
    from dag d join dag_version v on v.id = d.dag_version_id order by 1`;
  assertEquals([...current.map((row) => ({ ...row }))], [
    {
      dagId: "a",
      bundleHash: "h3",
      entry: "a.ts",
      source: "export default 1",
      lastParsedAt: later,
    },
    {
      dagId: "b",
      bundleHash: "h1",
      entry: "a.ts",
      source: "export default 1",
      lastParsedAt: later,
    },
  ]);
});

Deno.test("record() keeps the DAGs of a file that fails, and shows one error a file", async () => {
  await using t = await setUp();
  await t.store.record([good("a.ts", [dag("a")])], now);

  await t.store.record([bad("a.ts"), bad("b.ts")], now);
  await t.store.record([bad("a.ts", "Another")], later);

  assertEquals(await t.store.loadKnown(), [
    { file: "a.ts", fingerprint: null, sources: [], kind: "error", dagIds: ["a"], flows: [] },
    { file: "b.ts", fingerprint: null, sources: [], kind: "error", dagIds: [], flows: [] },
  ]);
  const errors = await t.sql`
    select file, message, line, column_number, frame from import_error order by file`;
  assertEquals(errors.map(({ file, message }) => `${file}: ${message}`), [
    "a.ts: Another",
    "b.ts: Unexpected token",
  ]);
  await t.store.record([good("a.ts", [dag("a")])], later);
  assertEquals((await t.sql`select file from import_error`).map(({ file }) => file), ["b.ts"]);
});

Deno.test("record() makes DAGs stale that left their file, and takes back those that return", async () => {
  await using t = await setUp();
  await t.store.record([good("a.ts", [dag("a"), dag("b")])], now);

  await t.store.record([good("a.ts", [dag("a")])], now);
  assertEquals(await staleIds(t.sql), ["b"]);

  const [change] = await t.store.record([good("c.ts", [dag("b")])], now);
  assertEquals([change.change, change.versionNumber], ["unchanged", 1]);
  assertEquals(await staleIds(t.sql), []);
});

Deno.test("record() moves a DAG to the file that it is in now", async () => {
  await using t = await setUp();
  await t.store.record([good("old.ts", [dag("a")])], now);

  await t.store.record([good("new.ts", [dag("a")])], now);

  assertEquals(await t.store.removeFiles(["old.ts"], now), []);
  const known = await t.store.loadKnown();
  assertEquals(known.map(({ file, dagIds }) => ({ file, dagIds })), [
    { file: "new.ts", dagIds: ["a"] },
  ]);
});

Deno.test("removeFiles() keeps DAGs and versions, as stale", async () => {
  await using t = await setUp();
  await t.store.record([good("a.ts", [dag("a")]), bad("b.ts")], now);

  assertEquals(await t.store.removeFiles(["a.ts", "b.ts"], later), ["a"]);

  assertEquals(await staleIds(t.sql), ["a"]);
  assertEquals(await t.store.loadKnown(), []);
  const [{ versions, errors }] = await t.sql`
    select (select count(*) from dag_version) as versions,
      (select count(*) from import_error) as errors`;
  assertEquals([versions, errors], [1, 0]);
});

Deno.test("record() lets new DAGs wait where that is wanted, and leaves known ones", async () => {
  await using t = await setUp();
  await t.store.record([good("a.ts", [dag("a")])], now);
  const ids = seededIds(new VirtualClock(), seededRandom(2));
  const cautious = parserStore(t.sql, ids, { pausedAtCreation: true });

  await cautious.record([good("a.ts", [dag("a", "2")]), good("b.ts", [dag("b")])], now);

  const paused = await t.sql`select dag_id from dag where is_paused`;
  assertEquals(paused.map(({ dagId }) => dagId), ["b"]);
});

Deno.test("record() takes text that PostgreSQL cannot hold", async () => {
  await using t = await setUp();
  const odd = dag("a");
  odd.spec.description = "nul \0 and half \ud800";

  await t.store.record([good("a.ts", [odd]), bad("b.ts", "nul \0")], now);

  const [{ message }] = await t.sql`select message from import_error`;
  assertEquals(message, "nul \ufffd");
});

Deno.test("record() writes a hundred files at once", async () => {
  await using t = await setUp();
  const files = Array.from({ length: 100 }, (_, i) => good(`f${i}.ts`, [dag(`d${i}`)], `h${i}`));

  const changes = await t.store.record(files, now);

  assertEquals(changes.length, 100);
  assertEquals((await t.store.loadKnown()).length, 100);
});

async function staleIds(sql: import("./database.ts").Sql): Promise<string[]> {
  const found = await sql`select dag_id from dag where is_stale order by 1`;
  return found.map(({ dagId }) => dagId);
}

Deno.test("loadKnown() tells what DAGs that await datasets publish", async () => {
  await using t = await setUp();
  const both = dag("both");
  const schedule = { kind: "datasets" as const, datasets: ["raw"], anyOf: [["raw"]] };
  Object.assign(both.spec, { datasets: ["clean"], schedule });
  await t.store.record([good("a.ts", [dag("a"), both])], now);

  const [{ flows }] = await t.store.loadKnown();
  assertEquals(flows, [{ dagId: "both", publishes: ["clean", "run:both"], awaits: ["raw"] }]);
  const names = await t.sql<{ name: string }[]>`select name from dataset order by name`;
  assertEquals(names.map(({ name }) => name), ["clean", "raw"]);
});
