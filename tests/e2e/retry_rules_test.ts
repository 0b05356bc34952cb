/** @module Retries by kind of failure, and budgets of them. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Product, runVerb, startProduct } from "../support/product.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "retries.ts": retriesDags } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const retriesDags = `import { dag, task } from "tidewheel";
class HttpError extends Error {}
class VendorDown extends HttpError { code = "E503"; }
class BadRequest extends HttpError {}

export const rules = dag({
  id: "rules",
  schedule: null,
  defaults: {
    retries: 3,
    retryDelay: { hours: 1 },
    retryPolicy: [
      { error: VendorDown, action: "retry", delay: 0, reason: "it comes back" },
      { error: HttpError, action: "fail", reason: "asking again changes nothing" },
      { endReason: "timeout", action: "fail" },
      { exitCode: 75, action: "retry", delay: 0 },
    ],
  },
}, () => {
  task({ id: "down" }, (ctx) => {
    if (ctx.tryNumber < 3) throw new VendorDown("closed");
    return ctx.tryNumber;
  });
  task({ id: "bad" }, () => { throw new BadRequest("no such symbol"); });
  task({ id: "slow", timeout: { milliseconds: 200 } }, () => new Promise(() => {
    setInterval(() => {}, 1000);
  }));
  task.command({ id: "busy", program: "sh", args: ["-c", "exit 75"], retries: 1 });
});

export const budget = dag({
  id: "budget",
  schedule: null,
  retryBudget: { perRun: 1 },
  defaults: { retries: 5, retryDelay: 0 },
}, () => {
  task({ id: "breaks" }, () => { throw new Error("again"); });
});
`;

Deno.test("a retry rule decides by the kind of failure, and the attempt says which one did", async () => {
  const run = await product.api.runDag("rules");

  const states = await product.api.states(run);
  assertEquals(states, { down: "success", bad: "failed", slow: "failed", busy: "failed" });
  const told = async (task: string) =>
    (await product.api.attempts(run, task)).map(({ evidence }) => evidence.retryReason);
  const again = "retry rule 1 (error VendorDown): tried again after 0 s: it comes back";
  assertEquals(await told("down"), [again, again, undefined]);
  assertEquals(await told("bad"), [
    "retry rule 2 (error HttpError): not tried again: asking again changes nothing",
  ]);
  assertEquals(await told("slow"), ["retry rule 3 (end reason timeout): not tried again"]);
  assertEquals(await told("busy"), [
    "retry rule 4 (exit code 75): tried again after 0 s",
    undefined,
  ]);
});

Deno.test("a budget that is used up ends the retries, and the task's note says so", async () => {
  const run = await product.api.runDag("budget");

  const attempts = await product.api.attempts(run, "breaks");
  const why = "Not tried again: the run has used up its retry budget of 1";
  assertEquals(attempts.map(({ evidence }) => evidence.retryReason), [undefined, why]);
  const { stdout } = await runVerb(["tasks", "budget"], {
    TIDEWHEEL_API_URL: product.url,
    TIDEWHEEL_TOKEN: product.token,
  });
  assertStringIncludes(stdout, why);
});
