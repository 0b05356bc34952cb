/** @module Runs that start when datasets are published. */
import { createHmac } from "node:crypto";
import { assertEquals } from "@std/assert";
import { type Product, startProduct } from "../support/product.ts";
import type { Run } from "../support/product_api.ts";
import { until } from "../support/until.ts";

const publishes = `import { dag, done, task } from "tidewheel";
export default dag({ id: "publishes", schedule: null }, () => {
  task({ id: "publish" }, async (ctx) => {
    const path = ctx.workDir + "/part.csv";
    await Deno.writeTextFile(path, "symbol\\nIBM\\n");
    const file = await ctx.files.put(path, { name: "part.csv", rows: 1 });
    const dataset = String(ctx.params.dataset);
    return done(dataset, { publish: [{
      dataset, partition: "2026-01-05", kind: "table", schema: null, files: [file],
      lineageFiles: [], rows: 1, inputs: [], columns: [], metrics: {},
    }] });
  });
});
`;

const waits = `import { dag, onDatasets, task } from "tidewheel";
export default dag({
  id: "waits",
  schedule: onDatasets("prices.daily", { any: ["fx.ecb", "fx.fed"] }),
}, () => {
  task({ id: "value" }, ({ datasetEvents }) =>
    datasetEvents.map(({ dataset, partition, version }) => [dataset, partition, version].join(" ")));
});
`;

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "publishes.ts": publishes, "waits.ts": waits } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

Deno.test("publishing what a DAG waits for starts its run, which is told of every version", async () => {
  await product.api.listed("waits");
  for (const dataset of ["prices.daily", "prices.daily"]) {
    assertEquals((await product.api.runDag("publishes", { dataset })).state, "success");
  }
  const queued = await product.api.get<Queued>("/api/v2/dags/waits/assets/queuedEvents");
  assertEquals(queued.queued_events.map(({ name, version }) => [name, version]), [
    ["prices.daily", 1],
    ["prices.daily", 2],
  ]);

  await product.api.runDag("publishes", { dataset: "fx.fed" });

  const run = await until("the run of those who wait", async () => {
    const page = await product.api.get<{ dag_runs: Run[] }>("/api/v2/dags/waits/dagRuns");
    return page.dag_runs[0];
  });
  assertEquals((await product.api.ended(run)).state, "success");
  assertEquals(await product.api.output(run, "value"), [
    "prices.daily 2026-01-05 1",
    "prices.daily 2026-01-05 2",
    "fx.fed 2026-01-05 1",
  ]);
  const taken = await product.api.get<Events>(
    `/api/v2/dags/waits/dagRuns/${encodeURIComponent(run.dag_run_id)}/upstreamAssetEvents`,
  );
  assertEquals([taken.total_entries, taken.asset_events[2].source_dag_id], [3, "publishes"]);
  const left = await product.api.get<Queued>("/api/v2/dags/waits/assets/queuedEvents");
  assertEquals(left.total_entries, 0);
});

interface Queued {
  queued_events: { name: string; version: number }[];
  total_entries: number;
}

interface Events {
  asset_events: { name: string; version: number; source_dag_id: string }[];
  total_entries: number;
}

const rollsUp = `import { dag, onDatasets, rollup, task } from "tidewheel";
export default dag({
  id: "europe",
  schedule: onDatasets("desk.marks", { partition: rollup({ europe: ["XETR", "XPAR"] }) }),
}, () => {
  task({ id: "report" }, ({ partition, event, datasetEvents }) =>
    [partition, event?.extra.by, datasetEvents.map((one) => one.partition).join("+")].join(" "));
});
`;

Deno.test("events from outside run a roll-up once all of its partitions are there", async () => {
  await product.write({ "europe.ts": rollsUp });
  await product.api.listed("europe");
  const send = (partition_key: string) =>
    product.api.call("POST", "/api/v2/assets/events", {
      body: {
        ...{ name: "desk.marks", partition_key, event_key: partition_key },
        extra: { by: "desk" },
      },
    });
  for (const key of ["XETR", "XETR", "XPAR", "XPAR"]) assertEquals((await send(key)).status, 200);

  const run = await until("the run of the roll-up", async () => {
    const page = await product.api.get<{ dag_runs: Run[] }>("/api/v2/dags/europe/dagRuns");
    return page.dag_runs[0];
  });
  assertEquals((await product.api.ended(run)).state, "success");
  assertEquals(await product.api.output(run, "report"), "europe desk XETR+XPAR");
  const runs = await product.api.get<{ total_entries: number }>("/api/v2/dags/europe/dagRuns");
  assertEquals(runs.total_entries, 1);
});

const fills = `import { dag, onWebhook, task } from "tidewheel";
export default dag({
  id: "fills",
  schedule: onWebhook({ name: "fills", secret: "broker", signature: "github", key: "$.id" }),
}, () => {
  task({ id: "book" }, ({ event, partition }) => [partition, event.payload]);
});
`;

Deno.test("a webhook's calls start one run for each key", async () => {
  await product.write({ "fills.ts": fills });
  await product.api.listed("fills");
  const connection = { connection_id: "broker", conn_type: "http", password: "shared" };
  await product.api.call("POST", "/api/v2/connections", { body: connection });
  const call = async (body: string) => {
    const hmac = createHmac("sha256", "shared").update(body).digest("hex");
    const response = await fetch(`${product.url}/api/v2/webhooks/fills`, {
      method: "POST",
      headers: { "x-hub-signature-256": `sha256=${hmac}` },
      body,
    });
    return [response.status, (await response.json()).is_new];
  };
  const sent = await Promise.all(["1", "1", "2", "1"].map((id) => call(`{"id":"${id}"}`)));
  assertEquals(sent.map(([status]) => status), [202, 202, 202, 202]);
  assertEquals(sent.filter(([, isNew]) => isNew).length, 2);

  const runs = await until("two runs", async () => {
    const page = await product.api.get<{ dag_runs: Run[] }>("/api/v2/dags/fills/dagRuns");
    return page.dag_runs.length === 2 ? page.dag_runs : undefined;
  });
  const outputs = await Promise.all(runs.map(async (run) => {
    await product.api.ended(run);
    return JSON.stringify(await product.api.output(run, "book"));
  }));
  assertEquals(outputs.sort(), ['["1",{"id":"1"}]', '["2",{"id":"2"}]']);
});

const dropped = (folder: string) =>
  `import { dag, onFiles, task } from "tidewheel";
export default dag({
  id: "dropped",
  schedule: onFiles({ folder: ${JSON.stringify(folder)}, pattern: "*.csv", marker: ".done" }),
}, () => {
  task({ id: "read" }, ({ event }) => [event.extra.path, event.extra.bytes]);
});
`;

Deno.test("a file that is dropped starts one run, once it is whole", async () => {
  const folder = `${product.root}/drop`;
  await Deno.mkdir(folder);
  await product.write({ "dropped.ts": dropped(folder) });
  await product.api.listed("dropped");
  await Deno.writeTextFile(`${folder}/a.csv`, "1,2\n");
  await Deno.writeTextFile(`${folder}/b.csv`, "not yet");
  await Deno.writeTextFile(`${folder}/a.csv.done`, "");

  const run = await until("the file's run", async () => {
    const page = await product.api.get<{ dag_runs: Run[] }>("/api/v2/dags/dropped/dagRuns");
    return page.dag_runs[0];
  });
  await product.api.ended(run);
  assertEquals(await product.api.output(run, "read"), ["a.csv", 4]);
  const runs = await product.api.get<{ total_entries: number }>("/api/v2/dags/dropped/dagRuns");
  assertEquals(runs.total_entries, 1);
});

const follows = `import { afterRun, dag, task } from "tidewheel";
export default dag({ id: "follows", schedule: afterRun("publishes") }, () => {
  task({ id: "say" }, ({ event }) => event.extra.state);
});
`;

Deno.test("a DAG runs after another's runs", async () => {
  await product.write({ "follows.ts": follows });
  await product.api.listed("follows");
  await product.api.runDag("publishes", { dataset: "nobody.waits" });
  const run = await until("the run that follows", async () => {
    const page = await product.api.get<{ dag_runs: Run[] }>("/api/v2/dags/follows/dagRuns");
    return page.dag_runs[0];
  });
  assertEquals((await product.api.ended(run)).state, "success");
  assertEquals(await product.api.output(run, "say"), "success");
});
