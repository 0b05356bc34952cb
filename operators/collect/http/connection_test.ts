import { assertEquals, assertThrows } from "@std/assert";
import type { ConnectionSecret } from "../../../src/contract/execution.ts";
import { FinalError } from "../../../src/sdk/operator.ts";
import { readConnection } from "./connection.ts";
import { firstPage } from "./paging.ts";
import { prepare } from "./prepare.ts";
import { createRedactor } from "./redact.ts";
import { HttpRequest } from "./request_params.ts";

function connection(more: Partial<ConnectionSecret>): ConnectionSecret {
  return {
    connectionId: "vendor",
    connType: "http",
    host: "api.example.com",
    port: null,
    schema: null,
    login: null,
    password: "k3y",
    extra: {},
    ...more,
  };
}

function request(more: Partial<ConnectionSecret>, params: object = {}) {
  const parsed = HttpRequest.parse({ connection: "vendor", path: "/v1/bars", ...params });
  return prepare(readConnection(connection(more)), parsed, { ask: firstPage({ kind: "none" }) });
}

Deno.test("readConnection() joins scheme, host, port and path, https unless said otherwise", () => {
  const url = (more: Partial<ConnectionSecret>) => readConnection(connection(more)).baseUrl.href;

  assertEquals(url({}), "https://api.example.com/");
  assertEquals(
    url({ schema: "http", port: 8080, extra: { path: "/a/" } }),
    "http://api.example.com:8080/a/",
  );
  assertEquals(url({ host: "https://x.org/base", extra: { path: "v2" } }), "https://x.org/base/v2");
});

Deno.test("readConnection() says what is missing in a connection", () => {
  assertThrows(() => readConnection(connection({ host: null })), FinalError, "it has no host");
  assertThrows(
    () => readConnection(connection({ password: null, extra: { auth: { kind: "bearer" } } })),
    FinalError,
    'auth is "bearer" and it has no password',
  );
  assertThrows(
    () => readConnection(connection({ extra: { auth: { kind: "oauth9" } } })),
    FinalError,
    "its extra does not fit",
  );
  assertThrows(() => readConnection(connection({ schema: "ftp" })), FinalError, "not an http");
});

Deno.test("prepare() shows the secret as the connection says", () => {
  const auth = (auth: Record<string, string>) => ({ extra: { auth } });

  assertEquals(request({}).headers.get("authorization"), null);
  assertEquals(request({ login: "me" }).headers.get("authorization"), `Basic ${btoa("me:k3y")}`);
  assertEquals(request(auth({ kind: "bearer" })).headers.get("authorization"), "Bearer k3y");
  assertEquals(
    request(auth({ kind: "api_key", name: "apikey" })).url.href,
    "https://api.example.com/v1/bars?apikey=k3y",
  );
  assertEquals(
    request(auth({ kind: "api_key", in: "header", name: "X-Key", prefix: "Token " })).headers
      .get("x-key"),
    "Token k3y",
  );
  assertEquals(
    request(auth({ kind: "api_key", in: "body", name: "key" }), { body: { a: 1 } }).body,
    '{"a":1,"key":"k3y"}',
  );
});

Deno.test("prepare() repeats listed query values and leaves out null", () => {
  const { url } = request({}, { query: { s: ["a b", "c"], n: 1, gone: null } });
  assertEquals(url.search, "?s=a+b&s=c&n=1");
});

Deno.test("prepare() follows the source's own links only", () => {
  const endpoint = readConnection(connection({ extra: { auth: { kind: "bearer" } } }));
  const params = HttpRequest.parse({ connection: "vendor", redirectHosts: ["cdn.example.com"] });
  const follow = (url: string) =>
    prepare(endpoint, params, { ask: { page: 2, query: {}, body: {}, url } });

  assertEquals(follow("/next?c=2").headers.get("authorization"), "Bearer k3y");
  assertEquals(follow("https://cdn.example.com/2").headers.get("authorization"), null);
  assertThrows(() => follow("https://evil.org/2"), FinalError, "list the host in redirectHosts");
  assertThrows(() => follow("http://api.example.com/2"), FinalError, "Cannot follow");
});

Deno.test("createRedactor() knows a secret in URLs, JSON and plain text", () => {
  const redact = createRedactor(['p"a&b', ""]);
  assertEquals(redact(`x=p"a&b y=p%22a%26b z=${JSON.stringify('p"a&b')}`), 'x=*** y=*** z="***"');
});
