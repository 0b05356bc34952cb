import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";

const daily = { schedule: { kind: "cron", cron: "0 0 * * *", timezone: "UTC" } };
const range = { dag_id: "d", from_date: "2030-01-05T00:00:00Z", to_date: "2030-01-08T00:00:00Z" };
const post = (w: ApiWorld, body: object, path = "") =>
  w.call("POST", `/api/v2/backfills${path}`, { body: { ...range, ...body } });
const runsOf = async (w: ApiWorld) => {
  const { body } = await w.call("GET", "/api/v2/dags/d/dagRuns?order_by=run_after");
  return body.dag_runs as Record<string, unknown>[];
};
const finish = async (w: ApiWorld, run: string, to: "success" | "failed") => {
  await w.moveRun("d", run, "running");
  await w.moveRun("d", run, to);
};

Deno.test("a backfill makes a run for each interval that is over, and completes with them", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  const dry = await post(w, { to_date: "2030-02-01T00:00:00Z" }, "/dry_run");
  assertEquals(
    dry.body.backfills.map((b: { logical_date: string }) => b.logical_date.slice(8, 10)),
    ["05", "06", "07", "08", "09"],
  );
  assertEquals(await runsOf(w), []);
  const { status, body } = await post(w, { dag_run_conf: { x: 1 }, max_active_runs: 2 });
  assertEquals([status, body.runs.planned, body.runs.queued, body.max_active_runs], [200, 4, 4, 2]);
  const runs = await runsOf(w);
  assertEquals(runs.map((run) => [run.run_type, run.triggered_by, run.backfill_id, run.conf]), [
    ...Array(4).fill(["backfill", "backfill", body.id, { x: 1 }]),
  ]);
  assertEquals(runs[0].data_interval_end, "2030-01-06T00:00:00.000Z");
  for (const run of runs) await finish(w, run.dag_run_id as string, "success");
  const done = (await w.call("GET", `/api/v2/backfills/${body.id}`)).body;
  assertEquals([done.completed_at, done.runs.success], ["2030-01-10T12:00:00.000Z", 4]);
});

Deno.test("a backfill leaves runs that exist alone, or runs them again when told to", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  const ids: string[] = [];
  for (const day of ["05", "06", "07"]) {
    ids.push(await w.trigger("d", { logical_date: `2030-01-${day}T00:00:00Z` }));
  }
  await finish(w, ids[0], "success");
  await finish(w, ids[1], "failed");
  const days = async (reprocess_behavior: string) =>
    (await post(w, { reprocess_behavior }, "/dry_run")).body.backfills
      .map((b: { logical_date: string }) => b.logical_date.slice(8, 10));
  assertEquals(await days("none"), ["08"]);
  assertEquals(await days("failed"), ["06", "08"]);
  assertEquals(await days("completed"), ["05", "06", "08"]);
  const { body } = await post(w, { reprocess_behavior: "failed", dag_run_conf: { again: true } });
  assertEquals([body.runs.planned, body.runs.queued, body.runs.left_out], [4, 2, 2]);
  const again = (await w.call("GET", `/api/v2/dags/d/dagRuns/${ids[1]}`)).body;
  assertEquals(
    [again.state, again.run_type, again.backfill_id, again.conf],
    ["queued", "backfill", body.id, { again: true }],
  );
});

Deno.test("a backfill as it was leaves out what ran on another version of the product, unless forced", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  await finish(w, await w.trigger("d", { logical_date: "2030-01-06T00:00:00Z" }), "failed");
  await w.parts.sql`update dag_run set product_version = '1.2.2'`;
  const asItWas = { reprocess_behavior: "failed", run_on_latest_version: false };
  const counts = async (body: object) => (await post(w, body, "/dry_run")).body.counts.left_out_by;
  assertEquals(await counts({ reprocess_behavior: "failed" }), {});
  assertEquals(await counts(asItWas), { "other product": 1 });
  assertEquals(await counts({ ...asItWas, force: true }), {});

  const { body: { id, runs } } = await post(w, asItWas);
  assertEquals([runs.queued, runs.left_out_by], [3, { "other product": 1 }]);
  const rerun = (body: object) => w.call("POST", `/api/v2/backfills/${id}/rerun_failed`, { body });
  assertEquals((await rerun({})).status, 409);
  const { body: forced } = await rerun({ force: true });
  assertEquals([forced.dates, forced.backfill.runs.queued, forced.backfill.force], [1, 4, true]);
});

Deno.test("a backfill can go backwards: its newest date comes first, also of what runs again", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  await finish(w, await w.trigger("d", { logical_date: "2030-01-06T00:00:00Z" }), "success");
  const { body: { id } } = await post(w, { run_backwards: true, reprocess_behavior: "completed" });
  const { body } = await w.call("GET", `/api/v2/backfills/${id}/dates`);
  assertEquals(
    body.dates.map((date: Record<string, string>) => [date.logical_date.slice(8, 10), date.state]),
    [["08", "queued"], ["07", "queued"], ["06", "queued"], ["05", "queued"]],
  );
  const found = await w.parts.store.loadRuns();
  const ordered = found.map(({ run }) => run).sort((a, b) =>
    a.backfillOrdinal! - b.backfillOrdinal!
  );
  assertEquals(ordered.map((run) => run.logicalDate!.getUTCDate()), [8, 7, 6, 5]);
  const queued = await w.call("GET", `/api/v2/backfills/${id}/dates?state=planned`);
  assertEquals(queued.body.total_entries, 0);
});

Deno.test("a dry run says what would become of each date, and what it would take", async () => {
  await using w = await apiWorld();
  const collect = { operator: "collect.http", params: { source: "vendor.daily" } };
  await w.addDag("d", [{ taskId: "a", ...collect }, { taskId: "b", upstream: ["a"] }], daily);
  const first = (await post(w, {}, "/dry_run")).body;
  assertEquals(first.estimate.seconds, null);
  assertEquals(first.estimate.why, "no run of the DAG has succeeded yet");
  assertEquals(first.estimate.requests, [{
    source: "vendor.daily",
    tasks: ["a"],
    requests: null,
    from_runs: 0,
    why: "no successful run has counted the requests of a",
  }]);

  const run = await w.trigger("d", { logical_date: "2030-01-05T00:00:00Z" });
  await w.moveRun("d", run, "running");
  const [workload] = await w.start("d", run, ["a"]);
  await w.end(workload, { outcome: { kind: "done", effects: { metrics: { requests: 7 } } } });
  w.parts.clock.advance(20_000);
  await w.moveRun("d", run, "success");
  await w.trigger("d", { logical_date: "2030-01-06T00:00:00Z" });
  const { body } = await post(
    w,
    { reprocess_behavior: "completed", max_active_runs: 2 },
    "/dry_run",
  );
  assertEquals(body.backfills.map((each: { what: string }) => each.what), ["again", "new", "new"]);
  assertEquals(body.counts, {
    dates: 4,
    new: 2,
    again: 1,
    left_out: 1,
    left_out_by: { "in flight": 1 },
  });
  assertEquals(body.left_out, [{ logical_date: "2030-01-06T00:00:00.000Z", reason: "in flight" }]);
  const { seconds, median_run_seconds, from_runs, concurrency, requests, cost } = body.estimate;
  assertEquals([seconds, median_run_seconds, from_runs, concurrency], [40, 20, 1, 2]);
  assertEquals([requests[0].requests, requests[0].from_runs, cost], [21, 1, null]);
});

Deno.test("several backfills of a DAG go side by side, and no date is run twice", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  const first = await post(w, { max_active_runs: 1 });
  const second = await post(w, { to_date: "2030-01-09T00:00:00Z" });
  assertEquals([first.body.state, second.body.state], ["running", "running"]);
  assertEquals(second.body.runs.left_out_by, { "in flight": 4 });
  assertEquals(second.body.runs.queued, 1);
  assertEquals((await runsOf(w)).length, 5);
});

Deno.test("a backfill is changed, extended, and what failed of it runs again", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  const { body: { id } } = await post(w, { share: 0.5 });
  const path = `/api/v2/backfills/${id}`;
  const patched = await w.call("PATCH", path, { body: { max_active_runs: 3, share: 0.25 } });
  assertEquals([patched.body.max_active_runs, patched.body.share], [3, 0.25]);
  const refused = await w.call("PATCH", path, { body: { share: 1.5 } });
  assertEquals(refused.status, 422);

  for (const run of await runsOf(w)) await finish(w, run.dag_run_id as string, "failed");
  const done = (await w.call("GET", path)).body;
  assertEquals([done.state, done.runs.failed], ["completed", 4]);
  const extend = (body: object) => w.call("POST", `${path}/extend`, { body });
  const longer = await extend({ from_date: "2030-01-04T00:00:00Z", to_date: "2030-01-09" });
  assertEquals([longer.body.dates, longer.body.backfill.state], [2, "running"]);
  assertEquals((await runsOf(w)).length, 6);
  for (
    const [body, why] of [
      [{ to_date: "2030-01-01" }, "before its own"],
      [{ from_date: "2030-01-08" }, "after its own"],
      [{ from_date: "2030-01-04T00:00:00Z" }, "has these dates already"],
      [{ to_date: "2030-01-20" }, "no data interval that is over"],
    ] as const
  ) {
    const answer = await extend(body);
    assertEquals(answer.status, 400);
    assertStringIncludes(answer.body.detail, why);
  }

  const again = await w.call("POST", `${path}/rerun_failed`, { body: {} });
  assertEquals([again.body.dates, again.body.backfill.runs.queued], [4, 6]);
  const none = await w.call("POST", `${path}/rerun_failed`, { body: {} });
  assertEquals(none.status, 409);
  assertStringIncludes(none.body.detail, "nothing of it has failed");
  await w.call("PUT", `${path}/cancel`, { body: {} });
  const late = await extend({ to_date: "2030-01-10" });
  assertEquals(late.status, 400);
});

Deno.test("a cancelled backfill's run that is cleared goes on by itself", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  const { body: { id } } = await post(w, {});
  const [run] = await runsOf(w);
  await w.moveRun("d", run.dag_run_id as string, "running");
  await w.call("PUT", `/api/v2/backfills/${id}/pause`, { body: {} });
  const cancelled = await w.call("PUT", `/api/v2/backfills/${id}/cancel?now=true`, { body: {} });
  assertEquals([cancelled.body.state, cancelled.body.is_paused], ["cancelled", false]);
  const runs = await runsOf(w);
  assertEquals(runs.map((each) => each.end_reason), Array(4).fill("cancelled"));
  const [limits] = await w.parts.store.loadBackfills();
  assertEquals([limits.id, limits.isPaused], [String(id), false]);
});

Deno.test("a backfill is paused, unpaused and cancelled; queued runs of it then fail", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  const { body: { id } } = await post(w, {});
  const put = (verb: string) => w.call("PUT", `/api/v2/backfills/${id}/${verb}`, { body: {} });
  assertEquals((await put("pause")).body.is_paused, true);
  assertEquals((await put("unpause")).body.is_paused, false);
  const cancelled = await put("cancel");
  assertEquals([cancelled.status, cancelled.body.completed_at !== null], [200, true]);
  assertEquals((await runsOf(w)).map((run) => run.end_reason), Array(4).fill("cancelled"));
  assertEquals((await put("pause")).status, 409);
  assertEquals((await w.call("PUT", "/api/v2/backfills/999/pause")).status, 404);
});

Deno.test("a backfill that cannot be is refused with the reason", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  await w.addDag("manual", [{ taskId: "a" }]);
  await w.addDag("often", [{ taskId: "a" }], { schedule: { kind: "interval", everyMs: 10_000 } });
  const cases: [object, string][] = [
    [{ dag_id: "manual" }, "no data intervals"],
    [{ from_date: range.to_date, to_date: range.from_date }, "from_date is after"],
    [{ from_date: "2031-01-01", to_date: "2031-02-01" }, "in the future"],
    [{ from_date: "2030-01-10T01:00:00Z", to_date: "2030-01-10T02:00:00Z" }, "no data interval"],
    [
      { dag_id: "often", from_date: "2026-11-01", to_date: "2030-01-02" },
      "about 10,005,120 dates, more than 100000",
    ],
  ];
  for (const [body, why] of cases) {
    const answer = await post(w, body);
    assertEquals(answer.status, 400, why);
    assertStringIncludes(answer.body.detail, why);
  }
  assertEquals((await post(w, { dag_id: "none" })).status, 404);
});

Deno.test("a backfill of a DAG that depends on the past does not run backwards", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a", dependsOnPast: true }], daily);
  const { status, body } = await post(w, { run_backwards: true });
  assertEquals(status, 400);
  assertStringIncludes(JSON.stringify(body), "run it forwards");
  assertEquals((await post(w, {})).status, 200);
});
