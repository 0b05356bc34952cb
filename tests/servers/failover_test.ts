/**
 * @module Two schedulers, an API and two workers under load, killed at random with SIGKILL: no run
 * is lost, no output is there twice, and a standby leads within seconds.
 *
 * `TIDEWHEEL_FAILOVER_SEED` and `TIDEWHEEL_FAILOVER_KILLS` replay it, or let it go on for longer.
 */
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { ProductApi } from "../support/product_api.ts";
import { type RoleProcess, startRole } from "../support/roles.ts";
import { until } from "../support/until.ts";

const SEED = Number(Deno.env.get("TIDEWHEEL_FAILOVER_SEED") ?? 1);
const KILLS = Number(Deno.env.get("TIDEWHEEL_FAILOVER_KILLS") ?? 6);
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

/** The roles of a deployment, each of which can be killed and started again. */
class Deployment implements AsyncDisposable {
  readonly roles = new Map<string, RoleProcess>();
  readonly api: ProductApi;

  constructor(
    readonly root: string,
    readonly db: TestDatabase,
    readonly env: Record<string, string>,
  ) {
    this.api = new ProductApi(() => ({
      url: this.roles.get("api")!.url,
      token: Deno.readTextFileSync(`${root}/api/home/token`).trim(),
    }));
  }

  async start(name: string) {
    const args = name.startsWith("worker")
      ? ["worker", "--queue", "default"]
      : [name.replace(/[0-9]/, "")];
    const port: Record<string, string> = name === "api" && this.env.TIDEWHEEL_API_URL
      ? { TIDEWHEEL_PORT: new URL(this.env.TIDEWHEEL_API_URL).port }
      : {};
    const dir = `${this.root}/${name}`;
    // What the killed one wrote would be taken for the new one's word.
    await Deno.remove(`${dir}/output.log`).catch(() => {});
    this.roles.set(name, await startRole(args, { dir, env: { ...this.env, ...port } }));
  }

  async kill(name: string) {
    await this.roles.get(name)!.end("SIGKILL");
  }

  async leads(name: string): Promise<boolean> {
    const answer = await fetch(`${this.roles.get(name)!.url}/health/ready`).catch(() => null);
    const report = await answer?.json();
    return report?.services.scheduler.detail?.role === "leader";
  }

  async [Symbol.asyncDispose]() {
    await Promise.all([...this.roles.values()].map((role) => role.end("SIGKILL")));
    await this.db[Symbol.asyncDispose]();
    await Deno.remove(this.root, { recursive: true });
  }
}

async function deploy(): Promise<Deployment> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_failover_" }));
  await Deno.mkdir(`${root}/dags`);
  await Deno.writeTextFile(`${root}/dags/load.ts`, dagFile);
  const db = await testDatabase({ migrated: false });
  const env: Record<string, string> = {
    TIDEWHEEL_DATABASE_URL: db.url,
    TIDEWHEEL_OBJECTS: `file://${root}/objects`,
    TIDEWHEEL_SECRET_KEY: new Uint8Array(32).fill(7).toBase64(),
    TIDEWHEEL_DAGS_DIR: `${root}/dags`,
    TIDEWHEEL_HEARTBEAT_TIMEOUT_MS: "4000",
  };
  const all = new Deployment(root, db, env);
  await Promise.all(["api", "parser", "scheduler1", "scheduler2"].map((name) => all.start(name)));
  env.TIDEWHEEL_API_URL = all.roles.get("api")!.url;
  await Promise.all(["worker1", "worker2"].map((name) => all.start(name)));
  return all;
}

/** Kill the leader; resolves to how long nobody led. */
async function killLeader(all: Deployment): Promise<number> {
  const leader = await until("somebody to lead", async () => {
    for (const name of ["scheduler1", "scheduler2"]) if (await all.leads(name)) return name;
    return null;
  });
  const standby = leader === "scheduler1" ? "scheduler2" : "scheduler1";
  const startedMs = systemClock.monotonicMs();
  await all.kill(leader);
  await until("the standby to lead", () => all.leads(standby)).catch(async (error) => {
    const said = await all.roles.get(standby)!.output();
    throw new Error(`${standby} does not lead: ${said.slice(-2_000)}`, { cause: error });
  });
  const tookMs = systemClock.monotonicMs() - startedMs;
  await all.start(leader);
  return tookMs;
}

Deno.test("SIGKILL at random under load: nothing is lost, nothing twice, a standby leads", async () => {
  await using all = await deploy();
  const random = seededRandom(SEED);
  await until("the DAG to be listed", () => all.api.get("/api/v2/dags/load").catch(() => null));
  const runs = [];
  for (let n = 0; n < RUNS; n++) runs.push(await all.api.trigger("load", { n }));

  const takeovers: number[] = [];
  for (let i = 0; i < KILLS; i++) {
    await systemClock.sleep(500 + random.next() * 1_500);
    if (i % 2 === 0) {
      takeovers.push(await killLeader(all));
    } else {
      const name = ["api", "worker1", "worker2"][Math.floor(random.next() * 3)];
      await all.kill(name);
      await all.start(name);
    }
  }
  const longestMs = Math.max(...takeovers);
  console.log(`standby led after ${takeovers.map(Math.round).join(", ")} ms (seed ${SEED})`);

  for (const run of runs) {
    assertEquals((await all.api.ended(run, { withinMs: 120_000 })).state, "success");
  }
  const published = await all.db.sql<{ partition: string; versions: number }[]>`
    select partition, count(*)::int as versions from dataset_version group by partition`;
  assertEquals(published.length, RUNS);
  assert(published.every(({ versions }) => versions === 1), "something was published twice");
  const [{ twice }] = await all.db.sql<{ twice: number }[]>`
    select count(*)::int as twice from (
      select 1 from attempt where end_reason = 'success'
      group by task_instance_id having count(*) > 1) x`;
  assertEquals(twice, 0);
  assert(longestMs < TAKEOVER_MS_MAX, `a takeover took ${longestMs} ms`);
});
