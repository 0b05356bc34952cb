/** @module Tables between tasks as SQL: the one way to read them. */
import { AppError } from "../../src/model/errors.ts";
import type { FileProvenance, TableRef } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { columnType } from "./column_type.ts";
import { ident, literal, literals } from "./sql.ts";

/** Columns that say where a row comes from; every relation of {@link tableRows} has them, last. */
export const provenanceColumns = [
  { name: "_tw_source", type: "VARCHAR" },
  { name: "_tw_file", type: "VARCHAR" },
  { name: "_tw_row", type: "BIGINT" },
  { name: "_tw_offset", type: "BIGINT" },
  /** Of merged rows: the cells that come from elsewhere than the row, by column. */
  { name: "_tw_cells", type: 'MAP(VARCHAR, STRUCT(source VARCHAR, file VARCHAR, "row" BIGINT))' },
] as const;

/** Records that {@link FileProvenance} can leave out; past this a file carries its own columns. */
export const missingMax = 1_000;

/**
 * A SELECT of all rows of a table with its own columns, in the schema's order, and the provenance
 * columns. Opens the table's files.
 */
export async function tableRows(ctx: TaskContext, table: TableRef): Promise<string> {
  const paths = await Promise.all(table.files.map((file) => ctx.files.open(file)));
  return await rowsOfFiles(ctx, table, paths);
}

/** {@link tableRows} of files that are at these paths. */
export async function rowsOfFiles(
  { engine }: Pick<TaskContext, "engine">,
  table: Pick<TableRef, "schema" | "provenance">,
  paths: readonly string[],
): Promise<string> {
  // Parquet stores some types as others (128-bit integers as decimals): back to the declared ones.
  const columns = table.schema.columns.map(({ name, type }) =>
    `${ident(name)}::${columnType(type).sql} AS ${ident(name)}`
  );
  if (paths.length === 0) return emptyRows(table);
  const parts: string[] = [];
  const carrying: string[] = [];
  for (const [i, path] of paths.entries()) {
    const provenance = table.provenance[i] ?? null;
    if (provenance) parts.push(impliedRows(columns, path, provenance));
    else carrying.push(path);
  }
  for (const group of await bySameProvenance(engine, carrying)) {
    parts.push(
      `SELECT ${[...columns, ...group.columns].join(", ")} FROM read_parquet(${
        literals(group.paths)
      })`,
    );
  }
  return parts.join("\nUNION ALL\n");
}

function impliedRows(columns: string[], path: string, provenance: FileProvenance): string {
  const { source, file, missing } = provenance;
  // From the position of the k-th missing record on, rows are k + 1 further than they stand.
  const shift = shiftAt(missing.map((ordinal, k) => ordinal - k - 1), 0, missing.length);
  return `SELECT ${columns.join(", ")}, ${literal(source)} AS _tw_source, ${literal(file)} ` +
    `AS _tw_file, file_row_number + 1 + ${shift} AS _tw_row, NULL::BIGINT AS _tw_offset, ` +
    `NULL::${provenanceColumns[4].type} AS _tw_cells ` +
    `FROM read_parquet(${literal(path)}, file_row_number = true)`;
}

/** How many of the ascending positions are at or before the row: a binary search as SQL. */
function shiftAt(positions: readonly number[], from: number, to: number): string {
  if (from === to) return `${from}`;
  const middle = (from + to) >> 1;
  return `CASE WHEN file_row_number < ${positions[middle]} ` +
    `THEN ${shiftAt(positions, from, middle)} ELSE ${shiftAt(positions, middle + 1, to)} END`;
}

function emptyRows({ schema }: Pick<TableRef, "schema">): string {
  const columns = schema.columns.map(({ name, type }) => ({ name, type: columnType(type).sql }));
  const nulls = [...columns, ...provenanceColumns].map(({ name, type }) =>
    `NULL::${type} AS ${ident(name)}`
  );
  return `SELECT ${nulls.join(", ")} WHERE false`;
}

/** Files by which of the provenance columns they carry; those that a file lacks are null. */
async function bySameProvenance(
  engine: TaskContext["engine"],
  paths: string[],
): Promise<{ paths: string[]; columns: string[] }[]> {
  const groups = new Map<string, { paths: string[]; columns: string[] }>();
  for (const path of paths) {
    const { columns } = await engine.run(`SELECT * FROM read_parquet(${literal(path)})`);
    const has = new Set(columns.map(({ name }) => name));
    const selected = provenanceColumns.map(({ name, type }) =>
      has.has(name) ? `${name}::${type} AS ${name}` : `NULL::${type} AS ${name}`
    );
    const key = selected.join();
    if (!groups.has(key)) groups.set(key, { paths: [], columns: selected });
    groups.get(key)!.paths.push(path);
  }
  return [...groups.values()];
}

/** Names of provenance columns, for the end of a SELECT. */
export function provenanceList(): string {
  return provenanceColumns.map(({ name }) => name).join(", ");
}

/** Refuse columns whose names are the product's. */
export function checkColumnNames(names: readonly string[]): void {
  const reserved = names.find((name) => name.startsWith("_tw_"));
  if (reserved === undefined) return;
  throw new AppError(
    "INVALID",
    `Cannot use the column "${reserved}": names that start with _tw_ are for provenance`,
  );
}
