/**
 * @module What years of history cost: lists, the grid and the time between chained tasks, on an empty
 * database and on one with ten million task instances (`HISTORY_TASKS` for another number).
 */
import { openDatabase } from "../src/store/database.ts";
import { makeHistory } from "../tests/support/history.ts";
import { databaseUrl } from "./database.ts";
import { chain } from "./dags.ts";
import { chainFigures, type Figure } from "./pipeline.ts";
import { type Bench, finished, listed, quantile, startService, trigger } from "./service.ts";

const TASKS_PER_RUN = 50;
const SAMPLES = 15;

const paths: Readonly<Record<string, string>> = {
  "runs of a DAG": "/api/v2/dags/many/dagRuns?limit=50&order_by=-run_after",
  "runs of all DAGs": "/api/v2/dags/~/dagRuns?limit=50&order_by=-run_after",
  "failed runs": "/api/v2/dags/~/dagRuns?limit=50&state=failed&order_by=-run_after",
  "tasks of a run": "/api/v2/dags/many/dagRuns/first/taskInstances",
  "tasks of all runs": "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50",
  "failed tasks": "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50&state=failed",
  "grid of 25 runs": "/api/v2/dags/many/grid",
};

/** The same figures before and after. */
export async function historyBench(): Promise<Figure[]> {
  const tasks = Number(Deno.env.get("HISTORY_TASKS") ?? 10_000_000);
  await using bench = await startService({
    "many.ts": chain("many", TASKS_PER_RUN),
    "chain.ts": chain("chain", 20),
  });
  await listed(bench, 2);
  await trigger(bench, "many", "first");
  await finished(bench, "many", 1);
  const before = await figures(bench, "empty");
  const sql = await openDatabase(await databaseUrl(bench), { max: 1 });
  try {
    await makeHistory(sql, { dagId: "many", runs: Math.ceil(tasks / TASKS_PER_RUN) });
  } finally {
    await sql.end();
  }
  return [...before, ...await figures(bench, `${tasks / 1e6}M tasks`)];
}

async function figures(bench: Bench, stored: string): Promise<Figure[]> {
  const lists: Figure[] = [];
  for (const [what, path] of Object.entries(paths)) {
    const took: number[] = [];
    for (let i = 0; i <= SAMPLES; i++) {
      const startedAt = performance.now();
      await bench.call("GET", path);
      if (i > 0) took.push(performance.now() - startedAt);
    }
    lists.push({ what: `${stored}: ${what}, p50`, value: quantile(took, 0.5), unit: "ms" });
  }
  const chained = await chainFigures(bench, "chain", 5);
  return [
    ...lists,
    ...chained.map(({ what, value, unit }) => ({
      ...{ what: `${stored}: ${what}`, value, unit },
    })),
  ];
}
