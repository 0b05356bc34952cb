import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";

const chain = [
  { taskId: "a" },
  { taskId: "b", upstream: ["a"], inputs: { x: { kind: "task", taskId: "a" } } },
  { taskId: "c", upstream: ["b"] },
];
const failed = { outcome: null, endReason: "task_error", evidence: { message: "no luck" } };
type Listed = { task_instances: { task_id: string; state: string; note: string | null }[] };
const names = (body: Listed) => body.task_instances.map((t) => t.task_id);

/** A run of the chain whose `a` failed, with what follows from that. */
async function failedRun(w: ApiWorld) {
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  const [a] = await w.start("d", run, ["a"]);
  await w.end(a, failed);
  const { body: { id } } = await w.call("GET", `/api/v2/dags/d/dagRuns/${run}`);
  await w.parts.sql`
    update task_instance set state = 'upstream_failed', end_date = ${w.parts.clock.now()}
    where dag_run_id = ${id} and task_id in ('b', 'c')`;
  await w.moveRun("d", run, "running");
  await w.moveRun("d", run, "failed");
  const path = `/api/v2/dags/d/dagRuns/${run}`;
  const states = async () => {
    const { body } = await w.call("GET", `${path}/taskInstances?order_by=task_id`);
    return (body as Listed).task_instances.map((t) => t.state);
  };
  return { run, path, states };
}

Deno.test("PATCH taskInstance sets a state, says so in its note and runs what failed below again", async () => {
  await using w = await apiWorld();
  const { path, states } = await failedRun(w);
  const body = { new_state: "success", note: "checked with the vendor" };
  const dry = await w.call("PATCH", `${path}/taskInstances/a/dry_run`, { body });
  assertEquals([dry.status, names(dry.body)], [200, ["a"]]);
  assertEquals(await states(), ["failed", "upstream_failed", "upstream_failed"]);
  const viewer = { body, token: w.tokens.viewer };
  assertEquals((await w.call("PATCH", `${path}/taskInstances/a`, viewer)).status, 403);

  const { body: { task_instances: [a] } } = await w.call("PATCH", `${path}/taskInstances/a`, {
    body,
    token: w.tokens.user,
  });
  assertEquals([a.state, a.note], ["success", "Set to success by user: checked with the vendor"]);
  assertEquals(await states(), ["success", null, null]);
  assertEquals((await w.call("GET", path)).body.state, "queued");
  const { body: log } = await w.call("GET", "/api/v2/eventLogs?event=task_instance.patch");
  const { owner, task_id, extra } = log.event_logs[0];
  assertEquals([owner, task_id, JSON.parse(extra).new_state], ["user", "a", "success"]);
  const again = await w.call("PATCH", `${path}/taskInstances/a/dry_run`, { body });
  assertEquals(names(again.body), []);
});

Deno.test("PATCH taskInstance reaches up, down and over runs, and may write a note alone", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const dates = ["01", "02", "03"].map((day) => `2030-01-${day}T00:00:00Z`);
  for (const logical_date of dates) await w.trigger("d", { logical_date });
  const path = "/api/v2/dags/d/dagRuns/manual__2030-01-02T00:00:00.000Z/taskInstances/b";
  const which = async (body: object) => {
    const answer = await w.call("PATCH", `${path}/dry_run`, {
      body: { new_state: "skipped", ...body },
    });
    return answer.body.task_instances.map(
      (t: { task_id: string; logical_date: string }) => t.task_id + t.logical_date.slice(8, 10),
    ).join(" ");
  };
  assertEquals(await which({}), "b02");
  assertEquals(await which({ include_upstream: true }), "a02 b02");
  assertEquals(await which({ include_downstream: true, include_past: true }), "b01 c01 b02 c02");
  assertEquals(await which({ include_future: true }), "b02 b03");
  const noted = await w.call("PATCH", path, { body: { note: "look here" } });
  assertEquals(noted.body.task_instances[0].note, "look here");
  assertEquals(noted.body.task_instances[0].state, null);
  const masked = await w.call("PATCH", `${path}?update_mask=note`, {
    body: { new_state: "failed", note: "only this" },
  });
  assertEquals(
    [masked.body.task_instances[0].state, masked.body.task_instances[0].note],
    [null, "only this"],
  );
  assertEquals((await w.call("PATCH", path.replace("/b", "/x"), { body: {} })).status, 404);
  const wrong = await w.call("PATCH", path, { body: { new_state: "running" } });
  assertEquals(wrong.status, 422);
});

Deno.test("PATCH taskInstance kills what runs before it has its state, and may ask for none that does", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  const [a] = await w.start("d", run, ["a"]);
  const path = `/api/v2/dags/d/dagRuns/${run}/taskInstances`;
  const refused = await w.call("PATCH", `${path}/a`, {
    body: { new_state: "skipped", only_waiting: true },
  });
  assertStringIncludes(refused.body.detail, 'Cannot skip task "a"');
  const { body } = await w.call("PATCH", `${path}/a`, { body: { new_state: "skipped" } });
  assertEquals(body.task_instances[0].internal_state, "cancelling");
  await w.end(a, { outcome: null, endReason: "cancelled" });
  const { body: ended } = await w.call("GET", `${path}/a`);
  assertEquals([ended.state, ended.end_reason], ["skipped", "set_by_hand"]);
  const waiting = await w.call("PATCH", `${path}/b`, {
    body: { new_state: "skipped", only_waiting: true },
  });
  assertEquals(waiting.body.task_instances[0].state, "skipped");
});

Deno.test("PATCH taskInstances changes many, and says of each what went wrong", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const [one, two] = [await w.trigger("d"), await w.trigger("d", { dag_run_id: "two" })];
  const bulk = (entities: object[], more = {}) =>
    w.call("PATCH", "/api/v2/dags/d/dagRuns/~/taskInstances", {
      body: { actions: [{ action: "update", entities, ...more }] },
    });
  const { body } = await bulk([
    { dag_run_id: one, task_id: "a", new_state: "success" },
    { dag_run_id: two, task_id: "a", map_index: -1, new_state: "failed" },
    { dag_run_id: two, task_id: "x", new_state: "failed" },
    { task_id: "a", new_state: "failed" },
  ]);
  assertEquals(body.update.success, [`d.${one}.a[-1]`, "d.two.a[-1]"]);
  assertEquals(
    body.update.errors.map((error: { status_code: number }) => error.status_code),
    [404, 400],
  );
  const skipping = await bulk([{ dag_run_id: two, task_id: "x", new_state: "failed" }], {
    action_on_non_existence: "skip",
  });
  assertEquals(skipping.body.update, { success: [], errors: [] });
  const removing = await w.call("PATCH", "/api/v2/dags/d/dagRuns/~/taskInstances", {
    body: { actions: [{ action: "delete", entities: [] }] },
  });
  assertEquals(removing.status, 422);
});

Deno.test("clearTaskInstances starts a task whatever comes before it, where its inputs are stored", async () => {
  await using w = await apiWorld();
  const { run, path, states } = await failedRun(w);
  const clear = (task: string) =>
    w.call("POST", "/api/v2/dags/d/clearTaskInstances", {
      body: { dag_run_id: run, task_ids: [task], ignore_dependencies: true, dry_run: false },
    });
  assertStringIncludes(
    (await clear("b")).body.detail,
    `Cannot run task "b" of run "${run}" alone: it is given the output of "a", which is failed`,
  );
  assertEquals((await clear("c")).status, 200);
  assertEquals(await states(), ["failed", "upstream_failed", null]);
  const { body: { id } } = await w.call("GET", path);
  const [{ tasks }] = await w.parts.store.loadRuns([id]);
  assertEquals(tasks.filter((task) => task.isForced).map((task) => task.taskId), ["c"]);
});

Deno.test("clearTaskInstances names a task that the DAG does not have, instead of clearing nothing", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b" }]);
  const run = await w.trigger("d");
  const body = { dag_run_id: run, dry_run: true, task_ids: ["a", "nope"] };
  const answer = await w.call("POST", "/api/v2/dags/d/clearTaskInstances", { body });
  assertEquals(answer.status, 404);
  assertEquals(
    answer.body.detail,
    'Cannot clear task "nope" of DAG "d": it has no such task, but a, b',
  );
});

Deno.test("clearTaskInstances refuses what contradicts itself", async () => {
  await using w = await apiWorld();
  const { run } = await failedRun(w);
  const status = async (body: object) =>
    (await w.call("POST", "/api/v2/dags/d/clearTaskInstances", { body })).status;
  assertEquals(await status({ only_failed: true, only_running: true }), 422);
  assertEquals(await status({ only_running: true }), 200);
  assertEquals(await status({ start_date: "2030-01-02", end_date: "2030-01-01" }), 422);
  assertEquals(await status({ task_ids: [] }), 422);
  assertEquals(await status({ include_past: true }), 400);
  assertEquals(await status({ ignore_dependencies: true }), 422);
  assertEquals(await status({ dag_run_id: run, reset_dag_runs: false, dry_run: false }), 400);
});

Deno.test("a clear of only what failed also runs the setups that it needs, and their teardowns", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [
    { taskId: "open", isSetup: true },
    { taskId: "load", upstream: ["open"] },
    { taskId: "check", upstream: ["open", "load"] },
    { taskId: "close", upstream: ["open", "load", "check"], isTeardown: true },
    { taskId: "other", isSetup: true },
    { taskId: "apart", upstream: ["other"] },
  ]);
  const run = await w.trigger("d");
  const { body: { id } } = await w.call("GET", `/api/v2/dags/d/dagRuns/${run}`);
  await w.parts.sql`
    update task_instance set end_date = ${w.parts.clock.now()},
      state = case task_id when 'load' then 'failed' when 'check' then 'upstream_failed'
        else 'success' end
    where dag_run_id = ${id}`;
  await w.moveRun("d", run, "running");
  await w.moveRun("d", run, "failed");
  const would = async (body: object) => {
    const { body: found } = await w.call("POST", "/api/v2/dags/d/clearTaskInstances", {
      body: { dag_run_id: run, dry_run: true, only_failed: true, ...body },
    });
    return names(found).sort();
  };
  assertEquals(await would({}), ["check", "close", "load", "open"]);
  assertEquals(await would({ task_ids: ["apart"] }), []);
  const path = `/api/v2/dags/d/dagRuns/${run}`;
  const whole = await w.call("POST", `${path}/clear`, { body: { only_failed: true } });
  assertEquals(names(whole.body).sort(), ["check", "close", "load", "open"]);

  await w.call("PATCH", `${path}/taskInstances/load`, { body: { new_state: "success" } });
  const { body } = await w.call("GET", `${path}/taskInstances?order_by=task_id`);
  assertEquals(
    (body as Listed).task_instances.filter((t) => t.state === null).map((t) => t.task_id),
    ["check", "close", "open"],
  );
});

Deno.test("a re-run as it was is refused on another version of the product, unless forced", async () => {
  await using w = await apiWorld();
  const { run, path } = await failedRun(w);
  await w.parts.sql`update dag_run set product_version = '1.2.2'`;
  assertEquals((await w.call("GET", path)).body.product_version, "1.2.2");
  const clear = (body: object) =>
    w.call("POST", "/api/v2/dags/d/clearTaskInstances", {
      body: { dag_run_id: run, dry_run: false, ...body },
    });
  const refused = await clear({});
  assertEquals(refused.status, 409);
  assertStringIncludes(
    refused.body.detail,
    "it ran on Tidewheel 1.2.2, and this is Tidewheel 1.2.3",
  );
  assertEquals((await w.call("POST", `${path}/clear`, { body: { dry_run: false } })).status, 409);
  const patch = (body: object) => w.call("PATCH", path, { body: { state: "queued", ...body } });
  assertEquals((await patch({})).status, 409);
  assertEquals((await w.call("GET", path)).body.state, "failed");
  assertEquals((await clear({ run_on_latest_version: true })).status, 200);
  assertEquals((await clear({ only_failed: false, force: true })).status, 200);
  assertEquals((await patch({ force: true })).body.state, "queued");
});

Deno.test("rerunWithLatestVersion of a DAG decides where a request does not say", async () => {
  await using w = await apiWorld();
  const daily = { schedule: { kind: "cron", cron: "0 0 * * *", timezone: "UTC" } };
  const rerun = (id: string, tasks: string[], rerunWithLatestVersion: boolean) =>
    w.addDag(id, tasks.map((taskId) => ({ taskId })), { ...daily, rerunWithLatestVersion });
  const version = async (id: string, run: string) =>
    (await w.call("GET", `/api/v2/dags/${id}/dagRuns/${run}`)).body.dag_versions[0].version_number;
  for (const [id, isLatest] of [["new", true], ["same", false]] as const) {
    await rerun(id, ["a"], isLatest);
    const logical_date = "2030-01-05T00:00:00Z";
    const runs = [
      await w.trigger(id),
      await w.trigger(id),
      await w.trigger(id),
      await w.trigger(id, { logical_date }),
    ];
    for (const run of runs) {
      await w.moveRun(id, run, "running");
      await w.moveRun(id, run, "failed");
    }
    await rerun(id, ["a", "b"], isLatest);
    const tasks = { dag_run_id: runs[0], dry_run: false, only_failed: false };
    await w.call("POST", `/api/v2/dags/${id}/clearTaskInstances`, { body: tasks });
    const whole = { dry_run: false };
    await w.call("POST", `/api/v2/dags/${id}/dagRuns/${runs[1]}/clear`, { body: whole });
    const filter = { dag_ids: [id], run_id_pattern: runs[2] };
    await w.call("POST", "/api/v2/bulk", { body: { action: "clear", filter } });
    await w.call("POST", "/api/v2/backfills", {
      body: {
        dag_id: id,
        from_date: logical_date,
        to_date: logical_date,
        reprocess_behavior: "failed",
      },
    });
    const found = await Promise.all(runs.map((run) => version(id, run)));
    assertEquals(found, Array(4).fill(isLatest ? 2 : 1), id);
  }
  const [run] = await Promise.all([w.trigger("new")]);
  await w.moveRun("new", run, "running");
  await w.moveRun("new", run, "failed");
  await rerun("new", ["a", "b", "c"], true);
  const body = { dry_run: false, run_on_latest_version: false };
  await w.call("POST", `/api/v2/dags/new/dagRuns/${run}/clear`, { body });
  assertEquals(await version("new", run), 2);
});

Deno.test("a queued run keeps its version when the DAG gets a new one", async () => {
  await using w = await apiWorld();
  await w.addDag("d", chain);
  const run = await w.trigger("d");
  await w.addDag("d", [...chain, { taskId: "new" }]);
  const { body } = await w.call("GET", `/api/v2/dags/d/dagRuns/${run}`);
  assertEquals(body.dag_versions[0].version_number, 1);
  const [work] = await w.start("d", run, ["a"]);
  assertEquals(work.bundle.hash, body.bundle_version);
});
