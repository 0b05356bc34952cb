import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { apiWorld } from "../../tests/support/api.ts";
import { permissions } from "./permissions.ts";

/** A path with something in place of each parameter. */
function filled(path: string): string {
  return path.replace(
    /\{(\w+)\}/g,
    (_all, name: string) =>
      /^(id|attempt_id|version_id|quarantine_id)$/.test(name)
        ? "0197a000-0000-7000-8000-000000000001"
        : name === "hash"
        ? "0".repeat(64)
        : /index|number|backfill_id|_error_id|log_id/.test(name)
        ? "1"
        : "x",
  );
}

const openPermissions = Object.entries(permissions)
  .filter(([, rule]) =>
    "actors" in rule && (rule.actors as readonly string[]).includes("anonymous")
  )
  .map(([name]) => name);

Deno.test("every route names a permission, and none that needs one answers without it", async () => {
  await using w = await apiWorld();
  assert(w.api.routes.length > 70);
  for (const { method, path, permission } of w.api.routes) {
    assert(permission in permissions, `${method} ${path}`);
    if (openPermissions.includes(permission)) continue;
    const at = `${method.toUpperCase()} ${path}`;
    const nobody = await w.call(method.toUpperCase(), filled(path), { token: null });
    assertEquals(nobody.status, 401, at);
    const stranger = await w.call(method.toUpperCase(), filled(path), { token: "tw_wrong" });
    assertEquals(stranger.status, 401, at);
    const rule = permissions[permission];
    const lesser = "least" in rule
      ? ({ viewer: null, user: "viewer", op: "user", admin: "op" } as const)[rule.least]
      : "admin";
    if (lesser === null) continue;
    const few = await w.call(method.toUpperCase(), filled(path), { token: w.tokens[lesser] });
    assertEquals(few.status, 403, `${at} as ${lesser}`);
    assertStringIncludes(method === "head" ? permission : few.body.detail, permission);
  }
});

Deno.test("every route of the router was declared in the book", async () => {
  await using w = await apiWorld();
  const declared = new Set(
    w.api.routes.map(({ method, path }) =>
      `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`
    ),
  );
  for (const { method, path } of w.api.registered) {
    assert(declared.has(`${method} ${path}`), `${method} ${path}`);
  }
});

Deno.test("the open permissions are few and known", () => {
  assertEquals(openPermissions, [
    "health.read",
    "docs.read",
    "webhooks.call",
    "token.exchange",
    "execution.batch",
  ]);
});

Deno.test("a wrong token is refused with words that help", async () => {
  await using w = await apiWorld();
  const { status, body, headers } = await w.call("GET", "/api/v2/dags", { token: "nope" });
  assertEquals([status, body.code], [401, "UNAUTHENTICATED"]);
  assertStringIncludes(body.detail, "$TIDEWHEEL_HOME/token");
  assertEquals(headers.get("www-authenticate"), "Bearer");
  const basic = await w.call("GET", "/api/v2/dags", {
    token: null,
    headers: { authorization: "Basic eA==" },
  });
  assertEquals(basic.status, 401);
});

Deno.test("POST /auth/token trades a good token for itself and refuses a wrong one", async () => {
  await using w = await apiWorld();
  const ask = (password: string) =>
    w.call("POST", "/auth/token", { token: null, body: { username: "me", password } });
  const good = await ask(w.tokens.user);
  assertEquals([good.status, good.body.access_token], [201, w.tokens.user]);
  assertEquals((await ask("wrong")).status, 401);
});

Deno.test("requests for another host and pages of another origin are refused", async () => {
  await using w = await apiWorld();
  const get = async (url: string, headers: Record<string, string> = {}) =>
    (await w.api.fetch(new Request(url, { headers }))).status;
  assertEquals(await get("http://localhost:9000/health/live"), 200);
  assertEquals(await get("http://[::1]:9000/health/live"), 200);
  assertEquals(await get("http://evil.example/health/live"), 403);
  assertEquals(await get("http://localhost/health/live", { origin: "http://evil.example" }), 403);
  assertEquals(await get("http://localhost/health/live", { origin: "http://localhost" }), 200);
  assertEquals(await get("http://localhost/health/live", { origin: "null" }), 403);
});

Deno.test("a body that is too large or not JSON is refused, whatever its length says", async () => {
  await using w = await apiWorld();
  const post = (body: BodyInit, headers: Record<string, string> = {}) =>
    w.api.fetch(
      new Request("http://localhost/api/v2/pools", {
        method: "POST",
        headers: { authorization: `Bearer ${w.tokens.admin}`, ...headers },
        body,
      }),
    );
  assertEquals((await post("{")).status, 400);
  assertEquals((await post("x".repeat(5 * 1024 * 1024))).status, 413);
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
  });
  assertEquals((await post(endless)).status, 413);
});

Deno.test("an unknown path says where the routes are listed", async () => {
  await using w = await apiWorld();
  const { status, body } = await w.call("GET", "/api/v2/nothing");
  assertEquals([status, body.code], [404, "NOT_FOUND"]);
  assertStringIncludes(body.detail, "/api/docs");
});

Deno.test("openapi.json is OpenAPI 3.1 with every route, its permission and our words", async () => {
  await using w = await apiWorld();
  const { body } = await w.call("GET", "/api/openapi.json", { token: null });
  assertEquals(body.openapi, "3.1.0");
  const operations = Object.values(body.paths).flatMap((path) => Object.values(path as object));
  assertEquals(operations.length, w.api.routes.length);
  assert(operations.every((operation) => operation["x-permission"] in permissions));
  assertEquals(
    body.components.schemas.DAGRunResponse.properties.duration.description,
    "Seconds from start to end",
  );
  assertEquals(JSON.stringify(body).includes('"doc":"'), false);
});

Deno.test("the documentation needs nothing from elsewhere", async () => {
  await using w = await apiWorld();
  const page = await w.call("GET", "/api/docs", { token: null });
  assertStringIncludes(page.headers.get("content-security-policy")!, "default-src 'none'");
  const files = [...(page.body as string).matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1]);
  assertEquals(files.length, 5);
  for (const file of files) {
    const { status } = await w.call("GET", file, { token: null });
    assertEquals(status, 200, file);
  }
  assertEquals((await w.call("GET", "/api/docs/../../etc/passwd", { token: null })).status, 404);
});

Deno.test("health says which service is not ready, and metrics count requests", async () => {
  await using w = await apiWorld({
    services: [{
      name: "scheduler",
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      health: () => ({ started: true, ready: false, detail: { why: "standby" } }),
    }],
  });
  assertEquals((await w.call("GET", "/health/live", { token: null })).status, 200);
  assertEquals((await w.call("GET", "/health/startup", { token: null })).status, 200);
  const ready = await w.call("GET", "/health/ready", { token: null });
  assertEquals([ready.status, ready.body.services.scheduler.detail], [503, { why: "standby" }]);
  await w.addDag("d", [{ taskId: "a" }]);
  await w.trigger("d");
  await w.call("GET", "/api/v2/dags");
  const metrics = await w.call("GET", "/metrics", { token: null });
  assertStringIncludes(
    metrics.body,
    'tidewheel_api_requests_total{method="GET",route="dags",status="200"} 1',
  );
  for (
    const line of [
      "tidewheel_dagbag_size 1",
      'tidewheel_scheduler_dagruns{state="queued"} 1',
      'tidewheel_ti{state="none"} 1',
      'tidewheel_pool_slots{pool="default_pool",kind="open"} 128',
    ]
  ) assertStringIncludes(metrics.body, line);
});

Deno.test("monitor/health tells a scheduler whose lease stood still", async () => {
  await using w = await apiWorld();
  const health = async () => (await w.call("GET", "/api/v2/monitor/health", { token: null })).body;
  assertEquals((await health()).scheduler.status, "healthy");
  w.parts.clock.advance(31_000);
  const later = await health();
  assertEquals([later.metadatabase.status, later.scheduler.status], ["healthy", "unhealthy"]);
});

Deno.test("monitor/health tells that nobody looks at what is waited for", async () => {
  await using w = await apiWorld();
  const triggerer = async () =>
    (await w.call("GET", "/api/v2/monitor/health", { token: null })).body.triggerer;
  assertEquals((await triggerer()).status, null, "nothing waits");
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  const trigger = { kind: "dataset", dataset: "x", partition: null };
  const wait = { kind: "defer", trigger, deadline: null, onTimeout: "fail" };
  await w.end(work, { outcome: wait, endReason: "deferred" });
  assertEquals((await triggerer()).status, "unhealthy");
  const path = `/api/v2/dags/d/dagRuns/${run}/taskInstances/a`;
  const { body: a } = await w.call("GET", path);
  assertEquals([a.state, a.trigger.classpath, a.trigger.triggerer_id], [
    "deferred",
    "dataset",
    null,
  ]);
  await w.parts.store.joinTriggers("t", w.parts.clock.now());
  assertEquals((await triggerer()).status, "healthy");
  w.parts.clock.advance(31_000);
  assertEquals((await triggerer()).status, "unhealthy");
  await w.parts.store.beatTriggers("t");
  assertEquals((await triggerer()).status, "healthy");
});

Deno.test("a task waits for no file that it may not read", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a", permissions: { read: ["/drop"] } as never }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  const trigger = { kind: "file", path: "/drop/../etc/shadow", everyMs: 1_000 };
  const wait = { kind: "defer", trigger, deadline: null, onTimeout: "fail" };
  await w.end(work, { outcome: wait, endReason: "deferred" });
  const { body } = await w.call("GET", `/api/v2/dags/d/dagRuns/${run}/attempts`);
  const [{ end_reason: reason, evidence }] = body.attempts;
  assertEquals(reason, "invalid_outcome");
  assertStringIncludes(evidence.message, "in no folder that it may read: /drop");
});

/** Values that no parameter should take. */
const nonsense = [
  "",
  "%00",
  "%",
  "..%2f..",
  "-1",
  "1e999",
  "99999999999999999999",
  "%F0%9F%92%A9",
  "a'b\"c",
  "null",
];

Deno.test("nonsense in paths and queries is the asker's fault, never ours", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const { body: document } = await w.call("GET", "/api/openapi.json");
  for (
    const [path, operations] of Object.entries<
      Record<string, { parameters?: { name: string; in: string }[] }>
    >(document.paths)
  ) {
    const get = operations.get;
    if (!get || path.endsWith("/wait") || path.startsWith("/execution")) continue;
    const queries = (get.parameters ?? []).filter((p) => p.in === "query").map((p) => p.name);
    for (const value of nonsense) {
      const urls = [
        filled(path) + `?${queries.map((name) => `${name}=${value}`).join("&")}`,
        ...(path.includes("{") ? [path.replace(/\{\w+\}/g, value || "x")] : []),
      ];
      for (const url of urls) {
        const { status, body } = await w.call("GET", url);
        assert(
          status < 500 || path.startsWith("/health"),
          `GET ${url}: ${status} ${JSON.stringify(body)}`,
        );
        if (status >= 400 && status !== 404) assertEquals(typeof body.detail, "string", url);
      }
    }
    for (const name of queries) {
      const { status, body } = await w.call("GET", `${filled(path)}?${name}=%00${name}`);
      assert(status < 500, `${path}?${name}: ${status} ${JSON.stringify(body)}`);
    }
  }
});

Deno.test("nonsense in bodies is the asker's fault, never ours", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  for (const { method, path } of w.api.routes) {
    if (!["post", "put", "patch"].includes(method) || path === "/execution/claim") continue;
    const token = path.startsWith("/execution") ? null : w.tokens.admin;
    const at = path.replace("{dag_id}", "d");
    for (
      const body of [null, [], "x", 1, {}, { calls: [null, 1, {}] }, { key: "k", value: "\0" }]
    ) {
      const answer = await w.call(method.toUpperCase(), filled(at), { body, token });
      assert(
        answer.status < 500,
        `${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`,
      );
    }
  }
});

Deno.test("people who type the bare address are led to the documentation", async () => {
  await using w = await apiWorld();
  for (const path of ["/", "/api/docs/"]) {
    const response = await w.api.fetch(new Request(`http://localhost${path}`));
    assertEquals([response.status, response.headers.get("location")], [302, "/api/docs"]);
  }
});
