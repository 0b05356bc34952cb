/** @module What a failure brings with it: runs that fail fast, DAGs that are paused. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Product, runVerb, startProduct } from "../support/product.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "failing.ts": failingDags } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const failingDags = `import { dag, task } from "tidewheel";
export const fast = dag({ id: "fast", schedule: null, failFast: true }, () => {
  const up = task({ id: "up" }, () => 1);
  const slow = task({ id: "slow", after: up }, async (ctx) => {
    ctx.log.info("pid " + Deno.pid);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });
  const breaks = task({ id: "breaks", after: up }, async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    throw new Error("the vendor's answer is no JSON");
  });
  const later = task({ id: "later", after: slow }, () => 1);
  task({ id: "down", after: [later, breaks], teardown: { setups: up } }, () => 1);
});
export const pausing = dag({ id: "pausing", schedule: null, maxConsecutiveFailedDagRuns: 2 }, () => {
  task({ id: "breaks" }, () => { throw new Error("no"); });
});
`;

Deno.test("a run that fails fast stops what runs, skips what waits, and tears down", async () => {
  const run = await product.api.runDag("fast");

  assertEquals(await product.api.states(run), {
    up: "success",
    slow: "cancelled",
    breaks: "failed",
    later: "skipped",
    down: "success",
  });
  assertEquals(run.state, "failed");
  const { evidence } = await product.api.lastAttempt(run, "slow");
  assertEquals(evidence.by, 'fail-fast: task "breaks" failed');
});

Deno.test("a DAG whose newest runs failed is paused, says why, and goes on when told to", async () => {
  await product.api.runDag("pausing");
  const path = "/api/v2/dags/pausing";
  const dag = () => product.api.get<Record<string, unknown>>(path);
  assertEquals((await dag()).is_paused, false);

  await product.api.runDag("pausing");
  const { is_paused, pause_reason, max_consecutive_failed_dag_runs } = await dag();
  assertEquals([is_paused, max_consecutive_failed_dag_runs], [true, 2]);
  assertEquals(pause_reason, "its last 2 runs failed");
  const listed = await runVerb(["dags"], {
    TIDEWHEEL_API_URL: product.url,
    TIDEWHEEL_TOKEN: product.token,
  });
  assertStringIncludes(listed.stdout, "paused: its last 2 runs failed");
  const { event_logs: [entry] } = await product.api.get<{ event_logs: Record<string, unknown>[] }>(
    "/api/v2/eventLogs?dag_id=pausing&event=dag.pause",
  );
  assertEquals([entry.owner, entry.dag_id], ["scheduler", "pausing"]);

  await product.api.send("PATCH", path, { is_paused: false });
  assertEquals((await dag()).pause_reason, null);
});
