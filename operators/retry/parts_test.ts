import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { z } from "zod";
import type { RawFiles } from "../../src/model/data.ts";
import type { TaskOutcome } from "../../src/sdk/operator.ts";
import { sandboxConnections } from "../../src/sandbox/mod.ts";
import { type SandboxServer, startSandbox } from "../../src/sandbox/server.ts";
import { EagerClock } from "../../tests/support/eager_clock.ts";
import { type TestTask, testTask } from "../../tests/support/task_context.ts";
import { CollectHttpParams } from "../collect/http/mod.ts";
import { run as collectRun } from "../collect/http/run.ts";
import { RetryPartsParams } from "./parts.ts";
import { run } from "./parts_run.ts";

const patient = { answerMs: 900_000, stallMs: 900_000, requestRetry: { tries: 1 } };
const names = ["AAPL", "IBM"];

const stooq = {
  connection: "stooq",
  path: "/q/d/l/",
  query: { i: "d", d1: "20130225" },
  format: "csv" as const,
  parts: names.map((name) => ({
    name,
    query: { s: `${name.toLowerCase()}.us` },
    labels: { symbol: name },
  })),
  ...patient,
};

const alpha = {
  source: "alpha_vantage.daily",
  connection: "alpha_vantage",
  path: "/query",
  query: { function: "TIME_SERIES_DAILY", datatype: "csv" },
  format: "csv" as const,
  parts: names.map((name) => ({ name, query: { symbol: name }, labels: { symbol: name } })),
  ...patient,
};

/** The output of a collection that AAPL was missing from. */
async function withoutAapl(server: SandboxServer, task: TestTask): Promise<RawFiles> {
  server.sandbox.faults.add({ fault: { kind: "status", status: 500 }, match: "aapl" });
  const params = CollectHttpParams.parse({
    ...stooq,
    source: "stooq.daily",
    onPartFailure: "collect",
  });
  const outcome = await collectRun({ params, inputs: {}, ctx: task.ctx });
  assert(outcome.kind === "done");
  task.commit(outcome.effects);
  assertEquals(outcome.output.failed.map((one) => one.part), ["AAPL"]);
  return outcome.output;
}

function again(
  task: TestTask,
  from: RawFiles,
  params: Partial<z.input<typeof RetryPartsParams>>,
): Promise<TaskOutcome<RawFiles>> {
  const parsed = RetryPartsParams.parse({ request: stooq, ...params });
  return run({ params: parsed, inputs: { from }, ctx: task.ctx });
}

Deno.test("retry.parts fetches just what is missing, with growing waits", async () => {
  await using server = await startSandbox({ port: 0 });
  const clock = new EagerClock();
  using task = testTask({ clock, connections: sandboxConnections(server.url) });
  const from = await withoutAapl(server, task);
  server.sandbox.faults.add({ fault: { kind: "status", status: 500 }, match: "aapl", times: 2 });

  const outcome = await again(task, from, { rounds: 3, delayMs: 1000 });

  assert(outcome.kind === "done");
  assertEquals(outcome.output.failed, []);
  assertEquals(outcome.output.files.map((file) => [file.labels?.symbol, file.source]), [
    ["IBM", undefined],
    ["AAPL", undefined],
  ]);
  assertEquals(outcome.effects!.publish![0].files, outcome.output.files);
  assertEquals(outcome.effects!.metrics, { wanted: 1, recovered: 1, byFallback: 0, files: 2 });
  assertEquals(server.sandbox.seen.slice(2).map(({ path }) => /s=(\w+)/.exec(path)![1]), [
    "aapl",
    "aapl",
    "aapl",
  ]);
  assertEquals(clock.slept.length, 2);
  assert(clock.slept[0] < 1000 && clock.slept[1] < 2000);
});

Deno.test("retry.parts asks a fallback and marks its files by their real source", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = testTask({ clock: new EagerClock(), connections: sandboxConnections(server.url) });
  const from = await withoutAapl(server, task);
  server.sandbox.faults.add({ fault: { kind: "status", status: 500 }, match: "aapl", times: 9 });

  const outcome = await again(task, from, { rounds: 2, fallback: alpha });

  assert(outcome.kind === "done");
  assertEquals(outcome.output.source, "stooq.daily");
  assertEquals(outcome.output.files.map((file) => [file.labels?.symbol, file.source]), [
    ["IBM", undefined],
    ["AAPL", "alpha_vantage.daily"],
  ]);
  assertEquals(outcome.effects!.metrics!.byFallback, 1);
  assertStringIncludes(task.text(outcome.output.files[1]), "2013-03-01,438.0000");
});

Deno.test("retry.parts goes to the fallback rather than wait for long, and waits without one", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = testTask({ clock: new EagerClock(), connections: sandboxConnections(server.url) });
  const from = await withoutAapl(server, task);
  const fault = { kind: "status", status: 429, retryAfter: "7200" } as const;
  const patientRequest = { ...stooq, requestRetry: { tries: 2 } };
  server.sandbox.faults.add({ fault, match: "aapl", times: 2 });

  const waits = await again(task, from, { request: patientRequest });
  const moves = await again(task, from, { request: patientRequest, fallback: alpha });

  assert(waits.kind === "retryAt");
  assertEquals(waits.at, new Date("2013-03-04T02:00:00Z"));
  assert(moves.kind === "done");
});

Deno.test("retry.parts says what is still missing, or goes on without it when told so", async () => {
  await using server = await startSandbox({ port: 0 });
  using task = testTask({ clock: new EagerClock(), connections: sandboxConnections(server.url) });
  const from = await withoutAapl(server, task);
  server.sandbox.faults.add({ fault: { kind: "status", status: 500 }, match: "aapl", times: 9 });

  await assertRejects(
    () => again(task, from, { rounds: 1 }),
    Error,
    'Cannot complete "stooq.daily": 1 of its parts are still missing (AAPL)',
  );
  const outcome = await again(task, from, { rounds: 1, onMissing: "continue" });

  assert(outcome.kind === "done");
  assertEquals(outcome.output.failed.map(({ part, attempts }) => ({ part, attempts })), [
    { part: "AAPL", attempts: 2 },
  ]);
  assertEquals(outcome.effects!.publish, []);
});

Deno.test("retry.parts has nothing to do for a whole collection", async () => {
  using task = testTask({ clock: new EagerClock() });
  const from: RawFiles = {
    kind: "raw",
    source: "a",
    dataset: "raw.a",
    partition: "p",
    files: [],
    collectedAt: "2013-03-01T00:00:00.000Z",
    failed: [],
  };
  assertEquals(await again(task, from, {}), { kind: "done", output: from });
});

Deno.test("RetryPartsParams wants the parts of both sources", () => {
  const problem = (params: object) => RetryPartsParams.safeParse(params).error!.message;
  assertStringIncludes(problem({ request: { url: "https://x.org" } }), "Give the request's parts");
  assertStringIncludes(
    problem({ request: stooq, fallback: { ...alpha, parts: [alpha.parts[0]] } }),
    "Give the fallback parts of these names too: IBM",
  );
});
