import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { z } from "zod";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { AppError } from "../../../src/model/errors.ts";
import type { RawFiles } from "../../../src/model/data.ts";
import { FinalError, type TaskOutcome } from "../../../src/sdk/operator.ts";
import { sandboxConnections } from "../../../src/sandbox/mod.ts";
import { type SandboxServer, startSandbox } from "../../../src/sandbox/server.ts";
import { EagerClock } from "../../../tests/support/eager_clock.ts";
import { type TestTask, testTask } from "../../../tests/support/task_context.ts";
import { CollectHttpParams } from "./mod.ts";
import { run } from "./run.ts";

type Input = z.input<typeof CollectHttpParams>;

/** Longer than any wait in these tests: time-outs that are not meant to happen. */
const patient = { answerMs: 900_000, stallMs: 900_000 };

const pagedBars: Input = {
  source: "marketstack.eod",
  connection: "marketstack",
  path: "/v1/eod",
  query: { symbols: "AAPL,FB,GOOG,IBM,MSFT", date_from: "2013-02-01", date_to: "2013-03-01" },
  format: "json",
  records: "/data",
  paging: { kind: "offset", limit: 40, total: "/pagination/total" },
  ...patient,
};

const oneCsv: Input = {
  source: "stooq.daily",
  connection: "stooq",
  path: "/q/d/l/",
  query: { s: "ibm.us", i: "d" },
  format: "csv",
  throttledWhen: [{ text: "Exceeded the daily hits limit" }],
  emptyWhen: [{ text: "No data" }],
  ...patient,
};

const alpha: Input = {
  source: "alpha_vantage.daily",
  connection: "alpha_vantage",
  path: "/query",
  query: { function: "TIME_SERIES_DAILY", symbol: "IBM" },
  format: "json",
  throttledWhen: [{ pointer: "/Note" }, { pointer: "/Information" }],
  failedWhen: [{ pointer: "/Error Message" }],
  ...patient,
};

function collect(task: TestTask, params: Input): Promise<TaskOutcome<RawFiles>> {
  return run({ params: CollectHttpParams.parse(params), inputs: {}, ctx: task.ctx });
}

async function collected(task: TestTask, params: Input): Promise<
  Extract<TaskOutcome<RawFiles>, { kind: "done" }>
> {
  const outcome = await collect(task, params);
  assertEquals(outcome.kind, "done");
  return outcome as Extract<TaskOutcome<RawFiles>, { kind: "done" }>;
}

function taskAt(
  server: SandboxServer,
  { clock = new EagerClock(), ...rest }: {
    clock?: Clock;
    state?: Record<string, unknown>;
    signal?: AbortSignal;
  } = {},
): TestTask {
  return testTask({ clock, connections: sandboxConnections(server.url), ...rest });
}

/** Records of all pages, by symbol and day. */
function recordsOf(task: TestTask, output: RawFiles): string[] {
  return output.files.flatMap((file) =>
    JSON.parse(task.text(file)).data.map((r: { symbol: string; date: string }) =>
      `${r.symbol} ${r.date.slice(0, 10)}`
    )
  );
}

Deno.test("collect.http stores every page as one raw file and publishes them as one version", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);

  const { output, effects } = await collected(task, pagedBars);

  assertEquals(output.files.map((file) => [file.name, file.rows]), [
    ["marketstack.eod-p0001.json", 40],
    ["marketstack.eod-p0002.json", 40],
    ["marketstack.eod-p0003.json", 19],
  ]);
  assertEquals(new Set(recordsOf(task, output)).size, 99);
  assertEquals(effects!.publish!.map((p) => [p.dataset, p.partition, p.kind, p.rows]), [
    ["raw.marketstack.eod", "2013-03-01", "raw", null],
  ]);
  assertEquals(effects!.publish![0].files, output.files);
  assertEquals(effects!.metrics!.records, 99);
});

Deno.test("collect.http shows its secret to the source and to nobody else", async () => {
  await using server = await startSandbox({
    port: 0,
    keys: { "s3cr/t&1": { perMinute: null, perDay: null } },
  });
  const [connection] = sandboxConnections(server.url);
  const at = (password: string) =>
    testTask({ clock: new EagerClock(), connections: [{ ...connection, password }] });
  using good = at("s3cr/t&1");
  using bad = at("wr0ng/k&y");
  server.sandbox.faults.add({ fault: { kind: "status", status: 500 } });

  const { output, effects } = await collected(good, pagedBars);
  const error = await assertRejects(() => collect(bad, pagedBars), FinalError);

  assertStringIncludes(server.sandbox.seen[0].path, "access_key=s3cr%2Ft%261");
  const shown = [...good.logged, JSON.stringify(output), JSON.stringify(effects)].join("\n");
  for (const text of ["s3cr", "s3cr%2Ft"]) assert(!shown.includes(text), shown);
  for (const text of ["wr0ng", "wr0ng%2Fk"]) {
    assert(!(error.message + error.stack + bad.logged.join("\n")).includes(text), error.stack);
  }
  assertEquals(error.cause, undefined);
  assertStringIncludes(error.message, "answered 401");
  assertStringIncludes(error.message, "You have not supplied a valid API Access Key");
});

Deno.test("collect.http takes the secret out of the messages of failing connections", async () => {
  const server = await startSandbox({ port: 0 });
  await server.stop();
  using task = taskAt(server);

  const error = await assertRejects(
    () => collect(task, { ...pagedBars, requestRetry: { tries: 2 } }),
    Error,
    "in 2 tries",
  );

  assertStringIncludes(error.message, "cannot be reached");
  assert(!error.message.includes("access_key=demo"), error.message);
});

Deno.test("collect.http waits for as long as Retry-After says, in seconds or until a date", async () => {
  await using server = await startSandbox({ port: 0 });
  const clock = new EagerClock();
  using task = taskAt(server, { clock });
  server.sandbox.faults.add({ fault: { kind: "status", status: 429, retryAfter: "7" } });
  server.sandbox.faults.add({ fault: { kind: "status", status: 503, retryAfterDateS: 90 } });

  await collected(task, oneCsv);

  assertEquals(clock.slept.filter((ms) => ms >= 7000), [7000, 90_000]);
});

Deno.test("collect.http gives its slot back when Retry-After is longer than it would hold", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  server.sandbox.faults.add({ fault: { kind: "throttle", retryAfterS: 3600 }, match: "eod" });

  const outcome = await collect(task, pagedBars);

  assert(outcome.kind === "retryAt");
  assertEquals(outcome.at, new Date("2013-03-04T01:00:00Z"));
  assertStringIncludes(outcome.reason, 'source "marketstack.eod": the source answered 429');
});

Deno.test("collect.http backs off with full jitter under a growing, capped limit", async () => {
  await using server = await startSandbox({ port: 0 });
  const clock = new EagerClock();
  using task = taskAt(server, { clock });
  server.sandbox.faults.add({ fault: { kind: "status", status: 502 }, times: 4 });

  await collected(task, { ...oneCsv, requestRetry: { delayMs: 1000, delayMsMax: 3000 } });

  assertEquals(clock.slept.length, 4);
  clock.slept.forEach((ms, i) => assert(ms >= 0 && ms < [1000, 2000, 3000, 3000][i], `${ms}`));
  assertEquals(new Set(clock.slept).size, 4);
});

Deno.test("collect.http gives up after its tries and names the request and the last answer", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  server.sandbox.faults.add({ fault: { kind: "status", status: 502 }, times: 9 });

  await assertRejects(
    () => collect(task, { ...oneCsv, requestRetry: { tries: 3 } }),
    Error,
    `Cannot collect "stooq.daily" by GET ${server.url}/stooq/q/d/l/?s=ibm.us&i=d in 3 tries: ` +
      "the source answered 502: Status 502",
  );
  assertEquals(server.sandbox.seen.length, 3);
});

Deno.test("collect.http does not ask again after an answer that asking does not change", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);

  await assertRejects(() => collect(task, { ...oneCsv, path: "/nowhere" }), FinalError, "404");
  assertEquals(server.sandbox.seen.length, 1);
});

Deno.test("collect.http knows an error in a body of status 200", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  server.sandbox.faults.add({ fault: { kind: "error" }, match: "alpha" });

  await assertRejects(() => collect(task, alpha), FinalError, "Invalid API call");
  assertEquals((await collected(task, alpha)).output.files.length, 1);
});

Deno.test("collect.http waits when a body of status 200 says that it asks too often", async () => {
  await using server = await startSandbox({ port: 0 });
  const clock = new EagerClock();
  using task = taskAt(server, { clock });
  server.sandbox.faults.add({ fault: { kind: "throttle", retryAfterS: 0 }, times: 2 });

  const { output, effects } = await collected(task, alpha);

  assertEquals(clock.slept, [500, 1000]);
  assertEquals(effects!.metrics!.throttled, 2);
  assertStringIncludes(task.text(output.files[0]), "Time Series (Daily)");
});

Deno.test("collect.http asks again for an HTML page of status 200 where data was expected", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  server.sandbox.faults.add({ fault: { kind: "html" }, times: 2 });

  const { output } = await collected(task, oneCsv);

  assert(task.text(output.files[0]).startsWith("Date,Open"));
  assert(
    task.logged.some((line) =>
      line.includes('HTML page (\\"Scheduled maintenance\\")') ||
      line.includes('HTML page ("Scheduled maintenance")')
    ),
    task.logged.join("\n"),
  );
});

Deno.test("collect.http asks again for a body that ends too early without a sign", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  server.sandbox.faults.add({ fault: { kind: "truncate", afterBytes: 900 } });

  const { output } = await collected(task, pagedBars);

  assertEquals(recordsOf(task, output).length, 99);
  assert(task.logged.some((line) => line.includes("not whole JSON")));
});

Deno.test("collect.http goes on where a body broke off", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  using whole = taskAt(server);
  server.sandbox.faults.add({ fault: { kind: "cut", afterBytes: 5000 } });

  const { output } = await collected(task, oneCsv);

  const [first, second] = server.sandbox.seen;
  assertEquals(first.headers["range"], undefined);
  assertEquals(second.headers["range"], "bytes=5000-");
  assert(second.headers["if-range"].startsWith('"'));
  assertEquals(
    task.text(output.files[0]),
    whole.text((await collected(whole, oneCsv)).output.files[0]),
  );
});

for (const kind of ["no_ranges", "wrong_range"] as const) {
  Deno.test(`collect.http begins anew when a server does not go on as asked: ${kind}`, async () => {
    await using server = await startSandbox({ port: 0 });
    using task = taskAt(server);
    server.sandbox.faults.add({ fault: { kind: "cut", afterBytes: 5000 } });
    server.sandbox.faults.add({ fault: { kind }, times: 2 });

    const { output } = await collected(task, oneCsv);

    const lines = task.text(output.files[0]).trimEnd().split("\r\n");
    assertEquals(new Set(lines).size, lines.length);
    assertEquals(lines.length, 292);
  });
}

Deno.test("collect.http cuts a body that stands still and goes on from there", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server, { clock: systemClock });
  server.sandbox.faults.add({ fault: { kind: "stall", afterBytes: 3000 } });

  const { output } = await collected(task, {
    ...oneCsv,
    stallMs: 40,
    requestRetry: { delayMs: 1 },
  });

  assertEquals(server.sandbox.seen[1].headers["range"], "bytes=3000-");
  assertEquals(task.text(output.files[0]).trimEnd().split("\r\n").length, 292);
  assert(task.logged.some((line) => line.includes("stood still for 40 ms after 3000 bytes")));
});

Deno.test("collect.http does not wait for ever for a source that does not answer", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server, { clock: systemClock });
  server.sandbox.faults.add({ fault: { kind: "silent" } });

  await assertRejects(
    () => collect(task, { ...oneCsv, answerMs: 40, requestRetry: { tries: 1 } }),
    Error,
    "did not answer within 40 ms",
  );
});

Deno.test("collect.http stops at once when its task is stopped", async () => {
  await using server = await startSandbox({ port: 0 });
  const stop = new AbortController();
  using task = taskAt(server, { clock: systemClock, signal: stop.signal });
  server.sandbox.faults.add({ fault: { kind: "stall", afterBytes: 100 } });
  const asked = collect(task, oneCsv);
  while (server.sandbox.seen.length === 0) await new Promise((turn) => setImmediate(turn));

  stop.abort(new Error("cancelled by a person"));

  await assertRejects(() => asked, Error, "cancelled by a person");
});

for (const kind of ["bad_digest", "flipped_byte"] as const) {
  Deno.test(`collect.http refuses a body that does not have its digest: ${kind}`, async () => {
    await using server = await startSandbox({ port: 0 });
    using task = taskAt(server);
    server.sandbox.faults.add({ fault: { kind }, times: 3 });

    await assertRejects(
      () => collect(task, { ...oneCsv, requestRetry: { tries: 3 } }),
      Error,
      "does not have the digest of its Repr-Digest header",
    );
    assertEquals((await collected(task, oneCsv)).output.files.length, 1);
  });
}

for (const kind of ["page_twice", "half_page_twice"] as const) {
  Deno.test(`collect.http asks again for a page that repeats records: ${kind}`, async () => {
    await using server = await startSandbox({ port: 0 });
    using task = taskAt(server);
    server.sandbox.faults.add({ fault: { kind }, match: "offset=40" });

    const { output, effects } = await collected(task, pagedBars);

    const records = recordsOf(task, output);
    assertEquals([records.length, new Set(records).size], [99, 99]);
    assertEquals(effects!.metrics!.repeatedRecords, 0);
  });
}

Deno.test("collect.http keeps a page that overlaps each time, counts it, and misses nothing", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  server.sandbox.faults.add({ fault: { kind: "half_page_twice" }, match: "offset=40", times: 3 });

  const { output, effects } = await collected(task, pagedBars);

  assertEquals(new Set(recordsOf(task, output)).size, 99);
  assertEquals(effects!.metrics!.repeatedRecords, 20);
});

Deno.test("collect.http fails when a source gives the same page for ever", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  const paging = { kind: "offset", limit: 40, offsetParam: "skip", limitParam: "limit" } as const;

  await assertRejects(
    () => collect(task, { ...pagedBars, paging }),
    Error,
    "40 of the 40 records of page 2 came in earlier pages already; do the paging parameters",
  );
});

Deno.test("collect.http follows a redirect within its host and refuses one that leaves it", async () => {
  await using server = await startSandbox({ port: 0 });
  await using other = await startSandbox({ port: 0 });
  using task = taskAt(server);
  const inside = "/stooq/q/d/l/?s=msft.us&i=d";
  server.sandbox.faults.add({ fault: { kind: "redirect", to: inside } });
  server.sandbox.faults.add({
    fault: { kind: "redirect", to: `${other.url}${inside}` },
    match: "marketstack",
  });

  assertEquals((await collected(task, oneCsv)).output.files.length, 1);
  const elsewhere = { ...pagedBars, paging: { kind: "none" }, records: undefined } as const;
  await assertRejects(() => collect(task, elsewhere), FinalError, "which is not its own host");
  assertEquals(other.sandbox.seen.length, 0);
});

Deno.test("collect.http takes no credential to another host that redirects may lead to", async () => {
  await using server = await startSandbox({ port: 0 });
  await using other = await startSandbox({ port: 0 });
  const [connection] = sandboxConnections(server.url);
  const auth = { kind: "bearer" };
  using task = testTask({
    clock: new EagerClock(),
    connections: [{
      ...connection,
      extra: { path: "/marketstack", auth, headers: { "x-id": "7" } },
    }],
  });
  const to = `${other.url}/stooq/q/d/l/?s=msft.us&i=d`;
  server.sandbox.faults.add({ fault: { kind: "redirect", to } });

  await collected(task, {
    ...pagedBars,
    paging: { kind: "none" },
    format: "csv",
    redirectHosts: [new URL(other.url).host],
  });

  assertEquals(server.sandbox.seen[0].headers["authorization"], "Bearer demo");
  assertEquals(other.sandbox.seen[0].headers["authorization"], undefined);
  assertEquals(other.sandbox.seen[0].headers["x-id"], undefined);
});

Deno.test("collect.http asks only for news of content that it has", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  const first = await collected(task, oneCsv);
  task.commit(first.effects);

  const second = await collected(task, oneCsv);

  assertEquals(server.sandbox.seen[1].headers["if-none-match"]?.slice(0, 1), '"');
  assertEquals(second.output.files, first.output.files);
  assertEquals(second.effects!.publish, []);
  assertEquals(second.effects!.metrics!.notModified, 1);
  assertEquals(typeof second.effects!.metrics!.seenAgainAt, "string");
});

Deno.test("collect.http makes no version of content that the newest one has", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  task.commit((await collected(task, pagedBars)).effects);

  const { output, effects } = await collected(task, pagedBars);

  assertEquals(effects!.publish, []);
  assertEquals(output.files.map((file) => file.key), [0, 1, 2].map((i) => `attempts/1/${i}`));
});

Deno.test("collect.http makes a new version of corrected content", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  server.sandbox.setAsOf(new Date("2013-03-01T12:00:00Z"));
  const before = await collected(task, pagedBars);
  task.commit(before.effects);
  server.sandbox.setAsOf(null);

  const after = await collected(task, pagedBars);

  assertEquals(recordsOf(task, before.output).length, 94);
  assertEquals(recordsOf(task, after.output).length, 99);
  assertEquals(after.effects!.publish!.length, 1);
});

Deno.test("collect.http is skipped when the source says that it has no data", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  const nothing = { ...oneCsv, query: { s: "nope.us", i: "d" } };

  assertEquals((await collect(task, nothing)).kind, "skip");
  assertEquals((await collected(task, { ...nothing, onEmpty: "done" })).output.files, []);
  await assertRejects(() => collect(task, { ...nothing, onEmpty: "fail" }), FinalError, "no data");
});

Deno.test("collect.http asks once for each part and labels its files", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);

  const { output } = await collected(task, {
    ...oneCsv,
    query: { i: "d" },
    parts: ["AAPL", "IBM"].map((symbol) => ({
      name: symbol,
      query: { s: `${symbol.toLowerCase()}.us` },
      labels: { symbol },
    })),
  });

  assertEquals(output.files.map((file) => [file.name, file.labels]), [
    ["stooq.daily-AAPL.csv", { symbol: "AAPL" }],
    ["stooq.daily-IBM.csv", { symbol: "IBM" }],
  ]);
});

Deno.test("collect.http goes on without a part that fails, when told so, and names it", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);
  const parts = ["aapl", "ibm"].map((name) => ({ name, query: { s: `${name}.us` } }));
  const params = { ...oneCsv, parts, requestRetry: { tries: 2 } };
  server.sandbox.faults.add({ fault: { kind: "status", status: 500 }, match: "aapl", times: 4 });

  const { output } = await collected(task, { ...params, onPartFailure: "collect" });

  assertEquals(output.files.map((file) => file.name), ["stooq.daily-ibm.csv"]);
  assertEquals(output.failed.map(({ part, status, attempts }) => ({ part, status, attempts })), [
    { part: "aapl", status: 500, attempts: 2 },
  ]);
  await assertRejects(() => collect(task, params), Error, "the source answered 500");
});

Deno.test("collect.http keeps to its rate", async () => {
  await using server = await startSandbox({ port: 0 });
  const clock = new EagerClock();
  using task = taskAt(server, { clock });

  await collected(task, { ...pagedBars, rate: { requests: 2, perMs: 60_000 } });

  assertEquals(clock.slept, [60_000]);
});

Deno.test("collect.http refuses a body larger than it may be", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = taskAt(server);

  await assertRejects(
    () => collect(task, { ...oneCsv, bytesMax: 1000 }),
    FinalError,
    "bytes and bytesMax allows 1000",
  );
});

Deno.test("collect.http passes on what its task may not do", async () => {
  using task = testTask({ clock: new EagerClock() });
  task.ctx.connection = () => Promise.reject(new AppError("FORBIDDEN", "not declared"));

  const error = await assertRejects(() => collect(task, oneCsv), AppError, "not declared");

  assertEquals(error.code, "FORBIDDEN");
});

Deno.test("CollectHttpParams wants to know where the source is", () => {
  const parsed = CollectHttpParams.safeParse({ source: "a.b" });
  assertStringIncludes(parsed.error!.message, "give a connection, or a url");
  assertStringIncludes(
    CollectHttpParams.safeParse({ source: "A-B", url: "https://x.org" }).error!.message,
    "named by lower-case letters",
  );
});
