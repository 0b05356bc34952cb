/** @module Runs a DAG in a test: no server, no network, no waiting. */
import { fileURLToPath } from "node:url";
import { systemClock } from "../base/clock.ts";
import { connectionFrom, type LocalSecrets } from "../compose/local_secrets.ts";
import { givenAnswers, type LocalAnswer } from "../compose/local_answers.ts";
import { chooseTasks } from "../compose/local_choice.ts";
import { localEvent } from "../compose/local_event.ts";
import { localInterval } from "../compose/local_interval.ts";
import { type LocalResult, nameOf, runLocally } from "../compose/local_world.ts";
import type { ConnectionSecret, LogLine } from "../contract/execution.ts";
import { AppError } from "../model/errors.ts";
import { memoryObjectStore } from "../objects/memory.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { Dag } from "../sdk/mod.ts";
import { parseConf } from "../sdk/open_context.ts";
import { player } from "./exchanges.ts";
import { type Fixtures, readFixtures, restoreFiles } from "./fixtures.ts";
import { type HttpReplies, repliesOf } from "./replies.ts";
import type { Answer } from "./tape.ts";

/** What {@link runDag} runs a DAG with. */
export interface RunDagOptions {
  /** The date of its data interval, as `tidewheel run --date`; of a session: its trade date. */
  date?: string;
  /** The data interval itself, in place of a date. */
  interval?: { start: Date | string; end: Date | string };
  /** Of a DAG that waits for datasets: the partition to run, `ctx.partition`. */
  partition?: string;
  /** What a webhook sent, or a message, or the facts of a file: `ctx.event.payload`, JSON. */
  event?: unknown;
  /** What the run is given; checked as the DAG declares it. */
  params?: Record<string, unknown>;
  /**
   * Tasks that do not run, with what they put out; of a mapped task an array of its instances'
   * outputs. Files that such outputs speak of come from `fixtures`.
   */
  inputs?: Record<string, unknown>;
  /** Run only this task; all before it stand on `inputs`. */
  task?: string;
  /** Run this task and all that comes after it. */
  fromTask?: string;
  /** A folder that `tidewheel run --record` made: HTTP answers, connections, the date. */
  fixtures?: string | URL;
  /** Of the fixtures, tasks whose recorded outputs are taken instead of running them. */
  replay?: readonly string[];
  /**
   * Answers to what tasks ask people, by task: `{ check: { options: ["Approve"] } }`. A question without one
   * waits until its defaults count.
   */
  answers?: Readonly<Record<string, LocalAnswer>>;
  /**
   * Answers in place of the network. Without it (and without fixtures) every request of a task
   * fails; `"network"` lets them out.
   */
  http?: HttpReplies | "network";
  /** Connections by id: a URL with the secret as its password, or its members. */
  connections?: Record<string, string | Partial<ConnectionSecret>>;
  variables?: Record<string, unknown>;
  /** The clock's first reading; the end of the interval by default. Waiting takes no time. */
  clock?: Date | string;
}

/** A log line of a task. */
export interface RunLogLine {
  /** `task`, or `task[index]`. */
  task: string;
  level: LogLine["level"];
  message: string;
  fields: Readonly<Record<string, unknown>>;
}

/** One version that the run published. */
export interface PublishedVersion {
  dataset: string;
  partition: string | null;
  rows: number | null;
  /** Contents of its files. */
  files(): Promise<Uint8Array[]>;
}

/** What came of a run. */
export interface DagTestRun {
  state: "success" | "failed";
  /** State of each task instance by `task`, or `task[index]`. */
  states: Readonly<Record<string, string>>;
  /** What a task put out; of a mapped one: an array. Throws NOT_FOUND where it put out nothing. */
  output<T = unknown>(task: string): T;
  /** Tries that a task took. */
  tries(task: string): number;
  /** Why a task's last try failed; null where it did not. */
  error(task: string): string | null;
  published: readonly PublishedVersion[];
  logs: readonly RunLogLine[];
}

/**
 * Run a DAG once in this process, as a scheduler and a worker would: same engine, a store in memory,
 * and a clock on which waiting takes no time. Throws INVALID for params, inputs or tasks that do not
 * fit; what tasks throw is in the result.
 *
 * @example
 * ```ts
 * import { dag, task } from "tidewheel";
 * import { runDag } from "tidewheel/testing";
 *
 * const hello = dag({ id: "hello", schedule: "@daily", start: "2026-01-01" }, () => {
 *   const words = task({ id: "words" }, (ctx) => ["good", "morning", ctx.interval.date]);
 *   task({ id: "say", inputs: { words } }, (_ctx, { words }) => words.join(" "));
 * });
 *
 * const run = await runDag(hello, { date: "2026-03-02" });
 * if (run.output("say") !== "good morning 2026-03-02") throw new Error("it says something else");
 * ```
 */
export async function runDag(dag: Dag, options: RunDagOptions = {}): Promise<DagTestRun> {
  const fixtures = options.fixtures === undefined ? null : await fixturesOf(dag, options.fixtures);
  const conf = options.params ?? {};
  parseConf(dag, conf);
  const inputs = { ...replayed(fixtures, options.replay ?? []), ...options.inputs };
  checkTasks(dag, inputs);
  const choice = chooseTasks(dag.spec, options, new Set(Object.keys(inputs)));
  const event = localEvent(dag.spec, { partition: options.partition, payload: options.event });
  const interval = event?.interval ?? intervalOf(dag, options, fixtures);
  const dir = await Deno.makeTempDir({ prefix: "tidewheel_test_" });
  const objects = memoryObjectStore({ clock: systemClock });
  const logs: RunLogLine[] = [];
  try {
    if (fixtures) await restoreFiles(fixtures, objects);
    const result = await runLocally({
      module: { dag },
      spec: choice.spec,
      ...{ dir, interval, event, conf, objects },
      secrets: secretsOf(options, fixtures),
      standIns: new Map([...choice.standIns].map((taskId) => [taskId, inputs[taskId]])),
      answer: answerOf(options, fixtures),
      answerer: givenAnswers(dag.spec, new Map(Object.entries(options.answers ?? {}))),
      startAt: options.clock === undefined ? interval.end : new Date(options.clock),
      onLine: (task, { level, message, fields = {} }) =>
        logs.push({ task, level, message, fields }),
      onProblem: (message, fields) =>
        logs.push({ task: "", level: "ERROR", message, fields: { ...fields } }),
    });
    return resultOf(result, logs, objects);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function fixturesOf(dag: Dag, place: string | URL): Promise<Fixtures> {
  const dir = place instanceof URL ? fileURLToPath(place) : place;
  const found = await readFixtures(dir.replace(/\/$/, ""));
  if (found.dagId === dag.id) return found;
  throw new AppError(
    "INVALID",
    `Cannot run DAG "${dag.id}" on the record ${dir}: it is of DAG "${found.dagId}"`,
  );
}

function replayed(fixtures: Fixtures | null, tasks: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(tasks.map((task) => {
    if (fixtures && Object.hasOwn(fixtures.outputs, task)) return [task, fixtures.outputs[task]];
    const have = Object.keys(fixtures?.outputs ?? {}).join(", ") || "none";
    throw new AppError(
      "NOT_FOUND",
      `Cannot replay task "${task}": nothing of it is recorded; there is ${have}`,
    );
  }));
}

function checkTasks(dag: Dag, inputs: Record<string, unknown>): void {
  for (const taskId of Object.keys(inputs)) dag.task(taskId);
}

function intervalOf(dag: Dag, { date, interval }: RunDagOptions, fixtures: Fixtures | null) {
  if (!interval) return localInterval(dag.spec, date ?? fixtures?.date, systemClock.now());
  const [start, end] = [new Date(interval.start), new Date(interval.end)];
  if (start <= end) return { start, end };
  throw new AppError(
    "INVALID",
    `Cannot run DAG "${dag.id}" for ${interval.start} to ${interval.end}: it is no interval`,
  );
}

function secretsOf(
  { connections = {}, variables = {} }: RunDagOptions,
  fixtures: Fixtures | null,
): LocalSecrets {
  const given: Record<string, string | Partial<ConnectionSecret>> = {
    ...fixtures?.connections,
    ...connections,
  };
  const missing = (what: string, id: string, where: string) =>
    new AppError("NOT_FOUND", `There is no ${what} "${id}" in this test: give it in ${where}`);
  return {
    connection(id) {
      if (!Object.hasOwn(given, id)) throw missing("connection", id, "connections");
      return connectionFrom(id, given[id]);
    },
    variable(key) {
      if (!Object.hasOwn(variables, key)) throw missing("variable", key, "variables");
      return variables[key];
    },
  };
}

function answerOf({ http }: RunDagOptions, fixtures: Fixtures | null): Answer | null {
  if (http === "network") return null;
  const recorded = player(fixtures?.exchanges ?? [], fixtures?.dir ?? "This test");
  return http === undefined ? recorded : repliesOf(http, recorded);
}

function resultOf(
  { run, tasks, store, outputs }: LocalResult,
  logs: readonly RunLogLine[],
  objects: ObjectStore,
): DagTestRun {
  const attempts = Map.groupBy(store.attempts(), (attempt) => attempt.taskInstanceId);
  const attemptsOf = (task: string) => {
    const found = tasks.find((one) => nameOf(one) === task);
    return (found && attempts.get(found.id)) ?? [];
  };
  return {
    state: run.state as "success" | "failed",
    states: Object.fromEntries(tasks.map((task) => [nameOf(task), task.state])),
    output<T>(task: string): T {
      if (outputs.has(task)) return outputs.get(task) as T;
      const have = [...outputs.keys()].join(", ") || "none";
      throw new AppError(
        "NOT_FOUND",
        `Cannot read the output of task "${task}": it put out nothing; there is that of ${have}`,
      );
    },
    tries: (task) => attemptsOf(task).length,
    error: (task) => attemptsOf(task).at(-1)?.evidence.message ?? null,
    published: store.datasets().map(({ intent }) => ({
      dataset: intent.dataset,
      partition: intent.partition,
      rows: intent.rows,
      files: () => Promise.all(intent.files.map(({ key }) => objects.get(key))),
    })),
    logs,
  };
}
