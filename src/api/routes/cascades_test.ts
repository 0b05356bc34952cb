import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { stepCascades } from "../../store/backfill_cascade.ts";
import { pgBackfillStore } from "../../store/backfill_pg.ts";

const cron = (cron: string) => ({ schedule: { kind: "cron", cron, timezone: "UTC" } });
const intent = (dataset: string, partition: string, inputs: [string, string][]) => ({
  ...{ dataset, partition, kind: "table", schema: null, rows: 1, lineageFiles: [], columns: [] },
  files: [{ key: `x/${dataset}-${partition}.parquet`, bytes: 10, sha256: "0".repeat(64) }],
  inputs: inputs.map(([dataset, partition]) => ({ dataset, partition, sha256: null })),
  metrics: {},
});

/** Run a DAG's task for a day: it reads and publishes. */
async function publish(
  w: ApiWorld,
  dagId: string,
  day: string,
  { inputs = [], partition = day }: { inputs?: [string, string][]; partition?: string } = {},
) {
  const run = await w.trigger(dagId, { logical_date: `${day}T00:00:00Z` });
  await w.moveRun(dagId, run, "running");
  const [workload] = await w.start(dagId, run, ["t"]);
  const effects = { publish: [intent(dagId, partition, inputs)] };
  const { status, body } = await w.end(workload, { outcome: { kind: "done", effects } });
  assertEquals(status, 204, JSON.stringify(body));
  await w.moveRun(dagId, run, "success");
}

/** prices → returns → (risk by events), and prices → months. */
async function world(): Promise<ApiWorld> {
  const w = await apiWorld();
  await w.addDag("prices", [{ taskId: "t" }], { ...cron("0 0 * * *"), datasets: ["prices"] });
  await w.addDag("returns", [{ taskId: "t" }], { ...cron("0 0 * * *"), datasets: ["returns"] });
  await w.addDag("months", [{ taskId: "t" }], cron("0 0 1 * *"));
  await w.addDag("by_hand", [{ taskId: "t" }]);
  const datasets = ["returns"];
  await w.addDag("risk", [{ taskId: "t" }], {
    schedule: { kind: "datasets", datasets, anyOf: [datasets] },
  });
  for (const day of ["2029-12-29", "2029-12-30", "2029-12-31"]) await publish(w, "prices", day);
  await publish(w, "returns", "2029-12-30", {
    inputs: [["prices", "2029-12-29"], ["prices", "2029-12-30"]],
  });
  await publish(w, "months", "2029-12-01", {
    inputs: [["prices", "2029-12-29"]],
    partition: "2029-12",
  });
  await publish(w, "by_hand", "2029-12-31", { inputs: [["prices", "2029-12-31"]] });
  w.parts.clock.advance(1_000);
  return w;
}

const body = {
  dag_id: "prices",
  from_date: "2029-12-29T00:00:00Z",
  to_date: "2029-12-30T00:00:00Z",
  reprocess_behavior: "completed",
  cascade: true,
};
const post = (w: ApiWorld, some: object = {}, path = "") =>
  w.call("POST", `/api/v2/backfills${path}`, { body: { ...body, ...some } });

/** What the batch manager does in one look. */
async function look(w: ApiWorld) {
  const now = w.parts.clock.now();
  await stepCascades(w.parts, now);
  await pgBackfillStore(w.parts).fill({}, now);
  await pgBackfillStore(w.parts).complete(now);
  await stepCascades(w.parts, now);
}

async function states(w: ApiWorld, id: number): Promise<Record<string, string>> {
  const { body } = await w.call("GET", `/api/v2/backfills/${id}/cascade`);
  return {
    state: body.state,
    ...Object.fromEntries(
      body.backfills.map((each: { backfill: { dag_id: string; state: string } }) => [
        each.backfill.dag_id,
        each.backfill.state,
      ]),
    ),
  };
}

async function endRuns(w: ApiWorld, dagId: string, to: "success" | "failed") {
  const { body } = await w.call("GET", `/api/v2/dags/${dagId}/dagRuns?state=queued`);
  for (const run of body.dag_runs) {
    await w.moveRun(dagId, run.dag_run_id, "running");
    await w.moveRun(dagId, run.dag_run_id, to);
  }
  return body.dag_runs.map((run: { logical_date: string }) => run.logical_date.slice(0, 10));
}

Deno.test("a dry run of a cascade shows the DAGs below in order, with their dates", async () => {
  await using w = await world();
  const { body } = await post(w, {}, "/dry_run");
  assertEquals([body.counts.again, body.total_seconds], [2, 0]);
  assertEquals(
    body.cascade.map((
      // deno-lint-ignore no-explicit-any
      { dag_id, depth, kind, dates, again, first_date, upstream }: any,
    ) => [dag_id, depth, kind, dates, again, first_date?.slice(0, 10) ?? null, upstream]),
    [
      ["by_hand", 1, "left out", 0, 0, null, [{ dag_id: "prices", datasets: ["prices"] }]],
      ["months", 1, "dates", 1, 1, "2029-12-01", [{ dag_id: "prices", datasets: ["prices"] }]],
      ["returns", 1, "dates", 1, 1, "2029-12-30", [{ dag_id: "prices", datasets: ["prices"] }]],
      ["risk", 2, "events", 0, 0, null, [{ dag_id: "returns", datasets: ["returns"] }]],
    ],
  );
  const later = await post(w, { to_date: "2029-12-31T00:00:00Z" }, "/dry_run");
  const [manual, , returns] = later.body.cascade;
  assertEquals([manual.dag_id, manual.kind], ["by_hand", "left out"]);
  assertStringIncludes(manual.why, "no data intervals");
  // Nothing has read 2029-12-31 yet: the date of that day follows.
  assertEquals([returns.dates, returns.again, returns.new], [2, 1, 1]);
  assertEquals((await w.call("GET", "/api/v2/backfills")).body.total_entries, 0);
});

Deno.test("a cascade runs in order, stops below a failure, and goes on after a re-run", async () => {
  await using w = await world();
  const { body: first } = await post(w);
  assertEquals([first.runs.queued, first.cascade_id], [2, first.id]);
  await look(w);
  assertEquals(await states(w, first.id), {
    ...{ state: "running", prices: "running" },
    ...{ months: "waiting", returns: "waiting", risk: "waiting" },
  });
  assertEquals(await endRuns(w, "prices", "success"), ["2029-12-29", "2029-12-30"]);
  assertEquals(await endRuns(w, "months", "success"), []);
  await look(w);
  assertEquals(await endRuns(w, "months", "success"), ["2029-12-01"]);
  assertEquals(await endRuns(w, "returns", "failed"), ["2029-12-30"]);
  await look(w);
  assertEquals(await states(w, first.id), {
    ...{ state: "failed", prices: "completed" },
    ...{ months: "completed", returns: "completed", risk: "upstream_failed" },
  });

  const again = await w.call("POST", `/api/v2/backfills/${first.id}/rerun_failed`, { body: {} });
  assertEquals(again.body.dates, 2);
  await look(w);
  assertEquals((await states(w, first.id)).risk, "waiting");
  assertEquals(await endRuns(w, "returns", "success"), ["2029-12-30"]);
  await look(w);
  // Nothing was published anew, so there is nothing for it to wait for.
  assertEquals(await states(w, first.id), {
    ...{ state: "completed", prices: "completed" },
    ...{ months: "completed", returns: "completed", risk: "completed" },
  });
});

Deno.test("a failure at the top stops all that is below, and nothing of it has a run", async () => {
  await using w = await world();
  const { body: { id } } = await post(w);
  await endRuns(w, "prices", "failed");
  await look(w);
  const { prices: _, ...below } = await states(w, id);
  assertEquals(below, {
    ...{ state: "failed", months: "upstream_failed" },
    ...{ returns: "upstream_failed", risk: "upstream_failed" },
  });
  const { body } = await w.call("GET", `/api/v2/backfills/${id}/cascade`);
  assertEquals(body.backfills[2].backfill.runs.left_out_by, { "upstream failed": 1 });
  assertEquals(await endRuns(w, "returns", "success"), []);
});

Deno.test("each date of a cascade runs once those that it needs are done, whatever becomes of others", async () => {
  await using w = await world();
  // returns of the 31st has read prices of the 31st alone.
  await publish(w, "returns", "2029-12-31", { inputs: [["prices", "2029-12-31"]] });
  const { body: { id } } = await post(w, { to_date: "2029-12-31T00:00:00Z" });
  const end = async (dagId: string, day: string, to: "success" | "failed") => {
    const { body: { dag_runs: [run] } } = await w.call(
      "GET",
      `/api/v2/dags/${dagId}/dagRuns?state=queued&logical_date_gte=${day}T00:00:00Z&limit=1`,
    );
    assertEquals(run.logical_date.slice(0, 10), day);
    await w.moveRun(dagId, run.dag_run_id, "running");
    await look(w);
    const before = await Promise.all(["returns", "months"].map(queued));
    await w.moveRun(dagId, run.dag_run_id, to);
    // Nothing below starts while it runs.
    assertEquals(await Promise.all(["returns", "months"].map(queued)), before);
    await look(w);
    return before.map((days) => days.length);
  };
  const queued = async (dagId: string) => {
    const { body } = await w.call("GET", `/api/v2/dags/${dagId}/dagRuns?state=queued`);
    return body.dag_runs.map((run: { logical_date: string }) => run.logical_date.slice(8, 10));
  };
  await look(w);
  assertEquals(await queued("returns"), []);
  assertEquals(await end("prices", "2029-12-31", "success"), [0, 0]);
  assertEquals([await queued("returns"), await queued("months")], [["31"], []]);
  assertEquals((await states(w, id)).returns, "running");
  await end("prices", "2029-12-29", "success");
  assertEquals([await queued("returns"), await queued("months")], [["31"], []]);
  await end("prices", "2029-12-30", "failed");
  assertEquals(await queued("returns"), ["31"]);
  await end("returns", "2029-12-31", "success");
  const done = await states(w, id);
  assertEquals([done.returns, done.months, done.state], [
    ...["upstream_failed", "upstream_failed", "failed"],
  ]);
  const { body } = await w.call("GET", `/api/v2/backfills/${id}/cascade`);
  const returns = body.backfills.find((one: { backfill: { dag_id: string } }) =>
    one.backfill.dag_id === "returns"
  );
  assertEquals([returns.backfill.runs.success, returns.backfill.runs.left_out_by], [1, {
    "upstream failed": 1,
  }]);

  await w.call("POST", `/api/v2/backfills/${id}/rerun_failed`, { body: {} });
  await look(w);
  assertEquals([await queued("prices"), await queued("returns")], [["30"], []]);
  await end("prices", "2029-12-30", "success");
  assertEquals([await queued("returns"), await queued("months")], [["30"], ["01"]]);
  await end("returns", "2029-12-30", "success");
  await end("months", "2029-12-01", "success");
  assertEquals((await states(w, id)).state, "completed");
});

Deno.test("pausing and cancelling the first of a cascade is for all of it", async () => {
  await using w = await world();
  const { body: { id } } = await post(w);
  await w.call("PUT", `/api/v2/backfills/${id}/pause`, { body: {} });
  assertEquals((await states(w, id)).state, "paused");
  await w.call("PUT", `/api/v2/backfills/${id}/unpause`, { body: {} });
  assertEquals((await states(w, id)).state, "running");
  await w.call("PUT", `/api/v2/backfills/${id}/cancel`, { body: {} });
  assertEquals(new Set(Object.values(await states(w, id))), new Set(["cancelled"]));
  const extend = await w.call("POST", `/api/v2/backfills/${id}/extend`, {
    body: { to_date: "2029-12-31" },
  });
  assertEquals([extend.status, extend.body.code], [409, "CONFLICT"]);
});

Deno.test("a cascade that cannot be is refused with the reason", async () => {
  await using w = await world();
  const none = await post(w, { reprocess_behavior: "none" });
  assertEquals(none.status, 400);
  assertStringIncludes(none.body.detail, "no date of it would run");
  await publish(w, "prices", "2030-01-01", { inputs: [["returns", "2029-12-30"]] });
  const circle = await post(w);
  assertEquals(circle.status, 400);
  assertStringIncludes(circle.body.detail, "read each other's datasets");
  const { body: plain } = await post(w, { cascade: false });
  const shown = await w.call("GET", `/api/v2/backfills/${plain.id}/cascade`);
  assertEquals(shown.status, 404);
});
