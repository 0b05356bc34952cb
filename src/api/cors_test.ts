import { assertEquals } from "@std/assert";
import { apiWorld } from "../../tests/support/api.ts";

const origin = "https://ops.example.com";

async function openWorld() {
  return await apiWorld({
    settings: {
      version: "1.2.3",
      tokenKey: "a-key-for-tests-only",
      allowedHosts: ["api.example.com"],
      allowedOrigins: [origin],
    },
  });
}

Deno.test("a page of an allowed origin may ask and read, on an allowed host", async () => {
  await using w = await openWorld();
  const url = "https://api.example.com/api/v2/dags";
  const before = await w.api.fetch(
    new Request(url, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "GET" },
    }),
  );
  const answer = await w.api.fetch(
    new Request(url, { headers: { origin, authorization: `Bearer ${w.tokens.viewer}` } }),
  );
  const refused = await w.api.fetch(new Request(url, { headers: { origin } }));

  assertEquals([before.status, answer.status, refused.status], [204, 200, 401]);
  assertEquals(before.headers.get("access-control-allow-headers")?.includes("authorization"), true);
  for (const { headers } of [before, answer, refused]) {
    assertEquals(headers.get("access-control-allow-origin"), origin);
    assertEquals(headers.get("vary")?.includes("origin"), true);
  }
});

Deno.test("pages of other origins get no leave, not even to ask", async () => {
  await using w = await openWorld();
  const answer = await w.api.fetch(
    new Request("https://api.example.com/api/v2/dags", {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "GET" },
    }),
  );
  assertEquals(answer.status, 403);
  assertEquals(answer.headers.has("access-control-allow-origin"), false);
});
