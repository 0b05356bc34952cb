/**
 * @module One run of a task mapped over 100,000 items (`MAPPED_TASKS` for another number): time until
 * all instances are there and until all have ended, beside what the server does bare, and the
 * service's memory and CPU time: on a machine with other work the latter is what can be compared.
 */
import { openDatabase } from "../src/store/database.ts";
import { fanOut } from "./dags.ts";
import { bareUpdateRate, databaseUrl } from "./database.ts";
import type { Figure } from "./pipeline.ts";
import { usageOf } from "./processes.ts";
import { type Bench, listed, startService, trigger, until } from "./service.ts";

interface Summary {
  task_id: string;
  total: number;
  child_states: Record<string, number>;
}

const LIMIT_MS = 3_600_000;

/** See the module. */
export async function mappedBench(): Promise<Figure[]> {
  const width = Number(Deno.env.get("MAPPED_TASKS") ?? 100_000);
  await using bench = await startService({ "mapped.ts": fanOut("mapped", width) });
  await bench.call("POST", "/api/v2/pools", { name: "wide", slots: -1 });
  await listed(bench, 1);
  const bareRate = await bareRateOf(bench);
  const cpuBefore = usageOf(bench.pid).cpuSeconds;
  const startedAt = performance.now();
  const run = await trigger(bench, "mapped", "bench");
  let peak = 0;
  const reached = async (isThere: (work: Summary) => boolean) => {
    await until(async () => {
      // Looking costs too: counting, and going through all processes.
      await new Promise((resolve) => setTimeout(resolve, 500));
      peak = Math.max(peak, usageOf(bench.pid).pssBytes / 2 ** 20);
      const work = await workOf(bench, run.dag_run_id);
      return work !== undefined && isThere(work);
    }, LIMIT_MS);
    return (performance.now() - startedAt) / 1000;
  };
  const expanded = await reached((work) => work.total === width);
  const finished = await reached((work) => work.child_states.success === width);
  const cpuMs = (usageOf(bench.pid).cpuSeconds - cpuBefore) * 1000 / width;
  return [
    { what: `${width} mapped tasks: all there after`, value: expanded, unit: "s" },
    { what: `${width} mapped tasks: all ended after`, value: finished, unit: "s" },
    { what: `${width} mapped tasks: tasks/s`, value: width / finished, unit: "/s" },
    { what: "PostgreSQL bare: synchronous updates/s, one connection", value: bareRate, unit: "/s" },
    { what: `${width} mapped tasks: CPU of all processes, a task`, value: cpuMs, unit: "ms" },
    { what: `${width} mapped tasks: memory of the service, peak`, value: peak, unit: "MiB" },
  ];
}

async function bareRateOf(bench: Bench): Promise<number> {
  const sql = await openDatabase(await databaseUrl(bench), { max: 1 });
  try {
    return await bareUpdateRate(sql);
  } finally {
    await sql.end();
  }
}

async function workOf(bench: Bench, runId: string): Promise<Summary | undefined> {
  const path = `/api/v2/dags/mapped/dagRuns/${runId}/taskSummaries`;
  const { task_instances } = await bench.call<{ task_instances: Summary[] }>("GET", path);
  return task_instances.find((task) => task.task_id === "work");
}
