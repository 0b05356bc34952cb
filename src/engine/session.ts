/** @module One DuckDB instance under locked settings. */
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBType,
  type DuckDBValue,
  SQLNULL,
  StatementType,
  VARCHAR,
} from "@duckdb/node-api";
import type { EngineRequest, EngineResult, EngineTarget } from "../contract/child.ts";
import { AppError } from "../model/errors.ts";
import { type EngineSettings, resultCharsMax, resultRowsMax } from "./protocol.ts";
import { checkStatement, checkText, copyStatement } from "./statements.ts";
import { engineValue } from "./values.ts";

/** An open engine. */
export interface EngineSession {
  run(request: EngineRequest): Promise<EngineResult>;
  interrupt(): void;
  close(): void;
}

/** Open an instance; from here on nothing can change its settings. */
export async function openSession(settings: EngineSettings): Promise<EngineSession> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    for (const statement of lockdown(settings)) await connection.run(statement);
  } catch (error) {
    connection.closeSync();
    instance.closeSync();
    throw error;
  }
  return {
    run: (request) => runRequest(connection, request),
    interrupt: () => connection.interrupt(),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Order matters: folders are named before access is closed, the lock comes last. */
function lockdown(settings: EngineSettings): string[] {
  const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
  const list = (values: string[]) => `[${values.map(text).join(", ")}]`;
  return [
    `SET temp_directory = ${text(settings.tempDir)}`,
    `SET max_temp_directory_size = '${settings.tempBytesMax}B'`,
    `SET memory_limit = '${settings.memoryBytes}B'`,
    `SET threads = ${settings.threads}`,
    "SET TimeZone = 'UTC'",
    "SET preserve_insertion_order = true",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET allow_unsigned_extensions = false",
    "SET allow_persistent_secrets = false",
    "SET enable_progress_bar = false",
    // Files are read once: a copy of them in memory helps nobody.
    "SET enable_external_file_cache = false",
    `SET allowed_directories = ${list(settings.allowedDirectories)}`,
    `SET allowed_paths = ${list(settings.allowedPaths)}`,
    "SET enable_external_access = false",
    "SET lock_configuration = true",
  ];
}

async function runRequest(
  connection: DuckDBConnection,
  { sql, params = [], rowsMax = 0, to }: EngineRequest,
): Promise<EngineResult> {
  checkText(sql);
  const statements = await connection.extractStatements(sql);
  if (statements.count === 0) return { columns: [], rows: [], rowsChanged: 0 };
  if (to && statements.count > 1) {
    throw new AppError("INVALID", `Cannot write rows: ${statements.count} statements, not one`);
  }
  for (let i = 0; i < statements.count - 1; i++) {
    const prepared = await statements.prepare(i);
    checkStatement(StatementType[prepared.statementType]);
    await prepared.run();
  }
  const last = await statements.prepare(statements.count - 1);
  const kind = StatementType[last.statementType];
  checkStatement(kind, { isOnlySelect: to !== undefined });
  if (to) return await runCopy(connection, copyStatement(exactSelect(sql, last, to), to), params);
  bindAll(last, params);
  return kind === "SELECT" ? await readRows(last, rowsMax) : await change(last);
}

/** Parquet has no integers of 128 bits, and DuckDB would write doubles: decimals keep the digits. */
function exactSelect(sql: string, select: DuckDBPreparedStatement, to: EngineTarget): string {
  const wide = Array.from({ length: select.columnCount }, (_, i) => i).filter((i) =>
    /^U?HUGEINT$/.test(select.columnType(i).toString())
  );
  if (to.format !== "parquet" || wide.length === 0) return sql;
  const replaced = wide.map((i) => {
    const name = `"${select.columnName(i).replaceAll('"', '""')}"`;
    return `${name}::DECIMAL(38,0) AS ${name}`;
  });
  const source = sql.trim().replace(/;+\s*$/, "");
  return `SELECT * REPLACE (${replaced.join(", ")}) FROM (\n${source}\n)`;
}

async function runCopy(
  connection: DuckDBConnection,
  sql: string,
  params: unknown[],
): Promise<EngineResult> {
  const statements = await connection.extractStatements(sql);
  const copy = await statements.prepare(0);
  // The SELECT stood by itself before; this says that its text did not break out of the COPY.
  if (statements.count !== 1 || StatementType[copy.statementType] !== "COPY") {
    throw new AppError("FORBIDDEN", "Cannot write rows: the SELECT is not one statement");
  }
  bindAll(copy, params);
  const { rowsChanged } = await change(copy);
  return { columns: [], rows: [], rowsChanged };
}

async function change(statement: DuckDBPreparedStatement): Promise<EngineResult> {
  const result = await statement.run();
  return { columns: [], rows: [], rowsChanged: Number(result.rowsChanged) };
}

async function readRows(
  statement: DuckDBPreparedStatement,
  rowsMax: number,
): Promise<EngineResult> {
  const wanted = Math.min(rowsMax, resultRowsMax);
  const reader = await statement.streamAndReadUntil(wanted);
  const columns = reader.columnNames().map((name, i) => ({
    name,
    type: reader.columnType(i).toString(),
  }));
  const rows = reader.getRows().slice(0, wanted).map((row) => row.map(engineValue));
  return { columns, rows, rowsChanged: 0 };
}

function bindAll(statement: DuckDBPreparedStatement, params: unknown[]): void {
  const bound = params.map((value, i) => bindingOf(value, i + 1));
  statement.bind(bound.map(([value]) => value), bound.map(([, type]) => type));
}

function bindingOf(value: unknown, at: number): [DuckDBValue, DuckDBType] {
  switch (typeof value) {
    case "string":
      return [value, VARCHAR];
    case "boolean":
      return [value, BOOLEAN];
    case "number":
      return Number.isSafeInteger(value) ? [BigInt(value), BIGINT] : [value, DOUBLE];
  }
  if (value === null || value === undefined) return [null, SQLNULL];
  throw new AppError(
    "INVALID",
    `Cannot bind parameter ${at} of a query: it is ${JSON.stringify(value)?.slice(0, 80)}, ` +
      `not a string, number, boolean or null`,
  );
}

/** The answer as a line; throws TOO_LARGE when it is longer than an answer may be. */
export function encodeResult(result: EngineResult): string {
  const line = JSON.stringify({ type: "result", result });
  if (line.length <= resultCharsMax) return line;
  throw new AppError(
    "TOO_LARGE",
    `Cannot hand back ${result.rows.length} rows: ${line.length} characters, at most ` +
      `${resultCharsMax}; ask for fewer rows, or write them to a file`,
  );
}
