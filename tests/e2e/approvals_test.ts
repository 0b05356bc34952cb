/** @module Tasks that people decide: by the API, by the command line, or by time. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Run } from "../support/product_api.ts";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "asks.ts": asksDags } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const asksDags = `import { approval, choose, dag, input, task } from "tidewheel";
import { z } from "zod";
export const release = dag({ id: "release", schedule: null }, () => {
  const asked = approval({ id: "asked", subject: ({ runId }) => "Publish " + runId + "?" });
  task({ id: "publish", after: asked }, () => 1);
});
export const route = dag({ id: "route", schedule: null }, () => {
  const fast = task({ id: "fast" }, () => 1);
  const slow = task({ id: "slow" }, () => 2);
  choose({ id: "which", subject: "Which way?", to: { fast, slow }, defaults: ["slow"],
    timeout: { seconds: 2 } });
});
export const form = dag({ id: "form", schedule: null }, () => {
  const filled = input({ id: "fill", subject: "How many?",
    params: z.object({ limit: z.number().int().default(5) }) });
  task({ id: "use", inputs: { filled } }, (_ctx, { filled }) => filled.params.limit * 2);
});
export const late = dag({ id: "late", schedule: null }, () => {
  approval({ id: "asked", subject: "Anyone?", timeout: { seconds: 1 } });
});
`;

const asked = (run: Run, task: string) =>
  until(`${task} to ask`, async () => (await product.api.states(run))[task] === "awaiting_input");
const details = (run: Run, task: string) =>
  `/api/v2/dags/${run.dag_id}/dagRuns/${run.dag_run_id}/taskInstances/${task}/-1/hitlDetails`;
const answer = (run: Run, task: string, option: string) =>
  product.api.send("PATCH", details(run, task), { chosen_options: [option] });

Deno.test("an approval outlives a SIGKILL and lets the tasks after it go on", async () => {
  const run = await product.api.trigger("release", {}, { dag_run_id: "r1" });
  await asked(run, "asked");
  await product.end("SIGKILL");
  await product.start();
  const open = await product.api.get<{ hitl_details: { subject: string }[] }>(
    "/api/v2/dags/~/dagRuns/~/hitlDetails?is_open=true",
  );
  assertEquals(open.hitl_details.map(({ subject }) => subject), ["Publish r1?"]);
  await answer(run, "asked", "Approve");
  await product.api.ended(run);
  assertEquals(await product.api.states(run), { asked: "success", publish: "success" });
  const output = await product.api.output<{ by: string }>(run, "asked");
  assertEquals(output.by, "local admin");
});

Deno.test("a rejection skips what comes after", async () => {
  const run = await product.api.trigger("release", {}, { dag_run_id: "r2" });
  await asked(run, "asked");
  await answer(run, "asked", "Reject");
  await product.api.ended(run);
  assertEquals(await product.api.states(run), { asked: "success", publish: "skipped" });
});

Deno.test("a choice goes on by its default when nobody chooses in time", async () => {
  const run = await product.api.runDag("route");
  assertEquals(await product.api.states(run), {
    which: "success",
    fast: "skipped",
    slow: "success",
  });
});

Deno.test("a form's fields are the output", async () => {
  const run = await product.api.trigger("form");
  await asked(run, "fill");
  const body = { chosen_options: ["OK"], params_input: { limit: 21 } };
  await product.api.send("PATCH", details(run, "fill"), body);
  await product.api.ended(run);
  assertEquals(await product.api.output(run, "use"), 42);
});

Deno.test("without a default a question that nobody answers fails", async () => {
  const run = await product.api.runDag("late");
  assertEquals([run.state, await product.api.states(run)], ["failed", { asked: "failed" }]);
  const { evidence } = await product.api.lastAttempt(run, "asked");
  assertMatch(String(evidence.message), /did not happen before its deadline/);
});
