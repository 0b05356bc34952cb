/** @module Tasks that wait for time, data, other runs and files, without a slot. */
import { assertEquals, assertMatch } from "@std/assert";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

let product: Product;
let folder: string;
Deno.test.beforeAll(async () => {
  folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_drop_" }));
  product = await startProduct({ dags: { "waits.ts": waitsDags(folder) } });
});
Deno.test.afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

const waitsDags = (folder: string) =>
  `import { dag, defer, task, triggers, waitForDataset, waitForFile, waitForRun, waitUntil }
  from "tidewheel";
export const short = dag({ id: "short", schedule: null }, () => {
  const soon = waitUntil({ id: "soon", at: ({ runAfter }) => new Date(+runAfter + 2000) });
  task({ id: "own", after: soon }, (ctx) => {
    if (ctx.resumedWith) return [ctx.resumedWith.data, ctx.resumedWith.timedOut, ctx.tryNumber];
    const trigger = triggers.time(new Date(ctx.clock.now().getTime() + 500));
    return defer({ trigger, resume: { from: "before" } });
  });
});
export const feed = dag({ id: "feed", schedule: null }, () => {
  waitForDataset({ id: "data", dataset: "feed.x", partition: ({ runId }) => runId });
  waitForFile({ id: "file", folder: ${JSON.stringify(folder)}, name: ({ runId }) => runId + ".csv",
    every: { seconds: 1 } });
  waitForRun({ id: "run", dag: "short", runId: ({ runId }) => runId });
});
export const late = dag({ id: "late", schedule: null }, () => {
  task({ id: "never", retries: 1, retryDelay: 0 }, (ctx) =>
    defer({ trigger: triggers.dataset("no.such"), timeout: { seconds: 1 } }));
  waitForDataset({ id: "missed", dataset: "no.such", by: ({ runAfter }) => runAfter,
    onMissed: "skip" });
});
`;

Deno.test("a task waits for an instant and goes on with what it put aside", async () => {
  const run = await product.api.runDag("short");
  assertEquals(await product.api.states(run), { soon: "success", own: "success" });
  assertEquals(await product.api.output(run, "own"), [{ from: "before" }, false, 1]);
  const attempts = await product.api.attempts(run, "own");
  assertEquals(attempts.map((each) => each.end_reason), ["deferred", "success"]);
});

Deno.test("tasks wait for a dataset's partition, a file and another run, across a restart", async () => {
  const run = await product.api.trigger("feed", {}, { dag_run_id: "r1" });
  const states = () => product.api.states(run);
  const waiting = { data: "deferred", file: "deferred", run: "deferred" };
  await until("three waits", async () => same(await states(), waiting));
  await product.end("SIGKILL");
  await product.start();
  assertEquals(await states(), waiting);
  const event = { name: "feed.x", partition_key: "r1" };
  await product.api.send("POST", "/api/v2/assets/events", event);
  await until("the data", async () => (await states()).data === "success");
  await Deno.writeTextFile(`${folder}/r1.csv`, "");
  await until("the file", async () => (await states()).file === "success");
  assertEquals((await states()).run, "deferred");
  await product.api.trigger("short", {}, { dag_run_id: "r1" });
  await product.api.ended(run);
  assertEquals(new Set(Object.values(await states())), new Set(["success"]));
});

Deno.test("a wait that is too long fails with its retries, or is skipped", async () => {
  const run = await product.api.runDag("late");
  assertEquals(await product.api.states(run), { never: "failed", missed: "skipped" });
  const attempts = await product.api.attempts(run, "never");
  const failed = attempts.filter((each) => each.end_reason === "task_error");
  assertEquals(failed.map((each) => each.try_number), [1, 2]);
  assertMatch(String(failed[0].evidence.message), /did not happen before its deadline/);
});

function same(found: object, wanted: object): boolean {
  return JSON.stringify(Object.entries(found).toSorted()) ===
    JSON.stringify(Object.entries(wanted).toSorted());
}
