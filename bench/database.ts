/** @module What the same PostgreSQL does bare, and the API's latency with many runs stored. */
import { openDatabase, type Sql } from "../src/store/database.ts";
import { chain } from "./dags.ts";
import type { Figure } from "./pipeline.ts";
import { type Bench, finished, listed, quantile, startService, trigger } from "./service.ts";

const STORED_RUNS = 10_000;
/** Runs that start at once, of that many tasks. */
const RUNS = 100;
const LONG = 40;

/** Raw limits of the embedded server, and REST latency under load on it. */
export async function databaseBench(): Promise<Figure[]> {
  await using bench = await startService({
    "many.ts": chain("many", 10),
    "long.ts": chain("long", LONG),
  });
  await listed(bench, 2);
  const sql = await openDatabase(await databaseUrl(bench), { max: 4 });
  try {
    return [...await limits(sql), ...await latency(bench, sql)];
  } finally {
    await sql.end();
  }
}

/** URL of a service's own database. */
export async function databaseUrl(bench: Bench): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "src/main.ts", "db", "--url"],
    env: { TIDEWHEEL_HOME: bench.home },
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** Figures of a server that may lose commits would say nothing. */
async function requireDurable(sql: Sql) {
  for (const name of ["fsync", "synchronous_commit", "full_page_writes"]) {
    const [{ value }] = await sql`select current_setting(${name}) as value`;
    if (value !== "on") throw new Error(`${name} is ${value}: it must be on for a bench`);
    console.log(`${name}: ${value}`);
  }
}

/** Durable single-row updates a second, one after the other on one connection of this client. */
export async function bareUpdateRate(sql: Sql): Promise<number> {
  await requireDurable(sql);
  await sql`create table bench_update (id int primary key, v int not null)`;
  await sql`insert into bench_update select g, 0 from generate_series(1, 1000) g`;
  const updates = 1500;
  const startedAt = performance.now();
  for (let i = 0; i < updates; i++) {
    await sql`update bench_update set v = v + 1 where id = ${1 + i % 1000}`;
  }
  const rate = updates / ((performance.now() - startedAt) / 1000);
  await sql`drop table bench_update`;
  return rate;
}

async function limits(sql: Sql): Promise<Figure[]> {
  const updateRate = await bareUpdateRate(sql);
  await sql`create table bench_row (id int primary key, v int not null)`;
  await sql`insert into bench_row select g, 0 from generate_series(1, 10000) g`;
  const startedAt = performance.now();
  let handed = 0;
  for (let i = 0; i < 60; i++) {
    const rows = await sql`
      update bench_row set v = -1 where id in (
        select id from bench_row where v >= 0 limit 100 for update skip locked)
      returning id`;
    handed += rows.length;
  }
  const handRate = handed / ((performance.now() - startedAt) / 1000);
  await sql`drop table bench_row`;
  return [
    {
      what: "PostgreSQL bare: synchronous updates/s, one connection",
      value: updateRate,
      unit: "/s",
    },
    { what: "PostgreSQL bare: rows/s by SKIP LOCKED in hundreds", value: handRate, unit: "/s" },
  ];
}

async function latency(bench: Bench, sql: Sql): Promise<Figure[]> {
  await trigger(bench, "many");
  await finished(bench, "many", 1);
  await storeRuns(sql);
  const calm = await sample(bench, () => false);
  let isStarting = true;
  const triggers = Array.from({ length: RUNS }, (_, i) => trigger(bench, "long", `l_${i}`));
  const starting = Promise.all(triggers).finally(() => isStarting = false);
  const whileStarting = await sample(bench, () => isStarting);
  await starting;
  const startedAt = performance.now();
  let isOver = false;
  const ending = finished(bench, "long", RUNS).finally(() => isOver = true);
  const whileRunning = await sample(bench, () => !isOver);
  await ending;
  const tasksPerS = (RUNS * LONG) / ((performance.now() - startedAt) / 1000);
  const name = `REST with ${STORED_RUNS} runs stored`;
  return [
    { what: `${name}, p50`, value: quantile(calm, 0.5), unit: "ms" },
    { what: `${name}, p99`, value: quantile(calm, 0.99), unit: "ms" },
    { what: `${name} while ${RUNS} start, p99`, value: quantile(whileStarting, 0.99), unit: "ms" },
    { what: `${name} while ${RUNS} execute, p50`, value: quantile(whileRunning, 0.5), unit: "ms" },
    {
      what: `${name} while ${RUNS} execute, p99`,
      value: quantile(whileRunning, 0.99),
      unit: "ms",
      goal: "< 20",
    },
    { what: "tasks/s meanwhile", value: tasksPerS, unit: "/s" },
  ];
}

/** Times of calls one after the other, at least so many and as long as it `goesOn`. */
async function sample(bench: Bench, goesOn: () => boolean): Promise<number[]> {
  const paths = [
    "/api/v2/dags",
    "/api/v2/dags/many/dagRuns?limit=50&order_by=-run_after",
    "/api/v2/dags/~/dagRuns?limit=50&order_by=-run_after",
    "/api/v2/dags/many/dagRuns/stored_7777",
    "/api/v2/dags/many/dagRuns/stored_7777/taskInstances",
    "/api/v2/dags/many/dagRuns?limit=50&offset=5000",
  ];
  const took: number[] = [];
  while (took.length < 300 || goesOn()) {
    const startedAt = performance.now();
    await bench.call("GET", paths[took.length % paths.length]);
    took.push(performance.now() - startedAt);
  }
  return took;
}

/** Copies of the one real run, a minute apart, with their instances. */
async function storeRuns(sql: Sql) {
  await sql`
    insert into dag_run (id, dag_id, run_id, run_type, state, run_after, queued_at, start_date,
      end_date, conf, dag_version_id)
    select gen_random_uuid(), dag_id, 'stored_' || g, run_type, 'success',
      run_after - g * interval '1 minute', queued_at - g * interval '1 minute',
      start_date - g * interval '1 minute', end_date - g * interval '1 minute', conf,
      dag_version_id
    from dag_run, generate_series(1, ${STORED_RUNS}) g where dag_id = 'many' and run_id !~ '^stored'`;
  await sql`
    insert into task_instance (id, dag_run_id, dag_id, task_id, state, max_tries, try_number,
      queued_at, start_date, end_date)
    select gen_random_uuid(), r.id, r.dag_id, 't' || lpad(t::text, 3, '0'), 'success', 0, 1,
      r.queued_at, r.start_date, r.end_date
    from dag_run r, generate_series(0, 9) t where r.run_id like 'stored_%'`;
  await sql`analyze`;
}
