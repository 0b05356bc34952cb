import { assertEquals, assertStringIncludes } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";
import { parserStore } from "../../store/dag.ts";

const daily = {
  schedule: { kind: "cron", cron: "0 6 * * *", timezone: "Europe/Berlin" },
  tags: ["prices", "eod"],
  owner: "desk",
  description: "End of day",
  paramsDefault: { days: 5 },
};

Deno.test("dags list with Airflow's filters and orders", async () => {
  await using w = await apiWorld();
  await w.addDag("alpha", [{ taskId: "a" }], daily);
  await w.addDag("beta", [{ taskId: "a" }], { tags: ["eod"] });
  await w.trigger("beta");
  const ids = async (query: string) =>
    (await w.call("GET", `/api/v2/dags?${query}`)).body.dags
      .map((dag: { dag_id: string }) => dag.dag_id);
  assertEquals(await ids(""), ["alpha", "beta"]);
  assertEquals(await ids("order_by=-dag_id"), ["beta", "alpha"]);
  assertEquals(await ids("tags=prices&tags=eod&tags_match_mode=all"), ["alpha"]);
  assertEquals(await ids("tags=prices&tags=eod"), ["alpha", "beta"]);
  assertEquals(await ids("dag_id_pattern=ALP"), ["alpha"]);
  assertEquals(await ids("dag_id_prefix_pattern=be|zz"), ["beta"]);
  assertEquals(await ids("owners=desk"), ["alpha"]);
  assertEquals(await ids("last_dag_run_state=queued"), ["beta"]);
  assertEquals(await ids("paused=true"), []);
  assertEquals(await ids("limit=1&offset=1"), ["beta"]);
  const { body } = await w.call("GET", "/api/v2/dagTags");
  assertEquals(body.tags, ["eod", "prices"]);
  const stats = (await w.call("GET", "/api/v2/dagStats?dag_ids=beta")).body.dags[0].stats;
  assertEquals(stats.find((s: { state: string }) => s.state === "queued").count, 1);
});

Deno.test("a DAG shows its schedule, its next run, its tasks, its source and its versions", async () => {
  await using w = await apiWorld();
  await w.addDag(
    "d",
    [{ taskId: "a", timeoutMs: 90_000 }, { taskId: "b", upstream: ["a"] }],
    daily,
  );
  const { body } = await w.call("GET", "/api/v2/dags/d/details");
  assertEquals(
    [body.timetable_summary, body.timezone, body.next_dagrun_run_after, body.is_backfillable],
    ["0 6 * * *", "Europe/Berlin", "2030-01-10T05:00:00.000Z", true],
  );
  assertEquals(body.params.days.value, 5);
  const { body: { tasks } } = await w.call("GET", "/api/v2/dags/d/tasks");
  assertEquals(tasks[0].downstream_task_ids, ["b"]);
  assertEquals(tasks[0].execution_timeout, {
    __type: "TimeDelta",
    days: 0,
    seconds: 90,
    microseconds: 0,
  });
  assertEquals((await w.call("GET", "/api/v2/dags/d/tasks/x")).status, 404);
  await w.addDag("d", [{ taskId: "a" }], daily);
  const versions =
    (await w.call("GET", "/api/v2/dags/d/dagVersions?order_by=-version_number")).body;
  assertEquals(
    versions.dag_versions.map((v: { version_number: number }) => v.version_number),
    [2, 1],
  );
  const source = await w.call("GET", "/api/v2/dagSources/d?version_number=1");
  assertStringIncludes(source.body.content, "// d");
  const text = await w.call("GET", "/api/v2/dagSources/d", { headers: { accept: "text/plain" } });
  assertStringIncludes(text.body, "// d");
  assertEquals((await w.call("GET", "/api/v2/dagSources/d?version_number=9")).status, 404);
});

Deno.test("PATCH dag pauses one, PATCH dags those of a list", async () => {
  await using w = await apiWorld();
  for (const id of ["a1", "a2", "b"]) await w.addDag(id, [{ taskId: "a" }]);
  const body = { is_paused: true };
  assertEquals((await w.call("PATCH", "/api/v2/dags/b", { body })).body.is_paused, true);
  assertEquals((await w.call("PATCH", "/api/v2/dags/none", { body })).status, 404);
  const many = await w.call("PATCH", "/api/v2/dags?dag_id_prefix_pattern=a", { body });
  assertEquals(many.body.total_entries, 2);
  assertEquals((await w.call("GET", "/api/v2/dags?paused=true")).body.total_entries, 3);
  const viewer = await w.call("PATCH", "/api/v2/dags/b", { body, token: w.tokens.viewer });
  assertEquals(viewer.status, 403);
});

Deno.test("DELETE dag takes only one whose file is gone", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  assertEquals((await w.call("DELETE", "/api/v2/dags/d")).status, 409);
  await parserStore(w.parts.sql, w.parts.ids).removeFiles(["d.ts"], w.parts.clock.now());
  const stale = await w.call("POST", "/api/v2/dags/d/dagRuns", { body: {} });
  assertEquals([stale.status, stale.body.code], [409, "CONFLICT"]);
  assertStringIncludes((await w.call("DELETE", "/api/v2/dags/d")).body.detail, "unfinished runs");
  await w.moveRun("d", run, "failed");
  assertEquals((await w.call("DELETE", "/api/v2/dags/d")).status, 204);
  assertEquals((await w.call("GET", "/api/v2/dags/d")).status, 404);
});

Deno.test("importErrors show file, line and code frame, and the DAG that still runs says so", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  await parserStore(w.parts.sql, w.parts.ids).record([{
    file: "d.ts",
    fingerprint: null,
    sources: [],
    outcome: {
      kind: "error",
      error: {
        message: "Unexpected token",
        path: "lib/x.ts",
        line: 3,
        column: 7,
        frame: "> 3 | }",
      },
    },
  }], w.parts.clock.now());
  const { body: { import_errors: [error] } } = await w.call("GET", "/api/v2/importErrors");
  assertEquals([error.filename, error.path, error.line, error.frame], [
    "d.ts",
    "lib/x.ts",
    3,
    "> 3 | }",
  ]);
  assertEquals(error.stack_trace, "Unexpected token\n  at lib/x.ts:3:7\n> 3 | }");
  assertEquals((await w.call("GET", "/api/v2/dags/d")).body.has_import_errors, true);
  assertEquals((await w.call("GET", "/api/v2/dags?has_import_errors=false")).body.total_entries, 0);
  const one = await w.call("GET", `/api/v2/importErrors/${error.import_error_id}`);
  assertEquals(one.body.message, "Unexpected token");
});

Deno.test("dagWarnings tell of calendars that end within 90 days, as the DAG goes by them", async () => {
  await using w = await apiWorld();
  const sessions = (calendar: string) => ({
    ...{ kind: "sessions" as const, calendars: [calendar], open: "all" as const },
    ...{ edge: "close" as const, offsetMs: 0, everyMs: null, nth: null },
    interval: "session" as const,
  });
  const rollup = { kind: "rollup" as const, over: "month" as const, sessions: "XBOM" };
  await w.addDag("shanghai", [{ taskId: "a" }], { schedule: sessions("XSHG") });
  await w.addDag("york", [{ taskId: "a" }], { schedule: sessions("XNYS") });
  await w.addDag("both", [{ taskId: "a" }], {
    schedule: { kind: "any", of: [sessions("XSES"), sessions("XNYS")] },
  });
  await w.addDag("months", [{ taskId: "a" }], {
    schedule: { kind: "datasets", datasets: ["x"], anyOf: [["x"]], partition: rollup },
  });
  await w.addDag("daily", [{ taskId: "a" }], daily);
  const warned = async (query: string) => {
    const { body } = await w.call("GET", `/api/v2/dagWarnings?${query}`);
    return body.dag_warnings.map((one: { dag_id: string }) => one.dag_id);
  };
  assertEquals(await warned(""), ["both", "months", "shanghai"]);
  assertEquals(await warned("order_by=-dag_id&limit=1"), ["shanghai"]);
  assertEquals(await warned("dag_id=york"), []);
  const { body } = await w.call("GET", "/api/v2/dagWarnings?dag_id=shanghai");
  assertStringIncludes(
    body.dag_warnings[0].message,
    'The calendar XSHG of DAG "shanghai" ends on 2026-12-31: its schedule makes no runs after that',
  );
});

Deno.test("dagWarnings tell of a DAG that runs after one which is not there", async () => {
  await using w = await apiWorld();
  const after = (dagId: string) => ({
    schedule: {
      ...{ kind: "datasets", datasets: [`run:${dagId}`], anyOf: [[`run:${dagId}`]] },
      partition: { kind: "each" },
      watch: { kind: "run", dagId, states: ["success"] },
    },
  });
  await w.addDag("late", [{ taskId: "a" }], after("ealry"));
  const warned = async (query = "") => {
    const { body } = await w.call("GET", `/api/v2/dagWarnings${query}`);
    return body.dag_warnings.map((one: Record<string, string>) => one.message);
  };
  const message = 'DAG "late" runs after "ealry", and there is no DAG of that id: it has no runs ' +
    "until there is one";
  assertEquals(await warned(), [message]);
  assertEquals(await warned("?warning_type=non-existent%20dag"), [message]);
  assertEquals(await warned("?warning_type=calendar%20ends"), []);
  await w.addDag("ealry", [{ taskId: "a" }]);
  assertEquals(await warned(), []);
  await w.parts.sql`update dag set is_stale = true where dag_id = 'ealry'`;
  assertEquals(await warned(), [message]);
});
