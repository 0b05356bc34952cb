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
  assertEquals((await post(w, {})).status, 409);
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

Deno.test("a backfill can go backwards: its newest date is due first", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  await post(w, { run_backwards: true });
  assertEquals(
    (await runsOf(w)).map((run) => (run.logical_date as string).slice(8, 10)),
    ["08", "07", "06", "05"],
  );
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

Deno.test("a backfill whose making was cut short goes on by itself", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  const { body: { id } } = await post(w, {});
  const [lost] = await runsOf(w);
  await w.parts.sql`
    update backfill_dag_run set dag_run_id = null where dag_run_id = ${lost.id as string}`;
  await w.parts.sql`delete from dag_run where id = ${lost.id as string}`;
  w.parts.clock.advance(30_000);
  while ((await runsOf(w)).length < 4) await w.parts.sql`select 1`;
  assertEquals((await w.call("GET", `/api/v2/backfills/${id}`)).body.runs.queued, 4);
});

Deno.test("a backfill that cannot be is refused with the reason", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  await w.addDag("manual", [{ taskId: "a" }]);
  const cases: [object, string][] = [
    [{ dag_id: "manual" }, "no data intervals"],
    [{ from_date: range.to_date, to_date: range.from_date }, "from_date is after"],
    [{ from_date: "2031-01-01", to_date: "2031-02-01" }, "in the future"],
    [{ from_date: "2030-01-10T01:00:00Z", to_date: "2030-01-10T02:00:00Z" }, "no data interval"],
    [{ from_date: "1900-01-01" }, "more than 10000 dates"],
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
