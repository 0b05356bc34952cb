/**
 * @module Two schedulers, an API, two workers and their database under load, killed at random with
 * SIGKILL: no run is lost, no output is there twice, and a standby leads within seconds.
 */
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { deploy, type Deployment, killLeader } from "./deployment.ts";
import { until } from "./until.ts";

/** How long it goes on, and by which dice. */
export interface FailoverOptions {
  seed: number;
  forMs: number;
}

/** Runs under way at any time. */
const RUNS = 100;
const TAKEOVER_MS_MAX = 5_000;

const dagFile = `import { dag, done, task } from "tidewheel";
export default dag({ id: "load", schedule: null, maxActiveRuns: 20, maxActiveTasks: 40 }, () => {
  const first = task({ id: "first" }, () => 1);
  const second = task({ id: "second", inputs: { first } }, (_ctx, { first }) => first + 1);
  const file = task({ id: "publish", inputs: { second } }, async (ctx, { second }) => {
    const path = ctx.workDir + "/rows.json";
    await Deno.writeTextFile(path, JSON.stringify([second]));
    return done(second, {
      accounting: { in: 1, generated: 0, out: 1, quarantined: 0, mergedAway: 0, filtered: 0 },
      publish: [{
        dataset: "load.rows",
        partition: String(ctx.params.n),
        kind: "raw",
        schema: null,
        files: [await ctx.files.put(path)],
        lineageFiles: [],
        rows: 1,
        inputs: [],
        columns: [],
        metrics: {},
      }],
    });
  });
  task({ id: "after", inputs: { file } }, (_ctx, { file }) => file + 1);
});
`;

/** Kill for as long as it goes on, let everything end, and look at what is there. */
export async function failover({ seed, forMs }: FailoverOptions): Promise<void> {
  await using all = await deploy({
    dags: { "load.ts": dagFile },
    schedulers: 2,
    workers: 2,
    env: { TIDEWHEEL_HEARTBEAT_TIMEOUT_MS: "4000" },
  });
  await all.api.listed("load");
  const untilMs = systemClock.monotonicMs() + forMs;
  const isOver = () => systemClock.monotonicMs() > untilMs;
  const [started, kills] = await Promise.all([
    keepBusy(all, isOver),
    killAtRandom(all, seed, isOver),
  ]);
  await until("every run to end", async () => {
    const [{ open }] = await all.sql<{ open: number }[]>`
      select count(*)::int as open from dag_run where state in ('queued', 'running')`;
    return open === 0;
  }, { withinMs: 180_000, everyMs: 200 });
  console.log(
    `${started} runs; killed ${
      Object.entries(kills.counts).map((each) => each.join(" ")).join(", ")
    }; ` +
      `standby led after ${kills.takeoversMs.map(Math.round).join(", ")} ms (seed ${seed})`,
  );
  await nothingLostOrTwice(all, started);
  const longestMs = Math.max(0, ...kills.takeoversMs);
  assert(longestMs < TAKEOVER_MS_MAX, `a takeover took ${longestMs} ms`);
}

/** Start runs so that so many are always under way; returns how many it were. */
async function keepBusy(all: Deployment, isOver: () => boolean): Promise<number> {
  let started = 0;
  while (!isOver()) {
    const open = await openRuns(all);
    for (let missing = RUNS - open; missing > 0 && !isOver(); missing--) {
      await startRun(all, ++started);
    }
    await systemClock.sleep(100);
  }
  return started;
}

/** Again until an answer has come: a run of that id is there by then, and once. */
async function startRun(all: Deployment, n: number) {
  await until(`run ${n} to be started`, async () => {
    const body = { dag_run_id: `n${n}`, conf: { n } };
    const { status } = await all.api.call("POST", "/api/v2/dags/load/dagRuns", { body });
    return status === 200 || status === 409;
  }, { withinMs: 60_000, everyMs: 100 }).catch(async (error) => {
    const said = await all.role("api").output();
    throw new Error(`${error.message}; the API said: ${said.slice(-3_000)}`, { cause: error });
  });
}

async function openRuns(all: Deployment): Promise<number> {
  return await until("the database to answer", async () => {
    const [{ open }] = await all.sql<{ open: number }[]>`
      select count(*)::int as open from dag_run where state in ('queued', 'running')`;
    return { open };
  }, { everyMs: 200 }).then(({ open }) => open);
}

interface Kills {
  takeoversMs: number[];
  counts: Record<string, number>;
}

/** Every other time the leader, else one of all the others. */
async function killAtRandom(
  all: Deployment,
  seed: number,
  isOver: () => boolean,
): Promise<Kills> {
  const random = seededRandom(seed);
  const kills: Kills = { takeoversMs: [], counts: {} };
  for (let i = 0; !isOver(); i++) {
    await systemClock.sleep(500 + random.next() * 2_500);
    const victims = ["api", "database", ...all.workers];
    const victim = i % 2 === 0 ? "leader" : victims[Math.floor(random.next() * victims.length)];
    kills.counts[victim] = (kills.counts[victim] ?? 0) + 1;
    if (victim === "leader") kills.takeoversMs.push(await killLeader(all));
    else if (victim === "database") await all.killDatabase();
    else {
      await all.kill(victim);
      await all.start(victim);
    }
  }
  return kills;
}

async function nothingLostOrTwice({ sql }: Deployment, started: number): Promise<void> {
  const runs = await sql<{ state: string; count: number }[]>`
    select state, count(*)::int as count from dag_run group by state`;
  assertEquals(runs.map((each) => ({ ...each })), [{ state: "success", count: started }]);
  const [published] = await sql<{ partitions: number; versions: number }[]>`
    select count(distinct partition)::int as partitions, count(*)::int as versions
    from dataset_version`;
  assertEquals({ ...published }, { partitions: started, versions: started });
  const [{ twice }] = await sql<{ twice: number }[]>`
    select count(*)::int as twice from (
      select 1 from attempt where end_reason = 'success'
      group by task_instance_id having count(*) > 1) x`;
  assertEquals(twice, 0);
}
