/** @module Callbacks: receivers are told, also those that fail at first, and after a SIGKILL. */
import { assert, assertEquals } from "@std/assert";
import { signatureOf } from "../../src/events/webhook.ts";
import { type Product, runVerb, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

interface Got {
  path: string;
  headers: Headers;
  body: string;
  event: { id: string; type: string; subject: string; data: Record<string, unknown> };
}

/** What the receiver got, and whether it takes it. */
const got: Got[] = [];
let isTaking = true;
let refusals = 0;
let receiver: Deno.HttpServer<Deno.NetAddr>;
let product: Product;

Deno.test.beforeAll(async () => {
  receiver = Deno.serve({ port: 0, onListen() {} }, async (request) => {
    const body = await request.text();
    const { pathname: path } = new URL(request.url);
    const event = JSON.parse(body);
    if (!isTaking || refusals-- > 0) return new Response("not now", { status: 503 });
    got.push({ path, headers: request.headers, body, event });
    return new Response();
  });
  product = await startProduct({ dags: { "told.ts": toldDags(receiver.addr.port) } });
});
Deno.test.afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await receiver.shutdown();
});

const toldDags = (port: number) =>
  `import { dag, runDag, skip, task, webhook } from "tidewheel";
import { z } from "zod";
const hook = (path) => webhook({ url: \`http://localhost:${port}/\${path}\` });
export const told = dag({
  id: "told",
  schedule: null,
  onExecute: hook("started"),
  onSuccess: [hook("succeeded"), runDag({ dag: "after", conf: { why: "told" }, eventAs: "event" })],
  onFailure: webhook({ connection: "alerts", path: "failed" }),
}, () => {
  const flaky = task(
    { id: "flaky", retries: 1, retryDelay: { milliseconds: 10 }, onRetry: hook("retried") },
    (ctx) => {
      if (ctx.params.fail === true) throw new Error("no luck");
    },
  );
  task({ id: "left", after: flaky, onSkipped: hook("skipped") }, () => skip("nothing to do"));
});
export const late = dag({
  id: "late",
  schedule: null,
  deadlines: [
    { name: "at once", after: "queued", within: { milliseconds: 300 }, notify: hook("late") },
    { after: "started", within: { hours: 1 }, notify: hook("never") },
    { after: "averageRuntime", within: 0, notify: hook("never") },
  ],
}, () => {
  task({ id: "wait" }, (ctx) => ctx.clock.sleep(ctx.params.forMs));
});
export const after = dag({
  id: "after",
  schedule: null,
  params: z.object({ why: z.string(), event: z.looseObject({ dag_run_id: z.string() }) }),
}, () => {
  task({ id: "note" }, (ctx) => ctx.params.event.dag_run_id);
});
`;

async function toldOf(type: string, runId: string): Promise<Got> {
  return await until(
    `word of ${type}`,
    () =>
      got.find(({ event }) =>
        event.type === `tidewheel.${type}` && event.data.dag_run_id === runId
      ),
  );
}

Deno.test("a run's start, its skipped task and its end are told, also to one that fails at first", async () => {
  refusals = 2;
  const run = await product.api.runDag("told");
  const started = await toldOf("dag_run.started", run.dag_run_id);
  const succeeded = await toldOf("dag_run.succeeded", run.dag_run_id);
  const skipped = await toldOf("task_instance.skipped", run.dag_run_id);
  assertEquals([started.path, succeeded.path, skipped.path], [
    "/started",
    "/succeeded",
    "/skipped",
  ]);
  assertEquals(skipped.event.subject, `${run.dag_run_id}/left`);
  assertEquals(succeeded.headers.get("webhook-id"), succeeded.event.id);
  assertEquals(succeeded.event.data.state, "success");

  const next = await until("the run that the callback starts", async () => {
    const { dag_runs: [one] } = await product.api.get<{ dag_runs: typeof run[] }>(
      "/api/v2/dags/after/dagRuns",
    );
    return one?.state === "success" && one;
  });
  assertEquals(await product.api.output(next, "note"), run.dag_run_id);
});

Deno.test("a failure is told with its reason, signed with the connection's secret", async () => {
  await product.api.send("POST", "/api/v2/connections", {
    connection_id: "alerts",
    conn_type: "http",
    host: "localhost",
    port: receiver.addr.port,
    schema: "http",
    password: "s3cret",
  });
  const run = await product.api.runDag("told", { fail: true });
  assertEquals(run.state, "failed");
  const { headers, body, event } = await toldOf("dag_run.failed", run.dag_run_id);
  assertEquals([event.data.reason, event.data.failed_tasks], ["task_failure", ["flaky"]]);
  const stamp = headers.get("webhook-timestamp");
  assertEquals(
    headers.get("webhook-signature"),
    signatureOf("s3cret", `${event.id}.${stamp}.${body}`),
  );
  const retried = await toldOf("task_instance.retried", run.dag_run_id);
  assertEquals([retried.event.data.try_number, retried.event.data.message], [1, "no luck"]);
});

Deno.test("SIGKILL between the end and its delivery: it is delivered after the restart, with the same id", async () => {
  isTaking = false;
  const before = got.length;
  const run = await product.api.runDag("told");
  interface Listed {
    event_seq: number;
    event_id: string;
    type: string;
    state: string;
  }
  const waiting = await until("the events to wait", async () => {
    const { events } = await product.api.get<{ events: (Listed & { dag_run_id: string })[] }>(
      "/api/v2/events?state=pending&dag_id=told",
    );
    const ours = events.filter(({ dag_run_id }) => dag_run_id === run.dag_run_id);
    return ours.length >= 3 && ours;
  });
  await product.end("SIGKILL");
  assertEquals(got.length, before);
  isTaking = true;
  await product.start();

  for (const { event_id, type } of waiting) {
    const { event } = await toldOf(type.replace("tidewheel.", ""), run.dag_run_id);
    assertEquals(event.id, event_id);
  }
  const env = { TIDEWHEEL_HOME: product.home, TIDEWHEEL_API_URL: product.url };
  const { stdout } = await runVerb(["events", "--dag", "told", "--json"], env);
  const { events } = JSON.parse(stdout) as { events: Listed[] };
  assert(events.length >= waiting.length);
});

Deno.test("a run that is late is told of and marked while it runs; one in time is not", async () => {
  const late = await product.api.trigger("late", { forMs: 1_500 });
  const { path, event } = await toldOf("dag_run.deadline_missed", late.dag_run_id);
  assertEquals([path, event.data.deadline, event.data.state], ["/late", "at once", "running"]);
  const runOf = `/api/v2/dags/late/dagRuns/${encodeURIComponent(late.dag_run_id)}`;
  const listed = async () => {
    const { deadlines } = await product.api.get<
      { deadlines: { alert_name: string; missed: boolean }[] }
    >(`${runOf}/deadlines`);
    return deadlines.map(({ alert_name, missed }) => [alert_name, missed]);
  };
  assertEquals(await listed(), [["at once", true], ["started + 1h", false]]);
  assertEquals((await product.api.ended(late)).state, "success");
  assertEquals(await listed(), [["at once", true]]);
  const { missed_deadlines } = await product.api.get<{ missed_deadlines: number }>(runOf);
  assertEquals(missed_deadlines, 1);
  const env = { TIDEWHEEL_HOME: product.home, TIDEWHEEL_API_URL: product.url };
  const { stdout } = await runVerb(["runs", "late"], env);
  assert(stdout.includes("missed a deadline"), stdout);

  await product.api.runDag("late", { forMs: 0 });
  assertEquals(got.filter((one) => one.path === "/late").length, 1);
});
