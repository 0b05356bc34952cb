/** @module Pools that are closed for maintenance. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Product, runVerb, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({
    dags: {
      "pooled.ts": `import { dag, task } from "tidewheel";
export default dag({ id: "pooled", schedule: null }, () => {
  task({ id: "ask", pool: "vendor" }, () => 1);
});
`,
    },
  });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

Deno.test("a task of a closed pool waits until it opens", async () => {
  const env = { TIDEWHEEL_HOME: product.home, TIDEWHEEL_API_URL: product.url };
  const pools = (...args: string[]) => runVerb(["pools", ...args], env);
  const made = await pools("set", "vendor", "--slots", "2", "--blackout", "2000-01-01..2999-12-31");
  assertStringIncludes(made.stdout, "closed until 3000-01-01");

  const run = await product.api.trigger("pooled");
  await until("the task to wait", async () => (await product.api.states(run)).ask === "scheduled");
  const { metrics } = await until("the closed pool in the metrics", async () => {
    const answer = await fetch(`${product.url}/metrics`);
    const text = await answer.text();
    return text.includes('tidewheel_pool_closed{pool="vendor"') && { metrics: text };
  });
  assertStringIncludes(metrics, "tidewheel_pool_closed");

  await pools("set", "vendor", "--always-open");
  assertEquals((await product.api.ended(run)).state, "success");

  const wrong = await pools("set", "vendor", "--maintenance", "22:00 4h", "--timezone", "Mars");
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, "must be an IANA time zone");
});
