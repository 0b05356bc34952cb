import { createHmac } from "node:crypto";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { limits } from "../../base/limits.ts";
import { isSigned } from "../signature.ts";
import { onWebhook, type OnWebhookOptions } from "../../sdk/on_events.ts";
import { keepRefused } from "../../store/watch_query.ts";

const SECRET = "it is one";

async function worldWith(over: Partial<OnWebhookOptions> = {}): Promise<ApiWorld> {
  const w = await apiWorld();
  const webhook = onWebhook({
    ...{ name: "fills", secret: "broker", signature: "github", key: "$.id" },
    ...over,
  });
  await w.addDag("fills", [{ taskId: "t" }], { schedule: webhook.spec("UTC") });
  const connection = { connection_id: "broker", conn_type: "http", password: SECRET };
  await w.call("POST", "/api/v2/connections", { body: connection });
  return w;
}

const signed = (body: string, secret = SECRET) =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

async function send(w: ApiWorld, body: string, signature: string | null, name = "fills") {
  const headers: Record<string, string> = signature ? { "x-hub-signature-256": signature } : {};
  const response = await w.api.fetch(
    new Request(`http://localhost/api/v2/webhooks/${name}`, { method: "POST", body, headers }),
  );
  return { status: response.status, body: await response.json() };
}

const events = async (w: ApiWorld) =>
  (await w.call("GET", "/api/v2/assets/events")).body.asset_events;

Deno.test("a signed call is an event, once for its key, and waits for the DAG", async () => {
  await using w = await worldWith();
  const body = `{"id":17,"qty":"100"}`;
  assertEquals(await send(w, body, signed(body)), {
    status: 202,
    body: { event_key: "17", is_new: true },
  });
  assertEquals((await send(w, body, signed(body))).body.is_new, false);
  const other = `{"id":17,"qty":"200"}`;
  assertEquals((await send(w, other, signed(other))).body.is_new, false);

  const [event, ...more] = await events(w);
  assertEquals(more, []);
  assertEquals([event.name, event.partition_key, event.extra.payload], [
    "webhook:fills",
    "17",
    { id: 17, qty: "100" },
  ]);
  const [dag] = await w.parts.store.loadDags(["fills"]);
  assertEquals(dag.pending, [{ dataset: "webhook:fills", partition: "17" }]);
});

Deno.test("a call without a right signature is told nothing, also of webhooks that do not exist", async () => {
  await using w = await worldWith();
  const body = `{"id":1}`;
  const answers = [
    await send(w, body, null),
    await send(w, body, signed(body, "guess")),
    await send(w, body, "sha256=zz"),
    await send(w, body + " ", signed(body)),
    await send(w, body, signed(body), "nobody"),
  ];
  assertEquals(answers.map(({ status }) => status), [401, 401, 401, 401, 401]);
  assertEquals(
    new Set(answers.map((one) => one.body.detail.replace("nobody", "fills"))).size,
    1,
  );
  assertEquals(await events(w), []);
});

Deno.test("a call without its key, or with too much, is refused in words", async () => {
  await using w = await worldWith();
  for (const body of [`{"no":1}`, `{"id":{}}`, `[]`]) {
    const { status, body: { detail } } = await send(w, body, signed(body));
    assertEquals(status, 400);
    assertStringIncludes(detail, "the event's key in $.id: it must be text or a number");
  }
  const text = await send(w, "no json", signed("no json"));
  assertStringIncludes(text.body.detail, "$.id: it is not JSON");
  const big = "x".repeat(limits.eventBytes + 1);
  assertEquals((await send(w, big, signed(big))).status, 413);
  const nul = `{"id":"a\\u0000"}`;
  assertEquals((await send(w, nul, signed(nul))).status, 400);
});

Deno.test("without a secret a webhook takes no call", async () => {
  await using w = await worldWith({ secret: "missing" });
  assertEquals((await send(w, "{}", signed("{}", ""))).status, 401);
});

Deno.test("isSigned() knows Standard Webhooks and Stripe, and their age", () => {
  const now = new Date("2030-01-01T00:00:00Z");
  const at = String(now.getTime() / 1000);
  const body = new TextEncoder().encode("{}");
  const key = "whsec_" + btoa("key");
  const standard = (id: string, time: string) => ({
    headers: new Headers({
      "webhook-id": id,
      "webhook-timestamp": time,
      "webhook-signature": "v1,AAAA v1," +
        createHmac("sha256", "key").update(`m1.${at}.{}`).digest("base64"),
    }),
    body,
    secret: key,
    now,
  });
  assertEquals(isSigned({ kind: "standard" }, standard("m1", at)), true);
  assertEquals(isSigned({ kind: "standard" }, standard("m2", at)), false);
  const old = { ...standard("m1", at), now: new Date(now.getTime() + 301_000) };
  assertEquals(isSigned({ kind: "standard" }, old), false);

  const stripe = createHmac("sha256", "s").update(`${at}.{}`).digest("hex");
  const given = (header: string) => ({
    headers: new Headers({ "stripe-signature": header }),
    ...{ body, secret: "s", now },
  });
  assertEquals(isSigned({ kind: "stripe" }, given(`t=${at},v1=00,v1=${stripe}`)), true);
  assertEquals(isSigned({ kind: "stripe" }, given(`t=1,v1=${stripe}`)), false);
  assertEquals(isSigned({ kind: "stripe" }, given("")), false);
});

Deno.test("what was refused of topics can be looked at", async () => {
  await using w = await apiWorld();
  const refused = { dataset: "kafka:k/t/g", place: "t/0/1", reason: "not JSON", raw: "\0x" };
  await keepRefused(w.parts.sql, [refused, refused], w.parts.clock.now());
  const { body } = await w.call("GET", "/api/v2/refusedEvents?name=kafka:k/t/g");
  assertEquals([body.total_entries, body.refused_events[0].reason], [1, "not JSON"]);
});

Deno.test("events from outside are counted, and those that wait for a DAG", async () => {
  await using w = await worldWith();
  const body = `{"id":17}`;
  await send(w, body, signed(body));
  await send(w, body, signed(body));
  await send(w, body, null);
  await w.call("POST", "/api/v2/assets/events", { body: { name: "prices" } });
  const text = await (await w.api.fetch(new Request("http://localhost/metrics"))).text();
  const lines = text.split("\n").filter((line) => line.startsWith("tidewheel_dataset_events"))
    .sort();
  assertEquals(lines, [
    'tidewheel_dataset_events_total{source="rest",result="new"} 1',
    'tidewheel_dataset_events_total{source="webhook",result="new"} 1',
    'tidewheel_dataset_events_total{source="webhook",result="refused"} 1',
    'tidewheel_dataset_events_total{source="webhook",result="repeated"} 1',
    'tidewheel_dataset_events_waiting{dag_id="fills"} 1',
  ]);
});
