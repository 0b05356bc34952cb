/** @module The PostgreSQL that Tidewheel brings along: a real server, started and kept by us. */
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { AppError } from "../../model/errors.ts";
import { majorOf, prepareBinaries, serverVersion } from "./binaries.ts";
import { carryOver } from "./carry_over.ts";
import { clusterUrls, dataDirOf, ensureCluster, readClusterFile } from "./cluster.ts";
import { choosePlace, knownPlace, type Place, type PlaceOptions } from "./place.ts";
import { isServing, startPostmaster, stopLeftover } from "./postmaster.ts";
import { configure, type Settings } from "./settings.ts";
import { PostgresService } from "./supervisor.ts";

/** A running embedded server. */
export interface Embedded {
  /** URL of the database `tidewheel`, with its password. */
  url: string;
  /** URL of the database `postgres` of the same server, for making databases. */
  adminUrl: string;
  /** Already started; `stop` shuts the server down. */
  service: PostgresService;
}

/** Options of {@link startEmbedded}. */
export interface EmbeddedOptions {
  /** Tidewheel's home. The server lives in it, or in a place that it points to. */
  home: string;
  log?: Logger;
  clock?: Clock;
  /** Differences from the product's settings; for tests. */
  settings?: Settings;
  place?: PlaceOptions;
}

/**
 * Start the server of `home`, making it first where there is none. A server that an earlier process
 * left behind is stopped; data of an older major version of PostgreSQL is carried over.
 *
 * Throws CONFLICT when another live process holds this home, UNAVAILABLE when no server can run here.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { home, log = silentLogger, clock = systemClock, settings } = options;
  const place = await choosePlace(home, options.place);
  const lock = await holdPlace(place, home);
  try {
    const binaries = await prepareBinaries(place.serverDir);
    const dataDir = dataDirOf(place, binaries.major);
    const leftover = await stopLeftover({ place, dataDir, clock });
    if (leftover) log.warn("Stopped a PostgreSQL that an earlier process left", { pid: leftover });
    await carryOver({ place, binaries, clock, log });
    const cluster = await ensureCluster({ place, binaries, dataDir });
    await configure(place, dataDir, { port: cluster.port, major: binaries.major, settings });
    const service = new PostgresService({
      launch: () => startPostmaster({ binaries, place, dataDir, clock }),
      release: () => Promise.resolve(lock.close()),
      clock,
      log,
    });
    await service.start();
    return { ...clusterUrls(place, cluster), service };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * URL of the database `tidewheel` of `home`'s server when it runs in some process, else null. For
 * those who only visit: nothing is started or made.
 */
export async function runningUrl(home: string): Promise<string | null> {
  const place = await knownPlace(home);
  const cluster = place && await readClusterFile(place);
  if (!cluster || !await isServing(dataDirOf(place, majorOf(serverVersion)))) return null;
  return clusterUrls(place, cluster).url;
}

/** Lock the place for as long as this process lives; the kernel frees it however we end. */
async function holdPlace(place: Place, home: string): Promise<Deno.FsFile> {
  const file = await Deno.open(`${place.dir}/owner.lock`, {
    create: true,
    read: true,
    write: true,
    mode: 0o600,
  });
  if (!await file.tryLock(true)) {
    const pid = new TextDecoder().decode(await Deno.readFile(`${place.dir}/owner.lock`)).trim();
    file.close();
    throw new AppError(
      "CONFLICT",
      `Cannot start the embedded PostgreSQL of ${home}: process ${
        pid || "?"
      } holds it; stop that ` +
        "one, or set TIDEWHEEL_HOME to another folder",
      { detail: { pid: Number(pid) || null } },
    );
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  return file;
}
