import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";

const create = (w: ApiWorld, body: Record<string, unknown>, token?: string) =>
  w.call("POST", "/api/v2/tokens", { body, token });

Deno.test("a token is shown when it is made, has its role, and ends when it is revoked", async () => {
  await using w = await apiWorld();
  const { status, body } = await create(w, { name: "dashboard", role: "viewer" });
  assertEquals([status, body.created_by, body.is_active], [201, "admin", true]);
  const ask = (method: string, path: string) =>
    w.call(method, path, { token: body.token, body: method === "GET" ? undefined : {} });

  assertEquals((await ask("GET", "/api/v2/dags")).status, 200);
  assertEquals((await ask("POST", "/api/v2/dags/d/dagRuns")).status, 403);
  assertEquals((await ask("GET", "/api/v2/tokens")).status, 403);
  const list = await w.call("GET", "/api/v2/tokens?limit=1");
  assertEquals(list.body.total_entries, 5);
  assertEquals(list.body.tokens[0].token_id, body.token_id);
  assertEquals(JSON.stringify(list.body).includes(body.token), false);

  const revoked = await w.call("DELETE", `/api/v2/tokens/${body.token_id}`);
  assertEquals([revoked.status, revoked.body.is_active], [200, false]);
  w.parts.clock.advance(2_000);
  assertEquals((await ask("GET", "/api/v2/dags")).status, 401);
  assertEquals((await w.call("DELETE", `/api/v2/tokens/${body.token_id}`)).status, 404);
  assertEquals((await w.call("GET", "/api/v2/tokens?active=true")).body.total_entries, 4);
});

Deno.test("a token ends by itself after its days", async () => {
  await using w = await apiWorld();
  const { body } = await create(w, { name: "guest", expires_in_days: 1 });
  assertEquals([body.role, body.expires_at], ["viewer", "2030-01-11T12:00:00.000Z"]);
  const ask = async () => (await w.call("GET", "/api/v2/dags", { token: body.token })).status;
  assertEquals(await ask(), 200);
  w.parts.clock.advance(86_400_000);
  assertEquals(await ask(), 401);
});

Deno.test("a worker's token claims from its queues and does nothing else", async () => {
  await using w = await apiWorld();
  const { body } = await create(w, { name: "mergers", role: "worker", queues: ["merger"] });
  const claim = (queue: string) =>
    w.call("POST", "/execution/claim", {
      token: body.token,
      body: {
        workerId: "w",
        hostname: "h",
        pid: 1,
        queues: [queue],
        slots: 1,
        version: "1",
        waitMs: 0,
      },
    });

  assertEquals((await claim("merger")).status, 200);
  assertEquals((await claim("default")).status, 403);
  assertEquals((await w.call("GET", "/api/v2/dags", { token: body.token })).status, 403);
  await w.call("DELETE", `/api/v2/tokens/${body.token_id}`);
  w.parts.clock.advance(2_000);
  assertEquals((await claim("merger")).status, 401);
});

Deno.test("tokens of roles that do not exist, and queues of people, are refused", async () => {
  await using w = await apiWorld();
  const bad = [
    { name: "x", role: "root" },
    { name: "x", role: "worker" },
    { name: "x", role: "worker", queues: [] },
    { name: "x", role: "admin", queues: ["*"] },
    { name: "", role: "admin" },
    { name: "x", expires_in_days: 0 },
    { name: "x", expires_in_days: 1e9 },
    { name: "x", token: "tw_mine" },
  ];
  for (const body of bad) {
    assertEquals((await create(w, body)).status, 422, JSON.stringify(body));
  }
  assertEquals((await create(w, { name: "x", role: "viewer" }, w.tokens.op)).status, 403);
});

Deno.test("making and revoking tokens is in the audit log, without the token", async () => {
  await using w = await apiWorld();
  const { body } = await create(w, { name: "ci", role: "worker", queues: ["*"] });
  await w.call("DELETE", `/api/v2/tokens/${body.token_id}`);

  const { event_logs: [made, revoke] } = (await w.call("GET", "/api/v2/eventLogs")).body;
  assertEquals([made.event, revoke.event], ["token.create", "token.revoke"]);
  assertEquals([made.owner, JSON.parse(made.extra).queues], ["admin", ["*"]]);
  assertStringIncludes(revoke.extra, body.token_id);
  assert(!JSON.stringify([made, revoke]).includes(body.token));
});
