/** @module A whole service for a bench: its own home, its own DAGs, the real program. */
import { join } from "node:path";

/** Something whose API can be called. */
export interface Caller {
  /** Call the API; throws with the API's words when it refuses. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** A running service. */
export interface Bench extends Caller, AsyncDisposable {
  url: string;
  home: string;
  dagsDir: string;
  pid: number;
}

const root = join(import.meta.dirname!, "..");

/** Start `tidewheel start` on a fresh home with `dags` (file name → source), and wait until ready. */
export async function startService(
  dags: Record<string, string>,
  env: Record<string, string> = {},
): Promise<Bench> {
  const home = await Deno.makeTempDir({ prefix: "tidewheel_bench_" });
  const dagsDir = join(home, "dags");
  await Deno.mkdir(dagsDir);
  for (const [name, source] of Object.entries(dags)) {
    await Deno.writeTextFile(join(dagsDir, name), source);
  }
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(root, "src/main.ts"), "start"],
    cwd: root,
    env: {
      TIDEWHEEL_HOME: home,
      TIDEWHEEL_DAGS_DIR: dagsDir,
      TIDEWHEEL_PORT: String(port),
      LOG_LEVEL: "ERROR",
      ...env,
    },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  await until(async () => (await fetch(`${url}/health/ready`)).ok, 60_000);
  const token = (await Deno.readTextFile(join(home, "token"))).trim();
  const bench: Bench = {
    url,
    home,
    dagsDir,
    pid: child.pid,
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === "" ? undefined as T : JSON.parse(text);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      // As root the database lies outside of a home that its user cannot reach.
      const elsewhere = await Deno.readTextFile(join(home, "postgres.path")).catch(() => "");
      if (elsewhere) await Deno.remove(elsewhere.trim(), { recursive: true });
      await Deno.remove(home, { recursive: true });
    },
  };
  return bench;
}

/** Wait until every DAG of the folder is listed; throws with the first import error. */
export async function listed(bench: Caller, count: number): Promise<void> {
  await until(async () => {
    const dags = await bench.call<{ total_entries: number }>("GET", "/api/v2/dags?limit=1");
    return dags.total_entries === count;
  }, 30_000).catch(async (error) => {
    const page = await bench.call<{ import_errors: { filename: string; stack_trace: string }[] }>(
      "GET",
      "/api/v2/importErrors",
    );
    throw new Error(page.import_errors[0]?.stack_trace ?? error.message);
  });
}

/** Resolve when `condition` holds; looks every 20 ms, fails after `limitMs`. */
export async function until(condition: () => Promise<boolean>, limitMs: number): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (performance.now() - startedAt > limitMs) throw new Error(`Not so after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** A run of the API, as far as a bench needs it. */
export interface Run {
  dag_id: string;
  dag_run_id: string;
  state: string;
  start_date: string;
  end_date: string;
}

/** A task instance of the API, as far as a bench needs it. */
export interface Task {
  task_id: string;
  map_index: number;
  state: string;
  start_date: string;
  end_date: string;
}

/** Start one run. */
export function trigger(bench: Caller, dag: string, runId?: string): Promise<Run> {
  return bench.call("POST", `/api/v2/dags/${dag}/dagRuns`, {
    logical_date: null,
    conf: {},
    ...(runId ? { dag_run_id: runId } : {}),
  });
}

/** Wait until all runs of a DAG have ended; throws unless each succeeded. */
export async function finished(bench: Caller, dag: string, count: number): Promise<Run[]> {
  let ended: Run[] = [];
  await until(async () => {
    const open = await bench.call<{ total_entries: number }>(
      "GET",
      `/api/v2/dags/${dag}/dagRuns?limit=1&state=queued&state=running`,
    );
    return open.total_entries === 0;
  }, 300_000);
  const page = await bench.call<{ dag_runs: Run[] }>(
    "GET",
    `/api/v2/dags/${dag}/dagRuns?limit=1000&order_by=-run_after`,
  );
  ended = page.dag_runs.slice(0, count);
  const bad = ended.find((run) => run.state !== "success");
  if (bad) throw new Error(`Run ${bad.dag_run_id} of ${dag} ended as ${bad.state}`);
  return ended;
}

/** All task instances of a run. */
export async function tasksOf(bench: Caller, run: Run): Promise<Task[]> {
  const page = await bench.call<{ task_instances: Task[] }>(
    "GET",
    `/api/v2/dags/${run.dag_id}/dagRuns/${run.dag_run_id}/taskInstances?limit=1000`,
  );
  return page.task_instances;
}

/** The value below which a share `q` of the sorted values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}
