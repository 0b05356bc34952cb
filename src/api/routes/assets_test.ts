import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";

const month = { kind: "rollup", over: "month", sessions: "XNYS" };
const waiting = (partition?: object) => ({
  schedule: {
    kind: "datasets",
    datasets: ["prices.daily"],
    anyOf: [["prices.daily"]],
    ...(partition ? { partition } : {}),
  },
});

const post = (w: ApiWorld, body: object) => w.call("POST", "/api/v2/assets/events", { body });

Deno.test("an event from outside waits for DAGs; a key counts once", async () => {
  await using w = await apiWorld();
  await w.addDag("waits", [{ taskId: "t" }], waiting());
  const details = await w.call("GET", "/api/v2/dags/waits/details");
  assertEquals(details.body.asset_expression.asset.name, "prices.daily");
  const { body: listed } = await w.call("GET", "/api/v2/assets");
  const [asset] = listed.assets;
  assertEquals([asset.name, asset.scheduled_dags[0].dag_id, asset.last_asset_event], [
    "prices.daily",
    "waits",
    null,
  ]);

  const given = { asset_id: asset.id, partition_key: "2030-01-02", event_key: "k1" };
  const { status, body: event } = await post(w, { ...given, extra: { by: "desk" } });
  assertEquals(status, 200);
  assertEquals([event.asset_id, event.partition_key, event.extra, event.version], [
    asset.id,
    "2030-01-02",
    { by: "desk", from_rest_api: true },
    null,
  ]);
  assertEquals((await post(w, given)).body.id, event.id);

  const { body: queued } = await w.call("GET", "/api/v2/dags/waits/assets/queuedEvents");
  assertEquals(
    [queued.total_entries, queued.queued_events[0].event_id],
    [1, event.id],
  );
  const { body: events } = await w.call("GET", `/api/v2/assets/events?asset_id=${asset.id}`);
  assertEquals(events.total_entries, 1);
  const look = await w.call("GET", `/api/v2/assets/${asset.id}`);
  assertEquals(look.body.last_asset_event.id, event.id);
  assertEquals((await w.call("GET", "/api/v2/datasets")).body.total_entries, 0);
});

Deno.test("POST /assets/events refuses what names no asset, and viewers", async () => {
  await using w = await apiWorld();
  assertEquals((await post(w, {})).status, 422);
  assertEquals((await post(w, { asset_id: 1, name: "x" })).status, 422);
  assertEquals((await post(w, { asset_id: 999_999 })).status, 404);
  const asViewer = { body: { name: "x" }, token: w.tokens.viewer };
  assertEquals((await w.call("POST", "/api/v2/assets/events", asViewer)).status, 403);
});

Deno.test("queuedEvents can be dropped: of a DAG, of an asset, before an instant", async () => {
  await using w = await apiWorld();
  await w.addDag("waits", [{ taskId: "t" }], waiting());
  const { body: { asset_id: id } } = await post(w, { name: "prices.daily" });
  const dag = "/api/v2/dags/waits/assets/queuedEvents";
  const both = `/api/v2/dags/waits/assets/${id}/queuedEvents`;
  assertEquals((await w.call("DELETE", `${dag}?before=2030-01-01T00:00:00Z`)).status, 404);
  assertEquals((await w.call("GET", both)).body.name, "prices.daily");
  assertEquals((await w.call("DELETE", both)).status, 204);
  assertEquals((await w.call("GET", both)).status, 404);
  await post(w, { name: "prices.daily" });
  assertEquals((await w.call("DELETE", `/api/v2/assets/${id}/queuedEvents`)).status, 204);
  assertEquals((await w.call("GET", dag)).body.total_entries, 0);
  assertEquals((await w.call("DELETE", dag)).status, 404);
});

Deno.test("a waiting roll-up says what it lacks, and can be run by hand as it is", async () => {
  await using w = await apiWorld();
  await w.addDag("month_end", [{ taskId: "t" }], waiting(month));
  for (const day of ["02", "03"]) {
    await post(w, { name: "prices.daily", partition_key: `2030-01-${day}` });
  }
  await post(w, { name: "prices.daily", partition_key: "IBM" });
  const { body: { partitions } } = await w.call("GET", "/api/v2/dags/~/partitions");
  assertEquals(partitions.length, 2);
  const [january, stray] = partitions;
  assertEquals([january.dag_id, january.partition_key, january.needed, january.is_whole], [
    "month_end",
    "2030-01",
    21,
    false,
  ]);
  assertEquals(january.missing[0].partition_keys.length, 19);
  assertStringIncludes(january.why, "prices.daily has 2 of 21, not 2030-01-04");
  assertEquals([stray.partition_key, stray.events_of], [null, ["IBM"]]);

  const runs = "/api/v2/dags/month_end/dagRuns";
  const odd = await w.call("POST", runs, { body: { partition_key: "January" } });
  assertEquals(odd.status, 400);
  assertStringIncludes(odd.body.detail, "it is no month");
  const { body: run } = await w.call("POST", runs, { body: { partition_key: "2030-01" } });
  assertEquals([run.partition_key, run.data_interval_end], [
    "2030-01",
    "2030-02-01T00:00:00.000Z",
  ]);
  const taken = await w.call("GET", `${runs}/${run.dag_run_id}/upstreamAssetEvents`);
  assertEquals(taken.body.total_entries, 2);
  assertEquals(taken.body.asset_events[1].created_dagruns[0].triggering, true);
  const left = await w.call("GET", "/api/v2/dags/month_end/partitions");
  assertEquals(left.body.total_entries, 1);
});

Deno.test("materialize starts the one DAG that publishes an asset", async () => {
  await using w = await apiWorld();
  await w.addDag("makes", [{ taskId: "t", params: { dataset: "nav" } }], { datasets: ["nav"] });
  await w.addDag("waits", [{ taskId: "t" }], waiting());
  const { body: { assets } } = await w.call("GET", "/api/v2/assets?name_pattern=nav");
  assertEquals(assets[0].producing_tasks[0].task_id, "t");
  const path = `/api/v2/assets/${assets[0].id}/materialize`;
  const { status, body: run } = await w.call("POST", path, {
    body: { partition_key: "2030-01-02" },
  });
  assertEquals([status, run.dag_id, run.run_type, run.partition_key], [
    200,
    "makes",
    "asset_materialization",
    "2030-01-02",
  ]);
  const prices = await w.call("GET", "/api/v2/assets?name_pattern=prices");
  const none = await w.call("POST", `/api/v2/assets/${prices.body.assets[0].id}/materialize`);
  assertEquals(none.status, 404);
  await w.addDag("makes_too", [{ taskId: "t" }], { datasets: ["nav"] });
  const two = await w.call("POST", path);
  assertEquals(two.status, 400);
  assertStringIncludes(two.body.detail, "2 DAGs publish it; start one of them: makes, makes_too");
});
