/** @module A hundred runs of real work at once: each takes a file to a published version, and adds up. */
import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

const RUNS = 100;

const ingest = (folder: string) =>
  `import { dag } from "tidewheel";
import { collect, convert, publish } from "tidewheel/operators";
import { z } from "zod";

export default dag({
  id: "ingest",
  schedule: null,
  maxActiveRuns: ${RUNS},
  maxActiveTasks: ${RUNS},
  params: z.object({ file: z.string() }),
}, ({ fromRun }) => {
  const partition = fromRun(({ params }) => params.file);
  const raw = collect.file({
    id: "collect",
    source: "desk.bars",
    folder: ${JSON.stringify(folder)},
    pattern: fromRun(({ params }) => params.file + ".csv"),
    ready: { kind: "settled", quietMs: 0 },
    partition,
  });
  const schema = { name: "bars", key: [], columns: [
    { name: "symbol", type: "VARCHAR", nullable: false },
    { name: "close", type: "DECIMAL(18,4)", nullable: false },
  ] };
  publish({ id: "publish", from: convert({ id: "convert", from: raw, schema }), dataset: "bars", partition });
});
`;

interface Version {
  partition: string;
  version: number;
  rows: number;
}

Deno.test("a hundred runs at once, from file to parquet to a published version, add up", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw runs " }));
  const folder = `${root}/drop`;
  await Deno.mkdir(folder);
  // Each file has its number of rows, and one that is refused.
  const files = Array.from({ length: RUNS }, (_, i) => ({ name: `f${i}`, rows: 100 + i }));
  for (const { name, rows } of files) {
    const lines = Array.from({ length: rows }, (_, i) => `S${i},${i}.25`);
    const text = ["symbol,close", ...lines, "BAD,none"].join("\n") + "\n";
    await Deno.writeTextFile(`${folder}/${name}.csv`, text);
  }
  await using product = await startProduct({
    root,
    dags: { "ingest.ts": ingest(folder) },
    env: { TIDEWHEEL_WORKER_SLOTS: String(RUNS), TIDEWHEEL_WARM_CHILDREN: "4" },
  });
  const { api } = product;
  await api.listed("ingest");
  const startedMs = systemClock.monotonicMs();
  const job = await api.send<{ items: { done: number } }>("POST", "/api/v2/bulk", {
    action: "trigger",
    dag_id: "ingest",
    runs: files.map(({ name }) => ({ dag_run_id: name, conf: { file: name } })),
  });
  assertEquals(job.items.done, RUNS);
  let most = 0;
  const count = async (state: string) =>
    (await api.get<{ total_entries: number }>(
      `/api/v2/dags/ingest/dagRuns?state=${state}&limit=1`,
    )).total_entries;
  await until("all runs to end", async () => {
    most = Math.max(most, await count("running"));
    return await count("success") + await count("failed") === RUNS;
  }, { withinMs: 600_000 });
  const tookMs = systemClock.monotonicMs() - startedMs;
  console.log(`${RUNS} runs, ${most} at a time: ${(tookMs / 1000).toFixed(1)} s`);
  assertEquals([await count("success"), most > RUNS * 0.9], [RUNS, true]);

  const { versions } = await api.get<{ versions: Version[] }>(
    "/api/v2/datasets/bars/versions?limit=1000",
  );
  const published = versions.map(({ partition, version, rows }) => [partition, version, rows]);
  assertEquals(published.sort(), files.map(({ name, rows }) => [name, 1, rows]).sort());
  const refused = await api.get<{ total_entries: number }>("/api/v2/quarantine?limit=1");
  assertEquals(refused.total_entries, RUNS);
});
