/** @module Runs: requests that are refused, and how the tasks of a run follow from each other. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { path, type Run } from "../support/product_api.ts";
import { type Product, runVerb, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct();
  await product.write({
    "flow.ts": flowDag,
    "params.ts": paramsDag,
    "pooled.ts": pooledDag,
    "paused.ts": pausedDag,
    "mends.ts": mendsDag,
    "daily.ts": dailyDag(),
    "history.ts": historyDag,
  });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const flowDag = `import { branch, dag, expand, group, skip, task } from "tidewheel";
export default dag({ id: "flow", schedule: null }, () => {
  const symbols = task({ id: "symbols" }, (ctx) => ctx.params.symbols as string[]);
  const lengths = expand(symbols, (symbol) =>
    task({ id: "length", inputs: { symbol } }, (_ctx, { symbol }) => {
      if (symbol === "") throw new Error("a symbol is empty");
      return symbol.length;
    }));
  task({ id: "sum", inputs: { lengths } }, (_ctx, { lengths }) =>
    lengths.reduce((sum, length) => sum + length, 0));
  task({ id: "literal", inputs: { doubled: expand([1, 2, 3], (n) =>
    task({ id: "double", inputs: { n } }, (_ctx, { n }) => n * 2)) } },
    (_ctx, { doubled }) => doubled);

  const open = task({ id: "open" }, () => "open");
  const closed = task({ id: "closed" }, () => "closed");
  task({ id: "after_closed", after: closed }, () => 0);
  branch({ id: "session", to: { open, closed } }, () => "open");
  task({ id: "join", after: [open, closed], triggerRule: "none_failed_min_one_success" }, () => 1);

  const fails = task({ id: "fails" }, () => { throw new Error("it is its part"); });
  task({ id: "never", after: fails }, () => 0);
  task({ id: "on_failure", after: fails, triggerRule: "one_failed" }, () => "told");
  task({ id: "always", after: fails, triggerRule: "all_done" }, () => "cleaned");
  const skips = task({ id: "skips" }, () => skip("holiday"));
  task({ id: "after_skip", after: skips }, () => 0);
  group("desk", () => {
    const bars = task({ id: "bars" }, () => ({ rows: Array.from({ length: 20_000 }, (_, i) => i) }));
    task({ id: "count", inputs: { bars } }, (_ctx, { bars }) => bars.rows.length);
  });
});
`;

const paramsDag = `import { dag } from "tidewheel";
import { z } from "zod";
export default dag({
  id: "params",
  schedule: null,
  params: z.object({ symbol: z.string().max(8), days: z.int().min(1).max(9).default(2) }),
}, ({ task }) => {
  task({ id: "tells" }, (ctx) => ctx.params.symbol + " " + ctx.params.days);
});
`;

const pooledDag = `import { dag, expand, task } from "tidewheel";
export default dag({ id: "pooled", schedule: null }, () => {
  const spans = expand([1, 2, 3, 4], (n) =>
    task({ id: "span", pool: "vendor", inputs: { n } }, async (ctx, { n }) => {
      const from = ctx.clock.now().getTime();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { n, from, to: ctx.clock.now().getTime() };
    }));
  task({ id: "spans", inputs: { spans } }, (_ctx, { spans }) => spans);
});
`;

const pausedDag = `import { dag, task } from "tidewheel";
export default dag({ id: "paused", schedule: null }, () => {
  task({ id: "one" }, () => 1);
});
`;

/** Fails until the connection that it needs is there. */
const mendsDag = `import { dag, task } from "tidewheel";
export default dag({ id: "mends", schedule: null }, () => {
  const before = task({ id: "before" }, () => "once");
  const needs = task({ id: "needs", connections: ["late_vendor"], inputs: { before } },
    async (ctx) => (await ctx.connection("late_vendor")).host);
  task({ id: "after", inputs: { needs } }, (_ctx, { needs }) => needs);
});
`;

/** Three whole days lie between its start and today. */
function dailyDag(): string {
  const start = new Date(systemClock.now().getTime() - 3 * 86_400_000).toISOString().slice(0, 10);
  return `import { dag, task } from "tidewheel";
export default dag({
  id: "daily",
  schedule: "@daily",
  start: "${start}",
  catchup: true,
  maxActiveRuns: 1,
}, () => {
  task({ id: "day" }, (ctx) => ctx.interval.date);
});
`;
}

const historyDag = `import { dag, task } from "tidewheel";
export default dag({ id: "history", schedule: "@daily", start: "2013-01-01" }, () => {
  task({ id: "day" }, (ctx) => ctx.interval.date);
});
`;

let flow: Promise<Run> | null = null;
const flowRun = () => flow ??= product.api.runDag("flow", { symbols: ["AAPL", "FB", "IBM"] });

/** The refusal of a request that must be refused with this status. */
async function refused(
  status: number,
  method: string,
  path: string,
  options: { body?: unknown; token?: string | null } = {},
): Promise<string> {
  const answer = await product.api.call(method, path, options);
  assertEquals(answer.status, status, JSON.stringify(answer.body));
  return JSON.stringify(answer.body);
}

Deno.test("a wrong token and none are refused with 401, and say nothing of what is there", async () => {
  for (const token of ["tw_wrong", "", null]) {
    const said = await refused(401, "GET", "/api/v2/dags/flow", { token });
    assertStringIncludes(said, "UNAUTHENTICATED");
    await refused(401, "POST", "/api/v2/dags/flow/dagRuns", { token, body: {} });
    await refused(401, "POST", "/execution/claim", { token, body: {} });
  }
});

Deno.test("the administrator's token claims no work", async () => {
  const body = {
    workerId: "w",
    hostname: "h",
    pid: 1,
    queues: ["default"],
    slots: 1,
    version: "0",
  };

  const { status } = await product.api.call("POST", "/execution/claim", { body });

  assert(status === 401 || status === 403, String(status));
});

Deno.test("an unknown DAG, run and task are 404, and the answer names them", async () => {
  const run = await flowRun();

  assertStringIncludes(await refused(404, "GET", "/api/v2/dags/nosuch"), "nosuch");
  const body = {};
  assertStringIncludes(
    await refused(404, "POST", "/api/v2/dags/nosuch/dagRuns", { body }),
    "nosuch",
  );
  assertStringIncludes(await refused(404, "GET", "/api/v2/dags/flow/dagRuns/nosuch"), "nosuch");
  assertStringIncludes(await refused(404, "GET", `${path(run)}/taskInstances/nosuch`), "nosuch");
});

Deno.test("a conf that does not fit the params is refused, and the answer names the field", async () => {
  await product.api.listed("params");
  const trigger = (conf: unknown, status = 400) =>
    refused(status, "POST", "/api/v2/dags/params/dagRuns", { body: { conf } });

  assertStringIncludes(await trigger({ symbol: "IBM", days: 10 }), "days");
  assertStringIncludes(await trigger({ symbol: 7 }), "symbol");
  assertStringIncludes(await trigger({}), "symbol");
  assertStringIncludes(await trigger("IBM", 422), "conf");
  const runs = await product.api.get("/api/v2/dags/params/dagRuns");
  assertEquals(runs.total_entries, 0);
});

Deno.test("a conf that fits is completed with the defaults", async () => {
  const run = await product.api.runDag("params", { symbol: "IBM" });

  assertEquals(await product.api.output(run, "tells"), "IBM 2");
});

Deno.test("a run id and a logical date are taken once", async () => {
  await product.api.listed("params");
  const post = (body: Record<string, unknown>) =>
    product.api.call("POST", "/api/v2/dags/params/dagRuns", {
      body: { conf: { symbol: "IBM" }, ...body },
    });
  assertEquals((await post({ dag_run_id: "mine" })).status, 200);
  assertEquals((await post({ logical_date: "2013-03-01T00:00:00Z" })).status, 200);

  const again = [await post({ dag_run_id: "mine" }), await post({ logical_date: "2013-03-01" })];

  assertEquals(again.map(({ status }) => status), [409, 409]);
});

Deno.test("a task mapped over a list that the run makes has one instance for each item", async () => {
  const run = await flowRun();

  assertEquals(await product.api.output(run, "sum"), 9);
  assertEquals(await product.api.output(run, "length", 1), 2);
  assertEquals(await product.api.output(run, "literal"), [2, 4, 6]);
});

Deno.test("a mapped task with an empty list is skipped, and what waits for it too", async () => {
  const run = await product.api.runDag("flow", { symbols: [] });

  const states = await product.api.states(run);
  assertEquals(states.length, "skipped");
  assertEquals(states.sum, "skipped");
});

Deno.test("one failed instance of a mapped task fails it, not its siblings", async () => {
  const run = await product.api.runDag("flow", { symbols: ["IBM", "", "FB"] });

  const states = await product.api.states(run);
  const { "length[0]": first, "length[1]": second, "length[2]": third, sum } = states;
  assertEquals([first, second, third, sum], ["success", "failed", "success", "upstream_failed"]);
});

Deno.test("branch, skip and trigger rules decide which tasks run", async () => {
  const run = await flowRun();

  const states = await product.api.states(run);
  const expected = {
    open: "success",
    closed: "skipped",
    after_closed: "skipped",
    join: "success",
    fails: "failed",
    never: "upstream_failed",
    on_failure: "success",
    always: "success",
    skips: "skipped",
    after_skip: "skipped",
  };
  assertEquals(
    Object.fromEntries(Object.keys(expected).map((task) => [task, states[task]])),
    expected,
  );
  assertEquals(run.state, "failed");
});

Deno.test("an output that is too large for the database reaches the next task whole", async () => {
  assertEquals(await product.api.output(await flowRun(), "desk.count"), 20_000);
});

Deno.test("tasks of a pool with one slot run one after the other", async () => {
  await product.api.send("POST", "/api/v2/pools", { name: "vendor", slots: 1 });

  const run = await product.api.runDag("pooled");

  const spans = await product.api.output<{ from: number; to: number }[]>(run, "spans");
  spans.sort((a, b) => a.from - b.from);
  assertEquals(spans.length, 4);
  for (let i = 1; i < spans.length; i++) assert(spans[i].from >= spans[i - 1].to);
});

Deno.test("a paused DAG starts no run until it is unpaused", async () => {
  await product.api.listed("paused");
  await product.api.send("PATCH", "/api/v2/dags/paused", { is_paused: true });
  const run = await product.api.trigger("paused");

  // A run of another DAG that starts later has ended: this one had its chance.
  await product.api.runDag("params", { symbol: "FB" });
  assertEquals((await product.api.run(run)).state, "queued");
  await product.api.send("PATCH", "/api/v2/dags/paused", { is_paused: false });

  assertEquals((await product.api.ended(run)).state, "success");
});

Deno.test("what failed is cleared and runs again, and what succeeded does not", async () => {
  const run = await product.api.runDag("mends");
  assertEquals(await product.api.states(run), {
    before: "success",
    needs: "failed",
    after: "upstream_failed",
  });
  await product.api.send("POST", "/api/v2/connections", {
    connection_id: "late_vendor",
    conn_type: "http",
    host: "vendor.example",
  });

  await product.api.send("POST", `${path(run)}/clear`, { dry_run: false, only_failed: true });

  assertEquals((await product.api.ended(run)).state, "success");
  assertEquals(await product.api.output(run, "after"), "vendor.example");
  assertEquals((await product.api.attempts(run, "before")).length, 1);
  assertEquals((await product.api.attempts(run, "needs")).length, 2);
});

Deno.test("catching up makes a run for each day since the start, one after the other", async () => {
  const runs = await until("three runs to end", async () => {
    const page = await product.api.get<{ dag_runs: Run[] }>(
      "/api/v2/dags/daily/dagRuns?order_by=run_after",
    );
    return page.dag_runs.length >= 3 && page.dag_runs.every(({ state }) => state === "success") &&
      page.dag_runs;
  });

  const days = await Promise.all(runs.map((run) => product.api.output<string>(run, "day")));
  const today = systemClock.now().getTime();
  const expected = [3, 2, 1].map((ago) => new Date(today - ago * 86_400_000).toISOString());
  assertEquals(days, expected.map((at) => at.slice(0, 10)));
  assertEquals(runs.map(({ logical_date }) => logical_date?.slice(0, 10)), days);
});

Deno.test("a backfill runs the days that are asked for", async () => {
  await product.api.listed("history");
  const backfill = await product.api.send<{ id: number }>("POST", "/api/v2/backfills", {
    dag_id: "history",
    from_date: "2013-02-26T00:00:00Z",
    to_date: "2013-02-28T00:00:00Z",
  });

  await until(
    "the backfill to end",
    async () => (await product.api.get(`/api/v2/backfills/${backfill.id}`)).completed_at,
  );

  const page = await product.api.get<{ dag_runs: (Run & { backfill_id: number })[] }>(
    "/api/v2/dags/history/dagRuns?run_type=backfill&order_by=logical_date",
  );
  assertEquals(
    page.dag_runs.map(({ logical_date, state }) => `${logical_date?.slice(0, 10)} ${state}`),
    ["2013-02-26 success", "2013-02-27 success", "2013-02-28 success"],
  );

  const env = { TIDEWHEEL_API_URL: product.url, TIDEWHEEL_TOKEN: product.token };
  const { code, stdout } = await runVerb(
    ["backfills", "extend", String(backfill.id), "--to", "2013-03-02T00:00:00Z", "--watch"],
    env,
  );
  assertEquals(code, 0);
  assertMatch(stdout, /completed +100 % of 5 dates: 5 success\n/);
  const plan = ["backfill", "history", "--from", "2013-02-26", "--to", "2013-03-04", "--dry-run"];
  const dry = await runVerb(plan, env);
  assertMatch(dry.stdout, /left out +5 already exists\ntime +about .*\(from [5-9]\d* runs\)\n/);
});
