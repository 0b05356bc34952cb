import { assertEquals, assertRejects } from "@std/assert";
import { readConnection } from "./connection.ts";
import { exchange } from "./exchange.ts";
import { HttpFailure } from "./failure.ts";
import { createRedactor } from "./redact.ts";
import { type HttpSession, showUrl } from "./session.ts";

const endpoint = readConnection({
  ...{ connectionId: "vendor", connType: "http", host: "api.example.com", port: null },
  ...{ schema: null, login: null, password: "k-123" },
  extra: { auth: { kind: "api_key", in: "query", name: "key" } },
});
const session = { endpoint, redact: createRedactor(endpoint.secrets) } as unknown as HttpSession;

Deno.test("showUrl() shows any URL that a source may give, without its key", () => {
  const shown = (href: string) => showUrl(session, new URL(href));
  assertEquals(
    shown("https://api.example.com/x?q=%C3%A9&key=k-123"),
    "https://api.example.com/x?q=é",
  );
  assertEquals(shown("https://api.example.com/caf%E9"), "https://api.example.com/caf%E9");
});

Deno.test("exchange() follows a redirect to no other protocol", async () => {
  const answer = new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } });
  const prepared = {
    ...{ method: "GET", url: new URL("http://api.example.com/"), headers: new Headers() },
    redirectHosts: [""],
  };
  const { signal } = new AbortController();
  const fetchAnswer = () => Promise.resolve(answer);
  await assertRejects(
    () => exchange(prepared, { signal, fetchAnswer }),
    HttpFailure,
    'an address of "file:"',
  );
});
