/** @module A deployment: each role a process of its own, on a PostgreSQL that can be killed like them. */
import { systemClock } from "../../src/base/clock.ts";
import { openDatabase, type Sql } from "../../src/store/database.ts";
import { startEmbedded } from "../../src/store/embedded/mod.ts";
import { ProductApi } from "./product_api.ts";
import { type RoleProcess, startRole } from "./roles.ts";
import { until } from "./until.ts";

/** What is deployed beside API and parser. */
export interface DeploymentOptions {
  /** DAG files by name. */
  dags: Record<string, string>;
  schedulers: number;
  workers: number;
  env?: Record<string, string>;
}

/** A running deployment; roles are `api`, `parser`, `scheduler1`…, `worker1`…. */
export interface Deployment extends AsyncDisposable {
  readonly api: ProductApi;
  readonly sql: Sql;
  readonly databaseUrl: string;
  readonly schedulers: readonly string[];
  readonly workers: readonly string[];
  role(name: string): RoleProcess;
  /** Start a role again that was killed. */
  start(name: string): Promise<void>;
  kill(name: string): Promise<void>;
  /** Kill the database's server; its keeper starts it again. Resolves when it answers. */
  killDatabase(): Promise<void>;
  /** The scheduler that leads; waits until one does. */
  leader(): Promise<string>;
  leads(name: string): Promise<boolean>;
}

const names = (what: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${what}${i + 1}`);

/** Start a deployment in a folder of its own. */
export async function deploy(options: DeploymentOptions): Promise<Deployment> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_deployment_" }));
  // The server does not run as root; its user must be able to come here.
  await Deno.chmod(root, 0o755);
  await Deno.mkdir(`${root}/dags`);
  for (const [name, source] of Object.entries(options.dags)) {
    await Deno.writeTextFile(`${root}/dags/${name}`, source);
  }
  const { url, service } = await startEmbedded({ home: `${root}/database` });
  const sql = await openDatabase(url, { max: 2, applicationName: "deployment" });
  const env: Record<string, string> = {
    TIDEWHEEL_DATABASE_URL: url,
    TIDEWHEEL_OBJECTS: `file://${root}/objects`,
    TIDEWHEEL_SECRET_KEY: new Uint8Array(32).fill(7).toBase64(),
    TIDEWHEEL_DAGS_DIR: `${root}/dags`,
    ...options.env,
  };
  const roles = new Map<string, RoleProcess>();

  async function start(name: string) {
    const args = name.startsWith("worker")
      ? ["worker", "--queue", "default"]
      : [name.replace(/[0-9]+$/, "")];
    const port: Record<string, string> = name === "api" && env.TIDEWHEEL_API_URL
      ? { TIDEWHEEL_PORT: new URL(env.TIDEWHEEL_API_URL).port }
      : {};
    const dir = `${root}/${name}`;
    // What the killed one wrote would be taken for the new one's word.
    await Deno.remove(`${dir}/output.log`).catch(() => {});
    roles.set(name, await startRole(args, { dir, env: { ...env, ...port } }));
  }

  async function leads(name: string): Promise<boolean> {
    const answer = await fetch(`${roles.get(name)!.url}/health/ready`).catch(() => null);
    const report = await answer?.json();
    return report?.services.scheduler.detail?.role === "leader";
  }

  const schedulers = names("scheduler", options.schedulers);
  const workers = names("worker", options.workers);
  const deployment: Deployment = {
    api: new ProductApi(() => ({
      url: roles.get("api")!.url,
      token: Deno.readTextFileSync(`${root}/api/home/token`).trim(),
    })),
    sql,
    databaseUrl: url,
    schedulers,
    workers,
    role: (name) => roles.get(name)!,
    start,
    async kill(name) {
      await roles.get(name)!.end("SIGKILL");
    },
    async killDatabase() {
      const killed = service.pid!;
      Deno.kill(killed, "SIGKILL");
      await until("the database to be started again", () => service.pid && service.pid !== killed);
    },
    leads,
    async leader() {
      return await until("a scheduler to lead", async () => {
        for (const name of schedulers) if (await leads(name)) return name;
        return null;
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...roles.values()].map((role) => role.end("SIGKILL")));
      await sql.end({ timeout: 1 });
      await service.stop();
      // As root the database lies outside of a home that its user cannot reach.
      const elsewhere = await Deno.readTextFile(`${root}/database/postgres.path`).catch(() => "");
      if (elsewhere) await Deno.remove(elsewhere.trim(), { recursive: true });
      await Deno.remove(root, { recursive: true });
    },
  };
  try {
    await start("api");
    env.TIDEWHEEL_API_URL = roles.get("api")!.url;
    await Promise.all(["parser", ...schedulers, ...workers].map(start));
  } catch (error) {
    await deployment[Symbol.asyncDispose]();
    throw error;
  }
  return deployment;
}

/** Kill the leader; resolves to how long nobody led, in milliseconds. Then it is started again. */
export async function killLeader(all: Deployment): Promise<number> {
  const leader = await all.leader();
  const standbys = all.schedulers.filter((name) => name !== leader);
  const startedMs = systemClock.monotonicMs();
  await all.kill(leader);
  await until("a standby to lead", async () => {
    for (const name of standbys) if (await all.leads(name)) return name;
    return null;
  }).catch(async (error) => {
    const said = await Promise.all(standbys.map((name) => all.role(name).output()));
    throw new Error(`No standby leads: ${said.join("\n").slice(-3_000)}`, { cause: error });
  });
  const tookMs = systemClock.monotonicMs() - startedMs;
  await all.start(leader);
  return tookMs;
}
