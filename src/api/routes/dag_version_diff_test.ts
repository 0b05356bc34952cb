import { assertEquals, assertStringIncludes } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";
import { bundleKey, makeBundle, packBundle } from "../../contract/bundle.ts";

Deno.test("a version's diff names fields, tasks and files against the one before or another", async () => {
  await using w = await apiWorld();
  const path = "/api/v2/dags/d/dagVersions";
  await w.addDag("d", [{ taskId: "a" }]);
  await w.addDag("d", [{ taskId: "a", pool: "p" }, { taskId: "b" }], { tags: ["x"] });
  await w.addDag("d", [{ taskId: "a", pool: "p" }], { tags: ["x"] });
  for (const [number, text] of [[1, "one\n"], [2, "two\n"]] as const) {
    const bundle = makeBundle(new Map([["d.ts", new TextEncoder().encode(text)]]));
    await w.parts.objects.put(bundleKey(bundle.hash), packBundle(bundle));
    await w.parts.sql`
      insert into dag_bundle (hash, files, packed_bytes, created_at)
      values (${bundle.hash}, '[]', 0, ${w.parts.clock.now()})`;
    await w.parts.sql`
      update dag_version set bundle_hash = ${bundle.hash} where version_number = ${number}`;
  }

  const second = await w.call("GET", `${path}/2/diff`, { token: w.tokens.viewer });
  assertEquals(second.status, 200, JSON.stringify(second.body));
  assertEquals(second.body, {
    dag_id: "d",
    version_number: 2,
    with: 1,
    fields: [{ field: "tags", old: [], new: ["x"] }],
    tasks_added: ["b"],
    tasks_removed: [],
    tasks_changed: [{ task_id: "a", fields: [{ field: "pool", old: "default_pool", new: "p" }] }],
    tasks_changed_total: 1,
    files: [{
      path: "d.ts",
      change: "changed",
      diff: "--- a/d.ts\n+++ b/d.ts\n@@ -1,1 +1,1 @@\n-one\n+two\n",
      no_diff: null,
    }],
  });
  const third = await w.call("GET", `${path}/3/diff?with=1`);
  assertEquals([third.body.with, third.body.tasks_added, third.body.files], [1, [], null]);

  const first = await w.call("GET", `${path}/1/diff`);
  assertEquals(first.status, 404);
  assertStringIncludes(first.body.detail, "it is the oldest one");
  assertEquals((await w.call("GET", `${path}/2/diff?with=9`)).status, 404);
  assertEquals((await w.call("GET", `${path}/2/diff`, { token: null })).status, 401);
});
