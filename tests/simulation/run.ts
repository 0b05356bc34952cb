/**
 * @module Run many simulated histories and say which faults they met.
 *
 *     deno task simulate:histories --runs 10000 --seed 1
 *     deno task simulate:histories --seed 17 --trace
 *
 * A run is a DAG run. Each history has about nine, of random DAGs under random faults, and each
 * has a seed of its own; histories follow each other until there were `--runs` runs.
 */
import { parseArgs } from "node:util";
import { systemClock } from "../../src/base/clock.ts";
import type { History } from "./history.ts";
import { simulate } from "./simulate.ts";

/** What many histories came to. */
export interface Histories {
  histories: number;
  dagRuns: number;
  attempts: number;
  faults: Record<string, number>;
}

/** Run histories of the seeds from `seed` on until they had `runs` DAG runs; throws at the first that fails. */
export async function simulateMany({ runs, seed }: { runs: number; seed: number }) {
  const sum: Histories = { histories: 0, dagRuns: 0, attempts: 0, faults: {} };
  while (sum.dagRuns < runs) add(sum, await simulate(seed + sum.histories));
  return sum;
}

function add(sum: Histories, { runs, attempts, faults }: History) {
  sum.histories++;
  sum.dagRuns += runs;
  sum.attempts += attempts;
  for (const [fault, count] of Object.entries(faults)) {
    sum.faults[fault] = (sum.faults[fault] ?? 0) + count;
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "2000" },
      seed: { type: "string", default: "1" },
      trace: { type: "boolean", default: false },
    },
  });
  const [runs, seed] = [Number(values.runs), Number(values.seed)];
  if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed)) {
    throw new Error(
      `Cannot simulate --runs ${values.runs} --seed ${values.seed}: give whole numbers`,
    );
  }
  if (values.trace) return console.log((await simulate(seed)).trace.join("\n"));
  const startedMs = systemClock.monotonicMs();
  const { histories, dagRuns, attempts, faults } = await simulateMany({ runs, seed });
  const seconds = (systemClock.monotonicMs() - startedMs) / 1000;
  console.log(
    `${dagRuns} DAG runs with ${attempts} attempts in ${histories} histories, ` +
      `seeds ${seed} to ${seed + histories - 1}: all held; ${Math.round(dagRuns / seconds)} runs/s`,
  );
  for (const [fault, count] of Object.entries(faults).toSorted(([a], [b]) => a < b ? -1 : 1)) {
    console.log(`${fault.padEnd(36)} ${String(count).padStart(9)}`);
  }
}

if (import.meta.main) {
  await main().catch((error) => {
    console.error(error.message);
    Deno.exit(1);
  });
}
