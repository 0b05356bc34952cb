/** @module Each role in a process of its own, on one database: what they do together. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { signatureOf } from "../../src/events/webhook.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp.ts";
import { runVerb } from "../support/product.ts";
import { ProductApi, type Run } from "../support/product_api.ts";
import { type RoleProcess, startRole } from "../support/roles.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";

/** DAG files; one task hangs until `mended` is there. */
const dags = (mended: string) => ({
  "routed.ts": `import { dag, done, task } from "tidewheel";
export default dag({ id: "routed", schedule: null }, () => {
  const raw = task({ id: "raw" }, () => [1, 2]);
  const file = task({ id: "file", inputs: { raw }, queue: "converter" }, async (ctx, { raw }) => {
    const path = ctx.workDir + "/raw.json";
    await Deno.writeTextFile(path, JSON.stringify(raw));
    return done(raw.length, {
      accounting: { in: 2, generated: 0, out: 2, quarantined: 0, mergedAway: 0, filtered: 0 },
      publish: [{
        dataset: "routed.raw",
        partition: "all",
        kind: "raw",
        schema: null,
        files: [await ctx.files.put(path)],
        lineageFiles: [],
        rows: 2,
        inputs: [],
        columns: [],
        metrics: {},
      }],
    });
  });
  task({ id: "after", inputs: { file } }, (_ctx, { file }) => file + 1);
});
`,
  "told.ts": `import { dag, task, webhook } from "tidewheel";
const desk = webhook({ connection: "desk" });
export default dag({ id: "told", schedule: null, onSuccess: desk }, () => {
  task({ id: "a", onSuccess: desk }, () => 1);
});
`,
  "hangs_once.ts": `import { dag, task } from "tidewheel";
export default dag({ id: "hangs_once", schedule: null }, () => {
  const mended = ${JSON.stringify(mended)};
  task({ id: "hangs", queue: "converter", permissions: { read: [mended] } }, async (ctx) => {
    ctx.log.info("begun");
    if (!await Deno.stat(mended).catch(() => null)) {
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
    }
    return "done";
  });
});
`,
  "waits.ts": `import { dag, waitForDataset } from "tidewheel";
export default dag({ id: "waits", schedule: null }, () => {
  for (const n of [1, 2, 3, 4]) waitForDataset({ id: "w" + n, dataset: "feed" + n });
});
`,
});

let database: TestDatabase;
let traces: OtlpReceiver;
let root: string;
let env: Record<string, string>;
const roles = new Map<string, RoleProcess>();
const api = new ProductApi(() => ({
  url: roles.get("api")!.url,
  token: Deno.readTextFileSync(`${root}/api/home/token`).trim(),
}));

async function start(name: string, ...args: string[]): Promise<RoleProcess> {
  const role = await startRole(args, { dir: `${root}/${name}`, env });
  roles.set(name, role);
  return role;
}

Deno.test.beforeAll(async () => {
  root = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_roles_" }));
  await Deno.mkdir(`${root}/dags`);
  for (const [name, text] of Object.entries(dags(`${root}/mended`))) {
    await Deno.writeTextFile(`${root}/dags/${name}`, text);
  }
  database = await testDatabase({ migrated: false });
  traces = startOtlpReceiver();
  env = {
    ...traces.env,
    JAEGER_ENABLED: "true",
    TIDEWHEEL_DATABASE_URL: database.url,
    TIDEWHEEL_OBJECTS: `file://${root}/objects`,
    TIDEWHEEL_SECRET_KEY: new Uint8Array(32).fill(7).toBase64(),
    TIDEWHEEL_DAGS_DIR: `${root}/dags`,
    TIDEWHEEL_HEARTBEAT_TIMEOUT_MS: "3000",
  };
  // All at once: each finds an empty database.
  await Promise.all([
    start("api", "api"),
    start("parser", "parser"),
    start("scheduler", "scheduler"),
    start("standby", "scheduler"),
    start("triggers", "triggers"),
    start("triggers2", "triggers"),
  ]);
  env.TIDEWHEEL_API_URL = roles.get("api")!.url;
  await Promise.all([
    start("default", "worker", "--queue", "default"),
    start("converter", "worker", "--queue", "converter"),
  ]);
});

Deno.test.afterAll(async () => {
  await Promise.all([...roles.values()].map((role) => role.end("SIGTERM")));
  await traces[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await Deno.remove(root, { recursive: true });
});

interface Report {
  ok: boolean;
  services: Record<string, { detail?: Record<string, unknown> }>;
}

async function health(name: string, probe: string): Promise<Report> {
  const response = await fetch(`${roles.get(name)!.url}/health/${probe}`);
  assert([200, 503].includes(response.status), `${name} ${probe}: ${response.status}`);
  return await response.json();
}

/** Does the scheduler of this name lead? */
async function leads(name: string): Promise<boolean> {
  return (await health(name, "ready")).services.scheduler.detail?.role === "leader";
}

async function metricsOf(name: string): Promise<string> {
  return await (await fetch(roles.get(name)!.metricsUrl!)).text();
}

Deno.test("a role without a database that all share is refused in words that help", async () => {
  const refused = await runVerb(["scheduler"], { TIDEWHEEL_HOME: `${root}/alone` });

  assertEquals(refused.code === 0, false);
  assertMatch(refused.stderr, /set TIDEWHEEL_DATABASE_URL, or run all in one/);
});

let run: Run;

Deno.test("a DAG is listed by one process and run by others, each task by its queue's worker", async () => {
  run = await api.runDag("routed");

  const attempts = await api.attempts(run);
  assertEquals(run.state, "success", JSON.stringify(attempts));
  const workerOf = (taskId: string) => attempts.find((each) => each.task_id === taskId)!.pid;
  const { pid } = roles.get("default")!;
  assertEquals([workerOf("raw"), workerOf("after")], [pid, pid]);
  assertEquals(workerOf("file"), roles.get("converter")!.pid);
});

Deno.test("every role serves its health and its documentation, and metrics on a port of their own", async () => {
  for (const [name, role] of roles) {
    for (const probe of ["live", "startup", "ready"]) {
      await until(`${name} to be ${probe}`, async () => (await health(name, probe)).ok);
    }
    const docs = await fetch(`${role.url}/api/docs`);
    assertMatch(docs.headers.get("content-type")!, /text\/html/);
    assert((await docs.text()).includes("Tidewheel"));
    assertNotEquals(new URL(role.metricsUrl!).port, new URL(role.url).port);
    const [own, shared] = [
      await metricsOf(name),
      await (await fetch(`${role.url}/metrics`)).text(),
    ];
    for (const text of [own, shared]) assertMatch(text, /^# TYPE tidewheel_/m);
  }
});

Deno.test("after a run each role's metrics say what it did", async () => {
  const leader = await leads("scheduler") ? "scheduler" : "standby";
  const count = Object.keys(dags("")).length;
  const expected: Record<string, RegExp[]> = {
    api: [
      new RegExp(`^tidewheel_dagbag_size\\{.*\\} ${count}$`, "m"),
      /^tidewheel_dagrun_created_total\{run_type="manual".*\} 1$/m,
      /^tidewheel_ti_start_total\{dag_id="routed".*\} 3$/m,
      /^tidewheel_ti_finish_total\{dag_id="routed",state="success".*\} 3$/m,
      /^tidewheel_attempt_end_total\{end_reason="success".*\} 3$/m,
      /^tidewheel_rows_total\{dag_id="routed",kind="out".*\} 2$/m,
      /^tidewheel_dataset_updates_total\{dataset="routed.raw".*\} 1$/m,
      /^tidewheel_task_queued_duration_seconds_count\S* 3$/m,
      /^tidewheel_claims_waiting\{.*\} 2$/m,
      /^tidewheel_pool_slots\{pool="default_pool",kind="open".*\} 128$/m,
      /^tidewheel_api_requests_total\{method="POST",route="dagRuns".*\} 1$/m,
    ],
    [leader]: [
      /^tidewheel_scheduler_leader\{.*\} 1$/m,
      /^tidewheel_scheduler_heartbeat_total\{.*\} [1-9]/m,
      /^tidewheel_scheduler_loop_duration_seconds_count\S* [1-9]/m,
      /^tidewheel_dagrun_finish_total\{dag_id="routed",state="success".*\} 1$/m,
      /^tidewheel_dagrun_duration_seconds_count\S* 1$/m,
    ],
    parser: [
      new RegExp(`^tidewheel_dag_version_created_total\\{.*\\} ${count}$`, "m"),
      /^tidewheel_dag_processing_heartbeat_total\{.*\} [1-9]/m,
      new RegExp(`^tidewheel_dag_processing_duration_seconds_count\\S* ${count}$`, "m"),
    ],
    converter: [
      /^tidewheel_executor_open_slots\{queue="converter".*\} 16$/m,
      /^tidewheel_task_duration_seconds_count\S* 1$/m,
      /^tidewheel_worker_children_started_total\{isolation="warm".*\} [1-9]/m,
      /^tidewheel_worker_children\{state="idle".*\} [1-9]/m,
    ],
  };
  for (const [name, lines] of Object.entries(expected)) {
    for (const line of lines) {
      await until(`${name} to say ${line}`, async () => line.test(await metricsOf(name)));
    }
  }
});

Deno.test("one trace follows the run over the processes, from its request to what it published", async () => {
  const { traceId } = await until(
    "the trigger's span",
    () => traces.spans.find(({ name }) => name === "dag_run.trigger"),
  );
  const expected = [
    "api dag_run.trigger",
    "scheduler scheduler.pass",
    "worker attempt",
    "worker operator.run",
    "api attempt.publish",
  ];
  await until("spans of all roles", () => {
    const spans = traces.spans.filter((span) => span.traceId === traceId);
    const names = new Set(
      spans.map(({ name, resource }) => `${resource["tidewheel.role"]} ${name}`),
    );
    return expected.every((name) => names.has(name));
  });
});

Deno.test("leader and standby share the delivery of events, each sent once and signed", async () => {
  const got: { id: string; type: string }[] = [];
  await using receiver = Deno.serve({ port: 0, onListen() {} }, async (request) => {
    const body = await request.text();
    const { id, type } = JSON.parse(body);
    const text = `${id}.${request.headers.get("webhook-timestamp")}.${body}`;
    assertEquals(request.headers.get("webhook-signature"), signatureOf("s3cret", text));
    got.push({ id, type });
    return new Response();
  });
  await api.send("POST", "/api/v2/connections", {
    ...{ connection_id: "desk", conn_type: "http", schema: "http", password: "s3cret" },
    ...{ host: "localhost", port: receiver.addr.port },
  });
  const runs = await Promise.all(Array.from({ length: 5 }, () => api.runDag("told")));
  assertEquals(runs.map(({ state }) => state), Array(5).fill("success"));
  await until("all events", () => got.length >= 10);
  const { events } = await until("all events on record as delivered", async () => {
    const page = await api.get<{ events: { event_id: string; tries: number }[] }>(
      "/api/v2/events?state=delivered&dag_id=told",
    );
    return page.events.length === 10 && page;
  });
  assertEquals(new Set(events.map(({ event_id }) => event_id)), new Set(got.map(({ id }) => id)));
  assertEquals(got.length, 10);
});

Deno.test("the standby leads when the leader is killed, and runs go on", async () => {
  const [leader, standby] = await leads("scheduler")
    ? ["scheduler", "standby"]
    : ["standby", "scheduler"];
  assertEquals(await leads(standby), false);

  await roles.get(leader)!.end("SIGKILL");
  roles.delete(leader);

  assertEquals((await api.runDag("routed")).state, "success");
  assertEquals(await leads(standby), true);
});

Deno.test("an attempt whose worker is killed is lost, and tried again without using up a try", async () => {
  const waiting = await api.trigger("hangs_once", {});
  await api.said(waiting, "hangs", "begun");

  await roles.get("converter")!.end("SIGKILL");
  await Deno.writeTextFile(`${root}/mended`, "");
  await start("converter", "worker", "--queue", "converter");
  const ended = await api.ended(waiting);

  assertEquals(ended.state, "success");
  const attempts = await api.attempts(waiting, "hangs");
  assertEquals(attempts.map(({ end_reason, try_number }) => [end_reason, try_number]), [
    ["worker_lost", 1],
    ["success", 1],
  ]);
});

Deno.test("the waits of a killed triggers process go to another, and end at once", async () => {
  const run = await api.trigger("waits", {});
  const waits = async (name: string) =>
    Number(
      /^tidewheel_triggers_running\{kind="dataset".*\} (\d+)$/m.exec(await metricsOf(name))?.[1],
    );
  const tell = (n: number) => api.send("POST", "/api/v2/assets/events", { name: `feed${n}` });
  const states = async () => Object.values(await api.states(run));
  const names = ["triggers", "triggers2"];
  const held = await until("one to have a wait", async () => {
    if ((await states()).some((state) => state !== "deferred")) return null;
    const counts = await Promise.all(names.map(waits));
    return counts.reduce((sum, count) => sum + (count || 0), 0) === 4 ? counts : null;
  });
  await tell(1);
  await until("the first to go on", async () => (await api.states(run)).w1 === "success");

  const killed = (held[0] || 0) > (held[1] || 0) ? "triggers" : "triggers2";
  await roles.get(killed)!.end("SIGKILL");
  roles.delete(killed);
  for (const n of [2, 3, 4]) await tell(n);
  await api.ended(run);

  assertEquals(new Set(await states()), new Set(["success"]));
  const reasons = (await api.attempts(run)).map((attempt) => attempt.end_reason).toSorted();
  assertEquals(reasons, [...Array(4).fill("deferred"), ...Array(4).fill("success")]);
});
