/**
 * @module Carries the data of an older major version of the embedded server over to the shipped one.
 *
 * The npm packages bring neither pg_upgrade nor pg_dump, but our tables come from our own numbered
 * steps: the new cluster gets the steps that the old one had, and then each table's rows by COPY. The
 * old folder stays as `data-<major>.carried` until someone removes it.
 */
import { pipeline } from "node:stream/promises";
import type { Clock } from "../../base/clock.ts";
import { randomToken } from "../../base/ids.ts";
import type { Logger } from "../../base/log.ts";
import { AppError } from "../../model/errors.ts";
import { connect, type Sql } from "../database.ts";
import { migrate } from "../migrate.ts";
import { migrations } from "../migrations/mod.ts";
import { type Binaries, olderVersions, prepareBinaries } from "./binaries.ts";
import {
  clusterUrls,
  dataDirOf,
  freePort,
  hasCluster,
  makeCluster,
  readClusterFile,
  resetPassword,
  writeClusterFile,
} from "./cluster.ts";
import type { Place } from "./place.ts";
import { startPostmaster, stopLeftover } from "./postmaster.ts";
import { configure } from "./settings.ts";

interface CarryOver {
  place: Place;
  binaries: Binaries;
  clock: Clock;
  log: Logger;
}

/**
 * Carry over where this major has no data yet and an older one has; else nothing. All or nothing: until
 * every row has arrived and was counted, the old data is untouched and the new is not in place.
 *
 * Throws UNAVAILABLE when the old server's package cannot be had, CONFLICT when the data is of a newer
 * Tidewheel.
 */
export async function carryOver(options: CarryOver): Promise<void> {
  const { place, binaries, log, clock } = options;
  const dataDir = dataDirOf(place, binaries.major);
  if (await hasCluster(dataDir)) return;
  const major = await newestOlder(place, binaries.major);
  if (major === null) return;
  log.info("Carrying the embedded database over to a newer PostgreSQL", {
    from: major,
    to: binaries.major,
  });
  const old = await prepareBinaries(place.serverDir, olderVersions[major]);
  const oldDir = dataDirOf(place, major);
  await stopLeftover({ place, dataDir: oldDir, clock });
  const password = (await readClusterFile(place))?.password ?? randomToken(24);
  await resetPassword({ place, binaries: old, dataDir: oldDir, password });
  await makeCluster({ place, binaries, dataDir, password }, async (unfinished) => {
    await using from = await serve({ ...options, binaries: old, dataDir: oldDir, password });
    await using to = await serve({ ...options, dataDir: unfinished, password });
    await copyAll(from.sql, to.sql, options);
  });
  await writeClusterFile(place, { password, port: freePort() });
  await Deno.rename(oldDir, `${oldDir}.carried`);
  log.info("Carried the embedded database over", { kept: `${oldDir}.carried` });
}

async function newestOlder(place: Place, major: number): Promise<number | null> {
  const known = Object.keys(olderVersions).map(Number).filter((older) => older < major);
  for (const older of known.toSorted((a, b) => b - a)) {
    if (await hasCluster(dataDirOf(place, older))) return older;
  }
  return null;
}

/** A server for the time of the copy. */
async function serve({ place, binaries, dataDir, clock, password }: CarryOver & {
  dataDir: string;
  password: string;
}): Promise<{ sql: Sql } & AsyncDisposable> {
  const port = freePort();
  await configure(place, dataDir, { port, major: binaries.major });
  const server = await startPostmaster({ binaries, place, dataDir, clock });
  const sql = connect(clusterUrls(place, { password, port }).url, { max: 1 });
  return {
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await server.stop();
    },
  };
}

async function copyAll(from: Sql, to: Sql, { clock, log }: CarryOver): Promise<void> {
  const steps = await stepsOf(from);
  await migrate(to, { now: clock.now(), migrations: migrations.slice(0, steps) });
  const tables = await tablesOf(to);
  const foreign = (await tablesOf(from)).filter((table) => !tables.includes(table));
  if (foreign.length > 0) log.warn("Tables that are not Tidewheel's stay behind", { foreign });
  // Rows come in any order: keys between tables are not checked, they were when they were written.
  await to`set session_replication_role = replica`;
  if (tables.length > 0) await to`truncate ${to(tables)}`;
  for (const table of tables) await copyTable(from, to, table);
  await copySequences(from, to);
  await to`analyze`;
}

/** How many of our steps the old database has; all of them must be ones that we know. */
async function stepsOf(sql: Sql): Promise<number> {
  const [{ there }] = await sql`select to_regclass('schema_migration') is not null as there`;
  if (!there) return 0;
  const [{ steps }] = await sql`select coalesce(max(version), 0) as steps from schema_migration`;
  if (steps <= migrations.length) return steps;
  throw new AppError(
    "CONFLICT",
    `Cannot carry the embedded database over: it has ${steps} schema steps and this Tidewheel ` +
      `knows ${migrations.length}; start the newer one`,
  );
}

async function tablesOf(sql: Sql): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    order by relname`;
  return tables.map(({ name }) => name);
}

async function copyTable(from: Sql, to: Sql, table: string): Promise<void> {
  const columns = (await to<{ name: string }[]>`
    select attname as name from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped
      and attgenerated = '' order by attnum`).map(({ name }) => name);
  const source = await from`
    copy (select ${from(columns)} from ${from(table)}) to stdout`.readable();
  const target = await to`copy ${to(table)} (${to(columns)}) from stdin`.writable();
  await pipeline(source, target);
  const [a, b] = await Promise.all([from, to].map(async (sql) => {
    const [{ rows }] = await sql`select count(*) as rows from ${sql(table)}`;
    return rows;
  }));
  if (a === b) return;
  throw new AppError(
    "CORRUPT",
    `Cannot carry the embedded database over: ${table} had ${a} rows and ${b} arrived`,
  );
}

async function copySequences(from: Sql, to: Sql): Promise<void> {
  const sequences = await from<{ name: string; lastValue: string | null }[]>`
    select sequencename as name, last_value::text from pg_sequences where schemaname = 'public'`;
  for (const { name, lastValue } of sequences) {
    if (lastValue === null) continue;
    await to`select setval(to_regclass(${name}), ${lastValue}::text::bigint)
      where to_regclass(${name}) is not null`;
  }
}
