/** @module What people do to a run by hand: set states, run one task alone, skip one. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { path, type Run } from "../support/product_api.ts";
import { type Product, runVerb, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

const hands = `import { dag, task } from "tidewheel";
export default dag({ id: "hands", schedule: null, defaults: { retries: 0 } }, () => {
  const load = task({ id: "load" }, ({ params, log, signal }) => {
    if (params.hang) {
      log.info("hanging");
      return new Promise((resolve) => signal.addEventListener("abort", resolve));
    }
    return 7;
  });
  const check = task({ id: "check", inputs: { load } }, ({ tryNumber }) => {
    if (tryNumber === 1) throw new Error("bad prices");
    return "good";
  });
  const publish = task({ id: "publish", after: check }, () => "published");
  task({ id: "mail", after: publish }, () => "sent");
});
`;

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "hands.ts": hands } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

async function cli(...args: string[]) {
  const { code, stdout, stderr } = await runVerb(args, {
    TIDEWHEEL_API_URL: product.url,
    TIDEWHEEL_TOKEN: product.token,
  });
  return { code, said: stdout + stderr };
}

Deno.test("a failed check marked as a success lets the run go on to its end", async () => {
  const run = await product.api.runDag("hands");
  assertEquals(run.state, "failed");
  const { said } = await cli("mark", "hands", "latest", "success", "check", "--note", "looks fine");
  assertStringIncludes(said, "1 task instances set to success");
  assertEquals((await product.api.ended(run)).state, "success");
  const { version } = await product.api.get("/api/v2/version");
  assertEquals((await product.api.get(path(run))).product_version, version);
  assertEquals(await product.api.states(run), {
    load: "success",
    check: "success",
    publish: "success",
    mail: "success",
  });
  assertStringIncludes((await cli("tasks", "hands", "latest")).said, "looks fine");
});

Deno.test("one task runs alone with its input as stored, though what comes before it failed", async () => {
  const run = await product.api.runDag("hands");
  assertStringIncludes(
    (await cli("run-task", "hands", "latest", "publish")).said,
    "1 task instances run alone",
  );
  const states = await until("publish to have run", async () => {
    const now = await product.api.states(run);
    return now.publish === "success" && now;
  });
  assertEquals([states.check, states.mail], ["failed", "upstream_failed"]);
  await product.api.ended(run);
  assertEquals((await cli("run-task", "hands", "latest", "check")).code, 0);
  await until("check to have run", async () => (await product.api.states(run)).check === "success");
  assertEquals(await product.api.output(run, "check"), "good");
});

Deno.test("a running task set by hand is gone before it has its state", async () => {
  const run = await product.api.trigger("hands", { hang: true });
  await product.api.said(run, "load", "hanging");
  assertEquals((await cli("mark", "hands", "latest", "failed", "load")).code, 0);
  const ended = await product.api.ended(run);
  assertEquals(ended.state, "failed");
  assertEquals((await product.api.states(run)).mail, "upstream_failed");
  assertEquals((await product.api.lastAttempt(run, "load")).end_reason, "set_by_hand");
  assertEquals(await noteOf(run, "load"), "Set to failed by local admin");
});

Deno.test("a task is skipped before it starts, and not once it has", async () => {
  const run = await product.api.trigger("hands", { hang: true });
  await product.api.said(run, "load", "hanging");
  assertStringIncludes((await cli("skip", "hands", "latest", "load")).said, "it is running");
  assertEquals((await cli("skip", "hands", "latest", "check")).code, 0);
  assertEquals((await cli("mark", "hands", "latest", "success", "load")).code, 0);
  assertEquals((await product.api.ended(run)).state, "success");
  const states = await product.api.states(run);
  assertEquals([states.load, states.check, states.publish], ["success", "skipped", "skipped"]);
});

async function noteOf(run: Run, task: string): Promise<unknown> {
  return (await product.api.get(`${path(run)}/taskInstances/${task}`)).note;
}
