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
  const published = rows.filter((row) => rankOf(row) === 0).length;
  if (published > 1) {
    const by = version.schema.key.join(", ");
    throw refuse(`${published} rows have that key${by ? `; name one by ${by}` : ""}`);
  }
  return cellsOf(rows, names.filter((name) => !column || name === column));
}

type LineageRow = Record<string, unknown>;

/** Rows of the lineage files with this key; a key's text may be written in any way of its type. */
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
    sql: `select * from ${parquet(keys)} where ${conditions.join(" and ")}`,
    rowsMax: ROWS_MAX,
    params: Object.values(key),
  });
  return rows.map((row) => Object.fromEntries(found.map(({ name }, i) => [name, row[i]])));
}

/** Names of types that can stand in SQL as they are. */
const plainType = /^[A-Za-z_][A-Za-z0-9_ ]*(\(\d+(, ?\d+)?\))?$/;

/**
 * One entry a column. The row of rank 0 was published, the others are what other records said of its
 * key; `_tw_cells` names the records that single values of it were taken from, `_tw_rules` the rules
 * of those columns that have one of their own. See `operators/publish`, which writes these files.
 */
function cellsOf(rows: readonly LineageRow[], columns: readonly string[]) {
  const [winner, ...others] = rows.toSorted((a, b) => rankOf(a) - rankOf(b));
  if (!winner) return [];
  const elsewhere = new Map((winner._tw_cells ?? []) as [string, Place][]);
  const rules = new Map((winner._tw_rules ?? []) as [string, string][]);
  return columns.map((column) => {
    const place = elsewhere.get(column) ?? placeOf(winner);
    return {
      column,
      value: winner[column],
      source: text(place.source),
      raw_file: text(place.file),
      raw_row: whole(place.row),
      raw_offset: whole(rows.find((row) => isAt(row, place))?.[provenance.offset]),
      rule: rules.get(column) ?? text(winner._tw_rule),
      others: others.filter((row) => !isAt(row, place)).map((row) => ({
        source: text(row[provenance.source]) ?? "",
        value: row[column],
      })),
    };
  });
}

/** A raw record. */
interface Place {
  source: unknown;
  file: unknown;
  row: unknown;
}

function placeOf(row: LineageRow): Place {
  return { source: row[provenance.source], file: row[provenance.file], row: row[provenance.row] };
}

function isAt(row: LineageRow, place: Place): boolean {
  const own = placeOf(row);
  return own.source === place.source && own.file === place.file && own.row === place.row;
}

function rankOf(row: LineageRow): number {
  return Number(row._tw_rank ?? 0);
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
