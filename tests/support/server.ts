/**
 * @module The one PostgreSQL that all tests of this checkout share.
 *
 * The first test that needs it starts it, as a daemon; it ends by itself when no test asked for it
 * for ten minutes. It does not wait for the disk: what it holds is worth nothing.
 */
import { systemClock } from "../../src/base/clock.ts";
import { sha256 } from "../../src/base/hash.ts";
import { connect } from "../../src/store/database.ts";
import { prepareBinaries } from "../../src/store/embedded/binaries.ts";
import {
  clusterUrls,
  dataDirOf,
  ensureCluster,
  readClusterFile,
  runAs,
} from "../../src/store/embedded/cluster.ts";
import { choosePlace, type Place } from "../../src/store/embedded/place.ts";
import { configure } from "../../src/store/embedded/settings.ts";
import { isServing, stopLeftover } from "../../src/store/embedded/postmaster.ts";

const settings = {
  fsync: false,
  synchronous_commit: false,
  full_page_writes: false,
  autovacuum: false,
  logging_collector: false,
  max_connections: 300,
  shared_buffers: "64MB",
  max_wal_size: "1GB",
  checkpoint_timeout: "1h",
};
const idleMinutes = 10;

/** Folder of the server, the same for every process that runs tests of this checkout. */
export const serverHome: string = (() => {
  const checkout = new URL("../..", import.meta.url).pathname;
  const temp = Deno.env.get("TMPDIR")?.replace(/\/$/, "") || "/tmp";
  return `${temp}/tidewheel-test-${Deno.uid()}-${sha256(checkout).slice(0, 8)}`;
})();

/** Run `work` while no other test process runs one. */
export async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  await Deno.mkdir(serverHome, { recursive: true });
  using lock = await Deno.open(`${serverHome}/test.lock`, { create: true, write: true });
  await lock.lock(true);
  return await work();
}

/** URL of the running server's database `postgres`; starts the server where it does not run. */
export async function sharedServer(): Promise<string> {
  await Deno.mkdir(serverHome, { recursive: true });
  await Deno.writeTextFile(`${serverHome}/used`, "");
  const place = await choosePlace(serverHome);
  const binaries = await prepareBinaries(place.serverDir);
  const dataDir = dataDirOf(place, binaries.major);
  const url = async () => clusterUrls(place, (await readClusterFile(place))!).adminUrl;
  if (await isServing(dataDir)) return await url();
  return await exclusively(async () => {
    if (!await isServing(dataDir)) await start(place, binaries, dataDir);
    return await url();
  });
}

/** Stop the server, if it runs: for those who do not want to wait until it ends by itself. */
export async function stopSharedServer(): Promise<void> {
  const place = await choosePlace(serverHome);
  const { major } = await prepareBinaries(place.serverDir);
  await stopLeftover({ place, dataDir: dataDirOf(place, major), clock: systemClock });
}

async function start(
  place: Place,
  binaries: Awaited<ReturnType<typeof prepareBinaries>>,
  dataDir: string,
): Promise<void> {
  await stopLeftover({ place, dataDir, clock: systemClock });
  const { port } = await ensureCluster({ place, binaries, dataDir });
  await configure(place, dataDir, { port, major: binaries.major, settings });
  const log = `${place.dir}/log/test.log`;
  await runAs(place, binaries.pgCtl, ["start", "-w", "-D", dataDir, "-l", log]);
  await dropLeftovers(clusterUrls(place, (await readClusterFile(place))!).adminUrl);
  await endWhenIdle(`${dataDir}/postmaster.pid`);
}

/** Databases of killed tests and of earlier migrations. */
async function dropLeftovers(url: string): Promise<void> {
  const sql = connect(url, { max: 1 });
  const names = await sql<{ datname: string }[]>`
    select datname from pg_database where datname like 'template\\_%' or datname like 'test\\_%'`;
  for (const { datname } of names) await sql`drop database ${sql(datname)} with (force)`;
  await sql.end();
}

/** A shell loop of its own session watches the file that every test touches. */
async function endWhenIdle(pidFile: string): Promise<void> {
  const read = `$(head -n 1 '${pidFile}')`;
  const loop = `pid=${read}; while [ "${read}" = "$pid" ]; do sleep 20; ` +
    `[ -z "$(find '${serverHome}/used' -mmin -${idleMinutes})" ] && kill -INT "$pid"; done`;
  await new Deno.Command("sh", {
    args: ["-c", `(${loop}) </dev/null >/dev/null 2>&1 &`],
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
}
