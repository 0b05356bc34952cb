/**
 * @module Run many simulated histories and say which faults they met.
 *
 *     deno run -A tests/simulation/run.ts --runs 1000 --seed 1 [--trace]
 */
import { simulate } from "./simulate.ts";

/** Run histories of the seeds from `seed` on; throws at the first that fails. */
export async function simulateMany({ runs, seed }: { runs: number; seed: number }) {
  const faults: Record<string, number> = {};
  let dagRuns = 0;
  let attempts = 0;
  for (let i = 0; i < runs; i++) {
    const history = await simulate(seed + i);
    dagRuns += history.runs;
    attempts += history.attempts;
    for (const [fault, count] of Object.entries(history.faults)) {
      faults[fault] = (faults[fault] ?? 0) + count;
    }
  }
  return { histories: runs, dagRuns, attempts, faults };
}

function argument(name: string, fallback: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(Deno.args[at + 1]);
}

if (import.meta.main) {
  const seed = argument("seed", 1);
  if (Deno.args.includes("--trace")) console.log((await simulate(seed)).trace.join("\n"));
  else console.log(await simulateMany({ runs: argument("runs", 200), seed }));
}
