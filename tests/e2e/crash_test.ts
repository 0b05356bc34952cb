/** @module Killed in the middle of a run: the service, its database, both at a stop and a start. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Run } from "../support/product_api.ts";
import { type Product, runVerb, startProduct } from "../support/product.ts";
import { timed, until } from "../support/until.ts";

let product: Product;
let gates: string;
Deno.test.beforeAll(async () => {
  gates = await Deno.makeTempDir({ prefix: "tw_gates_" });
  product = await startProduct({ dags: { "relay.ts": relayDag(gates) } });
});
Deno.test.afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await Deno.remove(gates, { recursive: true });
});

/** Two legs wait for a gate; then a version is published. `asks` keeps the service busy meanwhile. */
const relayDag = (gates: string) =>
  `import { dag, done, expand, task } from "tidewheel";
const permissions = { read: [${JSON.stringify(gates)}] };
export default dag({ id: "relay", schedule: null }, () => {
  const before = task({ id: "before" }, () => "once");
  const legs = expand([1, 2], (n) =>
    task({ id: "leg", inputs: { before, n }, permissions }, async (ctx, { n }) => {
      ctx.log.info("pid " + Deno.pid);
      const gate = ${JSON.stringify(gates)} + "/" + ctx.params.gate;
      for (;;) {
        if (await Deno.stat(gate).then(() => true, () => false)) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return n * 10;
    }));
  const file = task({ id: "publish", inputs: { legs } }, async (ctx, { legs }) => {
    const path = ctx.workDir + "/legs.json";
    await Deno.writeTextFile(path, JSON.stringify(legs));
    const file = await ctx.files.put(path);
    return done(legs, {
      accounting: { in: legs.length, generated: 0, out: legs.length, quarantined: 0, mergedAway: 0, filtered: 0 },
      publish: [{
        dataset: "relay.legs",
        partition: String(ctx.params.gate),
        kind: "raw",
        schema: null,
        files: [file],
        lineageFiles: [],
        rows: legs.length,
        inputs: [],
        columns: [],
        metrics: {},
      }],
    });
  });
  task({ id: "after", inputs: { file } }, (_ctx, { file }) => file);
});
`;

/** A run whose legs wait at the gate, and the processes that they are in. */
async function waitingRun(gate: string): Promise<{ run: Run; pids: number[] }> {
  const run = await product.api.trigger("relay", { gate });
  const logs = `/api/v2/dags/relay/dagRuns/${encodeURIComponent(run.dag_run_id)}/taskInstances`;
  const pids = await Promise.all([0, 1].map((index) =>
    until(`leg ${index} to begin`, async () => {
      const { content } = await product.api.get<{ content: { event: string }[] }>(
        `${logs}/leg/logs/1?full_content=true&map_index=${index}`,
      );
      const line = content.find(({ event }) => event.startsWith("pid "));
      return line && Number(line.event.slice(4));
    })
  ));
  return { run, pids };
}

async function openGate(gate: string): Promise<void> {
  await Deno.writeTextFile(`${gates}/${gate}`, "");
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** It succeeded, and published what it had to, once. */
async function assertWhole(run: Run, gate: string): Promise<void> {
  assertEquals((await product.api.ended(run, { withinMs: 60_000 })).state, "success");
  assertEquals(await product.api.output(run, "after"), [10, 20]);
  assertEquals((await product.api.attempts(run, "before")).length, 1);
  const { versions } = await product.api.get<{ versions: { partition: string; rows: number }[] }>(
    "/api/v2/datasets/relay.legs/versions?limit=100",
  );
  const ours = versions.filter(({ partition }) => partition === gate);
  assertEquals(ours.map(({ rows }) => rows), [2]);
}

Deno.test("SIGKILL of the service in the middle of a run: the next start finishes it", async () => {
  const { run, pids } = await waitingRun("killed");
  await product.end("SIGKILL");
  await openGate("killed");

  const { tookMs } = await timed(async () => {
    await product.start();
    await assertWhole(run, "killed");
  });
  console.log(`finished ${tookMs} ms after the next start began`);

  assertEquals(pids.map(isAlive), [false, false]);
  for (const index of [0, 1]) {
    const legs = (await product.api.attempts(run, "leg")).filter((leg) => leg.map_index === index);
    assertEquals(legs.map(({ end_reason }) => end_reason), ["worker_lost", "success"]);
    // It was not the task's fault.
    assertEquals(legs.map(({ try_number }) => try_number), [1, 1]);
  }
});

Deno.test("SIGKILL of PostgreSQL in the middle of a run: the service comes back and finishes it", async () => {
  const { run, pids } = await waitingRun("database");
  const killed = await product.postgresPid();

  Deno.kill(killed, "SIGKILL");
  await openGate("database");

  await until("another server to run", async () => await product.postgresPid() !== killed);
  await assertWhole(run, "database");
  // The legs never noticed.
  assertEquals((await product.api.attempts(run, "leg")).length, 2);
  assertEquals(pids.length, 2);
});

Deno.test("SIGTERM hands attempts back, and the next start goes on with the run", async () => {
  const { run, pids } = await waitingRun("drained");

  const { result: status, tookMs } = await timed(() => product.end("SIGTERM"));
  assertEquals(status.code, 0);
  assert(tookMs < 15_000, `draining took ${tookMs} ms`);
  assertEquals(pids.map(isAlive), [false, false]);
  await openGate("drained");
  await product.start();

  await assertWhole(run, "drained");
  const legs = await product.api.attempts(run, "leg");
  assertEquals(legs.map(({ end_reason }) => end_reason).sort(), [
    "drained",
    "drained",
    "success",
    "success",
  ]);
  assertEquals(legs.every(({ try_number }) => try_number === 1), true);
});

Deno.test("a second start on the same home is refused, and names who holds it", async () => {
  const env = {
    TIDEWHEEL_HOME: product.home,
    TIDEWHEEL_DAGS_DIR: product.dagsDir,
    TIDEWHEEL_PORT: "0",
  };

  const { code, stderr } = await runVerb(["start"], env);

  assertEquals(code, 1);
  assertStringIncludes(stderr, `process ${product.pid} holds it`);
  assertStringIncludes(stderr, product.home);
  assertEquals((await product.api.runDag("relay", { gate: "drained" })).state, "success");
});

Deno.test("a start on a port that is taken is refused, names it, and leaves nothing behind", async () => {
  const root = await Deno.makeTempDir({ prefix: "tw_taken_" });
  const { port } = new URL(product.url);
  const env = { TIDEWHEEL_HOME: `${root}/home`, TIDEWHEEL_DAGS_DIR: root, TIDEWHEEL_PORT: port };

  const { code, stderr } = await runVerb(["start"], env);

  assertEquals(code, 1);
  assertStringIncludes(stderr, `Cannot listen on 127.0.0.1:${port}`);
  const database = (await Deno.readTextFile(`${root}/home/postgres.path`).catch(() => "")).trim();
  await Deno.remove(root, { recursive: true });
  if (database !== "") await Deno.remove(database, { recursive: true });
});
