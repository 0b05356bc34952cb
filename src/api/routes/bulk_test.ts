import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { workBulk } from "../../store/bulk_work.ts";

const post = (w: ApiWorld, body: object) => w.call("POST", "/api/v2/bulk", { body });
const runsOf = async (w: ApiWorld, query = "") => {
  const { body } = await w.call("GET", `/api/v2/dags/~/dagRuns?limit=1000${query}`);
  return body.dag_runs as Record<string, string>[];
};
async function world(): Promise<ApiWorld> {
  const w = await apiWorld();
  const tasks = [{ taskId: "a" }, { taskId: "b", upstream: ["a"] }];
  const paramsSchema = { type: "object", properties: { n: { type: "integer" } } };
  await w.addDag("d", tasks, { paramsSchema, tags: ["eod"] });
  await w.addDag("e", tasks);
  return w;
}

Deno.test("bulk trigger starts a run for each item, once for a key", async () => {
  await using w = await world();
  const runs = [
    { conf: { n: 1 }, note: "first" },
    { dag_run_id: "by-hand", conf: { n: 2 } },
    { logical_date: "2030-01-01T00:00:00Z" },
  ];
  const body = { action: "trigger", dag_id: "d", runs, key: "load-7" };
  const dry = await post(w, { ...body, dry_run: true });
  assertEquals([dry.body.state, dry.body.items.total, dry.body.first[1].dag_run_id], [
    "dry_run",
    3,
    "by-hand",
  ]);
  assertEquals(await runsOf(w), []);

  const first = await post(w, body);
  assertEquals([first.body.state, first.body.items.done], ["completed", 3]);
  const again = await post(w, body);
  assertEquals(again.body, first.body);
  const made = await runsOf(w, "&order_by=id");
  assertEquals(made.map((run) => [run.conf, run.note, run.triggering_user_name, run.run_type]), [
    [{ n: 1 }, "first", "admin", "manual"],
    [{ n: 2 }, null, "admin", "manual"],
    [{}, null, "admin", "manual"],
  ]);
  const other = await post(w, { ...body, runs: [{}] });
  assertEquals(other.status, 409);
  assertStringIncludes(other.body.detail, 'under the key "load-7"');
});

Deno.test("bulk trigger says which runs were refused, and makes the others", async () => {
  await using w = await world();
  await w.trigger("d", { dag_run_id: "taken" });
  const runs = [{ dag_run_id: "taken" }, { dag_run_id: "new" }];
  const { body } = await post(w, { action: "trigger", dag_id: "d", runs });
  assertEquals([body.items.done, body.items.refused], [1, 1]);
  const refused = await w.call("GET", `/api/v2/bulk/${body.id}/items?state=refused`);
  assertEquals(refused.body.items, [{
    ...{ ordinal: 1, dag_id: "d", dag_run_id: "taken", state: "refused" },
    reason: "a run of that id or logical date exists",
  }]);
});

Deno.test("bulk cancel and clear act on what a filter means at that moment", async () => {
  await using w = await world();
  const runs = Array.from({ length: 4 }, (_, i) => ({ dag_run_id: `r${i}` }));
  await post(w, { action: "trigger", dag_id: "d", runs });
  await w.trigger("e");
  await w.moveRun("d", "r0", "running");
  const filter = { dag_ids: ["d"], states: ["queued"] };
  const dry = await post(w, { action: "cancel", filter, dry_run: true });
  assertEquals([dry.body.items.total, dry.body.first.length], [3, 3]);
  const { body } = await post(w, { action: "cancel", filter });
  assertEquals([body.state, body.items.done], ["completed", 3]);
  assertEquals(
    (await runsOf(w, "&order_by=id")).map((run) => run.end_reason),
    [null, "cancelled", "cancelled", "cancelled", null],
  );

  for (const run of ["r1", "r2"]) await w.moveRun("d", run, "failed");
  const cleared = await post(w, { action: "clear", filter: { dag_id_pattern: "~" } });
  assertEquals([cleared.body.items.done, cleared.body.items.total], [2, 2]);
  // By that a pass of the scheduler that is under way sees it, also within one millisecond.
  const [{ queuedAt }] = await w.parts.sql<{ queuedAt: Date }[]>`
    select queued_at from dag_run where run_id = 'r1'`;
  assertEquals(queuedAt > w.parts.clock.now(), true);
  const [run] = await w.parts.store.loadRuns();
  assertEquals(run.run.cancelRequestedAt, null);
  const again = (await runsOf(w, "&order_by=id")).map((each) => each.end_reason);
  assertEquals(again, [null, null, null, "cancelled", null]);
});

Deno.test("bulk clear of only what failed leaves what succeeded as it is", async () => {
  await using w = await world();
  await w.trigger("d", { dag_run_id: "r" });
  await w.moveRun("d", "r", "running");
  const [a] = await w.start("d", "r", ["a"]);
  await w.end(a);
  const [b] = await w.start("d", "r", ["b"]);
  const [{ tasks: before }] = await w.parts.store.loadRuns();
  await w.end(b, { outcome: null, endReason: "task_error", error: { message: "no", stack: "" } });
  await w.moveRun("d", "r", "failed");
  const filter = { dag_ids: ["d"] };
  const { body } = await post(w, { action: "clear", filter, only_failed: true });
  assertEquals(body.items.done, 1);
  const [{ tasks }] = await w.parts.store.loadRuns();
  assertEquals(before.length, 2);
  assertEquals(
    tasks.map((task) => [task.taskId, task.state]).sort(),
    [["a", "success"], ["b", "none"]],
  );
});

Deno.test("bulk clear leaves a run alone that somebody has queued again meanwhile", async () => {
  await using w = await world();
  await w.trigger("d", { dag_run_id: "r" });
  const { sql, clock } = w.parts;
  const now = clock.now();
  const [{ id }] = await sql<{ id: number }[]>`
    insert into bulk_job (request_hash, action, request, triggering_user_name, created_at, updated_at)
    values ('x', 'clear', '{}', 'ann', ${now}, ${now}) returning id`;
  await sql`
    insert into bulk_item (bulk_id, ordinal, dag_id, run_id, dag_run_id)
    select ${id}, 1, dag_id, run_id, id from dag_run`;
  await workBulk({ ...w.parts, product: { version: "1.2.3", image: null } }, { id }, now);
  const { body: { items } } = await w.call("GET", `/api/v2/bulk/${id}/items`);
  assertEquals(items.map((one: Record<string, string>) => [one.state, one.reason]), [
    ["refused", "it is queued"],
  ]);
  const [{ clears }] = await sql<{ clears: number }[]>`
    select clear_number as clears from dag_run`;
  assertEquals(clears, 0);
});

Deno.test("bulk clear leaves out what ran on another version of the product, unless forced", async () => {
  await using w = await world();
  for (const dag_run_id of ["ours", "theirs"]) {
    await w.trigger("d", { dag_run_id });
    await w.moveRun("d", dag_run_id, "running");
    await w.moveRun("d", dag_run_id, "failed");
  }
  const other = ["1.2.2", "theirs"];
  await w.parts.sql`update dag_run set product_version = ${other[0]} where run_id = ${other[1]}`;
  const filter = { dag_ids: ["d"] };
  const { body } = await post(w, { action: "clear", filter });
  assertEquals([body.items.done, body.items.refused], [1, 1]);
  const { body: { items } } = await w.call("GET", `/api/v2/bulk/${body.id}/items?state=refused`);
  assertEquals(
    items.map((item: Record<string, string>) => [item.dag_run_id, item.reason]),
    [["theirs", "it ran on Tidewheel 1.2.2, and this is Tidewheel 1.2.3"]],
  );
  const forced = await post(w, { action: "clear", filter, force: true });
  assertEquals([forced.body.items.done, forced.body.items.refused], [1, 0]);
});

Deno.test("bulk pause and unpause change the DAGs of a filter", async () => {
  await using w = await world();
  const paused = await post(w, { action: "pause", filter: { tags: ["eod"] } });
  assertEquals(paused.body.items.done, 1);
  const states = async () =>
    (await w.call("GET", "/api/v2/dags")).body.dags.map((dag: { is_paused: boolean }) =>
      dag.is_paused
    );
  assertEquals(await states(), [true, false]);
  const all = await post(w, { action: "unpause", filter: { dag_id_pattern: "~" } });
  assertEquals([all.body.items.done, await states()], [1, [false, false]]);
});

Deno.test("a bulk request that cannot be is refused before anything is made", async () => {
  await using w = await world();
  const cases: [object, number, string][] = [
    [{ action: "trigger", dag_id: "d", runs: [{}, { conf: { n: "x" } }] }, 400, "runs.1: "],
    [
      { action: "trigger", dag_id: "d", runs: [{ dag_run_id: "x" }, { dag_run_id: "x" }] },
      400,
      "runs.1 and runs.0 have one id",
    ],
    [{ action: "trigger", dag_id: "none", runs: [{}] }, 404, "none"],
    [{ action: "cancel", filter: {} }, 422, "would mean everything"],
    [
      { action: "cancel", filter: { dag_ids: ["d"], states: ["failed"] } },
      400,
      "queued or running",
    ],
    [{ action: "clear", filter: { states: ["running"] } }, 400, "success or failed"],
    [{ action: "dance" }, 422, "action"],
  ];
  for (const [body, status, why] of cases) {
    const answer = await post(w, body);
    assertEquals(answer.status, status, why);
    assertStringIncludes(JSON.stringify(answer.body), why);
  }
  assertEquals([await runsOf(w), (await w.call("GET", "/api/v2/bulk")).body.total_entries], [
    [],
    0,
  ]);
});

Deno.test("what of a bulk job was not done can be cancelled, and is done by several once", async () => {
  await using w = await world();
  const { sql, clock } = w.parts;
  const parts = { ...w.parts, product: { version: "1.2.3", image: null } };
  const make = async (ordinals: number) => {
    const [{ id }] = await sql<{ id: number }[]>`
      insert into bulk_job (request_hash, action, request, triggering_user_name, created_at,
        updated_at)
      values ('x', 'pause', '{}', 'ann', ${clock.now()}, ${clock.now()}) returning id`;
    await sql`
      insert into bulk_item (bulk_id, ordinal, dag_id)
      select ${id}, n, 'd' from generate_series(1, ${ordinals}) n`;
    return id;
  };
  const id = await make(3_500);
  const counts = await Promise.all([1, 2, 3].map(() => workBulk(parts, { id }, clock.now())));
  const worked = counts.reduce((sum, each) => sum + each, 0);
  const [{ marked }] = await sql<{ marked: number }[]>`
    select count(*) as marked from bulk_item where bulk_id = ${id} and state = 'done'`;
  assertEquals([worked % 1_000, marked], [0, worked]);
  const stopped = await w.call("PUT", `/api/v2/bulk/${id}/cancel`, { body: {} });
  assertEquals(stopped.body.state, "cancelled");
  const { done, cancelled, planned } = stopped.body.items;
  assertEquals([done + cancelled, planned, cancelled >= 500], [3_500, 0, true]);
  assertEquals((await w.call("PUT", `/api/v2/bulk/${id}/cancel`, { body: {} })).status, 409);
  assertEquals(await workBulk(parts, { id }, clock.now()), 0);
  assertEquals((await w.call("GET", "/api/v2/bulk/999")).status, 404);
});

Deno.test("bulk trigger of more than one batch is done in one call", async () => {
  await using w = await world();
  const runs = Array.from({ length: 2_500 }, (_, i) => ({ conf: { n: i } }));
  const { body } = await post(w, { action: "trigger", dag_id: "d", runs });
  assertEquals([body.state, body.items.done], ["completed", 2_500]);
  const [{ tasks }] = await w.parts.sql`select count(*)::int as tasks from task_instance`;
  assertEquals(tasks, 5_000);
});
