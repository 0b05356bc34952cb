import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { silentLogger } from "../base/log.ts";
import { seededRandom } from "../base/random.ts";
import type { ConnectionSecret } from "../contract/execution.ts";
import type { NoticeTarget } from "../model/notice_spec.ts";
import type { Sql } from "../store/database.ts";
import { outboxStore, redeliver } from "../store/event_outbox.ts";
import { Deliverer, type DelivererParts } from "./deliverer.ts";
import { signatureOf } from "./webhook.ts";

const eventId = "01900000-0000-7000-8000-000000000001";

/** A receiver that answers as told, last answer for ever; what it got. */
function receiver(...answers: (Response | (() => Promise<Response>))[]) {
  const got: { path: string; headers: Headers; body: string }[] = [];
  const server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    got.push({ path: pathname, headers: request.headers, body: await request.text() });
    const answer = answers.length > 1 ? answers.shift()! : answers[0];
    return typeof answer === "function" ? await answer() : answer.clone();
  });
  const url = `http://localhost:${server.addr.port}`;
  return { got, url, [Symbol.asyncDispose]: () => server.shutdown() };
}

interface Kept {
  state: string;
  tries: number;
  nextAt: Date;
  lastError: string | null;
}

async function world(some: Partial<DelivererParts> = {}) {
  const db = await testDatabase();
  const clock = new VirtualClock();
  const deliverer = new Deliverer({
    outbox: outboxStore(db.sql),
    startRun: () => Promise.resolve(),
    readConnection: () => Promise.reject(new Error("none")),
    subscribe: () => () => {},
    clock,
    random: seededRandom(1),
    log: silentLogger,
    ...some,
  });
  return {
    clock,
    deliverer,
    sql: db.sql,
    add: (target: NoticeTarget, ordinal = 0) => add(db.sql, clock, target, ordinal),
    kept: async () =>
      await db.sql<Kept[]>`
        select state, tries, next_at, last_error
        from event_outbox order by seq`,
    /** One look, to the end of its tries. */
    async look() {
      const begun = await deliverer.runOnce();
      await deliverer.settled();
      return begun;
    },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

async function add(sql: Sql, clock: VirtualClock, target: NoticeTarget, ordinal: number) {
  await sql`
    insert into event_outbox (event_id, ordinal, type, dag_id, dag_run_id, subject, occurred_at,
      data, target, next_at)
    values (${eventId}, ${ordinal}, 'tidewheel.dag_run.failed', 'prices', ${eventId}, 'r1',
      ${clock.now()}, ${JSON.stringify({ dag_run_id: "r1", reason: "task_failure" })}::text::jsonb,
      ${JSON.stringify(target)}::text::jsonb, ${clock.now()})`;
}

const hook = (url: string | null, more: object = {}): NoticeTarget => ({
  kind: "webhook",
  ...{ url, connection: null, path: null, format: "cloudevents", ...more },
});

const connection: ConnectionSecret = {
  connectionId: "alerts",
  connType: "http",
  host: "localhost",
  ...{ port: null, schema: "http", login: null, password: "s3cret", extra: {} },
};

Deno.test("an event goes out as a CloudEvent, again after a failure with the same id", async () => {
  await using to = receiver(new Response("not now", { status: 500 }), new Response());
  await using w = await world();
  await w.add(hook(`${to.url}/x`));

  await w.look();
  const [failed] = await w.kept();
  assertEquals([failed.state, failed.tries], ["pending", 1]);
  assertStringIncludes(failed.lastError!, "answered 500: not now");
  assertEquals(await w.look(), 0, "not before its time");
  w.clock.advanceTo(failed.nextAt);
  await w.look();

  assertEquals((await w.kept()).map(({ state, tries }) => [state, tries]), [["delivered", 2]]);
  const [first, second] = to.got;
  assertEquals([first.path, first.body], ["/x", second.body]);
  assertEquals(second.headers.get("webhook-id"), eventId);
  assertEquals(second.headers.get("content-type"), "application/cloudevents+json");
  assertEquals(second.headers.get("webhook-signature"), null);
  assertEquals(JSON.parse(second.body), {
    specversion: "1.0",
    id: eventId,
    source: "/dags/prices",
    type: "tidewheel.dag_run.failed",
    subject: "r1",
    time: "2030-01-01T00:00:00.000Z",
    datacontenttype: "application/json",
    data: { dag_run_id: "r1", reason: "task_failure" },
  });
});

Deno.test("a connection gives address, headers and signature", async () => {
  await using to = receiver(new Response());
  const port = Number(new URL(to.url).port);
  const extra = { path: "hooks", headers: { "x-team": "desk" } };
  await using w = await world({
    readConnection: (connectionId) => {
      assertEquals(connectionId, "alerts");
      return Promise.resolve({ ...connection, port, extra });
    },
  });
  await w.add(hook(null, { connection: "alerts", path: "/prices" }));
  await w.look();

  const [{ path, headers, body }] = to.got;
  assertEquals([path, headers.get("x-team")], ["/hooks/prices", "desk"]);
  const signed = `${eventId}.${headers.get("webhook-timestamp")}.${body}`;
  assertEquals(headers.get("webhook-signature"), signatureOf("s3cret", signed));
});

Deno.test("signatureOf() is that of Standard Webhooks", () => {
  // The example of its specification's libraries.
  assertEquals(
    signatureOf(
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}',
    ),
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

Deno.test("a receiver that never takes an event makes it dead, with the reason; it can be sent again", async () => {
  await using to = receiver(new Response("closed", { status: 503 }));
  await using w = await world();
  await w.add(hook(to.url));
  const waits: number[] = [];
  for (let i = 0; i < limits.deliveryTries; i++) {
    await w.look();
    const [{ nextAt }] = await w.kept();
    waits.push(nextAt.getTime() - w.clock.now().getTime());
    w.clock.advanceTo(nextAt);
  }
  const [dead] = await w.kept();
  assertEquals([dead.state, dead.tries], ["dead", limits.deliveryTries]);
  assertStringIncludes(dead.lastError!, "answered 503: closed");
  assert(waits.slice(0, -1).every((ms) => ms > 0 && ms <= limits.deliveryRetryMsMax), `${waits}`);
  w.clock.advance(limits.deliveryRetryMsMax);
  assertEquals(await w.look(), 0);

  const [{ seq }] = await w.sql<{ seq: number }[]>`select seq from event_outbox`;
  await redeliver(w.sql, seq, w.clock.now());
  assertEquals(await w.look(), 1);
});

Deno.test("410 ends an event at once, a redirect is not followed, Retry-After is kept to", async () => {
  await using gone = receiver(new Response(null, { status: 410 }));
  await using moved = receiver(
    new Response(null, { status: 302, headers: { location: gone.url } }),
  );
  await using busy = receiver(
    new Response(null, { status: 429, headers: { "retry-after": "120" } }),
  );
  await using w = await world();
  await w.add(hook(gone.url), 0);
  await w.add(hook(moved.url), 1);
  await w.add(hook(busy.url), 2);
  await w.look();
  const [one, two, three] = await w.kept();
  assertEquals([one.state, two.state, three.state], ["dead", "pending", "pending"]);
  assertStringIncludes(two.lastError!, "redirects are not followed");
  assertEquals(gone.got.length, 1);
  assertEquals(three.nextAt.getTime() - w.clock.now().getTime(), 120_000);
});

Deno.test("two deliverers share the events, and one that died gives its back when its lease ends", async () => {
  await using to = receiver(new Response());
  await using w = await world();
  for (let i = 0; i < 6; i++) await w.add(hook(to.url), i);
  const outbox = outboxStore(w.sql);
  const ask = () => ({
    now: w.clock.now(),
    leaseUntil: new Date(w.clock.now().getTime() + limits.deliveryLeaseMs),
    ...{ max: 3, perTarget: 10, busy: [] },
  });
  const [mine, theirs] = await Promise.all([outbox.take(ask()), outbox.take(ask())]);
  const all = [...mine, ...theirs].map(({ ordinal }) => ordinal).sort();
  assertEquals(all.length, new Set(all).size);
  assertEquals((await outbox.take(ask())).length, 6 - all.length);
  assertEquals(await w.look(), 0);

  w.clock.advance(limits.deliveryLeaseMs);
  while (await w.look() > 0);
  assertEquals(to.got.length, 6);
  // What the one that was thought dead says now counts no more.
  const late = { at: w.clock.now(), nextAt: w.clock.now(), error: "late" };
  const { seq, tries } = mine[0];
  assertEquals(await outbox.settle({ seq, tries, state: "dead", ...late }), false);
});

Deno.test("a receiver that hangs holds up its own events only", async () => {
  const hung = Promise.withResolvers<Response>();
  await using slow = receiver(() => hung.promise);
  await using fast = receiver(new Response());
  await using w = await world();
  for (let i = 0; i < 40; i++) await w.add(hook(slow.url), i);
  await w.deliverer.runOnce();
  await w.deliverer.runOnce();
  await w.add(hook(fast.url), 40);
  assertEquals(await w.deliverer.runOnce(), 1);
  hung.resolve(new Response());
  await w.deliverer.settled();
  assertEquals(fast.got.length, 1);
  assertEquals(slow.got.length, limits.deliveriesPerTarget);
});

Deno.test("slack() is told in one line", async () => {
  await using to = receiver(new Response());
  await using w = await world();
  await w.add(hook(to.url, { format: "slack" }));
  await w.look();
  assertEquals(JSON.parse(to.got[0].body), { text: "Run r1 of prices failed: task_failure" });
});
