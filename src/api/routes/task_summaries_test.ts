import { assertEquals } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";

Deno.test("taskSummaries count a run's instances by task and state, mapped ones in one line", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "each" }, { taskId: "sum", upstream: ["each"] }]);
  const run = await w.trigger("d");
  // As if expanded: one failed, one cancelled, the rest still to come.
  await w.parts.sql`
    insert into task_instance (id, dag_run_id, dag_id, task_id, map_index, state, max_tries,
      start_date, end_date)
    select gen_random_uuid(), dag_run_id, dag_id, task_id, i,
      case i when 1 then 'failed' when 2 then 'cancelled' else 'none' end, 0,
      case when i < 3 then '2030-01-10T12:00:01Z'::timestamptz end,
      case when i < 3 then '2030-01-10T12:00:02Z'::timestamptz end
    from task_instance, generate_series(1, 4) i where task_id = 'each'`;
  const { body } = await w.call("GET", `/api/v2/dags/d/dagRuns/${run}/taskSummaries`);
  const [each, sum] = body.task_instances;
  assertEquals([each.task_id, each.state, each.is_mapped, each.total], ["each", "failed", true, 5]);
  assertEquals(each.child_states, { failed: 2, no_status: 3 });
  assertEquals(each.min_start_date, "2030-01-10T12:00:01.000Z");
  assertEquals(each.max_end_date, null);
  assertEquals([sum.state, sum.is_mapped, sum.child_states], [null, false, { no_status: 1 }]);
});

Deno.test("grid gives a DAG's newest runs with counts, by pages", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  await w.addDag("other", [{ taskId: "b" }]);
  const [first, second] = [await w.trigger("d"), await w.trigger("d")];
  await w.trigger("other");
  const grid = async (query = "") => (await w.call("GET", `/api/v2/dags/d/grid${query}`)).body;
  const all = await grid();
  assertEquals(all.total_entries, 2);
  const ids = all.dag_runs.map((run: { dag_run_id: string }) => run.dag_run_id);
  assertEquals(ids.toSorted(), [first, second].toSorted());
  assertEquals(all.dag_runs[0].task_instances[0].child_states, { no_status: 1 });
  const page = await grid("?limit=1&offset=1");
  assertEquals(page.dag_runs.map((run: { dag_run_id: string }) => run.dag_run_id), [ids[1]]);
  assertEquals((await w.call("GET", "/api/v2/dags/d/grid?limit=101")).status, 422);
  assertEquals((await w.call("GET", "/api/v2/dags/no/grid")).status, 404);
});
