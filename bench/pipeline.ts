/** @module How fast tasks follow each other: chains, fan-out, many runs. */
import { join } from "node:path";
import { moduleRuntime } from "../src/objects/module_runtime.ts";
import { openDatabase, type Sql } from "../src/store/database.ts";
import { bareUpdateRate, databaseUrl } from "./database.ts";
import { chain, fanOut } from "./dags.ts";
import {
  type Bench,
  type Caller,
  finished,
  listed,
  quantile,
  type Run,
  startService,
  type Task,
  tasksOf,
  trigger,
} from "./service.ts";

/** One line of the bench's table. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** What the product means to reach. */
  goal?: string;
}

/** DAG files of the shapes that {@link pipelineShapes} runs. */
export const pipelineDags: Readonly<Record<string, string>> = {
  "chain_10.ts": chain("chain_10", 10),
  "chain_40.ts": chain("chain_40", 40),
  "fan_100.ts": fanOut("fan_100", 100),
  "fan_500.ts": fanOut("fan_500", 500),
  "many.ts": chain("many", 10),
};

/** All pipeline shapes on one service. */
export async function pipelineBench(): Promise<Figure[]> {
  await using bench = await startService({
    ...pipelineDags,
    "fresh_10.ts": chain("fresh_10", 10, "fresh"),
    "fan_fresh.ts": fanOut("fan_fresh", 100, "fresh"),
  });
  await bench.call("POST", "/api/v2/pools", { name: "wide", slots: -1 });
  await listed(bench, 7);
  const sql = await openDatabase(await databaseUrl(bench), { max: 1 });
  const shapes = await pipelineShapes(bench, sql);
  await sql.end();
  return [
    ...shapes,
    ...await chainFigures(bench, "fresh_10", 3),
    ...await fanFigures(bench, "fan_fresh", 2),
    ...await spawnFigures(bench),
  ];
}

/** Warm processes: chains, fan-outs, and many runs at once, beside bare updates of the same server. */
export async function pipelineShapes(bench: Caller, sql: Sql): Promise<Figure[]> {
  const before = await bareUpdateRate(sql);
  const figures = [
    ...await chainFigures(bench, "chain_10", 20),
    ...await chainFigures(bench, "chain_40", 10),
    ...await fanFigures(bench, "fan_100", 5),
    ...await fanFigures(bench, "fan_500", 5),
    ...await manyRunFigures(bench, 100),
  ];
  const updates = (before + await bareUpdateRate(sql)) / 2;
  return [
    { what: "the same server bare: synchronous updates/s", value: updates, unit: "/s" },
    ...figures.flatMap((figure) => [figure, ...besideUpdates(figure, updates)]),
  ];
}

/**
 * A figure in bare updates of the same server, which holds where milliseconds do not. The goals are
 * those of a machine that makes 5,200 updates a second: 3 ms a task and 1,500 tasks a second.
 */
function besideUpdates({ what, value, unit }: Figure, updates: number): Figure[] {
  if (what.endsWith("ms a task, p50")) {
    const worth = value / 1000 * updates;
    return [{ what: `${what}, in bare updates`, value: worth, unit: "", goal: "≤ 15.6" }];
  }
  if (unit !== "/s") return [];
  return [{ what: `${what}, a bare update`, value: value / updates, unit: "", goal: "≥ 0.29" }];
}

const at = (date: string) => Date.parse(date);

/** Time a task takes in a chain, and between two of them. */
export async function chainFigures(bench: Caller, dag: string, repeats: number): Promise<Figure[]> {
  const gaps: number[] = [];
  const perTask: number[] = [];
  for (let i = 0; i <= repeats; i++) {
    await trigger(bench, dag);
    const [run] = await finished(bench, dag, 1);
    const tasks = (await tasksOf(bench, run)).toSorted((a, b) => at(a.end_date) - at(b.end_date));
    if (i === 0) continue;
    perTask.push(spanMs(tasks) / tasks.length);
    tasks.slice(1).forEach((task, n) => gaps.push(at(task.start_date) - at(tasks[n].end_date)));
  }
  return [
    {
      what: `${dag}: ms a task, p50`,
      value: quantile(perTask, 0.5),
      unit: "ms",
      ...(dag.startsWith("chain") ? { goal: "≤ 3" } : {}),
    },
    { what: `${dag}: end to next start, p50`, value: quantile(gaps, 0.5), unit: "ms" },
    { what: `${dag}: end to next start, p99`, value: quantile(gaps, 0.99), unit: "ms" },
  ];
}

async function fanFigures(bench: Caller, dag: string, repeats: number): Promise<Figure[]> {
  const rates: number[] = [];
  for (let i = 0; i <= repeats; i++) {
    await trigger(bench, dag);
    const [run] = await finished(bench, dag, 1);
    const work = (await tasksOf(bench, run)).filter((task) => task.task_id === "work");
    if (i > 0) rates.push(work.length / (spanMs(work) / 1000));
  }
  return [{
    what: `${dag}: tasks/s`,
    value: quantile(rates, 0.5),
    unit: "/s",
    goal: dag === "fan_fresh" ? "0.8 of bare spawn" : "≥ 1,500",
  }];
}

/**
 * How many processes of the same program can be spawned bare in a second: the child that a fresh
 * attempt starts, with the same bundle to import, and no task to run. By as many at a time as keep
 * both cores busy.
 */
async function spawnFigures(bench: Bench): Promise<Figure[]> {
  const cacheDir = join(bench.home, "cache");
  const runtime = await moduleRuntime({ cacheDir });
  const bundle = await bundleOf(cacheDir, "fan_fresh.ts");
  const one = async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        ...runtime.args,
        "--allow-read",
        childProgram,
        bundle,
        "fan_fresh.ts",
      ],
      env: runtime.env,
      clearEnv: true,
      cwd: runtime.dir,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("nonce\n"));
    const said = child.stdout.getReader();
    // Its word that the bundle is imported; then it ends as it does after its one attempt.
    const { done } = await said.read();
    if (done) throw new Error("The child program ended before it was ready");
    await writer.close();
    await said.cancel();
    await child.status;
  };
  const count = 60;
  const startedAt = performance.now();
  let left = count;
  await Promise.all(Array.from({ length: 4 }, async () => {
    while (left-- > 0) await one();
  }));
  return [{
    what: "bare spawns of the same program/s",
    value: count / ((performance.now() - startedAt) / 1000),
    unit: "/s",
  }];
}

const childProgram = new URL("../src/worker/child/main.ts", import.meta.url).href;

/** The folder of the bundle with this entry. */
async function bundleOf(cacheDir: string, entry: string): Promise<string> {
  const bundles = join(cacheDir, "bundles");
  for await (const { name } of Deno.readDir(bundles)) {
    const dir = join(bundles, name);
    if (await Deno.stat(join(dir, entry)).then(() => true, () => false)) return dir;
  }
  throw new Error(`No bundle in ${bundles} has ${entry}`);
}

async function manyRunFigures(bench: Caller, count: number): Promise<Figure[]> {
  const rates: number[] = [];
  for (let i = 0; i < 3; i++) {
    const runs = await Promise.all(
      Array.from({ length: count }, (_, n) => trigger(bench, "many", `bench_${i}_${n}`)),
    );
    const ended = (await finished(bench, "many", 1000)).filter((run) =>
      runs.some((made) => made.dag_run_id === run.dag_run_id)
    );
    rates.push(count * 10 / (runsSpanMs(ended) / 1000));
  }
  return [{
    what: `${count} runs of a 10-task chain: tasks/s`,
    value: quantile(rates, 0.5),
    unit: "/s",
    goal: "≥ 1,500",
  }];
}

function runsSpanMs(runs: Run[]): number {
  return Math.max(...runs.map((r) => at(r.end_date))) -
    Math.min(...runs.map((r) => at(r.start_date)));
}

function spanMs(tasks: Task[]): number {
  return Math.max(...tasks.map((task) => at(task.end_date))) -
    Math.min(...tasks.map((task) => at(task.start_date)));
}
