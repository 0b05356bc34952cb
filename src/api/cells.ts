/** @module Where single values came from: the lineage files that lie beside a version. */
import type { z } from "zod";
import { AppError } from "../model/errors.ts";
import type { DatasetVersionRow } from "../store/dataset_query.ts";
import type { TableReader } from "./parts.ts";
import type { CellOrigin } from "./shapes/dataset.ts";

/** A row's key: column → text of its value. */
export type RowKey = Record<string, string>;

/** `symbol=IBM,date=2026-01-05` as a key; throws INVALID. */
export function parseKey(text: string): RowKey {
  const key: RowKey = {};
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    if (at < 1) {
      throw new AppError(
        "INVALID",
        `Cannot read the key "${text}": write it as column=value, several with a comma between`,
      );
    }
    key[part.slice(0, at).trim()] = part.slice(at + 1).trim();
  }
  return key;
}

/** Columns that every stored row has beside its own; see {@link ../model/data.ts#TableRef}. */
const provenance = { source: "_tw_source", file: "_tw_file", row: "_tw_row", offset: "_tw_offset" };
/** Contributions to one row that are looked at. */
const ROWS_MAX = 1_000;

/**
 * The values of one row of a version, each with where it came from. `column`: only that one. Throws
 * INVALID where the version has no lineage files or the key is not one of its table.
 */
export async function readCells(
  tables: TableReader,
  version: DatasetVersionRow,
  { key, column }: { key: RowKey; column?: string },
): Promise<z.input<typeof CellOrigin>[]> {
  const refuse = (why: string) =>
    new AppError(
      "INVALID",
      `Cannot look up a row of ${version.dataset}[${version.partition}] v${version.version}: ${why}`,
    );
  if (!version.schema || version.lineageFiles.length === 0) {
    throw refuse("no lineage of its rows was kept");
  }
  const names = version.schema.columns.map((each) => each.name);
  const stranger = [...Object.keys(key), ...(column ? [column] : [])].find((name) =>
    !names.includes(name)
  );
  if (stranger !== undefined) {
    throw refuse(`it has no column "${stranger}"; it has ${names.join(", ")}`);
  }
  const rows = await rowsOf(tables, version.lineageFiles.map((file) => file.key), key);
  return cellsOf(rows, names.filter((name) => !column || name === column));
}

type LineageRow = Record<string, unknown>;

async function rowsOf(tables: TableReader, keys: readonly string[], key: RowKey) {
  const conditions = Object.keys(key).map((name, i) => `${quoted(name)}::varchar = $${i + 1}`);
  const { columns, rows } = await tables.read({
    keys,
    sql: `select * from ${parquet(keys)} where ${conditions.join(" and ")}`,
    rowsMax: ROWS_MAX,
    params: Object.values(key),
  });
  return rows.map((row) =>
    Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])) as LineageRow
  );
}

/**
 * One entry a column. A lineage row is one source's version of the row, the winner's first; where a
 * `_tw_cells` column is there it names the source that each column was taken from.
 */
function cellsOf(rows: readonly LineageRow[], columns: readonly string[]) {
  const [winner, ...others] = rows;
  if (!winner) return [];
  return columns.map((column) => ({
    column,
    value: winner[column],
    source: text(winner[provenance.source]),
    raw_file: text(winner[provenance.file]),
    raw_row: whole(winner[provenance.row]),
    raw_offset: whole(winner[provenance.offset]),
    rule: text(winner._tw_rule),
    others: others.map((row) => ({
      source: text(row[provenance.source]) ?? "",
      value: row[column],
    })),
  }));
}

function text(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

function whole(value: unknown): number | null {
  const number = Number(value);
  return value === null || value === undefined || !Number.isSafeInteger(number) ? null : number;
}

/** A name as SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The stored files as a table, for {@link TableReader}. */
export function parquet(keys: readonly string[]): string {
  const files = keys.map((_, i) => `$file${i + 1}`).join(", ");
  return `read_parquet([${files}], union_by_name = true)`;
}
