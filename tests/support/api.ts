/** @module The API over a database of its own, on virtual time, for tests. */
import { randomBytes } from "node:crypto";
import { VirtualClock } from "../../src/base/clock.ts";
import { seededIds } from "../../src/base/ids.ts";
import { silentLogger } from "../../src/base/log.ts";
import { seededRandom } from "../../src/base/random.ts";
import { type Api, type ApiParts, createApi } from "../../src/api/mod.ts";
import { AttemptEnd, type Workload } from "../../src/contract/execution.ts";
import { fileLogs } from "../../src/logs/mod.ts";
import { createMetrics, noTracer } from "../../src/metrics/mod.ts";
import { DagSpec } from "../../src/model/dag_spec.ts";
import { memoryObjectStore } from "../../src/objects/memory.ts";
import { createToken } from "../../src/store/api_token.ts";
import { attemptPhases } from "../../src/store/attempt_phase.ts";
import { parserStore } from "../../src/store/dag.ts";
import { pgEngineStore } from "../../src/store/engine_pg.ts";
import { localHintBus } from "../../src/store/hints.ts";
import type { NewRun, TaskMove, TickWrites } from "../../src/store/port.ts";
import { secretBox } from "../../src/store/secrets.ts";
import { openDatabase, type Sql } from "../../src/store/database.ts";
import { testDatabase } from "./database.ts";

/** Answer of a call, its body read. */
export interface Answer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any
  body: any;
}

/** A task of a spec, with defaults. */
export interface TaskGiven {
  taskId: string;
  upstream?: string[];
  [field: string]: unknown;
}

/** The API under test and a scheduler by hand. */
export interface ApiWorld extends AsyncDisposable {
  api: Api;
  parts: ApiParts & { clock: VirtualClock };
  /** Tokens by role. */
  tokens: Record<"admin" | "op" | "user" | "viewer", string>;
  /** One request; the body is sent as JSON. Default: as admin. */
  call(
    method: string,
    path: string,
    options?: { body?: unknown; token?: string | null; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** Record a DAG file with one DAG. */
  addDag(dagId: string, tasks: TaskGiven[], fields?: Record<string, unknown>): Promise<void>;
  /** Start a run; its name. */
  trigger(dagId: string, body?: Record<string, unknown>): Promise<string>;
  /** Queue these tasks of a run as the scheduler would. */
  queue(dagId: string, runId: string, tasks: string[], queue?: string): Promise<void>;
  /** Queue them and claim all that is queued. */
  start(dagId: string, runId: string, tasks: string[]): Promise<Workload[]>;
  /** End an attempt. */
  end(workload: Workload, end?: Record<string, unknown>): Promise<Answer>;
  /** Move a run as the scheduler would. */
  moveRun(dagId: string, runId: string, to: "running" | "success" | "failed"): Promise<void>;
  /** Make a run as the scheduler would; its own name. */
  makeRun(run: NewRun): Promise<string[]>;
}

const noWrites: TickWrites = {
  newRuns: [],
  runMoves: [],
  taskMoves: [],
  expansions: [],
  nextRuns: [],
};

/** Database of this process's worlds, one after the other: emptying one is cheaper than making one. */
let keptUrl: string | null = null;
let isTaken = false;

async function emptyDatabase(): Promise<Sql> {
  if (isTaken) throw new Error("Only one world of the API at a time: dispose of the other first");
  isTaken = true;
  if (keptUrl === null) {
    const { url, sql } = await testDatabase();
    keptUrl = url;
    return sql;
  }
  const sql = await openDatabase(keptUrl, { max: 4, applicationName: "test" });
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
      and relname <> 'schema_migration'`;
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await Promise.all(tables.map(({ name }) => tx`delete from ${tx(name)}`));
    await tx`insert into pool (name, slots) values ('default_pool', 128)`;
    await tx`insert into audit_head (id, hash) values (0, '')`;
  });
  return sql;
}

/** A fresh world. */
export async function apiWorld(over: Partial<Omit<ApiParts, "clock">> = {}): Promise<ApiWorld> {
  const sql = await emptyDatabase();
  const clock = new VirtualClock("2030-01-10T12:00:00Z");
  const ids = seededIds(clock, seededRandom(7));
  const hints = localHintBus();
  const objects = memoryObjectStore({ clock });
  const logDir = await Deno.makeTempDir({ prefix: "tidewheel-api-" });
  const store = pgEngineStore({ sql, hints, ids, clock });
  const parts: ApiWorld["parts"] = {
    store,
    sql,
    hints,
    objects,
    logs: fileLogs({
      dir: logDir,
      objects,
      clock,
      log: silentLogger,
      phases: (attempts) => attemptPhases(sql, attempts),
    }),
    secrets: secretBox([randomBytes(32).toString("base64")]),
    clock,
    ids,
    random: seededRandom(3),
    log: silentLogger,
    metrics: createMetrics(),
    tracer: noTracer,
    tables: null,
    services: [],
    settings: {
      version: "1.2.3",
      tokenKey: "a-key-for-tests-only",
      allowedHosts: [],
      allowedOrigins: [],
      checkAnswers: true,
    },
    ...over,
  };
  const api = createApi(parts);
  await api.start();
  const now = clock.now();
  const tokens = {} as ApiWorld["tokens"];
  for (const role of ["admin", "op", "user", "viewer"] as const) {
    tokens[role] = (await createToken(sql, { name: role, role, ids, now })).token;
  }
  const lease = (await store.takeLease("test", null, now))!;
  const workerToken = api.workerToken();
  let files = 0;

  const world: ApiWorld = {
    api,
    parts,
    tokens,
    async call(method, path, { body, token = tokens.admin, headers = {} } = {}) {
      const response = await api.fetch(
        new Request(`http://localhost:9000${path}`, {
          method,
          headers: {
            ...(token === null ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...headers,
          },
          body: body === undefined ? undefined : JSON.stringify(body),
        }),
      );
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json");
      return {
        status: response.status,
        headers: response.headers,
        body: isJson && text !== "" ? JSON.parse(text) : text,
      };
    },
    async addDag(dagId, tasks, fields = {}) {
      const spec = DagSpec.parse({
        dagId,
        schedule: { kind: "none" },
        ...fields,
        tasks: tasks.map((task) => ({
          operator: "task",
          upstream: [],
          retry: { retries: 0 },
          ...task,
        })),
      });
      const hash = (files++).toString(16).padStart(64, "0");
      await parserStore(sql, ids).record([{
        file: `${dagId}.ts`,
        fingerprint: null,
        sources: [],
        outcome: {
          kind: "dags",
          bundle: { hash, files: [], packedBytes: 0 },
          source: `// ${dagId} ${files}`,
          dags: [{ dagId, spec, meaningHash: hash }],
        },
      }], clock.now());
    },
    async trigger(dagId, body = {}) {
      const answer = await world.call("POST", `/api/v2/dags/${dagId}/dagRuns`, { body });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
      return answer.body.dag_run_id;
    },
    async queue(dagId, runId, tasks, queue = "default") {
      const run = await runOf(dagId, runId);
      const rows = (await store.loadRuns([run.id]))[0].tasks;
      const taskMoves = rows.filter((row) => tasks.includes(row.taskId)).map((row): TaskMove => {
        const attemptId = ids.uuid();
        const start = parts.handOver?.promise(queue, attemptId);
        return {
          id: row.id,
          from: row.state,
          to: start ? "running" : "queued",
          queue: {
            attemptId,
            tryNumber: row.tryNumber + 1,
            queue,
            pool: "default_pool",
            poolSlots: 1,
            priorityWeight: 1,
          },
          ...(start ? { start } : {}),
        };
      });
      const { started } = await store.applyTick(
        lease.epoch,
        { ...noWrites, taskMoves },
        clock.now(),
      );
      parts.handOver?.settle(started);
    },
    async start(dagId, runId, tasks) {
      await world.queue(dagId, runId, tasks);
      const { body, status } = await world.call("POST", "/execution/claim", {
        token: workerToken,
        body: {
          workerId: "w1",
          hostname: "host",
          pid: 42,
          queues: ["default"],
          slots: 64,
          version: "1.2.3",
        },
      });
      if (status !== 200) throw new Error(JSON.stringify(body));
      return body.workloads;
    },
    end(workload, end = {}) {
      return world.call("PUT", `/execution/task-instances/${workload.attemptId}/end`, {
        token: workload.token,
        body: AttemptEnd.parse({
          outcome: { kind: "done" },
          endReason: "success",
          endDate: clock.now().toISOString(),
          ...end,
        }),
      });
    },
    async moveRun(dagId, runId, to) {
      const { id, state } = await runOf(dagId, runId);
      const runMoves = [{ id, from: state, to }];
      await store.applyTick(lease.epoch, { ...noWrites, runMoves }, clock.now());
    },
    async makeRun(run) {
      const writes = { ...noWrites, newRuns: [run] };
      return (await store.applyTick(lease.epoch, writes, clock.now())).newRuns;
    },
    async [Symbol.asyncDispose]() {
      await api.stop();
      await sql.end({ timeout: 1 });
      isTaken = false;
      await Deno.remove(logDir, { recursive: true });
    },
  };

  async function runOf(dagId: string, runId: string) {
    const { body } = await world.call(
      "GET",
      `/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`,
    );
    return (await store.loadRuns([body.id]))[0].run;
  }

  return world;
}
