import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { limits } from "../../base/limits.ts";
import { HandOver } from "../../store/hand_over.ts";
import { AttemptEnd, type ClaimResponse, type Workload } from "../../contract/execution.ts";
import { bundleKey } from "../../contract/bundle.ts";

const end = (w: ApiWorld, fields: Record<string, unknown> = {}) =>
  AttemptEnd.parse({
    outcome: { kind: "done" },
    endReason: "success",
    endDate: w.parts.clock.now().toISOString(),
    ...fields,
  });
const batch = async (w: ApiWorld, calls: unknown[]) => {
  const answer = await w.call("POST", "/execution/batch", { body: { calls }, token: null });
  return answer.body.results as { status: number; reason?: string; token?: string }[];
};
const call = ({ attemptId, token }: Workload, kind: string, more: object = {}) => ({
  call: kind,
  attemptId,
  token,
  ...more,
});
const instance = async (w: ApiWorld, run: string, task: string) =>
  (await w.call("GET", `/api/v2/dags/d/dagRuns/${run}/taskInstances/${task}`)).body;

Deno.test("claim gives workloads with inputs, conf over defaults, state and the previous success", async () => {
  await using w = await apiWorld();
  const tasks = [
    { taskId: "list" },
    {
      taskId: "use",
      upstream: ["list"],
      inputs: { all: { kind: "task", taskId: "list" }, some: { kind: "tasks", taskIds: ["list"] } },
    },
  ];
  await w.addDag("d", tasks, { paramsDefault: { days: 5, symbol: "A" } });
  const before = await w.trigger("d");
  await w.moveRun("d", before, "running");
  await w.moveRun("d", before, "success");
  w.parts.clock.advance(2_000);
  const run = await w.trigger("d", { conf: { symbol: "B" } });

  const [list] = await w.start("d", run, ["list"]);
  assertEquals(list.run.conf, { days: 5, symbol: "B" });
  assertEquals(list.run.previousSuccess?.runId, before);
  assertEquals([list.tryNumber, list.task.operator, list.bundle.entry], [1, "task", "d.ts"]);
  await w.end(list, { outcome: { kind: "done", output: [1, 2], effects: { state: { at: "x" } } } });

  const [use] = await w.start("d", run, ["use"]);
  assertEquals(use.inputs, { all: [1, 2], some: [[1, 2]] });
  await w.call("POST", `/api/v2/dags/d/dagRuns/${run}/clear`, { body: { dry_run: false } });
  const [again] = await w.start("d", run, ["list"]);
  assertEquals([again.state, again.tryNumber], [{ at: "x" }, 2]);
});

Deno.test("claim waits until its queue has work, and answers with none at its time", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b", queue: "elsewhere" }]);
  const run = await w.trigger("d");
  const ask = { workerId: "w", hostname: "h", pid: 1, queues: ["default"], version: "1" };
  const waiting = w.api.execution.claim(["*"], { ...ask, slots: 1, waitMs: 10_000 });
  await w.queue("d", run, ["a"]);
  assertEquals((await waiting).workloads.map((each) => each.task.taskId), ["a"]);

  const all = w.api.execution.claim(["*"], { ...ask, queues: ["*"], slots: 1, waitMs: 10_000 });
  await w.queue("d", run, ["b"], "elsewhere");
  assertEquals((await all).workloads.map((each) => each.task.taskId), ["b"]);

  const startMs = w.parts.clock.monotonicMs();
  const none = w.api.execution.claim(["*"], { ...ask, slots: 1, waitMs: 1_000 });
  const wakesAtMs = () => w.parts.clock.nextWakeAt()?.getTime() ?? Infinity;
  while (wakesAtMs() > startMs + 1_000) await w.parts.sql`select 1`;
  w.parts.clock.advance(1_000);
  assertEquals((await none).workloads, []);
});

/** A claim that waits, having seen its queue empty; `gone` when its asker goes away. */
async function waitingClaim(
  w: ApiWorld,
  gone = new AbortController(),
): Promise<() => Promise<ClaimResponse>> {
  const ask = { workerId: "w9", hostname: "h", pid: 9, queues: ["default"], version: "1" };
  const request = { ...ask, slots: 2, waitMs: 10_000 };
  const answer = w.api.execution.claim(["*"], request, gone.signal);
  while (!w.parts.clock.nextWakeAt()) await w.parts.sql`select 1`;
  return () => answer;
}

Deno.test("a waiting claim is handed what a scheduler of its process starts", async () => {
  await using w = await apiWorld({ handOver: new HandOver() });
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b", upstream: ["a"] }]);
  const run = await w.trigger("d");
  const answer = await waitingClaim(w);
  await w.queue("d", run, ["a"]);
  const [{ task, attemptId }] = (await answer()).workloads;
  assertEquals(task.taskId, "a");
  const [attempt] = await w.parts.sql`select * from attempt`;
  assertEquals([attempt.id, attempt.state, attempt.workerId], [attemptId, "running", "w9"]);
});

Deno.test("what started for a worker that has gone meanwhile is given back", async () => {
  const gone = new AbortController();
  class LeavingHandOver extends HandOver {
    override promise(queue: string, attemptId: string) {
      const claimer = super.promise(queue, attemptId);
      if (claimer) gone.abort();
      return claimer;
    }
  }
  await using w = await apiWorld({ handOver: new LeavingHandOver() });
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const answer = await waitingClaim(w, gone);
  await w.queue("d", run, ["a"]);
  assertEquals(await answer(), { workloads: [], stop: [] });
  const [attempt] = await w.parts.sql`select state, end_reason, worker_id from attempt`;
  assertEquals({ ...attempt }, { state: "ended", endReason: "never_started", workerId: "w9" });
  const [again] = await w.start("d", run, ["a"]);
  assertEquals([again.task.taskId, again.tryNumber], ["a", 1]);
});

Deno.test("claim tells a waiting worker which of its attempts must stop", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  const ask = { workerId: "w1", hostname: "h", pid: 1, queues: ["default"], version: "1" };
  const waiting = w.api.execution.claim(["*"], { ...ask, slots: 0, waitMs: 10_000 });
  await w.call("PATCH", `/api/v2/dags/d/dagRuns/${run}`, { body: { state: "failed" } });
  assertEquals(await waiting, { workloads: [], stop: [work.attemptId] });
});

Deno.test("claim gives back what it took for a worker that went away", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b" }]);
  const run = await w.trigger("d");
  const gone = new AbortController();
  gone.abort();
  const lost = w.api.execution.claim(["*"], {
    workerId: "w2",
    hostname: "h",
    pid: 1,
    queues: ["default"],
    slots: 1,
    waitMs: 10_000,
    version: "1",
  }, gone.signal);
  assertEquals((await lost).workloads, []);
  const [work] = await w.start("d", run, ["a"]);
  assertEquals(work.task.taskId, "a");
});

Deno.test("claim refuses queues that the worker's token is not for, and people's tokens", async () => {
  await using w = await apiWorld();
  const body = { workerId: "w", hostname: "h", pid: 1, queues: ["b"], slots: 1, version: "1" };
  const claim = (token: string) => w.call("POST", "/execution/claim", { body, token });
  const other = await claim(w.api.workerToken(["a"]));
  assertEquals([other.status, other.body.code], [403, "FORBIDDEN"]);
  assertEquals((await claim(w.tokens.admin)).status, 403);
  assertEquals((await claim(w.api.workerToken(["b"]) + "x")).status, 401);
  const bad = await w.call("POST", "/execution/claim", { body: {}, token: w.api.workerToken() });
  assertEquals(bad.status, 422);
});

Deno.test("batch judges each call by itself: one bad item fails none of the others", async () => {
  await using w = await apiWorld();
  await w.addDag("d", ["a", "b", "c"].map((taskId) => ({ taskId })));
  const run = await w.trigger("d");
  const [a, b, c] = await w.start("d", run, ["a", "b", "c"]);
  const results = await batch(w, [
    call(a, "end", { end: end(w) }),
    call(b, "end", { end: { endReason: "success" } }),
    { ...call(c, "heartbeat"), token: a.token },
    { ...call(c, "heartbeat"), token: "tw1.attempt.x.y" },
    call(c, "dance"),
    call(c, "heartbeat"),
    call(c, "log", { from: 0, lines: [{ at: "x" }] }),
  ]);
  assertEquals(results.map((r) => r.status), [200, 400, 401, 401, 400, 204, 400]);
  assertStringIncludes(results[6].reason!, "lines.0.at");
  const states = await Promise.all(["a", "b", "c"].map((task) => instance(w, run, task)));
  assertEquals(states.map((s) => s.state), ["success", "running", "running"]);
});

Deno.test("batch refuses a late word: 410 from an old attempt, 200 for the same word again", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a", retry: { retries: 1, delayMs: 0 } }]);
  const run = await w.trigger("d");
  const [first] = await w.start("d", run, ["a"]);
  const failed = end(w, { outcome: null, endReason: "task_error" });
  assertEquals((await batch(w, [call(first, "end", { end: failed })]))[0].status, 200);
  assertEquals((await batch(w, [call(first, "end", { end: failed })]))[0].status, 200);
  const [second] = await w.start("d", run, ["a"]);
  assertEquals(second.tryNumber, 2);
  const late = await batch(w, [
    call(first, "end", { end: end(w) }),
    call(first, "heartbeat"),
    call(second, "heartbeat"),
  ]);
  assertEquals(late.map((r) => r.status), [410, 410, 204]);
});

Deno.test("batch tells a cancelled attempt to stop, and its end makes it cancelled", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  await w.call("PATCH", `/api/v2/dags/d/dagRuns/${run}`, { body: { state: "failed" } });
  assertEquals(await batch(w, [call(work, "heartbeat")]), [{ status: 409, reason: "cancelling" }]);
  const stopped = end(w, { outcome: null, endReason: "cancelled" });
  assertEquals((await batch(w, [call(work, "end", { end: stopped })]))[0].status, 200);
  const shown = await instance(w, run, "a");
  assertEquals(
    [shown.state, shown.internal_state, shown.end_reason],
    ["failed", "cancelled", "cancelled"],
  );
});

Deno.test("batch retries by the task's policy and says when in the instance", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a", retry: { retries: 1, delayMs: 60_000 } }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  const failed = end(w, {
    outcome: null,
    endReason: "task_error",
    evidence: { message: "no \0 answer" },
  });
  await batch(w, [call(work, "end", { end: failed })]);
  const shown = await instance(w, run, "a");
  assertEquals([shown.state, shown.next_try_at], ["up_for_retry", "2030-01-10T12:01:00.000Z"]);
  const { body } = await w.call("GET", `/api/v2/attempts/${work.attemptId}`);
  assertEquals([body.end_reason, body.evidence.message], ["task_error", "no \uFFFD answer"]);
});

Deno.test("an end publishes with its success; what cannot be written is a failure that says why", async () => {
  await using w = await apiWorld();
  await w.addDag("d", ["a", "b", "c"].map((taskId) => ({ taskId })));
  const run = await w.trigger("d");
  const [a, b, c] = await w.start("d", run, ["a", "b", "c"]);
  const publish = (kind: string) => ({
    kind: "done",
    effects: {
      accounting: { in: 3, out: 2, quarantined: 1 },
      publish: [{
        dataset: "prices.daily",
        partition: "2030-01-09",
        kind,
        schema: null,
        files: [],
        rows: 2,
        inputs: [],
      }],
    },
  });
  assertEquals(
    (await batch(w, [
      call(a, "end", { end: end(w, { outcome: publish("table") }) }),
    ])).map((r) => r.status),
    [200],
  );
  const mixed = await batch(w, [
    call(b, "end", { end: end(w, { outcome: publish("raw") }) }),
    call(c, "end", { end: end(w) }),
  ]);
  assertEquals(mixed.map((r) => r.status), [200, 200]);
  const refused = (await w.call("GET", `/api/v2/attempts/${b.attemptId}`)).body;
  assertEquals(refused.end_reason, "invalid_outcome");
  assertStringIncludes(refused.evidence.message, "it is a table dataset");
  const taken = (await w.call("GET", `/api/v2/attempts/${a.attemptId}`)).body;
  assertEquals([taken.accounting.in, taken.accounting.quarantined], [3, 1]);
  const versions = await w.call("GET", "/api/v2/datasets/prices.daily/versions");
  assertEquals(versions.body.total_entries, 1);
});

Deno.test("a batch that is no list of calls, or too long, is refused as a whole", async () => {
  await using w = await apiWorld();
  const post = (body: unknown) => w.call("POST", "/execution/batch", { body, token: null });
  assertEquals((await post({ calls: [] })).status, 400);
  assertEquals((await post(null)).status, 400);
  const many = Array.from({ length: limits.executionBatch + 1 }, () => ({}));
  assertEquals((await post({ calls: many })).status, 400);
});

Deno.test("heartbeats past half a token's life bring a new one that works", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  assertEquals((await batch(w, [call(work, "heartbeat")]))[0].token, undefined);
  w.parts.clock.advance(4 * 86_400_000);
  const [{ token }] = await batch(w, [call(work, "heartbeat")]);
  w.parts.clock.advance(4 * 86_400_000);
  assertEquals((await batch(w, [call(work, "heartbeat")]))[0].status, 401);
  assertEquals((await batch(w, [call({ ...work, token: token! }, "heartbeat")]))[0].status, 204);
});

Deno.test("single routes run the same calls, for the token's own attempt only", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b" }]);
  const run = await w.trigger("d");
  const [a, b] = await w.start("d", run, ["a", "b"]);
  const at = (work: Workload, what: string) =>
    `/execution/task-instances/${work.attemptId}/${what}`;
  const as = (work: Workload, method: string, what: string, body?: unknown, token = work.token) =>
    w.call(method, at(work, what), { body, token });

  assertEquals((await as(a, "PUT", "heartbeat", { hostname: "h", pid: 1 })).status, 204);
  assertEquals((await as(a, "PUT", "heartbeat", {}, b.token)).status, 403);
  assertEquals((await as(a, "PUT", "heartbeat", {}, w.tokens.admin)).status, 403);
  const again = await as(a, "PATCH", "run", { state: "running", hostname: "h", pid: 1 });
  assertEquals([again.status, again.body.attemptId, again.body.task.taskId], [
    200,
    a.attemptId,
    "a",
  ]);
  const line = { at: "2030-01-01T00:00:00.000Z", level: "INFO", from: "task", message: "hi" };
  assertEquals((await as(a, "POST", "log", { from: 0, lines: [line] })).status, 204);
  const endDate = w.parts.clock.now().toISOString();
  const success = { state: "success", end_date: endDate, output: { n: 1 } };
  assertEquals((await as(a, "PATCH", "state", success)).status, 204);
  assertEquals((await instance(w, run, "a")).state, "success");
  const late = await as(a, "PUT", "heartbeat", {});
  assertEquals([late.status, late.body.detail.reason], [409, "not_running"]);
  const xcom = `/execution/xcoms/d/${run}/a/return_value`;
  assertEquals((await w.call("GET", xcom, { token: b.token })).body.value, { n: 1 });
  const other = await w.call("GET", "/execution/xcoms/d/other/a/return_value", { token: b.token });
  assertEquals(other.status, 403);
  const failed = { state: "failed", end_date: endDate };
  assertEquals((await as(b, "PATCH", "state", failed)).status, 204);
  assertEquals((await instance(w, run, "b")).state, "failed");
});

Deno.test("a connection goes only to a running task that declares it, and the read is audited", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a", connections: ["vendor"] }, { taskId: "b" }]);
  for (const id of ["vendor", "other"]) {
    await w.call("POST", "/api/v2/connections", {
      body: { connection_id: id, conn_type: "http", password: "s3cret" },
    });
  }
  const run = await w.trigger("d");
  const [a] = await w.start("d", run, ["a", "b"]);
  const read = (id: string, token = a.token) =>
    w.call("GET", `/execution/connections/${id}`, { token });
  assertEquals((await read("vendor")).body.password, "s3cret");
  const other = await read("other");
  assertEquals(other.status, 403);
  assertStringIncludes(other.body.detail, 'declares "vendor"');
  assertEquals((await read("vendor", w.tokens.admin)).status, 403);
  await w.end(a);
  assertEquals((await read("vendor")).status, 409);
  const { body } = await w.call("GET", "/api/v2/eventLogs?event=connection.read");
  assertEquals(
    body.event_logs.map((e: Record<string, unknown>) => [e.owner, e.dag_id, e.task_id, e.extra]),
    [[`attempt:${a.attemptId}`, "d", "a", '{"connectionId":"vendor"}']],
  );
});

Deno.test("variables, newest dataset versions and bundles are there for attempts", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  const body = { key: "limit", value: { n: 3 } };
  assertEquals((await w.call("POST", "/api/v2/variables", { body })).status, 201);
  const hash = "0".repeat(64);
  await w.parts.objects.put(bundleKey(hash), new TextEncoder().encode("bytes"));
  const run = await w.trigger("d");
  const [a] = await w.start("d", run, ["a"]);
  const get = (path: string, token = a.token) => w.call("GET", `/execution/${path}`, { token });
  assertEquals((await get("variables/limit")).body, { key: "limit", value: { n: 3 } });
  assertEquals((await get("variables/none")).status, 404);
  assertEquals((await get("datasets/latest?dataset=nothing.here")).body, null);
  assertEquals((await get(`bundles/${hash}`)).body, "bytes");
  assertEquals((await get(`bundles/${hash}`, w.api.workerToken())).status, 200);
  assertEquals((await get(`bundles/${"1".repeat(64)}`)).status, 404);
  assertEquals((await get(`bundles/${hash}`, w.tokens.admin)).status, 403);
});

Deno.test("an item of a list goes to its map_index, also of one in object storage", async () => {
  await using w = await apiWorld();
  const inputs = {
    item: { kind: "item", taskId: "list" },
    field: { kind: "item", taskId: "list", field: "b" },
    fixed: { kind: "itemOf", items: [7] },
  };
  await w.addDag("d", [{ taskId: "list" }, {
    taskId: "each",
    upstream: ["list"],
    inputs,
    mappedOver: "item",
  }]);
  const json = JSON.stringify([{ a: '],"\\', b: [1, { c: "," }] }, "next"]);
  await w.parts.objects.put("attempts/x/out.json", new TextEncoder().encode(json));
  const run = await w.trigger("d");
  const [list] = await w.start("d", run, ["list"]);
  await w.end(list, {
    outcome: { kind: "done" },
    outputKey: "attempts/x/out.json",
    outputLength: 2,
  });
  await w.parts.sql`update task_instance set map_index = 0 where task_id = 'each'`;
  const [each] = await w.start("d", run, ["each"]);
  assertEquals(each.inputs, {
    item: { a: '],"\\', b: [1, { c: "," }] },
    field: [1, { c: "," }],
    fixed: 7,
  });
  assert(each.mapIndex === 0);
});

Deno.test("an instance of a product gets its own combination, the last list fastest", async () => {
  await using w = await apiWorld();
  const inputs = {
    a: { kind: "itemOf", items: ["x", "y"] },
    b: { kind: "item", taskId: "list" },
  };
  await w.addDag("d", [{ taskId: "list" }, {
    taskId: "each",
    upstream: ["list"],
    inputs,
    mappedOver: "a",
    mapProduct: ["a", "b"],
  }]);
  const run = await w.trigger("d");
  const [list] = await w.start("d", run, ["list"]);
  await w.end(list, { outcome: { kind: "done", output: [10, 20, 30] }, outputLength: 3 });
  await w.parts.sql`update task_instance set map_index = 4 where task_id = 'each'`;
  const [each] = await w.start("d", run, ["each"]);
  assertEquals(each.inputs, { a: "y", b: 20 });
});
