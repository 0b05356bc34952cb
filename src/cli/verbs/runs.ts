/** @module Verbs on DAG runs and their tasks: trigger, runs, tasks, cancel. */
import { CliError, segment } from "../client.ts";
import { type Columns, printFacts, printJson, printTable, seconds } from "../print.ts";
import { isOver, type Page, type RunShape, type TaskInstanceShape } from "../shapes.ts";
import { text, type Verb, type VerbContext } from "../verb.ts";

/** The DAG that a verb is about. */
export const dagArgument = { name: "<dag>", doc: "Id of the DAG" };
/** The run that a verb is about. */
export const runArgument = { name: "<run>", doc: "Id of the run, or `latest`" };

/** How long to wait between two looks at a run; the API answers at once on change. */
const LOOK_MS = 250;

export const trigger: Verb = {
  name: "trigger",
  summary: "Start a run of a DAG",
  arguments: [dagArgument],
  options: [
    { flags: "--conf <json>", doc: "Parameters of the run, as a JSON object" },
    { flags: "--logical-date <time>", doc: "Logical date (ISO 8601); its data interval is run" },
    { flags: "--run-id <id>", doc: "Id of the run; made from the time by default" },
    { flags: "--partition <key>", doc: "For this partition, whole or not; see datasets waiting" },
    { flags: "--note <text>", doc: "A note kept with the run" },
    { flags: "--wait", doc: "Wait for its end; exit code 1 unless it succeeds" },
  ],
  async run(context, [dag], options) {
    const run = await context.api.post<RunShape>(`/api/v2/dags/${segment(dag)}/dagRuns`, {
      logical_date: text(options, "logicalDate") ?? null,
      conf: parseConf(text(options, "conf")),
      ...(options.partition ? { partition_key: options.partition } : {}),
      ...(options.runId ? { dag_run_id: options.runId } : {}),
      ...(options.note ? { note: options.note } : {}),
    });
    if (!options.wait) {
      printFacts(context.output, run, runFacts(run));
      return 0;
    }
    return await watch(context, run);
  },
};

export const runs: Verb = {
  name: "runs",
  summary: "List runs, newest first",
  arguments: [{ name: "[dag]", doc: "Only of this DAG" }],
  options: [
    { flags: "--state <state...>", doc: "Only in these states", many: true },
    { flags: "--limit <n>", doc: "At most this many", default: "25" },
  ],
  async run({ api, output }, [dag], options) {
    const page = await api.get<Page<"dag_runs", RunShape>>(
      `/api/v2/dags/${segment(dag ?? "~")}/dagRuns`,
      {
        limit: text(options, "limit"),
        order_by: "-run_after",
        state: options.state as string[] | undefined,
      },
    );
    printTable(output, page, page.dag_runs, {
      dag: (run) => run.dag_id,
      run: (run) => run.dag_run_id,
      state: (run) => run.state,
      interval: (run) => run.data_interval_start,
      started: (run) => run.start_date,
      took: (run) => seconds(durationOf(run)),
      ...(page.dag_runs.some((run) => run.missed_deadlines > 0)
        ? { late: (run: RunShape) => lateText(run) }
        : {}),
      ...notesOf(page.dag_runs),
    });
    return 0;
  },
};

function lateText({ missed_deadlines: missed }: RunShape): string | null {
  if (missed === 0) return null;
  return missed === 1 ? "missed a deadline" : `missed ${missed} deadlines`;
}

export const tasks: Verb = {
  name: "tasks",
  summary: "List the task instances of a run",
  arguments: [dagArgument, { ...runArgument, name: "[run]" }],
  async run({ api, output }, [dag, run = "latest"]) {
    const found = await findRun(api, dag, run);
    const page = await listTasks(api, found);
    printTable(output, page, page.task_instances, {
      task: taskName,
      state: (task) => task.state ?? "none",
      try: (task) => task.try_number,
      started: (task) => task.start_date,
      took: (task) => seconds(task.duration),
      ...notesOf(page.task_instances),
    });
    return 0;
  },
};

export const cancel: Verb = {
  name: "cancel",
  summary: "Stop a run: its tasks are ended and it fails",
  arguments: [dagArgument, runArgument],
  async run({ api, output }, [dag, run]) {
    const found = await findRun(api, dag, run);
    const cancelled = await api.patch<RunShape>(runPath(found), { state: "failed" });
    printFacts(output, cancelled, runFacts(cancelled));
    return 0;
  },
};

/** A run by id, or the newest of the DAG. */
export async function findRun(
  api: VerbContext["api"],
  dag: string,
  run: string,
): Promise<RunShape> {
  if (run !== "latest") return await api.get<RunShape>(runPath({ dag_id: dag, dag_run_id: run }));
  const page = await api.get<Page<"dag_runs", RunShape>>(
    `/api/v2/dags/${segment(dag)}/dagRuns`,
    { limit: 1, order_by: "-run_after" },
  );
  if (page.dag_runs.length === 0) throw new CliError(`DAG "${dag}" has no runs yet`);
  return page.dag_runs[0];
}

/** Every task instance of a run. */
export function listTasks(api: VerbContext["api"], run: RunShape) {
  return api.get<Page<"task_instances", TaskInstanceShape>>(`${runPath(run)}/taskInstances`, {
    limit: 1000,
  });
}

/** A column of notes, where there are any. */
function notesOf<Row extends { note: string | null }>(rows: readonly Row[]): Columns<Row> {
  return rows.some((row) => row.note) ? { note: (row: Row) => row.note } : {};
}

/** Follow a run to its end: lines where tasks change state; exit code 1 unless it succeeds. */
export async function watch(context: VerbContext, run: RunShape): Promise<number> {
  const { api, output } = context;
  const seen = new Map<string, string>();
  let now = run;
  for (;;) {
    if (!output.json) await printChanges(context, now, seen);
    if (isOver(now)) break;
    await context.sleep(LOOK_MS);
    now = await api.get<RunShape>(runPath(run));
  }
  if (output.json) printJson(output, now);
  else output.out(`${now.dag_run_id}: ${now.state} in ${seconds(durationOf(now))}\n`);
  return now.state === "success" ? 0 : 1;
}

async function printChanges(
  { api, output }: VerbContext,
  run: RunShape,
  seen: Map<string, string>,
) {
  const { task_instances } = await listTasks(api, run);
  for (const task of task_instances) {
    const state = task.state ?? "none";
    const name = taskName(task);
    if (seen.get(name) === state || state === "none") continue;
    seen.set(name, state);
    const took = task.duration === null ? "" : `  ${seconds(task.duration)}`;
    output.out(`${name}: ${state}${took}\n`);
  }
}

/** Path of a run in the API. */
export function runPath(run: { dag_id: string; dag_run_id: string }): string {
  return `/api/v2/dags/${segment(run.dag_id)}/dagRuns/${segment(run.dag_run_id)}`;
}

/** `task` or `task[3]`. */
export function taskName(task: { task_id: string; map_index: number }): string {
  return task.map_index < 0 ? task.task_id : `${task.task_id}[${task.map_index}]`;
}

/** Seconds that a run took, once it has ended. */
export function durationOf(run: RunShape): number | null {
  if (!run.start_date || !run.end_date) return null;
  return (Date.parse(run.end_date) - Date.parse(run.start_date)) / 1000;
}

/** What is said of a run. */
export function runFacts(run: RunShape) {
  return {
    dag: run.dag_id,
    run: run.dag_run_id,
    state: run.state,
    "logical date": run.logical_date,
    "data interval": run.data_interval_start &&
      `${run.data_interval_start} to ${run.data_interval_end}`,
    "run after": run.run_after,
    ...(run.note ? { note: run.note } : {}),
  };
}

/** The run's conf; the error says where the JSON breaks. */
export function parseConf(conf: string | undefined): Record<string, unknown> {
  if (conf === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(conf);
  } catch (error) {
    throw new CliError(`Cannot read --conf: ${(error as Error).message}`);
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new CliError(`Cannot use --conf ${conf}: it must be a JSON object`);
  }
  return parsed as Record<string, unknown>;
}
