/**
 * @module Waits: what 10,000 of them (`WAITS` for another number) cost a triggers process, and how soon
 * a task goes on after what it waited for.
 */
import { seededIds } from "../src/base/ids.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLogger } from "../src/base/log.ts";
import { systemRandom } from "../src/base/random.ts";
import { pgEngineStore } from "../src/store/engine_pg.ts";
import type { Sql } from "../src/store/database.ts";
import { databaseHintBus } from "../src/store/hints.ts";
import { testDatabase } from "../tests/support/database.ts";
import { startRole } from "../tests/support/roles.ts";
import type { Figure } from "./pipeline.ts";
import { usageOf } from "./processes.ts";
import { type Bench, listed, quantile, startService, trigger, until } from "./service.ts";

const WATCH_SECONDS = 20;
const SAMPLES = 100;

/** See the module. */
export async function waitsBench(): Promise<Figure[]> {
  const waits = Number(Deno.env.get("WAITS") ?? 10_000);
  return [...await processFigures(waits), ...await taskFigures()];
}

/** One triggers process on a database with that many waits: half of time, half of data. */
async function processFigures(waits: number): Promise<Figure[]> {
  await using db = await testDatabase();
  await seedWaits(db.sql, waits);
  const dir = await Deno.makeTempDir({ prefix: "tidewheel_bench_" });
  const before = performance.now();
  const role = await startRole(["triggers"], {
    dir,
    env: { TIDEWHEEL_DATABASE_URL: db.url, LOG_LEVEL: "INFO" },
  });
  try {
    await until(async () => {
      const [{ left }] = await db.sql`
        select count(*)::int as left from trigger where claimed_by is null`;
      return left === 0;
    }, 60_000);
    const claimedMs = performance.now() - before;
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const [first, queries] = [usageOf(role.pid), await queryCount(db.sql)];
    await new Promise((resolve) => setTimeout(resolve, WATCH_SECONDS * 1000));
    const [second, more] = [usageOf(role.pid), await queryCount(db.sql)];
    const resumed = await resumeTimes(db.sql, waits);
    const cpu = (second.cpuSeconds - first.cpuSeconds) / WATCH_SECONDS;
    const figure = (what: string, value: number, unit: string, goal?: string): Figure => ({
      ...{ what: `${waits} waits: ${what}`, value, unit },
      ...(goal ? { goal } : {}),
    });
    return [
      figure("start to all of them claimed", claimedMs / 1000, "s"),
      figure("memory of the process (PSS)", second.pssBytes / 1e6, "MB", "< 200"),
      figure("idle share of one core", cpu * 100, "%"),
      figure("transactions a second, all processes", (more - queries) / WATCH_SECONDS, "/s"),
      figure("event to scheduled, p50", quantile(resumed, 0.5), "ms"),
      figure("event to scheduled, p99", quantile(resumed, 0.99), "ms"),
    ];
  } finally {
    await role.end("SIGTERM");
    await Deno.remove(dir, { recursive: true });
  }
}

/** Instances that have deferred, without what led there. */
async function seedWaits(sql: Sql, waits: number) {
  const far = new Date(Date.now() + 86_400_000);
  await sql.begin(async (tx) => {
    await tx`
      insert into dag (dag_id, fileloc, created_at, last_parsed_at)
      values ('waits', 'x.ts', ${far}, ${far})`;
    const [{ id: version }] = await tx<{ id: string }[]>`
      insert into dag_version
        (id, dag_id, version_number, meaning_hash, bundle_hash, entry, spec, created_at)
      values (gen_random_uuid(), 'waits', 1, '0', '0', 'x.ts', '{}', ${far}) returning id`;
    const [{ id: run }] = await tx<{ id: string }[]>`
      insert into dag_run (id, dag_id, run_id, run_type, state, run_after, queued_at, start_date,
        conf, dag_version_id)
      values (gen_random_uuid(), 'waits', 'r', 'manual', 'running', ${far}, ${far}, ${far}, '{}',
        ${version}) returning id`;
    await tx`
      insert into task_instance (id, dag_run_id, dag_id, task_id, map_index, state, attempt_id,
        max_tries, resumption)
      select gen_random_uuid(), ${run}, 'waits', 't', n, 'deferred', gen_random_uuid(), 0,
        '{"event": null, "data": null, "timedOut": true, "onTimeout": "fail"}'
      from generate_series(0, ${waits}::int - 1) n`;
    await tx`
      insert into trigger (task_instance_id, attempt_id, kind, args, created_at)
      select id, attempt_id, case when map_index % 2 = 0 then 'time' else 'dataset' end,
        case when map_index % 2 = 0 then jsonb_build_object('at', ${far.toISOString()}::text)
          else jsonb_build_object('dataset', 'd' || map_index, 'partition', null) end,
        ${far}
      from task_instance`;
  });
}

async function queryCount(sql: Sql): Promise<number> {
  const [{ count }] = await sql<{ count: number }[]>`
    select xact_commit::float8 as count from pg_stat_database where datname = current_database()`;
  return count;
}

/** Milliseconds from an event's commit in another process until its instance is scheduled. */
async function resumeTimes(sql: Sql, waits: number): Promise<number[]> {
  const ids = seededIds(systemClock, systemRandom);
  const hints = await databaseHintBus(sql, { origin: "bench", log: silentLogger });
  const store = pgEngineStore({ sql, hints, ids, clock: systemClock });
  const took: number[] = [];
  for (let i = 0; i < SAMPLES && 2 * i + 1 < waits; i++) {
    const index = 2 * i + 1;
    await store.recordEvents(
      [{ dataset: `d${index}`, partition: null, key: null, extra: {} }],
      new Date(),
    );
    const startedAt = performance.now();
    for (let isDone = false; !isDone;) {
      const [{ state }] = await sql`select state from task_instance where map_index = ${index}`;
      isDone = state === "scheduled";
    }
    took.push(performance.now() - startedAt);
  }
  await hints.close();
  return took;
}

const dagSource = (width: number) =>
  `import { dag, waitForDataset } from "tidewheel";
export default dag({ id: "waits", schedule: null, maxActiveTasks: 64 }, () => {
  ${
    Array.from({ length: width }, (_, i) => `waitForDataset({ id: "w${i}", dataset: "d${i}" });`)
      .join("\n  ")
  }
});
`;

/** From an event that the API has answered until the task's next attempt runs. */
async function taskFigures(): Promise<Figure[]> {
  await using bench = await startService({ "waits.ts": dagSource(SAMPLES) });
  await listed(bench, 1);
  await trigger(bench, "waits", "r");
  await until(async () => (await counts(bench, "deferred")) === SAMPLES, 120_000);
  const told = new Map<string, number>();
  for (let i = 0; i < SAMPLES; i++) {
    told.set(`w${i}`, Date.now());
    await bench.call("POST", "/api/v2/assets/events", { name: `d${i}` });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await until(async () => (await counts(bench, "success")) === SAMPLES, 120_000);
  const { task_instances: tasks } = await bench.call<{
    task_instances: { task_id: string; start_date: string }[];
  }>("GET", "/api/v2/dags/waits/dagRuns/r/taskInstances?limit=1000");
  const took = tasks.map((one) => Date.parse(one.start_date) - told.get(one.task_id)!);
  return [
    { what: "event posted to the task going on, p50", value: quantile(took, 0.5), unit: "ms" },
    { what: "event posted to the task going on, p99", value: quantile(took, 0.99), unit: "ms" },
  ];
}

async function counts(bench: Bench, state: string): Promise<number> {
  const { total_entries: total } = await bench.call<{ total_entries: number }>(
    "GET",
    `/api/v2/dags/waits/dagRuns/r/taskInstances?limit=1&state=${state}`,
  );
  return total;
}
