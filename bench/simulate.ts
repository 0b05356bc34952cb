/** @module A year of 50 DAGs, simulated: the scheduler's own decisions on a clock that jumps. */
import { systemClock } from "../src/base/clock.ts";
import type { DagSpec } from "../src/model/dag_spec.ts";
import type { Figure } from "./pipeline.ts";
import { rehearse } from "../src/scheduler/rehearsal.ts";
import { specOf } from "../tests/support/scheduler_world.ts";

const DAGS = 50;
const calendars = ["XNYS", "XLON", "XETR", "XTKS", "TARGET"];

function spec(n: number): DagSpec {
  const schedule: DagSpec["schedule"] = n % 25 === 24
    ? { kind: "cron", cron: `${n % 60} * * * *`, timezone: "Europe/Berlin" }
    : {
      ...{ kind: "sessions", calendars: [calendars[n % calendars.length]], open: "all" },
      ...{ edge: "close", offsetMs: n * 60_000, everyMs: null, nth: null, interval: "session" },
    };
  return specOf(`dag_${n}`, {
    collect: {},
    convert: { upstream: ["collect"] },
    check: { upstream: ["convert"] },
    merge: { upstream: ["check"] },
    publish: { upstream: ["merge"] },
  }, { schedule, start: "2025-12-01T00:00:00Z", catchup: true });
}

/** Runs, tasks and seconds of one simulation. */
// deno-lint-ignore require-await
export async function simulateBench(): Promise<Figure[]> {
  const fromMs = systemClock.monotonicMs();
  const { runs, dags } = rehearse({
    specs: Array.from({ length: DAGS }, (_, n) => spec(n)),
    from: new Date("2026-01-01T00:00Z"),
    to: new Date("2027-01-01T00:00Z"),
    durationMs: () => 4 * 60_000,
    down: [{ from: new Date("2026-03-01T00:00Z"), to: new Date("2026-03-05T00:00Z") }],
  });
  const tookS = (systemClock.monotonicMs() - fromMs) / 1000;
  const tasks = dags.reduce((sum, dag) => sum + dag.tasks, 0);
  const what = `a year of ${DAGS} DAGs (${DAGS / 25} hourly, the others by sessions)`;
  return [
    { what: `${what}, to simulate`, value: tookS, unit: "s" },
    { what: `${what}: runs`, value: runs.length, unit: "" },
    { what: `${what}: tasks`, value: tasks, unit: "" },
  ];
}
