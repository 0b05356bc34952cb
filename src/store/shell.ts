/** @module SQL from a person, on the metadata database: what `tidewheel db` runs. */
import { openDatabase, type TransactionSql } from "./database.ts";
import { sqlCode } from "./errors.ts";

/** What the last statement gave; values are as PostgreSQL prints them, so exact. */
export interface SqlResult {
  /** `type` is PostgreSQL's name, e.g. `timestamp with time zone`. */
  columns: { name: string; type: string }[];
  rows: (string | null)[][];
  /** Rows that the statement changed; null where it returned rows. */
  rowsChanged: number | null;
  /** There are more rows than `rowsMax`. */
  truncated: boolean;
}

/** Options of {@link runSql}. */
export interface RunSqlOptions {
  /** Allow writes. Default false. */
  write?: boolean;
  /** Rows returned at most. Default 1000. */
  rowsMax?: number;
  /** A statement is cut after this many milliseconds. Default 60 s. */
  timeoutMs?: number;
}

/**
 * Run `text` in one transaction, read only unless `write` is given. It may be several statements; the
 * result is the last one's. Errors of PostgreSQL come as they are: message, `position` and `hint`
 * tell the person what to change.
 */
export async function runSql(
  url: string,
  text: string,
  { write = false, rowsMax = 1000, timeoutMs = 60_000 }: RunSqlOptions = {},
): Promise<SqlResult> {
  const sql = await openDatabase(url, {
    max: 1,
    applicationName: "tidewheel-db",
    statementTimeoutMs: timeoutMs,
    readOnly: !write,
    plainNames: true,
  });
  try {
    return await sql.begin(async (tx) => {
      const fields = await describe(tx, text);
      return fields && fields.length > 0
        ? await readRows(tx, { text, fields, rowsMax })
        : await runAll(tx, text, rowsMax);
    });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

interface Field {
  name: string;
  type: number;
}

/** Columns that a single statement gives; null for several statements. */
async function describe(tx: TransactionSql, text: string): Promise<Field[] | null> {
  try {
    return await tx.savepoint(async (inner) =>
      (await inner.unsafe(text).describe()).columns as Field[]
    );
  } catch (error) {
    if (sqlCode(error) === "42601" && /multiple commands/.test(String(error))) return null;
    throw error;
  }
}

/** Through a cursor, so that a large table does not come whole. */
async function readRows(
  tx: TransactionSql,
  { text, fields, rowsMax }: { text: string; fields: Field[]; rowsMax: number },
): Promise<SqlResult> {
  const rows: (string | null)[][] = [];
  for await (const batch of rawQuery(tx, text).cursor(rowsMax + 1)) {
    rows.push(...(batch as unknown as RawRow[]).map(textsOf));
    if (rows.length > rowsMax) break;
  }
  return await resultOf(tx, fields, rows, rowsMax);
}

async function runAll(tx: TransactionSql, text: string, rowsMax: number): Promise<SqlResult> {
  const results = await rawQuery(tx, text) as unknown as RawResult | RawResult[];
  const last = "count" in results ? results : results.at(-1);
  if (!last?.columns?.length) {
    return { columns: [], rows: [], rowsChanged: last?.count ?? 0, truncated: false };
  }
  return await resultOf(tx, last.columns, last.map(textsOf), rowsMax);
}

type RawRow = (Uint8Array | null)[];
type RawResult = RawRow[] & { columns?: Field[]; count: number | null };

function rawQuery(tx: TransactionSql, text: string) {
  return tx.unsafe(text, [], { prepare: false }).raw();
}

const decoder = new TextDecoder();

function textsOf(row: RawRow): (string | null)[] {
  return row.map((value) => value === null ? null : decoder.decode(value));
}

async function resultOf(
  tx: TransactionSql,
  fields: Field[],
  rows: (string | null)[][],
  rowsMax: number,
): Promise<SqlResult> {
  const names = await tx<{ oid: number; name: string }[]>`
    select oid::int8 as oid, format_type(oid, null) as name from pg_type
    where oid = any(${fields.map(({ type }) => type)})`;
  const nameOf = new Map(names.map(({ oid, name }) => [oid, name]));
  return {
    columns: fields.map(({ name, type }) => ({ name, type: nameOf.get(type) ?? String(type) })),
    rows: rows.slice(0, rowsMax),
    rowsChanged: null,
    truncated: rows.length > rowsMax,
  };
}
