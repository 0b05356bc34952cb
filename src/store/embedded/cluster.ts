/** @module A database cluster on disk: making one, its settings, what we remember of it. */
import { randomToken } from "../../base/ids.ts";
import { AppError, messageOf } from "../../model/errors.ts";
import type { Binaries } from "./binaries.ts";
import { giveTo, type Place } from "./place.ts";

/** The user and the database of the embedded server. */
export const clusterUser = "tidewheel";

/** What `cluster.json` keeps; readable by its owner alone. */
export interface ClusterFile {
  password: string;
  port: number;
}

/** Differences from the product's settings; the tests' server sets them. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** Folder of the cluster of one major version. */
export function dataDirOf(place: Place, major: number): string {
  return `${place.dir}/data-${major}`;
}

/** Read `cluster.json`, or null where there is none. */
export async function readClusterFile(place: Place): Promise<ClusterFile | null> {
  const text = await Deno.readTextFile(`${place.dir}/cluster.json`).catch(() => null);
  return text === null ? null : JSON.parse(text);
}

/** Write `cluster.json`. */
export async function writeClusterFile(place: Place, file: ClusterFile): Promise<void> {
  const path = `${place.dir}/cluster.json`;
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(file), { mode: 0o600 });
  await Deno.rename(`${path}.new`, path);
}

/** URLs of a cluster; over its socket where it has one, which spares the way through TCP. */
export function clusterUrls(place: Place, { password, port }: ClusterFile) {
  const host = socketDirOf(place);
  const url = (database: string) =>
    `postgres://${clusterUser}:${password}@127.0.0.1:${port}/${database}` +
    (host ? `?host=${encodeURIComponent(host)}` : "");
  return { url: url("tidewheel"), adminUrl: url("postgres") };
}

/** The cluster in `dataDir` with its password and a port that is free now, made where missing. */
export async function ensureCluster(
  { place, binaries, dataDir }: { place: Place; binaries: Binaries; dataDir: string },
): Promise<ClusterFile> {
  const known = await readClusterFile(place);
  const file = {
    password: known?.password ?? randomToken(24),
    port: await freePort(known?.port),
  };
  if (known?.port !== file.port) await writeClusterFile(place, file);
  const { password } = file;
  if (!await hasCluster(dataDir)) await makeCluster({ binaries, place, dataDir, password });
  else if (!known) await resetPassword({ binaries, place, dataDir, password });
  return file;
}

/** Is there a cluster in `dataDir`? */
export async function hasCluster(dataDir: string): Promise<boolean> {
  return await Deno.stat(`${dataDir}/PG_VERSION`).then(() => true, () => false);
}

/** What making a cluster takes. */
export interface Making {
  binaries: Binaries;
  place: Place;
  dataDir: string;
  password: string;
}

/** All or nothing: made beside, perhaps filled, flushed to disk, then renamed. */
export async function makeCluster(
  { binaries, place, dataDir, password }: Making,
  fill: (unfinished: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const unfinished = `${dataDir}.new`;
  await Deno.remove(unfinished, { recursive: true }).catch(() => {});
  await Deno.mkdir(unfinished, { mode: 0o700 });
  await giveTo(place.user, unfinished, 0o700);
  await initCluster({ binaries, place, dataDir: unfinished, password });
  await runSingle({ binaries, place, dataDir: unfinished }, "create database tidewheel");
  await fill(unfinished);
  await runAs(place, binaries.initdb, [`--pgdata=${unfinished}`, "--sync-only"]);
  await Deno.rename(unfinished, dataDir);
}

async function initCluster({ binaries, place, dataDir, password }: Making): Promise<void> {
  const passwordFile = `${place.dir}/run/password`;
  await Deno.writeTextFile(passwordFile, password, { mode: 0o600 });
  await giveTo(place.user, passwordFile, 0o600);
  try {
    await runAs(place, binaries.initdb, [
      `--pgdata=${dataDir}`,
      `--username=${clusterUser}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--no-locale",
      ...(binaries.major >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : []),
      "--data-checksums",
      "--no-sync",
      "--no-instructions",
    ]);
  } finally {
    await Deno.remove(passwordFile);
  }
}

/** Set a new password without a server: whoever owns the files may. For when cluster.json was lost. */
export async function resetPassword({ password, ...where }: Making): Promise<void> {
  await runSingle(where, `alter user ${clusterUser} password '${password}'`);
}

/** Run one statement without a server. */
async function runSingle(
  { binaries, place, dataDir }: Omit<Making, "password">,
  statement: string,
): Promise<void> {
  await runAs(place, binaries.postgres, ["--single", "-D", dataDir, "postgres"], statement);
}

/** The wanted port where it is free, else any. */
export async function freePort(wanted = 0): Promise<number> {
  for (const port of [wanted, 0]) {
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port });
      return (listener.addr as Deno.NetAddr).port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || port === 0) throw error;
    }
  }
  throw new Error("unreachable");
}

/** Paths of sockets have room for about a hundred bytes. */
function socketDirOf(place: Place): string | null {
  return place.dir.length > 80 ? null : `${place.dir}/run`;
}

/**
 * The product's settings: small, and durable without exception. `postgresql.user.conf` beside the
 * file is read after them.
 */
export function settingsText(place: Place, port: number, major: number, more: Settings): string {
  const settings: Settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: socketDirOf(place) ?? "",
    unix_socket_permissions: "0700",
    password_encryption: "scram-sha-256",
    max_connections: 50,
    shared_buffers: "32MB",
    work_mem: "4MB",
    maintenance_work_mem: "32MB",
    temp_buffers: "2MB",
    dynamic_shared_memory_type: "posix",
    fsync: true,
    synchronous_commit: true,
    full_page_writes: true,
    wal_level: "minimal",
    max_wal_senders: 0,
    wal_compression: true,
    min_wal_size: "64MB",
    max_wal_size: "512MB",
    checkpoint_timeout: "10min",
    jit: false,
    max_worker_processes: 2,
    max_logical_replication_workers: 0,
    max_parallel_workers: 0,
    max_parallel_workers_per_gather: 0,
    autovacuum_max_workers: 2,
    autovacuum_naptime: "30s",
    autovacuum_vacuum_scale_factor: 0.05,
    autovacuum_analyze_scale_factor: 0.05,
    autovacuum_vacuum_cost_delay: "1ms",
    update_process_title: false,
    timezone: "UTC",
    log_timezone: "UTC",
    lc_messages: "C",
    log_destination: "stderr",
    logging_collector: true,
    log_directory: `${place.dir}/log`,
    log_filename: "postgresql-%a.log",
    log_truncate_on_rotation: true,
    log_rotation_age: "1d",
    log_rotation_size: 0,
    log_line_prefix: "%m [%p] %a ",
    ...(major >= 18 ? { io_method: "sync" } : {}),
    ...more,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${literal(value)}`);
  return [
    "# Written by Tidewheel at each start. Put settings of your own into postgresql.user.conf.",
    ...lines,
    "include_if_exists 'postgresql.user.conf'",
    "",
  ].join("\n");
}

/** Write the settings into the cluster. */
export async function configure(
  place: Place,
  dataDir: string,
  { port, major, settings = {} }: { port: number; major: number; settings?: Settings },
): Promise<void> {
  const path = `${dataDir}/postgresql.conf`;
  await Deno.writeTextFile(path, settingsText(place, port, major, settings));
  await giveTo(place.user, path, 0o600);
}

function literal(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

/** Run one of the server's programs as its user; throws UNAVAILABLE with its words when it fails. */
export async function runAs(place: Place, program: string, args: string[], input?: string) {
  const { user, dir } = place;
  const name = program.slice(program.lastIndexOf("/") + 1);
  const failed = (how: string) =>
    new AppError(
      "UNAVAILABLE",
      `Cannot set up the embedded PostgreSQL in ${dir}: ${name} as ${user?.name ?? "this user"} ` +
        how,
    );
  const command = new Deno.Command(program, {
    args,
    cwd: dir,
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    clearEnv: true,
    env: { LC_ALL: "C", TZ: "UTC", HOME: dir },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  let child: Deno.ChildProcess;
  try {
    child = command.spawn();
  } catch (error) {
    throw failed(
      `could not be run (${messageOf(error)}); it needs glibc and a folder that programs may run ` +
        "from: set TIDEWHEEL_HOME to one, or TIDEWHEEL_DATABASE_URL to use a server of your own",
    );
  }
  const writer = child.stdin.getWriter();
  if (input) await writer.write(new TextEncoder().encode(`${input}\n`)).catch(() => {});
  await writer.close().catch(() => {});
  const { success, code, stdout, stderr } = await child.output();
  if (success) return;
  const text = new TextDecoder().decode(stderr) || new TextDecoder().decode(stdout);
  throw failed(`ended with ${code}: ${text.trim().slice(-2000)}`);
}
