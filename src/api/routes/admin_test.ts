import { assertEquals, assertStringIncludes } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";

Deno.test("pools are made, changed and removed, with what takes their slots", async () => {
  await using w = await apiWorld();
  const post = await w.call("POST", "/api/v2/pools", { body: { name: "p", slots: 4 } });
  assertEquals([post.status, post.body.open_slots], [201, 4]);
  assertEquals(
    (await w.call("POST", "/api/v2/pools", { body: { name: "p", slots: 4 } })).status,
    409,
  );
  const patch = (body: object, query = "") => w.call("PATCH", `/api/v2/pools/p${query}`, { body });
  assertEquals((await patch({ slots: -1, description: "x" })).body.open_slots, -1);
  assertEquals(
    (await patch({ slots: 9, description: "y" }, "?update_mask=slots")).body.description,
    "x",
  );
  assertEquals((await patch({ pool: "q" })).status, 400);
  assertEquals(
    (await w.call("GET", "/api/v2/pools?order_by=-name")).body.pools.map(
      (pool: { name: string }) => pool.name,
    ),
    ["p", "default_pool"],
  );
  assertEquals((await w.call("DELETE", "/api/v2/pools/p")).status, 204);
  assertEquals((await w.call("DELETE", "/api/v2/pools/p")).status, 404);
  assertEquals((await w.call("DELETE", "/api/v2/pools/default_pool")).status, 400);
  await w.addDag("d", [{ taskId: "a" }]);
  await w.start("d", await w.trigger("d"), ["a"]);
  const used = (await w.call("GET", "/api/v2/pools/default_pool")).body;
  assertEquals([used.running_slots, used.open_slots], [1, 127]);
});

Deno.test("variables keep any JSON; one whose name tells a secret is not shown", async () => {
  await using w = await apiWorld();
  const put = (key: string, value: unknown) =>
    w.call("POST", "/api/v2/variables", { body: { key, value } });
  assertEquals((await put("plain", "text")).body.value, "text");
  assertEquals((await put("shape", { a: [1] })).body.value, '{"a":[1]}');
  assertEquals((await put("api_key", "hunter2")).body.value, "***");
  assertEquals((await put("plain", "again")).status, 409);
  const patched = await w.call("PATCH", "/api/v2/variables/plain", {
    body: { key: "plain", value: 2, description: "d" },
  });
  assertEquals([patched.body.value, patched.body.description], ["2", "d"]);
  const list = await w.call("GET", "/api/v2/variables?variable_key_pattern=a&limit=2");
  assertEquals([list.body.variables.length, list.body.total_entries], [2, 3]);
  assertEquals(JSON.stringify(list.body).includes("hunter2"), false);
  assertEquals((await w.call("DELETE", "/api/v2/variables/plain")).status, 204);
  assertEquals((await w.call("GET", "/api/v2/variables/plain")).status, 404);
});

Deno.test("connections never give a secret back, and a change without a password keeps it", async () => {
  await using w = await apiWorld();
  const body = {
    connection_id: "vendor",
    conn_type: "http",
    host: "api.example.com",
    password: "s3cret",
    extra: '{"api_key":"k1","region":"eu"}',
  };
  const made = await w.call("POST", "/api/v2/connections", { body });
  assertEquals([made.status, made.body.password], [201, "***"]);
  assertEquals(JSON.parse(made.body.extra), { api_key: "***", region: "eu" });
  const { password: _p, extra: _e, ...plain } = body;
  const patched = await w.call("PATCH", "/api/v2/connections/vendor", {
    body: { ...plain, host: "b.example.com" },
  });
  assertEquals([patched.body.host, patched.body.password], ["b.example.com", "***"]);
  const everything = JSON.stringify([
    (await w.call("GET", "/api/v2/connections")).body,
    (await w.call("GET", "/api/v2/eventLogs")).body,
  ]);
  assertEquals(/s3cret|"k1"/.test(everything), false);
  const bad = await w.call("POST", "/api/v2/connections", {
    body: { connection_id: "x", conn_type: "http", extra: "[1]" },
  });
  assertEquals(bad.status, 400);
  assertStringIncludes(bad.body.detail, "JSON object");
  const masked = await w.call("PATCH", "/api/v2/connections/vendor?update_mask=port", {
    body: { ...plain, port: 8443, host: "ignored" },
  });
  assertEquals([masked.body.port, masked.body.host], [8443, "b.example.com"]);
  assertEquals((await w.call("DELETE", "/api/v2/connections/vendor")).status, 204);
});
