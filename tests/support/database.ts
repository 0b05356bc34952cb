/** @module A database of its own for a test. */
import { sha256 } from "../../src/base/hash.ts";
import { randomToken } from "../../src/base/ids.ts";
import { openDatabase, type Sql } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { migrations } from "../../src/store/migrations/mod.ts";
import { exclusively, sharedServer } from "./server.ts";

/** A migrated, empty database; gone when it is disposed of. */
export interface TestDatabase extends AsyncDisposable {
  sql: Sql;
  /** For processes that connect by themselves. */
  url: string;
}

/** Options of {@link testDatabase}. */
export interface TestDatabaseOptions {
  /** Connections of `sql` at most. Default 4. */
  max?: number;
  /** False: without any table. Default true. */
  migrated?: boolean;
}

/**
 * Make a database on the shared test server, or on the one that `TIDEWHEEL_TEST_DATABASE_URL` names
 * (its user must be allowed to make databases).
 */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { max = 4, migrated = true } = options;
  const admin = Deno.env.get("TIDEWHEEL_TEST_DATABASE_URL") ?? await sharedServer();
  const name = `test_${randomToken(9).replaceAll("-", "0").toLowerCase()}`;
  await withAdmin(admin, async (sql) => {
    const template = migrated ? await ensureTemplate(sql, admin) : "template0";
    await sql`create database ${sql(name)} template ${sql(template)} strategy file_copy`;
  });
  const url = withDatabase(admin, name);
  const sql = await openDatabase(url, { max, applicationName: "test" });
  return {
    sql,
    url,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await withAdmin(admin, (sql) => sql`drop database ${sql(name)} with (force)`);
    },
  };
}

/** The same URL with another database. */
function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function withAdmin<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = await openDatabase(url, { max: 1, applicationName: "test" });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** One migrated database for each set of migrations, copied for each test. */
async function ensureTemplate(sql: Sql, admin: string): Promise<string> {
  const name = `template_${sha256(JSON.stringify(migrations)).slice(0, 16)}`;
  if (await isThere(sql, name)) return name;
  return await exclusively(async () => {
    if (await isThere(sql, name)) return name;
    const unfinished = `${name}_new`;
    await sql`drop database if exists ${sql(unfinished)} with (force)`;
    await sql`create database ${sql(unfinished)} template template0`;
    await withAdmin(
      withDatabase(admin, unfinished),
      (fresh) => migrate(fresh, { now: new Date("2030-01-01T00:00:00Z") }),
    );
    await sql`alter database ${sql(unfinished)} rename to ${sql(name)}`;
    return name;
  });
}

async function isThere(sql: Sql, name: string): Promise<boolean> {
  return (await sql`select 1 from pg_database where datname = ${name}`).length > 0;
}
