import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";

const daily = { schedule: { kind: "cron", cron: "0 0 * * *", timezone: "UTC" } };
const params = {
  paramsSchema: {
    type: "object",
    properties: { symbol: { type: "string" }, days: { type: "integer", minimum: 1 } },
    required: ["symbol", "days"],
    additionalProperties: false,
  },
  paramsDefault: { days: 5 },
};

Deno.test("POST dagRuns starts a run with Airflow's fields, and the list shows it", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const { status, body } = await w.call("POST", "/api/v2/dags/d/dagRuns", {
    body: { dag_run_id: "mine", note: "why", conf: { x: 1 }, logical_date: null },
    token: w.tokens.user,
  });
  assertEquals(status, 200);
  assertEquals(
    [body.dag_run_id, body.state, body.run_type, body.triggered_by, body.triggering_user_name],
    ["mine", "queued", "manual", "rest_api", "user"],
  );
  assertEquals([body.note, body.conf, body.logical_date], ["why", { x: 1 }, null]);
  const list = await w.call("GET", "/api/v2/dags/~/dagRuns?state=queued&state=running&limit=1");
  assertEquals([list.body.total_entries, list.body.dag_runs[0].dag_run_id], [1, "mine"]);
});

Deno.test("POST dagRuns gives a logical date the data interval that its schedule has there", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], daily);
  const { body } = await w.call("POST", "/api/v2/dags/d/dagRuns", {
    body: { logical_date: "2030-01-05T00:00:00+00:00" },
  });
  assertEquals(
    [body.dag_run_id, body.data_interval_start, body.data_interval_end],
    ["manual__2030-01-05T00:00:00.000Z", "2030-01-05T00:00:00.000Z", "2030-01-06T00:00:00.000Z"],
  );
  const again = await w.call("POST", "/api/v2/dags/d/dagRuns", {
    body: { logical_date: "2030-01-05T00:00:00Z", dag_run_id: "other" },
  });
  assertEquals([again.status, again.body.code], [409, "CONFLICT"]);
});

Deno.test("POST dagRuns refuses a conf that does not fit the DAG's params, naming each place", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], params);
  const { status, body } = await w.call("POST", "/api/v2/dags/d/dagRuns", {
    body: { conf: { symbol: "IBM", days: 0, extra: true } },
  });
  assertEquals([status, body.code], [400, "INVALID"]);
  assertStringIncludes(body.detail, "conf.days must be >= 1");
  assertStringIncludes(body.detail, "conf.extra is not a param of the DAG");
  assertEquals(
    (await w.call("POST", "/api/v2/dags/d/dagRuns", {
      body: { conf: { symbol: "IBM" } },
    })).status,
    200,
  );
});

Deno.test("POST dagRuns refuses unknown DAGs, bad ids, half an interval and a NUL", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const post = (path: string, body: unknown) => w.call("POST", path, { body });
  assertEquals((await post("/api/v2/dags/none/dagRuns", {})).status, 404);
  for (
    const body of [
      { dag_run_id: "a/b" },
      { dag_run_id: "a..b" },
      { data_interval_start: "2030-01-01T00:00:00Z" },
      { logical_date: "yesterday" },
      { logical_date: "0000-01-01T00:00:00Z" },
      { conf: [] },
      { conf: { a: "\0" } },
      { surprise: 1 },
    ]
  ) assertEquals((await post("/api/v2/dags/d/dagRuns", body)).status, 422, JSON.stringify(body));
});

Deno.test("PATCH dagRun with state failed cancels it; Airflow sees failed, we see why", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b", upstream: ["a"] }]);
  const run = await w.trigger("d");
  const path = `/api/v2/dags/d/dagRuns/${run}`;
  await w.start("d", run, ["a"]);
  const { body } = await w.call("PATCH", path, { body: { state: "failed", note: "stop" } });
  assertEquals([body.end_reason, body.note], ["cancelled", "stop"]);
  const { body: { task_instances } } = await w.call("GET", `${path}/taskInstances`);
  assertEquals(
    task_instances.map((t: Record<string, string>) => [t.task_id, t.state, t.internal_state]),
    [["a", "running", "cancelling"], ["b", "failed", "cancelled"]],
  );
});

Deno.test("PATCH state success makes successes of a run's tasks; the scheduler then ends it", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "skips" }, { taskId: "down", isTeardown: true }]);
  const run = await w.trigger("d");
  const [a, skips] = await w.start("d", run, ["a", "skips"]);
  await w.end(a, { outcome: null, endReason: "task_error" });
  await w.end(skips, { outcome: { kind: "skip", reason: "none" }, endReason: "skipped" });
  const path = `/api/v2/dags/d/dagRuns/${run}`;
  const { body } = await w.call("PATCH", path, { body: { state: "success" } });
  assertEquals(body.state, "queued");
  const { body: { task_instances } } = await w.call("GET", `${path}/taskInstances`);
  assertEquals(
    task_instances.map((t: Record<string, string>) => [t.task_id, t.state, t.note]),
    [["a", "success", "Set to success by admin"], ["down", null, null], ["skips", "skipped", null]],
  );
});

Deno.test("POST clear says what it would run again, and does it when told to", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  await w.end(work);
  await w.moveRun("d", run, "running");
  await w.moveRun("d", run, "success");
  const path = `/api/v2/dags/d/dagRuns/${run}`;
  const dry = await w.call("POST", `${path}/clear`, { body: {} });
  assertEquals(dry.body.task_instances.map((t: { task_id: string }) => t.task_id), ["a"]);
  assertEquals((await w.call("GET", path)).body.state, "success");
  const done = await w.call("POST", `${path}/clear`, { body: { dry_run: false } });
  assertEquals([done.body.state, done.body.dag_run_id], ["queued", run]);
});

Deno.test("POST clear on the latest version adds the tasks that are new in it", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  await w.addDag("d", [{ taskId: "a" }, { taskId: "fresh" }]);
  const path = `/api/v2/dags/d/dagRuns/${run}`;
  const dry = await w.call("POST", `${path}/clear`, { body: { only_new: true } });
  assertEquals(dry.body.task_instances, [{ task_id: "fresh", task_display_name: "fresh" }]);
  await w.call("POST", `${path}/clear`, { body: { only_new: true, dry_run: false } });
  const { body } = await w.call("GET", `${path}/taskInstances?order_by=task_id`);
  assertEquals(body.task_instances.map((t: { task_id: string }) => t.task_id), ["a", "fresh"]);
  assertEquals((await w.call("GET", path)).body.dag_versions[0].version_number, 2);
});

Deno.test("DELETE dagRun removes a finished run and refuses one that is not", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const path = `/api/v2/dags/d/dagRuns/${run}`;
  assertEquals((await w.call("DELETE", path)).status, 409);
  await w.moveRun("d", run, "running");
  await w.moveRun("d", run, "failed");
  assertEquals((await w.call("DELETE", path, { token: w.tokens.user })).status, 403);
  assertEquals((await w.call("DELETE", path)).status, 204);
  assertEquals((await w.call("GET", path)).status, 404);
});

Deno.test("PATCH dagRuns sets states of many runs and deletes them, each by itself", async () => {
  await using w = await apiWorld();
  for (const dag of ["d", "e"]) await w.addDag(dag, [{ taskId: "a" }]);
  for (const dag_run_id of ["r1", "r2", "r3"]) await w.trigger("d", { dag_run_id });
  await w.trigger("e", { dag_run_id: "r1" });
  const bulk = (dag: string, actions: object[], token = w.tokens.admin) =>
    w.call("PATCH", `/api/v2/dags/${dag}/dagRuns`, { body: { actions }, token });
  const { body } = await bulk("d", [{
    action: "update",
    entities: [
      { dag_run_id: "r1", state: "failed", note: "enough" },
      { dag_run_id: "gone", state: "failed" },
      { dag_run_id: "r2", note: "look" },
      { dag_run_id: "r1", dag_id: "e", state: "failed" },
    ],
  }]);
  assertEquals([body.create, body.update.success, body.delete], [null, ["d.r1", "d.r2"], null]);
  assertEquals(
    body.update.errors.map((each: { status_code: number }) => each.status_code),
    [404, 400],
  );
  const { body: { dag_runs } } = await w.call("GET", "/api/v2/dags/d/dagRuns?order_by=run_id");
  assertEquals(
    dag_runs.map((run: Record<string, unknown>) => [run.end_reason, run.note]),
    [["cancelled", "enough"], [null, "look"], [null, null]],
  );

  await w.moveRun("d", "r1", "failed");
  const removal = {
    action: "delete",
    action_on_non_existence: "skip",
    entities: [{ dag_run_id: "r1", dag_id: "d" }, { dag_run_id: "r3", dag_id: "d" }, {
      dag_run_id: "gone",
      dag_id: "d",
    }, "r1"],
  };
  assertEquals((await bulk("~", [removal], w.tokens.user)).status, 403);
  const { body: gone } = await bulk("~", [removal]);
  assertEquals([gone.update, gone.delete.success], [null, ["d.r1"]]);
  assertEquals(
    gone.delete.errors.map((each: { status_code: number }) => each.status_code),
    [409, 400],
  );
  assertEquals((await bulk("d", [{ action: "create", entities: [] }])).status, 422);
});

Deno.test("GET wait answers at the run's end: one object as JSON, a line a change as NDJSON", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const path = `/api/v2/dags/d/dagRuns/${run}/wait?interval=1&result=a`;
  const [work] = await w.start("d", run, ["a"]);
  await w.end(work, { outcome: { kind: "done", output: 7 } });
  await w.moveRun("d", run, "running");

  const headers = { accept: "application/x-ndjson" };
  const stream = w.call("GET", path, { headers });
  const single = w.call("GET", path, { headers: { accept: "application/json" } });
  await w.moveRun("d", run, "success");
  w.parts.hints.publish({ topic: "runs", ids: [] });
  const lines = (await stream).body.trim().split("\n").map((line: string) => JSON.parse(line));

  assertEquals(lines.at(-1).state, "success");
  assertEquals(lines.at(-1).results, { a: 7 });
  assertEquals((await single).body.state, "success");
});

Deno.test("POST dagRuns/list filters by its body", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  await w.addDag("e", [{ taskId: "a" }]);
  for (const dag of ["d", "e"]) await w.trigger(dag);
  const { body } = await w.call("POST", "/api/v2/dags/~/dagRuns/list", {
    body: { dag_ids: ["e"], states: ["queued"], order_by: "-run_after" },
  });
  assertEquals(body.dag_runs.map((run: { dag_id: string }) => run.dag_id), ["e"]);
  const bad = await w.call("POST", "/api/v2/dags/~/dagRuns/list", { body: { order_by: "x" } });
  assertEquals(bad.status, 400);
});

Deno.test("each change is in the audit log with who did it", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  await w.call("PATCH", `/api/v2/dags/d/dagRuns/${run}`, {
    body: { state: "failed" },
    token: w.tokens.user,
  });
  const { body } = await w.call("GET", "/api/v2/eventLogs?order_by=id");
  assertEquals(
    body.event_logs.map((e: Record<string, string>) => [e.event, e.owner, e.dag_id, e.run_id]),
    [["dag_run.trigger", "admin", "d", null], ["dag_run.patch", "user", "d", run]],
  );
  assert((await w.call("GET", "/api/v2/eventLogs", { token: w.tokens.op })).status === 403);
});
