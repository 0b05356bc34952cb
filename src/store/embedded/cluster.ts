/** @module A database cluster on disk: making one, its settings, what we remember of it. */
import { randomToken } from "../../base/ids.ts";
import { AppError, messageOf } from "../../model/errors.ts";
import type { Binaries } from "./binaries.ts";
import { giveTo, type Place } from "./place.ts";
import { socketDirOf } from "./settings.ts";

/** The user and the database of the embedded server. */
export const clusterUser = "tidewheel";

/** What `cluster.json` keeps; readable by its owner alone. */
export interface ClusterFile {
  password: string;
  port: number;
}

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
    port: freePort(known?.port),
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
export function freePort(wanted = 0): number {
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
