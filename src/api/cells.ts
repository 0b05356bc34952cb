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
  const { columns } = version.schema;
  const names = columns.map((each) => each.name);
  const stranger = [...Object.keys(key), ...(column ? [column] : [])].find((name) =>
    !names.includes(name)
  );
  if (stranger !== undefined) {
    throw refuse(`it has no column "${stranger}"; it has ${names.join(", ")}`);
  }
  const rows = await rowsOf(tables, version.lineageFiles.map((file) => file.key), {
    key,
    columns,
  });
  return cellsOf(rows, names.filter((name) => !column || name === column));
}

type LineageRow = Record<string, unknown>;

/** Rows of the lineage files with this key, the published one first. */
async function rowsOf(
  tables: TableReader,
  keys: readonly string[],
  { key, columns }: { key: RowKey; columns: readonly { name: string; type: string }[] },
): Promise<LineageRow[]> {
  const conditions = Object.keys(key).map((name, i) => {
    const { type } = columns.find((each) => each.name === name)!;
    const exact = `${quoted(name)}::varchar = $${i + 1}`;
    return plainType.test(type)
      ? `(${exact} or ${quoted(name)} = try_cast($${i + 1} as ${type}))`
      : exact;
  });
  const { columns: found, rows } = await tables.read({
    keys,
    sql: `select * replace (to_json(_tw_cells)::varchar as _tw_cells) from ${parquet(keys)} ` +
      `where ${conditions.join(" and ")} order by _tw_rank`,
    rowsMax: ROWS_MAX,
    params: Object.values(key),
  });
  return rows.map((row) => Object.fromEntries(found.map(({ name }, i) => [name, row[i]])));
}

/** Names of types that can stand in SQL as they are. */
const plainType = /^[A-Za-z_][A-Za-z0-9_ ]*(\(\d+(, ?\d+)?\))?$/;

/** One entry a column: its place is the row's, unless `_tw_cells` names another record. */
function cellsOf(rows: readonly LineageRow[], columns: readonly string[]) {
  const [winner, ...others] = rows;
  if (!winner) return [];
  const places = JSON.parse(text(winner._tw_cells) ?? "{}") as Record<
    string,
    { source: string | null; file: string | null; row: number | null } | undefined
  >;
  return columns.map((column) => {
    const place = places[column];
    return {
      column,
      value: winner[column],
      source: place ? place.source : text(winner._tw_source),
      raw_file: place ? place.file : text(winner._tw_file),
      raw_row: whole(place ? place.row : winner._tw_row),
      raw_offset: place ? null : whole(winner._tw_offset),
      rule: text(winner._tw_rule),
      others: others.map((row) => ({ source: text(row._tw_source) ?? "", value: row[column] })),
    };
  });
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
