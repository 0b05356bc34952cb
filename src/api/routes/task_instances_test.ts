import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { limits } from "../../base/limits.ts";
import type { Workload } from "../../contract/execution.ts";

const chain = [
  { taskId: "a" },
  { taskId: "b", upstream: ["a"] },
  { taskId: "c", upstream: ["b"] },
];
const failed = { outcome: null, endReason: "task_error", evidence: { message: "no luck" } };
const names = (body: { task_instances: { task_id: string }[] }) =>
  body.task_instances.map((t) => t.task_id).toSorted();

async function log(w: ApiWorld, work: Workload, from: number, messages: string[]) {
  const lines = messages.map((message) => ({
    at: w.parts.clock.now().toISOString(),
    level: "INFO",
    from: "task",
    message,
  }));
  await w.call("POST", `/execution/task-instances/${work.attemptId}/log`, {
    token: work.token,
    body: { from, lines },
  });
}

Deno.test("taskInstances filter by Airflow's states, none and cancelled among them", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  const list = async (query: string) =>
    names((await w.call("GET", `/api/v2/dags/d/dagRuns/${run}/taskInstances?${query}`)).body);
  assertEquals(await list("state=none"), ["a", "b", "c"]);
  await w.call("PATCH", `/api/v2/dags/d/dagRuns/${run}`, { body: { state: "failed" } });
  assertEquals(await list("state=failed"), ["a", "b", "c"]);
  assertEquals(await list("state=running&state=queued"), []);
  assertEquals(await list("task_display_name_pattern=B"), ["b"]);
  const all = await w.call("GET", "/api/v2/dags/~/dagRuns/~/taskInstances?limit=2");
  assertEquals([all.body.total_entries, all.body.task_instances.length], [3, 2]);
  const one = (await w.call("GET", `/api/v2/dags/d/dagRuns/${run}/taskInstances/b`)).body;
  assertEquals([one.operator, one.pool, one.dag_version.version_number], [
    "task",
    "default_pool",
    1,
  ]);
  const wrong = await w.call("GET", `/api/v2/dags/d/dagRuns/${run}/taskInstances/x`);
  assertEquals([wrong.status, wrong.body.code], [404, "NOT_FOUND"]);
});

Deno.test("tries and attempts say how each ended", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a", retry: { retries: 1, delayMs: 0 } }]);
  const run = await w.trigger("d");
  const [first] = await w.start("d", run, ["a"]);
  await w.end(first, failed);
  const [second] = await w.start("d", run, ["a"]);
  await w.end(second, { rssBytesMax: 5, cpuMs: 1.5 });
  const base = `/api/v2/dags/d/dagRuns/${run}`;
  const { body } = await w.call("GET", `${base}/taskInstances/a/tries`);
  assertEquals(
    body.task_instances.map((t: Record<string, unknown>) => [t.try_number, t.state, t.end_reason]),
    [[1, "failed", "task_error"], [2, "success", "success"]],
  );
  const one = await w.call("GET", `${base}/taskInstances/a/-1/tries/1`);
  assertEquals(one.body.attempt_id, first.attemptId);
  assertEquals((await w.call("GET", `${base}/taskInstances/a/tries/9`)).status, 404);
  const attempts = (await w.call("GET", `${base}/attempts`)).body.attempts;
  assertEquals(attempts[0].evidence, { message: "no luck" });
  assertEquals([attempts[1].rss_bytes_max, attempts[1].cpu_ms], [5, 1.5]);
});

Deno.test("xcomEntries give outputs, also those in object storage", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  const [a, b] = await w.start("d", run, ["a", "b"]);
  await w.end(a, { outcome: { kind: "done", output: { n: 1 } } });
  await w.parts.objects.put("attempts/x/out.json", new TextEncoder().encode('["big"]'));
  await w.end(b, { outcome: { kind: "done" }, outputKey: "attempts/x/out.json", outputLength: 1 });
  const base = `/api/v2/dags/d/dagRuns/${run}/taskInstances`;
  const value = async (task: string, query = "") =>
    (await w.call("GET", `${base}/${task}/xcomEntries/return_value${query}`)).body.value;
  assertEquals(await value("a"), { n: 1 });
  assertEquals(await value("a", "?stringify=true"), '{"n":1}');
  assertEquals(await value("b"), ["big"]);
  assertEquals((await w.call("GET", `${base}/c/xcomEntries/return_value`)).status, 404);
  const all = await w.call("GET", `/api/v2/dags/d/dagRuns/~/taskInstances/~/xcomEntries`);
  assertEquals(all.body.total_entries, 2);
});

Deno.test("logs are there from the first line, in pieces, whole, as NDJSON and as text", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  const [a] = await w.start("d", run, ["a"]);
  const path = `/api/v2/dags/d/dagRuns/${run}/taskInstances/a/logs/1`;
  await log(w, a, 0, ["one", "two"]);
  const first = (await w.call("GET", path)).body;
  assertEquals(first.content.map((l: { event: string }) => l.event), ["one", "two"]);
  assertEquals(first.content[0].level, "info");
  await log(w, a, 2, ["three"]);
  const next = (await w.call("GET", `${path}?token=${first.continuation_token}`)).body;
  assertEquals(next.content.map((l: { event: string }) => l.event), ["three"]);
  await w.end(a);
  await w.parts.logs.settle();
  const whole = (await w.call("GET", `${path}?full_content=true`)).body;
  assertEquals([whole.content.length, whole.continuation_token], [3, null]);
  const ndjson = await w.call("GET", path, { headers: { accept: "application/x-ndjson" } });
  assertEquals(ndjson.body.trim().split("\n").length, 3);
  const text = await w.call("GET", path, { headers: { accept: "text/plain" } });
  assertStringIncludes(text.body, "INFO  three\n");
  assertEquals((await w.call("GET", path.replace("/1", "/7"))).status, 404);
});

Deno.test("a followed log goes on until the try is over", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  const [a] = await w.start("d", run, ["a"]);
  await log(w, a, 0, ["one"]);
  const follow = w.call(
    "GET",
    `/api/v2/dags/d/dagRuns/${run}/taskInstances/a/logs/1?follow=true`,
    { headers: { accept: "text/plain" } },
  );
  await log(w, a, 1, ["two"]);
  await w.end(a);
  assertStringIncludes((await follow).body, "two");
});

Deno.test("whoever follows a log or waits for a run is let go when the API stops", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  const [a] = await w.start("d", run, ["a"]);
  await log(w, a, 0, ["one"]);
  const base = `/api/v2/dags/d/dagRuns/${run}`;
  const follow = w.call("GET", `${base}/taskInstances/a/logs/1?follow=true`, {
    headers: { accept: "text/plain" },
  });
  const wait = w.call("GET", `${base}/wait`);
  await w.call("GET", base);
  await w.api.stop();
  assertStringIncludes((await follow).body, "one");
  assertEquals((await wait).body.state, "queued");
});

Deno.test("a log without lines says why: nobody took the task, or how it ended", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  await w.queue("d", run, ["a"]);
  const path = `/api/v2/dags/d/dagRuns/${run}/taskInstances/a/logs/1`;
  assertEquals((await w.call("GET", path)).body.content, []);
  w.parts.clock.advance(limits.queuedWarnMs);
  const [note] = (await w.call("GET", path)).body.content;
  assertStringIncludes(note.event, 'no worker took it from the queue "default"');
  const [a] = await w.start("d", run, []);
  await w.end(a, failed);
  const [end] = (await w.call("GET", path)).body.content;
  assertEquals(end.event, "Ended: task_error: no luck");
});

Deno.test("clearTaskInstances takes tasks with what is above and below them, by default failed ones", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [...chain, { taskId: "lone" }]);
  const run = await w.trigger("d");
  const works = await w.start("d", run, ["a", "b", "lone"]);
  for (const work of works) await w.end(work, work.task.taskId === "b" ? failed : {});
  const clear = async (body: object) =>
    await w.call("POST", "/api/v2/dags/d/clearTaskInstances", {
      body: { dag_run_id: run, ...body },
    });
  const which = async (body: object) => names((await clear({ only_failed: false, ...body })).body);
  assertEquals(names((await clear({})).body), ["b"]);
  assertEquals(await which({ task_ids: ["b"] }), ["b"]);
  assertEquals(await which({ task_ids: ["b"], include_downstream: true }), ["b", "c"]);
  assertEquals(await which({ task_ids: ["b"], include_upstream: true }), ["a", "b"]);
  assertEquals(await which({ task_ids: [["b", 0]] }), []);
  assertEquals(await which({}), ["a", "b", "c", "lone"]);
  const done = await clear({
    task_ids: ["b"],
    include_downstream: true,
    dry_run: false,
    note: "x",
  });
  assertEquals(done.status, 200);
  const { body: b } = await w.call("GET", `/api/v2/dags/d/dagRuns/${run}/taskInstances/b`);
  assertEquals([b.state, b.try_number, b.note], [null, 1, "x"]);
  const { body: a } = await w.call("GET", `/api/v2/dags/d/dagRuns/${run}/taskInstances/a`);
  assertEquals(a.state, "success");
});

Deno.test("clearTaskInstances reaches over runs by date, and refuses running tasks when told to", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const dates = ["01", "02", "03"].map((day) => `2030-01-${day}T00:00:00Z`);
  for (const logical_date of dates) await w.trigger("d", { logical_date });
  const clear = async (body: object) =>
    (await w.call("POST", "/api/v2/dags/d/clearTaskInstances", {
      body: { only_failed: false, task_ids: ["a"], ...body },
    })).body;
  const runs = (body: { task_instances: { logical_date: string }[] }) =>
    body.task_instances.map((t) => t.logical_date.slice(8, 10)).toSorted();
  assertEquals(runs(await clear({ start_date: dates[1] })), ["02", "03"]);
  const middle = "manual__2030-01-02T00:00:00.000Z";
  assertEquals(runs(await clear({ dag_run_id: middle, include_past: true })), ["01", "02"]);
  assertEquals(runs(await clear({ dag_run_id: middle, include_future: true })), ["02", "03"]);
  await w.start("d", middle, ["a"]);
  const refused = await clear({
    dag_run_id: middle,
    dry_run: false,
    prevent_running_task: true,
  });
  assertEquals(refused.code, "CONFLICT");
});
