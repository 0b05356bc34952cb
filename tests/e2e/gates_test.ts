/** @module Tasks that let what comes after them go on, or not. */
import { assertEquals } from "@std/assert";
import type { Run } from "../support/product_api.ts";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "gates.ts": gatesDags } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const gatesDags = `import { dag, latestOnly, shortCircuit, task } from "tidewheel";
export const gate = dag({ id: "gate", schedule: null }, () => {
  const open = shortCircuit({ id: "open" }, (ctx) => ctx.params.open === true);
  task({ id: "load", after: open }, () => 1);
});
export const yearly = dag({ id: "yearly", schedule: "0 0 1 1 *", start: "2023-01-01", catchup: true },
  () => {
    const latest = latestOnly({ id: "latest" });
    const mail = task({ id: "mail", after: latest }, () => 1);
    task({ id: "load" }, () => 1);
    task({ id: "log", after: mail, triggerRule: "all_done" }, () => 1);
  });
`;

Deno.test("a short circuit goes on at true and skips what comes after it at false", async () => {
  const went = await product.api.runDag("gate", { open: true });
  assertEquals(await product.api.states(went), { open: "success", load: "success" });
  const stopped = await product.api.runDag("gate", { open: false });
  assertEquals(await product.api.states(stopped), { open: "success", load: "skipped" });
});

Deno.test("of the runs that are caught up only the newest passes latestOnly", async () => {
  const runs = await caughtUp();
  const mails = await Promise.all(
    runs.map(async (run) => (await product.api.states(run)).mail),
  );
  const last = mails.pop();
  assertEquals([new Set(mails), last], [new Set(["skipped"]), "success"]);
  const { load, log } = await product.api.states(runs[0]);
  assertEquals([load, log], ["success", "success"]);
});

Deno.test("a run by hand passes latestOnly, whatever its date", async () => {
  const run = await product.api.trigger("yearly", {}, { logical_date: "2001-01-01T00:00:00Z" });
  await product.api.ended(run);
  assertEquals((await product.api.states(run)).mail, "success");
});

/** The scheduled runs since 2023, oldest first, all ended. */
async function caughtUp(): Promise<Run[]> {
  return await until("the runs since 2023", async () => {
    const { dag_runs: runs } = await product.api.get<{ dag_runs: Run[] }>(
      "/api/v2/dags/yearly/dagRuns?run_type=scheduled&order_by=logical_date",
    );
    return runs.length >= 3 && runs.every((run) => run.state === "success") && runs;
  });
}
