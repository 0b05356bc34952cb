/** @module How soon DAG files are listed: a thousand at a start, one after a change. */
import { join } from "node:path";
import { chain } from "./dags.ts";
import type { Figure } from "./pipeline.ts";
import { startService, until } from "./service.ts";

const FILES = 1000;

/** Time to the full first listing, and to see one changed file. */
export async function listingBench(): Promise<Figure[]> {
  const dags = Object.fromEntries(
    Array.from({ length: FILES }, (_, i) => [`dag_${i}.ts`, chain(`dag_${i}`, 3)]),
  );
  const startedAt = performance.now();
  await using bench = await startService(dags);
  const total = async () =>
    (await bench.call<{ total_entries: number }>("GET", "/api/v2/dags?limit=1")).total_entries;
  await until(async () => await total() === FILES, 120_000);
  const listedMs = performance.now() - startedAt;

  const path = join(bench.dagsDir, "dag_7.ts");
  const changes: number[] = [];
  for (let round = 0; round < 3; round++) {
    const name = `dag_7_${round}`;
    await Deno.writeTextFile(path, chain(name, 3));
    const changedAt = performance.now();
    await until(async () => {
      await bench.call("GET", `/api/v2/dags/${name}`);
      return true;
    }, 30_000);
    changes.push(performance.now() - changedAt);
  }
  return [
    {
      what: `start to ${FILES} DAG files listed`,
      value: listedMs / 1000,
      unit: "s",
      goal: "≤ 5",
    },
    {
      what: "one changed file to its listing",
      value: changes.toSorted((a, b) => a - b)[1] / 1000,
      unit: "s",
      goal: "≤ 1",
    },
  ];
}
