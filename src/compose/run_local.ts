/** @module `tidewheel run`: a DAG file in this process, without a server. */
import { dirname, resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { VerbContext, VerbOptions } from "../cli/mod.ts";
import { printJson, seconds, tableText } from "../cli/print.ts";
import type { ConnectionSecret, LogLine } from "../contract/execution.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { TaskInstance } from "../model/rows.ts";
import { fileObjectStore } from "../objects/file.ts";
import { parseConf } from "../sdk/open_context.ts";
import { type Exchange, player, recorder } from "../testing/exchanges.ts";
import { type Fixtures, readFixtures, restoreFiles, writeFixtures } from "../testing/fixtures.ts";
import { scrubber } from "../testing/scrub.ts";
import { loadDag, placeIn } from "./load_dag.ts";
import { answersOf, askAtTerminal, givenAnswers } from "./local_answers.ts";
import { chooseTasks } from "./local_choice.ts";
import { localEvent } from "./local_event.ts";
import { localInterval } from "./local_interval.ts";
import { connectionFrom, environmentSecrets, type LocalSecrets } from "./local_secrets.ts";
import { type LocalResult, nameOf, runLocally } from "./local_world.ts";

/** Longest text of an output in the table. */
const OUTPUT_CHARS = 60;

/** What `tidewheel run` does; exit code 1 unless the run succeeds. */
export async function runLocal(
  context: VerbContext,
  [file]: string[],
  options: VerbOptions,
): Promise<number> {
  const began = systemClock.monotonicMs();
  const option = (name: string) => options[name] as string | undefined;
  const { module, dag } = await loadDag(file, option("dag"));
  const conf = confOf(option("params") ?? option("conf"));
  parseConf(dag, conf);
  const replay = option("replay") === undefined ? null : await inputsOf(option("replay")!, dag.id);
  const inputs = option("inputs") === undefined ? null : await inputsOf(option("inputs")!, dag.id);
  const choice = chooseTasks(
    dag.spec,
    { task: option("task"), fromTask: option("fromTask") },
    new Set(Object.keys(inputs?.outputs ?? {})),
  );
  if (replay && option("record") !== undefined) {
    throw new AppError("INVALID", "Cannot both record and replay: give one of --record, --replay");
  }
  const answers = givenAnswers(dag.spec, answersOf(options.answer as string[] | undefined ?? []));
  const event = localEvent(dag.spec, {
    partition: option("partition"),
    payload: parsedEvent(option("event")),
  });
  const interval = event?.interval ?? localInterval(
    dag.spec,
    option("date") ?? (inputs ?? replay)?.date,
    systemClock.now(),
  );
  const dir = option("keep") === undefined
    ? await Deno.makeTempDir({ prefix: "tidewheel_run_" })
    : resolve(option("keep")!);
  try {
    const objects = fileObjectStore(`${dir}/objects`);
    if (inputs) await restoreFiles(inputs, objects);
    const record = option("record") === undefined ? null : openRecord(option("record")!);
    const environment = environmentSecrets(Deno.env.toObject());
    const secrets = replay ? replayedSecrets(replay, environment) : environment;
    const ask = { out: context.output.err, ask: (text: string) => prompt(text) };
    const asking = context.output.isTerminal && !context.output.json ? askAtTerminal(ask) : null;
    const result = await runLocally({
      answerer: (task, question) => answers(task, question) ?? asking?.(task, question) ?? null,
      ...{ module, spec: choice.spec, dir, interval, event, conf, objects },
      standIns: standInsOf(choice.standIns, inputs),
      secrets: record ? record.watch(secrets) : secrets,
      answer: replay ? player(replay.exchanges, replay.dir) : record?.answer ?? null,
      ...printer(context, dirname(resolve(file))),
    });
    if (record && result.run.state === "success") {
      await writeFixtures(record.fixtures(dag.id, result, inputs), {
        objects,
        scrub: record.scrub(),
      });
    }
    report(context, result, (systemClock.monotonicMs() - began) / 1000);
    if (record) context.output.err(recorded(record.dir, result.run.state));
    return result.run.state === "success" ? 0 : 1;
  } finally {
    if (option("keep") === undefined) await Deno.remove(dir, { recursive: true });
  }
}

const recorded = (dir: string, state: string) =>
  state === "success" ? `Recorded in ${dir}\n` : `Recorded nothing: the run is ${state}\n`;

async function inputsOf(dir: string, dagId: string): Promise<Fixtures> {
  const found = await readFixtures(resolve(dir));
  if (found.dagId === dagId) return found;
  throw new AppError(
    "INVALID",
    `Cannot use the record ${dir} for DAG "${dagId}": it is of DAG "${found.dagId}"`,
  );
}

function replayedSecrets({ connections }: Fixtures, other: LocalSecrets): LocalSecrets {
  return {
    connection: (id) =>
      Object.hasOwn(connections, id) ? connectionFrom(id, connections[id]) : other.connection(id),
    variable: (key) => other.variable(key),
  };
}

function standInsOf(taskIds: ReadonlySet<string>, inputs: Fixtures | null) {
  return new Map([...taskIds].map((taskId) => [taskId, inputs?.outputs[taskId]]));
}

/** Keeps what goes over the network, and which connections were read. */
function openRecord(folder: string) {
  const dir = resolve(folder);
  const exchanges: Exchange[] = [];
  const used: Record<string, ConnectionSecret> = {};
  const scrub = () => scrubber(Object.values(used));
  return {
    dir,
    scrub,
    answer: recorder(exchanges, scrub),
    watch: (secrets: LocalSecrets): LocalSecrets => ({
      connection: (id) => used[id] ??= secrets.connection(id),
      variable: (key) => secrets.variable(key),
    }),
    fixtures: (
      dagId: string,
      { run, outputs }: LocalResult,
      inputs: Fixtures | null,
    ): Fixtures => ({
      ...{ dir, dagId, date: run.logicalDate!.toISOString(), exchanges, connections: used },
      outputs: { ...inputs?.outputs, ...Object.fromEntries(outputs) },
    }),
  };
}

/** The `--conf` of a run: a JSON object. */
function confOf(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const conf = JSON.parse(text);
    if (conf !== null && typeof conf === "object" && !Array.isArray(conf)) return conf;
  } catch (error) {
    throw new AppError("INVALID", `Cannot read --params: ${messageOf(error)}`);
  }
  throw new AppError("INVALID", `Cannot use --params ${text}: it must be a JSON object`);
}

/** The `--event` of a run: any JSON. */
function parsedEvent(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("INVALID", `Cannot read --event: ${messageOf(error)}`);
  }
}

/** States as they come, log lines below their task's name, errors with their place. */
function printer({ output }: VerbContext, folder: string) {
  const print = output.json ? () => {} : output.out;
  let last = "";
  return {
    onLine(task: string, { level, message, fields, from }: LogLine) {
      const more = fields && Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : "";
      const [first, ...stack] = message.split("\n");
      const place = level === "ERROR" ? placeIn(stack.join("\n"), folder) : null;
      const isStack = from === "worker" && level === "ERROR";
      const text = isStack ? first + (place ? `\n${place}` : "") : message;
      if (task !== last) print(`${task}\n`);
      last = task;
      print(`  ${level.padEnd(5)} ${text.replaceAll("\n", "\n        ")}${more}\n`);
    },
    onRetry(task: string, why: string) {
      print(`${task}: ${why}\n`);
      last = "";
    },
    onState(task: TaskInstance) {
      if (["none", "scheduled", "queued"].includes(task.state)) return;
      const seconds = task.startDate && task.endDate
        ? ` in ${((task.endDate.getTime() - task.startDate.getTime()) / 1000).toFixed(2)} s`
        : "";
      print(`${nameOf(task)}: ${task.state}${seconds}\n`);
      last = "";
    },
    onProblem(message: string, fields: object) {
      if (!output.json) output.err(`${message} ${JSON.stringify(fields)}\n`);
    },
  };
}

function report({ output }: VerbContext, result: LocalResult, tookSeconds: number) {
  const { run, tasks, store, outputs } = result;
  const attempts = store.attempts();
  const published = store.datasets().map(({ intent, version, sha256 }) => ({
    dataset: intent.dataset,
    partition: intent.partition,
    version,
    rows: intent.rows,
    sha256,
  }));
  if (output.json) {
    const states = Object.fromEntries(tasks.map((task) => [nameOf(task), task.state]));
    printJson(output, {
      ...{ run_id: run.runId, state: run.state, states },
      ...{ outputs: Object.fromEntries(outputs), published, attempts },
    });
    return;
  }
  const triesOf = Map.groupBy(attempts, (attempt) => attempt.taskInstanceId);
  output.out(
    "\n" + tableText(tasks, {
      task: nameOf,
      state: (one) => one.state,
      tries: (one) => triesOf.get(one.id)?.length ?? 0,
      output: (one) => shown(outputs.get(one.taskId), one.mapIndex),
    }, output.isTerminal),
  );
  if (published.length > 0) {
    output.out(
      "\n" + tableText(published, {
        dataset: (one) => one.dataset,
        partition: (one) => one.partition,
        version: (one) => one.version,
        rows: (one) => one.rows,
      }),
    );
  }
  output.out(`\n${run.runId}: ${run.state} in ${seconds(tookSeconds)}\n`);
}

function shown(output: unknown, mapIndex: number): string {
  const own = mapIndex < 0 ? output : (output as unknown[] | undefined)?.[mapIndex];
  if (own === undefined || own === null) return "";
  const text = JSON.stringify(own);
  return text.length > OUTPUT_CHARS ? `${text.slice(0, OUTPUT_CHARS - 1)}…` : text;
}
