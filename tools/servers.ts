/**
 * @module Runs the suites that need servers beside the product: PostgreSQL 15 and 18, S3, Kafka,
 * Airflow's published client, and servers of older majors whose data is carried over.
 *
 * Everything is installed and started here. What cannot be installed on this machine is a line
 * that starts with `SKIP `; every other trouble fails.
 */
import { systemClock } from "../src/base/clock.ts";
import { messageOf } from "../src/model/errors.ts";
import { type Binaries, olderVersions, prepareBinaries } from "../src/store/embedded/binaries.ts";
import { clusterUrls, ensureCluster } from "../src/store/embedded/cluster.ts";
import { choosePlace } from "../src/store/embedded/place.ts";
import { startPostmaster } from "../src/store/embedded/postmaster.ts";
import { configure } from "../src/store/embedded/settings.ts";

/** All of it together. */
const MS_MAX = 15 * 60_000;

/** A suite; `server` gives what it must know of its server, which lives as long as the suite. */
interface Suite {
  name: string;
  paths: string[];
  server?: () => Promise<Server>;
}

interface Server extends AsyncDisposable {
  env: Record<string, string>;
}

/** The machine lacks something and nothing here can install it. */
class CannotInstall extends Error {}

const stopping = new AbortController();

/** Suites of one lane follow each other; lanes run side by side. */
const lanes: Suite[][] = [
  [
    { name: "S3", paths: ["tests/servers/s3_test.ts"], server: withGo },
    { name: "Kafka", paths: ["tests/servers/kafka_test.ts"], server: withMaven },
  ],
  [
    { name: "PostgreSQL 15", paths: ["src/store", "src/api"], server: () => postgres(15) },
    { name: "PostgreSQL 18", paths: ["src/store"], server: () => postgres(18) },
    { name: "failover", paths: ["tests/servers/failover_test.ts"] },
    { name: "older PostgreSQL carried over", paths: ["tests/servers/carry_over_test.ts"] },
    {
      name: "Airflow's client",
      paths: ["tests/servers/airflow_client_test.ts"],
      server: withPython,
    },
  ],
];

/** True when it passed or was skipped. Its output is shown in one piece, when it has ended. */
async function run({ name, paths, server }: Suite): Promise<boolean> {
  const startedMs = systemClock.monotonicMs();
  try {
    await using running = await server?.();
    const { success, output } = await command(Deno.execPath(), [
      "test",
      ...["-A", "--parallel", "--ignore=src/store/embedded"],
      ...paths,
    ], running?.env);
    const seconds = ((systemClock.monotonicMs() - startedMs) / 1000).toFixed(1);
    console.log(`-- ${name}: ${paths.join(" ")} (${seconds} s)\n${output}`);
    return success;
  } catch (error) {
    if (error instanceof CannotInstall) console.log(`SKIP ${name}: ${error.message}`);
    else console.log(`-- ${name} could not be tried: ${messageOf(error)}`);
    return error instanceof CannotInstall;
  }
}

async function command(program: string, args: string[], env: Record<string, string> = {}) {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", DEBIAN_FRONTEND: "noninteractive", ...env },
    stdin: "null",
    signal: stopping.signal,
  }).output();
  const text = new TextDecoder();
  return { success, output: text.decode(stdout) + text.decode(stderr) };
}

/** An empty cluster on a port of its own; its data is worth nothing, so it does not wait for disks. */
async function postgres(major: 15 | 18): Promise<Server> {
  const dir = await Deno.makeTempDir({ prefix: `tidewheel-pg${major}-` });
  // The server does not run as root; its user must be able to come here.
  await Deno.chmod(dir, 0o755);
  const clock = systemClock;
  const place = await choosePlace(dir);
  const binaries = major === 15
    ? await debianPostgres15() ?? await prepareBinaries(place.serverDir, olderVersions[15])
    : await prepareBinaries(place.serverDir);
  const dataDir = `${place.dir}/data`;
  const cluster = await ensureCluster({ place, binaries, dataDir });
  const settings = {
    ...{ fsync: false, synchronous_commit: false, full_page_writes: false },
    max_connections: 200,
  };
  await configure(place, dataDir, { port: cluster.port, major, settings });
  const server = await startPostmaster({ binaries, place, dataDir, clock });
  console.log(`PostgreSQL ${binaries.version} runs: ${binaries.postgres}`);
  return {
    env: { TIDEWHEEL_TEST_DATABASE_URL: clusterUrls(place, cluster).adminUrl },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Debian's own server, installed where that is possible; null elsewhere. */
async function debianPostgres15(): Promise<Binaries | null> {
  const bin = "/usr/lib/postgresql/15/bin";
  if (!await exists(`${bin}/postgres`) && !await install("postgresql-15")) return null;
  const { output } = await command(`${bin}/postgres`, ["--version"]);
  const version = /\d+\.\d+/.exec(output)![0];
  const [postgres, initdb, pgCtl] = ["postgres", "initdb", "pg_ctl"].map((name) =>
    `${bin}/${name}`
  );
  return { version, major: 15, postgres, initdb, pgCtl };
}

/** Install packages; false where there is no apt-get, we are not root, or it has no such package. */
async function install(...packages: string[]): Promise<boolean> {
  if (Deno.uid() !== 0 || !await exists("/usr/bin/apt-get")) return false;
  const lock = "-oDPkg::Lock::Timeout=120";
  const args = [lock, "install", "--yes", "--no-install-recommends", ...packages];
  if ((await command("apt-get", args)).success) return true;
  await command("apt-get", [lock, "update"]);
  return (await command("apt-get", args)).success;
}

/** The suite builds its server from Go modules. */
async function withGo(): Promise<Server> {
  if (await works("go", ["version"])) return nothing;
  throw new CannotInstall("there is no Go to build versitygw with");
}

/** The suite installs its client into a venv. */
async function withPython(): Promise<Server> {
  const hasVenv = () => works("python3", ["-c", "import ensurepip, venv"]);
  if (await hasVenv() || await install("python3-venv") && await hasVenv()) return nothing;
  throw new CannotInstall("there is no python3 with venv");
}

/** The suite fetches Kafka's jars from Maven's repository. */
async function withMaven(): Promise<Server> {
  const hasBoth = async () => await works("java", ["-version"]) && await works("mvn", ["-v"]);
  const isThere = await hasBoth() ||
    await install("maven", "default-jre-headless") && await hasBoth();
  if (isThere) return nothing;
  throw new CannotInstall("there is no Java with Maven to run Kafka with");
}

const nothing: Server = { env: {}, [Symbol.asyncDispose]: () => Promise.resolve() };

async function works(program: string, args: string[]): Promise<boolean> {
  return await command(program, args).then(({ success }) => success, () => false);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stopping.abort());
}
systemClock.sleep(MS_MAX, { signal: stopping.signal }).then(() => stopping.abort());
const passed = await Promise.all(lanes.map(async (suites) => {
  let all = true;
  for (const suite of suites) all = await run(suite) && all;
  return all;
}));
Deno.exit(passed.every((each) => each) ? 0 : 1);
