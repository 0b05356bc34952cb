/** @module Tasks that let what comes after them go on, or not. */
import { assertEquals } from "@std/assert";
import type { Run } from "../support/product_api.ts";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({
    dags: { "gates.ts": gatesDags, "releases/fomc.json": fomc, "rate.ts": rateDag },
  });
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

/** Two statements of the Federal Open Market Committee. */
const fomc = JSON.stringify({
  id: "us.fomc",
  timezone: "America/New_York",
  source: "https://www.federalreserve.gov/monetarypolicy/fomccalendars.htm",
  releases: [
    { for: "2024-11", at: "2024-11-07T14:00" },
    { for: "2024-12", at: "2024-12-18T14:00" },
  ],
});
const rateDag = `import { dag, releases, task } from "tidewheel";
import fomc from "./releases/fomc.json" with { type: "json" };
export default dag({ id: "rate", schedule: releases(fomc, { after: { minutes: 1 } }) }, () => {
  task({ id: "read" }, (ctx) => ctx.interval.date);
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

Deno.test("a DAG runs for the newest of its dated releases", async () => {
  const runs = await until("the run of the release", async () => {
    const { dag_runs } = await product.api.get<{ dag_runs: Run[] }>("/api/v2/dags/rate/dagRuns");
    return dag_runs[0]?.state === "success" && dag_runs;
  });
  assertEquals(runs.map((run) => run.logical_date), ["2024-12-18T19:00:00.000Z"]);
  const dag = await product.api.get<{ timetable_summary: string; timetable_description: string }>(
    "/api/v2/dags/rate",
  );
  assertEquals(dag.timetable_summary, "us.fomc +1m");
  assertEquals(dag.timetable_description.endsWith("known until 2024-12-18"), true);
});
