/** @module Brings a database to the schema of this program: numbered SQL files, forward only. */
import { sha256 } from "../base/hash.ts";
import { AppError } from "../model/errors.ts";
import type { Sql, TransactionSql } from "./database.ts";
import { migrations as shipped } from "./migrations/mod.ts";
import { mayTryAgain } from "./retry.ts";

/** One numbered step. */
export interface Migration {
  /** From 1, without gaps. */
  version: number;
  /** Name of its file. */
  name: string;
  text: string;
}

/** What {@link migrate} did. */
export interface Migrated {
  /** Steps applied now, in order. */
  applied: string[];
  /** The database's version after it. */
  version: number;
}

/** Held while migrating, so that of several starting processes one does the work. */
const lockKey = 7_823_465_012;

/**
 * Apply the steps that `sql`'s database does not have, each in a transaction of its own; one query
 * when there are none. Steps that a newer program applied are fine unless one of them is marked
 * `-- breaking`.
 *
 * Throws CONFLICT when the database went past a breaking step that this program does not know, and
 * CORRUPT when a step that was applied has another text now.
 */
export async function migrate(
  sql: Sql,
  { now, migrations = shipped }: { now: Date; migrations?: readonly Migration[] },
): Promise<Migrated> {
  checkNumbers(migrations);
  const before = await readApplied(sql);
  if (pending(before, migrations).length === 0) return { applied: [], version: versionOf(before) };
  const session = await sql.reserve();
  try {
    await session`select pg_advisory_lock(${lockKey})`;
    const applied = await readApplied(session as unknown as Sql);
    const todo = pending(applied, migrations);
    for (const migration of todo) await apply(session as unknown as Sql, migration, now);
    return {
      applied: todo.map((migration) => migration.name),
      version: Math.max(versionOf(applied), ...todo.map((migration) => migration.version)),
    };
  } finally {
    await session`select pg_advisory_unlock(${lockKey})`.catch(() => {});
    session.release();
  }
}

/** Is this step one that older programs cannot live with? */
export function isBreaking(text: string): boolean {
  return /^--\s*breaking\b/m.test(text);
}

interface Applied {
  version: number;
  name: string;
  sha256: string;
  breaking: boolean;
}

async function readApplied(sql: Sql): Promise<Applied[]> {
  try {
    return await sql<Applied[]>`
      select version, name, sha256, breaking from schema_migration order by version`;
  } catch (error) {
    if ((error as { code?: string }).code === "42P01") return [];
    throw error;
  }
}

function versionOf(applied: readonly Applied[]): number {
  return applied.at(-1)?.version ?? 0;
}

/** The steps to apply; throws where database and program do not fit. */
function pending(applied: readonly Applied[], migrations: readonly Migration[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const step of applied) {
    const ours = known.get(step.version);
    if (!ours) refuseUnknown(step, migrations.length);
    else if (sha256(ours.text) !== step.sha256) {
      throw new AppError(
        "CORRUPT",
        `Cannot use the database: its step ${step.name} was applied with another text than ` +
          `${ours.name} has now; a step never changes once applied, add a new one instead`,
        { detail: { version: step.version } },
      );
    }
  }
  const have = new Set(applied.map((step) => step.version));
  return migrations.filter((migration) => !have.has(migration.version));
}

function refuseUnknown(step: Applied, newest: number): void {
  if (!step.breaking) return;
  throw new AppError(
    "CONFLICT",
    `Cannot use the database: a newer Tidewheel took it past the breaking step ${step.name}; ` +
      `this one knows steps up to ${newest}; start the newer one`,
    { detail: { version: step.version } },
  );
}

/** Tries of one step: under load each may be the one that gives way. */
const TRIES = 40;
const PAUSE_SECONDS_MAX = 1;

/** In an upgrade the older programs work on: the step may have to give way to their writes. */
async function apply(session: Sql, migration: Migration, now: Date): Promise<void> {
  try {
    for (let tries = 1;; tries++) {
      try {
        return await applyOnce(session, migration, now);
      } catch (error) {
        if (tries === TRIES || !mayTryAgain(error)) throw error;
        await session`select pg_sleep(${Math.min(0.05 * tries, PAUSE_SECONDS_MAX)})`;
      }
    }
  } catch (error) {
    throw new AppError(
      "CORRUPT",
      `Cannot apply ${migration.name} to the database: ${(error as Error).message}`,
      { cause: error, detail: { version: migration.version } },
    );
  }
}

/** A reserved session has no `begin()`, so the transaction is spelled out. */
async function applyOnce(session: Sql, migration: Migration, now: Date): Promise<void> {
  await session`begin`;
  try {
    await createLedger(session);
    await session.unsafe(migration.text);
    await session`
      insert into schema_migration (version, name, sha256, breaking, applied_at)
      values (${migration.version}, ${migration.name}, ${sha256(migration.text)},
        ${isBreaking(migration.text)}, ${now})`;
    await session`commit`;
  } catch (error) {
    await session`rollback`.catch(() => {});
    throw error;
  }
}

async function createLedger(sql: Sql | TransactionSql): Promise<void> {
  await sql`
    create table if not exists schema_migration (
      version integer primary key,
      name text not null,
      sha256 text not null,
      breaking boolean not null,
      applied_at timestamptz not null
    )`;
}

function checkNumbers(migrations: readonly Migration[]): void {
  migrations.forEach(({ version, name }, index) => {
    if (version !== index + 1 || !name.startsWith(String(version).padStart(4, "0"))) {
      throw new AppError(
        "INVALID",
        `Cannot migrate: ${name} is number ${version} in the list, number ${index + 1} is due`,
      );
    }
  });
}
