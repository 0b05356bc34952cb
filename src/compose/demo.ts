/** @module `tidewheel demo`: the shipped DAG on the sandbox, from vendor to published value. */
import { systemClock } from "../base/clock.ts";
import { RestClient, type VerbContext } from "../cli/mod.ts";
import { type LiveRun, liveRun } from "../cli/live.ts";
import { bytes, printTable, seconds, tableText } from "../cli/print.ts";
import type { RunShape, TaskInstanceShape } from "../cli/shapes.ts";
import {
  type LineageShape,
  type RowsShape,
  type VersionShape,
  versionsOf,
} from "../cli/verbs/datasets.ts";
import { listTasks, runPath, taskName } from "../cli/verbs/runs.ts";
import { sandboxConnections, startSandbox } from "../sandbox/mod.ts";
import type { Settings } from "../settings.ts";
import { prepareInbox } from "./demo_input.ts";
import { clientToken } from "./home.ts";
import { untilSignal } from "./signals.ts";
import { startAll } from "./start.ts";

const DAG = "standard_ingestion";
const DATASET = "prices.daily";
/** The session that the sandbox's figures and the dropped file are of. */
const SESSION = "2013-03-01";

/** Run the demo; exit code 1 when its run failed. */
export async function runDemo(
  settings: Settings,
  { output }: VerbContext,
  once: boolean,
): Promise<number> {
  const began = systemClock.monotonicMs();
  await using sandbox = await startSandbox({ port: 0 });
  const service = await startAll({ ...settings, logLevel: "ERROR" });
  try {
    const api = new RestClient({ url: service.url, token: () => clientToken(settings) });
    const context: VerbContext = {
      api,
      output,
      sleep: (ms) => systemClock.sleep(ms),
      readStdin: () => Promise.resolve(""),
    };
    output.out(`Tidewheel at ${service.url}, vendors in a sandbox at ${sandbox.url}\n\n`);
    const inbox = await prepareInbox(settings);
    const connections = sandboxConnections(sandbox.url, { inbox });
    await Promise.all(connections.map((connection) => putConnection(api, connection)));
    await dagListed(context);
    const run = await api.post<RunShape>(`/api/v2/dags/${DAG}/dagRuns`, {
      logical_date: null,
      conf: { date: SESSION },
    });
    const ended = await follow(context, run);
    const ok = ended.state === "success";
    await report(context, ended, ok);
    const took = seconds((systemClock.monotonicMs() - began) / 1000);
    output.out(`\n${ok ? "Done" : "Failed"} in ${took}. API docs: ${service.url}/api/docs, `);
    output.out(`OpenAPI: ${service.url}/api/openapi.json\n`);
    if (!once) {
      output.out("The service stays up; Ctrl-C ends it.\n");
      await untilSignal();
    }
    return ok ? 0 : 1;
  } finally {
    await service.stop();
  }
}

async function putConnection(
  api: RestClient,
  given: ReturnType<typeof sandboxConnections>[number],
) {
  const body = {
    connection_id: given.connectionId,
    conn_type: given.connType,
    description: given.description,
    host: given.host,
    port: given.port,
    schema: given.schema,
    login: given.login,
    password: given.password,
    extra: JSON.stringify(given.extra),
  };
  const path = `/api/v2/connections/${given.connectionId}`;
  const known = await api.get(path).then(() => true, () => false);
  if (known) await api.patch(path, body);
  else await api.post("/api/v2/connections", body);
}

/** The parser may still be at the file when the service is up. */
async function dagListed({ api, sleep }: VerbContext) {
  for (let i = 0; i < 200; i++) {
    const found = await api.get(`/api/v2/dags/${DAG}`).then(() => true, () => false);
    if (found) return;
    await sleep(50);
  }
  await api.get(`/api/v2/dags/${DAG}`);
}

async function follow(context: VerbContext, run: RunShape): Promise<RunShape> {
  const live: LiveRun = liveRun(context.output);
  let now = run;
  for (;;) {
    const over = now.state === "success" || now.state === "failed";
    live.show((await listTasks(context.api, now)).task_instances);
    if (over) break;
    await context.sleep(100);
    now = await context.api.get<RunShape>(runPath(run));
  }
  live.done();
  return now;
}

async function report(context: VerbContext, run: RunShape, ok: boolean) {
  const { api, output } = context;
  const { task_instances: tasks } = await listTasks(api, run);
  const { attempts } = await api.get<{ attempts: AttemptShape[] }>(`${runPath(run)}/attempts`, {
    limit: 1000,
  });
  output.out(`\nRun ${run.dag_run_id}: ${run.state}\n\n`);
  printRows(context, tasks, attempts);
  if (!ok) return await printFailures(context, run, tasks);
  const { versions } = await versionsOf(api, DATASET, { limit: "1" });
  const version = versions[0];
  output.out(
    `\nPublished ${version.dataset}[${version.partition}] version ${version.version}: ` +
      `${version.rows} rows, ${bytes(version.bytes)}, known at ${version.known_at}\n\n`,
  );
  const sample = await api.get<RowsShape>(
    `/api/v2/datasets/${version.dataset}/versions/${version.id}/rows`,
    { limit: 5 },
  );
  printTable(
    output,
    sample,
    sample.rows,
    Object.fromEntries(sample.columns.map(({ name }, i) => [name, (row: unknown[]) => row[i]])),
  );
  await printCell(context, version, sample);
}

/** An attempt as the API gives it, as far as it is shown here. */
interface AttemptShape {
  task_id: string;
  map_index: number;
  end_reason: string | null;
  evidence: { message?: string };
  accounting: {
    in: number;
    generated: number;
    out: number;
    quarantined: number;
    merged_away: number;
    filtered: number;
  } | null;
}

function printRows(
  { output }: VerbContext,
  tasks: TaskInstanceShape[],
  attempts: AttemptShape[],
) {
  const started = (task: TaskInstanceShape) => task.start_date ?? "9";
  const inOrder = tasks.toSorted((a, b) => started(a) < started(b) ? -1 : 1);
  const lines = inOrder.map((task) => ({
    task,
    rows: attempts.findLast((one) =>
      one.task_id === task.task_id && one.map_index === task.map_index
    )?.accounting,
  }));
  output.out(tableText(lines, {
    task: (line) => taskName(line.task),
    state: (line) => line.task.state,
    took: (line) => seconds(line.task.duration),
    "rows in": (line) => line.rows && line.rows.in + line.rows.generated,
    out: (line) => line.rows?.out,
    quarantined: (line) => line.rows?.quarantined,
    "merged away": (line) => line.rows?.merged_away,
    filtered: (line) => line.rows?.filtered,
  }, output.isTerminal));
}

async function printCell({ api, output }: VerbContext, version: VersionShape, sample: RowsShape) {
  const names = sample.columns.map(({ name }) => name);
  const [row] = sample.rows;
  const key = ["symbol", "date"].map((name) => `${name}=${row[names.indexOf(name)]}`).join(",");
  const lineage = await api.get<LineageShape>(`/api/v2/lineage/${DATASET}`, {
    key,
    column: "close",
    partition: version.partition,
  });
  const [cell] = lineage.cells;
  if (!cell) return;
  output.out(
    `\nWhere close = ${cell.value} of ${key} came from: ${cell.source}` +
      (cell.raw_row === null ? "" : `, record ${cell.raw_row}`) +
      (cell.raw_offset === null ? "" : ` at byte ${cell.raw_offset}`) +
      ` of ${cell.raw_file}${cell.rule ? ` (${cell.rule})` : ""}\n`,
  );
  for (const other of cell.others) output.out(`  ${other.source} said ${other.value}\n`);
}

async function printFailures(
  { api, output }: VerbContext,
  run: RunShape,
  tasks: TaskInstanceShape[],
) {
  for (const task of tasks.filter((one) => one.state === "failed")) {
    const log = await api.get<{ content: { event: string }[] }>(
      `${runPath(run)}/taskInstances/${task.task_id}/logs/${task.try_number}`,
      { map_index: task.map_index },
    );
    output.out(`\nLog of ${taskName(task)}:\n`);
    for (const { event } of log.content.slice(-20)) output.out(`  ${event}\n`);
  }
}
