/** @module The door to PostgreSQL: connections with the right types, limits and error messages. */
import postgres from "postgres";
import { limits } from "../base/limits.ts";
import { AppError, messageOf } from "../model/errors.ts";
import { sqlCode } from "./errors.ts";
import { type OpenPool, renewingPool } from "./renewing_pool.ts";

/** Runs statements; what the store's modules take. */
export type Sql = postgres.Sql;
/** Runs statements inside one transaction. */
export type TransactionSql = postgres.TransactionSql;
/** Either of both. */
export type AnySql = Sql | TransactionSql;

/** Oldest major version of PostgreSQL that the migrations run on. */
export const postgresMajorMin = 15;

/** Options of {@link openDatabase}. */
export interface DatabaseOptions {
  /** Connections at most. Default 8. */
  max?: number;
  /** Shown in `pg_stat_activity`. Default "tidewheel". */
  applicationName?: string;
  /** A statement is cut after this many milliseconds; for reads on behalf of people. Default none. */
  statementTimeoutMs?: number;
  /**
   * False behind a pooler that gives out connections per transaction (PgBouncer): no named
   * statements and no session settings, set the timeouts on the role there. Default true.
   */
  prepare?: boolean;
  /** Refuse to write. Default false. */
  readOnly?: boolean;
  /**
   * For statements that a short list of keys drives: the planner takes the index even while its
   * statistics are those of an empty table, and keeps the plan. Default false.
   */
  byKey?: boolean;
  /** Give up connecting after this many milliseconds. Default 10 s. */
  connectTimeoutMs?: number;
  /** Leave the names of columns as they are, instead of camelCase. Default false. */
  plainNames?: boolean;
  /** Notices of the server; by default they are dropped. */
  onNotice?: (message: string) => void;
}

/**
 * Connect to `url` (`postgres://user:password@host:port/database`; a socket folder goes into
 * `?host=/run/…`) and check that the server answers and is new enough.
 *
 * int8 comes as a number while it is exact, else as a bigint; numeric as a string; timestamptz as a
 * Date (milliseconds); date and timestamp as text; json as its value. Columns are snake_case in SQL
 * and camelCase in rows; keys inside of JSON are left alone.
 *
 * Throws UNAVAILABLE when the server cannot be reached, refuses the login or is too old. The password
 * is in none of the messages.
 */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Sql> {
  const sql = connect(url, options);
  try {
    const [{ version }] = await sql<{ version: number }[]>`
      select current_setting('server_version_num')::int as version`;
    requireVersion(version, url);
    return sql;
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw connectError(error, url);
  }
}

/** Throws UNAVAILABLE when `version` (PostgreSQL's `server_version_num`) is too old. */
export function requireVersion(version: number, url: string): void {
  const major = Math.floor(version / 10_000);
  if (major >= postgresMajorMin) return;
  throw new AppError(
    "UNAVAILABLE",
    `Cannot use the database at ${describeUrl(url)}: it is PostgreSQL ${major}, Tidewheel needs ` +
      `${postgresMajorMin} or newer`,
  );
}

/** Like {@link openDatabase}, without asking the server anything yet. */
export function connect(url: string, options: DatabaseOptions = {}): Sql {
  const { address, host } = splitSocket(url);
  const open: OpenPool = (on) =>
    postgres(address, {
      ...on,
      ...(host ? { host } : {}),
      max: options.max ?? 8,
      prepare: options.prepare ?? true,
      connect_timeout: Math.max(1, Math.ceil((options.connectTimeoutMs ?? 10_000) / 1000)),
      // What ends a connection is a loss: see renewingPool.
      max_lifetime: null,
      connection: sessionSettings(options),
      onnotice: (notice) => options.onNotice?.(notice.message ?? ""),
      ...(options.plainNames ? {} : { transform: camelCase }),
      types,
    }) as unknown as postgres.Sql;
  return renewingPool(open) as unknown as Sql;
}

/** `user@host:port/database` of a URL: what may be shown. */
export function describeUrl(url: string): string {
  try {
    const { username, hostname, port, pathname, searchParams } = new URL(url);
    const host = searchParams.get("host") ?? hostname;
    return `${username || "?"}@${host || "localhost"}:${port || "5432"}${pathname || "/"}`;
  } catch {
    return "(not a URL)";
  }
}

const camelCase = { column: { from: postgres.toCamel, to: postgres.fromCamel } };

const types: Record<"bigint" | "date" | "plainTime", postgres.PostgresType> = {
  bigint: {
    to: 20,
    from: [20],
    serialize: (value: number | bigint) => value.toString(),
    parse: (text: string) => {
      const value = Number(text);
      return Number.isSafeInteger(value) ? value : BigInt(text);
    },
  },
  date: {
    to: 1184,
    from: [1184],
    serialize: (value: Date | string) => typeof value === "string" ? value : value.toISOString(),
    parse: (text: string) => new Date(text),
  },
  plainTime: {
    to: 1114,
    from: [1082, 1114],
    serialize: (value: string) => value,
    parse: (text: string) => text,
  },
};

/** postgres.js takes a socket folder as an option only. */
function splitSocket(url: string): { address: string; host: string | null } {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new AppError(
      "INVALID",
      "Cannot open the database: its URL is not one like postgres://user:password@host:5432/name",
    );
  }
  if (parsed.protocol !== "postgres:" && parsed.protocol !== "postgresql:") {
    throw new AppError(
      "INVALID",
      `Cannot open the database: its URL starts with "${parsed.protocol}//", not "postgres://"`,
    );
  }
  const host = parsed.searchParams.get("host");
  parsed.searchParams.delete("host");
  return { address: parsed.href, host };
}

const byKeySettings = {
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  plan_cache_mode: "force_generic_plan",
};

function sessionSettings(options: DatabaseOptions): Partial<postgres.ConnectionParameters> {
  const name = { application_name: options.applicationName ?? "tidewheel" };
  if (options.prepare === false) return name;
  return {
    ...name,
    TimeZone: "UTC",
    idle_in_transaction_session_timeout: limits.idleTransactionMs,
    ...(options.statementTimeoutMs ? { statement_timeout: options.statementTimeoutMs } : {}),
    ...(options.readOnly ? { default_transaction_read_only: true } : {}),
    ...(options.byKey ? byKeySettings : {}),
  };
}

/** Reasons that an operator can act on, by code. */
const reasons: Record<string, string> = {
  ECONNREFUSED: "nothing listens there; is PostgreSQL running, and is the port right?",
  ENOENT: "there is no such socket; is PostgreSQL running?",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  CONNECT_TIMEOUT: "no answer in time; a firewall, or the wrong host?",
  CONNECTION_CLOSED: "the server closed the connection",
  "28P01": "it refused the password",
  "28000": "it refused the user (see its pg_hba.conf)",
  "3D000": "there is no such database; create it first",
  "53300": "it has no connections left",
  "57P03": "it is starting up or shutting down",
};

function connectError(error: unknown, url: string): unknown {
  if (error instanceof AppError) return error;
  const code = sqlCode(error);
  const why = reasons[code] ?? withoutPassword(messageOf(error), url);
  return new AppError(
    "UNAVAILABLE",
    `Cannot open the database at ${describeUrl(url)}: ${why}`,
    { detail: { code }, cause: code },
  );
}

function withoutPassword(text: string, url: string): string {
  const { password } = new URL(url);
  if (!password) return text;
  return text.replaceAll(password, "***").replaceAll(decodeURIComponent(password), "***");
}
