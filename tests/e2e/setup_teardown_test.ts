/** @module What is set up is torn down: after failures, skips and cancels. */
import { assertEquals } from "@std/assert";
import { type Product, startProduct } from "../support/product.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "cluster.ts": clusterDag } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const clusterDag = `import { dag, task } from "tidewheel";
export default dag({ id: "cluster", schedule: null }, () => {
  const up = task({ id: "up" }, () => "cluster-1");
  const load = task({ id: "load", inputs: { up } }, async (ctx, { up }) => {
    if (ctx.params.how === "fail") throw new Error("the load broke");
    if (ctx.params.how === "wait") {
      ctx.log.info("waiting");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
    return up.length;
  });
  const check = task({ id: "check", after: load }, () => 1);
  task({ id: "down", inputs: { up }, after: check, teardown: { setups: up } },
    (_ctx, { up }) => "deleted " + up);
});
`;

Deno.test("a teardown runs after a failure, and the run fails all the same", async () => {
  const run = await product.api.runDag("cluster", { how: "fail" });
  const { up, load, check, down } = await product.api.states(run);
  assertEquals([up, load, check, down], ["success", "failed", "upstream_failed", "success"]);
  assertEquals(await product.api.output(run, "down"), "deleted cluster-1");
  assertEquals(run.state, "failed");
});

Deno.test("a cancelled run tears down what it set up", async () => {
  const run = await product.api.trigger("cluster", { how: "wait" });
  await product.api.said(run, "load", "waiting");
  const path = `/api/v2/dags/cluster/dagRuns/${encodeURIComponent(run.dag_run_id)}`;
  await product.api.send("PATCH", path, { state: "failed" });
  assertEquals((await product.api.ended(run)).state, "failed");
  const task = async (id: string) => (await product.api.task(run, id)).internal_state;
  assertEquals(await task("load"), "cancelled");
  assertEquals(await task("down"), "success");
});

Deno.test("clearing a task sets up anew and tears down again", async () => {
  const run = await product.api.runDag("cluster");
  await product.api.send("POST", "/api/v2/dags/cluster/clearTaskInstances", {
    dag_run_id: run.dag_run_id,
    task_ids: ["load"],
    only_failed: false,
    dry_run: false,
  });
  await product.api.ended(run);
  const tries = async (id: string) => (await product.api.task(run, id)).try_number;
  assertEquals(
    await Promise.all(["up", "load", "check", "down"].map(tries)),
    [2, 2, 1, 2],
  );
});
