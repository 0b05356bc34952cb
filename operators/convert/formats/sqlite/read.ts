/** @module A table of a SQLite file, read by the runtime's own SQLite. */
import type { DatabaseSync } from "node:sqlite";
import { AppError, messageOf } from "../../../../src/model/errors.ts";
import { ident } from "../../../table/sql.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { plainNumber } from "../plain_number.ts";
import { TableStage } from "../staging.ts";
import { openDatabase, rowsOf, sqliteError } from "./database.ts";
import { findTable, type SqliteColumn, type SqliteTable } from "./tables.ts";

/** Read a table of a file. */
export async function readSqlite(call: ReadCall): Promise<RowSource> {
  const database = await openDatabase(call);
  try {
    const table = findTable(database, call);
    return await stageRows(call, { database, table, isPositioned: false }) ??
      (await stageRows(call, { database, table, isPositioned: true }))!;
  } catch (error) {
    if (error instanceof AppError || call.signal.aborted) throw error;
    throw sqliteError(call, messageOf(error), error);
  } finally {
    database.close();
  }
}

interface Staging {
  database: DatabaseSync;
  table: SqliteTable;
  isPositioned: boolean;
}

/** Null where a row has to be refused, and rows carry no position. */
async function stageRows(
  call: ReadCall,
  { database, table, isPositioned }: Staging,
): Promise<RowSource | null> {
  const stage = new TableStage(call, table.columns, { isPositioned });
  const { encoding } = database.prepare("PRAGMA encoding").get() as { encoding: string };
  const selected = table.columns.map((column) => selectedOf(column, encoding));
  const sql = `SELECT ${selected.join(", ")} FROM ${ident(table.name)}`;
  let row = 0;
  try {
    for (const values of rowsOf(database, sql, { isExact: true })) {
      row++;
      const made = rowOf(table.columns, values);
      const position = { row, offset: null, bytes: null };
      if (Array.isArray(made)) stage.add(made, position);
      else if (!isPositioned) return null;
      else await refuse(call, { row, column: made.column, values });
    }
  } catch (error) {
    if (error instanceof AppError || call.signal.aborted) throw error;
    throw sqliteError(call, `${messageOf(error)}, behind row ${row} of "${table.name}"`, error);
  }
  const source = stage.finish();
  return call.isCareful ? source.numbered ?? source : source;
}

/** Texts of UTF-8 come as their bytes, so that those which are no UTF-8 are seen. */
function selectedOf({ name, kind }: SqliteColumn, encoding: string): string[] {
  const column = ident(name);
  if (encoding !== "UTF-8") return [column];
  if (kind === "text") return [`CAST(${column} AS BLOB)`];
  if (kind !== "mixed") return [column];
  // A blob among texts is the literal that SQL has for it.
  return [
    `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) ` +
    `WHEN 'blob' THEN quote(${column}) ELSE ${column} END`,
  ];
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The values to stage, or the column that has none. */
function rowOf(
  columns: readonly SqliteColumn[],
  values: readonly unknown[],
): unknown[] | { column: string } {
  const made = new Array(columns.length);
  for (let i = 0; i < columns.length; i++) {
    const { kind, name } = columns[i];
    const value = values[i];
    if (value === null) made[i] = null;
    else if (kind === "boolean") made[i] = value === 1n;
    else if (kind === "real") made[i] = Number(value);
    else if (kind === "text" || kind === "mixed") {
      const text = textOf(value);
      if (text === null) return { column: name };
      made[i] = text;
    } else made[i] = value;
  }
  return made;
}

/** Null for bytes that are no text. */
function textOf(value: unknown): string | null {
  if (typeof value === "number") return plainNumber(value);
  if (!(value instanceof Uint8Array)) return String(value);
  try {
    return utf8.decode(value);
  } catch {
    return null;
  }
}

async function refuse(
  call: ReadCall,
  { row, column, values }: { row: number; column: string; values: readonly unknown[] },
): Promise<void> {
  await call.refuse({
    file: call.file.name,
    row,
    offset: null,
    column,
    rule: "encoding",
    reason: `Record ${row} is refused: its text in "${column}" is not UTF-8`,
    raw: JSON.stringify(
      values.map((value) =>
        value instanceof Uint8Array ? new TextDecoder().decode(value) : value?.toString() ?? null
      ),
    ),
  });
}
