/** @module What the whole stack uses while nothing happens. */
import { chain } from "./dags.ts";
import type { Figure } from "./pipeline.ts";
import { usageOf } from "./processes.ts";
import { finished, listed, startService, trigger } from "./service.ts";

const WATCH_SECONDS = 20;

/** Idle CPU and memory, PostgreSQL and warm children included. */
export async function idleBench(): Promise<Figure[]> {
  await using bench = await startService({ "chain_10.ts": chain("chain_10", 10) });
  await listed(bench, 1);
  for (let i = 0; i < 3; i++) {
    await trigger(bench, "chain_10");
    await finished(bench, "chain_10", 1);
  }
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  const before = usageOf(bench.pid);
  await new Promise((resolve) => setTimeout(resolve, WATCH_SECONDS * 1000));
  const after = usageOf(bench.pid);
  const share = (after.cpuSeconds - before.cpuSeconds) / WATCH_SECONDS;
  return [
    { what: "idle: share of one core", value: share * 100, unit: "%", goal: "< 2" },
    { what: "idle: memory (PSS)", value: after.pssBytes / 1e6, unit: "MB", goal: "< 350" },
    { what: "idle: processes", value: after.processes, unit: "" },
  ];
}
