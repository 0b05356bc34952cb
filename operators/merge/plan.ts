/**
 * @module A merge as SQL.
 *
 * Every order ends in the row's place and its values, so what is taken depends on the rows alone and
 * not on the order in which they come.
 */
import type { TableSchema } from "../../src/model/data.ts";
import { provenanceColumns, provenanceList } from "../table/rows.ts";
import { ident, literal } from "../table/sql.ts";
import type { MergeParams, Resolution } from "./params.ts";

/** Name of the table that {@link MergePlan.rank} makes. */
export const rankedTable = "_tw_merge_ranked";

/** The statements of one merge. */
export interface MergePlan {
  /** All rows, and those of them whose key has a null. */
  count: string;
  /** Rows whose key has a null, in the order of their places. */
  refused: string;
  /** Makes the table of distinct rows with their rank within their key. */
  rank: string;
  /** One row for each key. */
  winners: string;
  /** Rows of which a value was not taken; `_tw_rank` 1 is the one that gave the row its place. */
  losers: string;
  /** How many rows each source gave. */
  wonBySource: string;
}

/** Added to the ranks of what had lost in an earlier merge. */
const EARLIER = 1_000_000;

/** Plan the merge of `rows`, a SELECT; `earlier`: what lost before, in the form of `losers`. */
export function planMerge(
  { rows, earlier, schema, params }: {
    rows: string;
    earlier: string | null;
    schema: TableSchema;
    params: MergeParams;
  },
): MergePlan {
  const columns = schema.columns.map(({ name }) => ident(name));
  const keys = params.key.map(ident).join(", ");
  const isNull = params.key.map((name) => `${ident(name)} IS NULL`).join(" OR ");
  const fields = Object.entries(params.fields);
  const picks = fields.map(([name, mode], i) => pickOf(name, mode, i, { keys, columns }));
  const taken = schema.columns.map(({ name }) => {
    const i = fields.findIndex(([field]) => field === name);
    return i < 0 ? ident(name) : `_tw_pick_${i}.value AS ${ident(name)}`;
  });
  const all = `${columns.join(", ")}, ${provenanceList()}`;
  const order = orderOf(params.resolve, columns);
  const isElsewhere = fields.map(([name], i) => elsewhere(name, i)).join(" OR ") || "false";
  return {
    count: `SELECT count(*), count(*) FILTER (WHERE ${isNull}) FROM (${rows})`,
    refused: `SELECT _tw_source, _tw_file, _tw_row, _tw_offset, ${columns.join(", ")} ` +
      `FROM (${rows}) WHERE ${isNull}`,
    rank: `CREATE OR REPLACE TEMP TABLE ${rankedTable} AS
WITH input AS (${rows}),
once AS (
  SELECT * FROM input WHERE NOT (${isNull})
  QUALIFY row_number() OVER (PARTITION BY ${columns.join(", ")}, _tw_source ORDER BY ${order}) = 1
)
SELECT ${
      [
        all,
        `row_number() OVER (PARTITION BY ${keys} ORDER BY ${order}) AS _tw_rank`,
        ...picks,
      ].join(",\n  ")
    }
FROM once`,
    winners: `SELECT ${taken.join(", ")}, _tw_source, _tw_file, _tw_row, _tw_offset, ` +
      `${cellsOf(fields.map(([name]) => name))} AS _tw_cells ` +
      `FROM ${rankedTable} WHERE _tw_rank = 1 ORDER BY ${keys}`,
    losers: `SELECT * FROM (
SELECT ${all}, _tw_rank FROM ${rankedTable} WHERE _tw_rank > 1 OR (${isElsewhere})
${earlier === null ? "" : `UNION ALL SELECT ${all}, _tw_rank + ${EARLIER} FROM (${earlier})`}
) ORDER BY ${keys}, _tw_rank`,
    wonBySource: `SELECT _tw_source, count(*) FROM ${rankedTable} WHERE _tw_rank = 1 ` +
      `GROUP BY _tw_source ORDER BY _tw_source`,
  };
}

/** Where a value of this row comes from. */
function originOf(name: string): string {
  return `coalesce(_tw_cells[${literal(name)}], ${placeOfRow})`;
}

const placeOfRow = `struct_pack(source := _tw_source, file := _tw_file, "row" := _tw_row)`;

/** The first value by a column's own rule that is not null, with its origin. */
function pickOf(
  name: string,
  mode: Resolution,
  i: number,
  { keys, columns }: { keys: string; columns: string[] },
): string {
  const value = `struct_pack(value := ${ident(name)}, origin := ${originOf(name)})`;
  return `first_value(CASE WHEN ${ident(name)} IS NOT NULL THEN ${value} END IGNORE NULLS) OVER (` +
    `PARTITION BY ${keys} ORDER BY ${orderOf(mode, columns)} ` +
    `ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS _tw_pick_${i}`;
}

/** On the row that a key's place was taken from: is the column's value from another one? */
function elsewhere(name: string, i: number): string {
  return `(_tw_rank = 1 AND _tw_pick_${i} IS NOT NULL ` +
    `AND _tw_pick_${i}.origin IS DISTINCT FROM ${originOf(name)})`;
}

function cellsOf(fields: string[]): string {
  const type = provenanceColumns[4].type;
  if (fields.length === 0) return "_tw_cells";
  const entries = fields.map((name, i) =>
    `struct_pack("key" := ${literal(name)}, "value" := _tw_pick_${i}.origin)`
  );
  // A place of the row's own needs no entry; one that is there from an earlier merge is replaced.
  const own = `list_filter(map_entries(coalesce(_tw_cells, MAP {}::${type})), ` +
    `lambda e: NOT list_contains([${fields.map(literal).join(", ")}], e."key"))`;
  const picked = `list_filter([${entries.join(", ")}], ` +
    `lambda e: e."value" IS NOT NULL AND e."value" IS DISTINCT FROM ${placeOfRow})`;
  return `nullif(map_from_entries(list_concat(${own}, ${picked}))::${type}, MAP {}::${type})`;
}

/** ORDER BY terms, best row first. */
function orderOf(mode: Resolution, columns: string[]): string {
  const values = `hash(${columns.join(", ")})`;
  if ("priority" in mode) {
    const ranks = mode.priority.map((source, i) => `WHEN ${literal(source)} THEN ${i}`).join(" ");
    const rank = `CASE _tw_source ${ranks} ELSE ${mode.priority.length} END`;
    return [rank, "_tw_source", ...placeTerms("DESC"), values].join(", ");
  }
  const [by, direction] = "lastWriteWins" in mode
    ? [mode.lastWriteWins, "DESC"] as const
    : [mode.firstWriteWins, "ASC"] as const;
  const place = placeTerms(direction);
  if (by === true) return [...place, "_tw_source", values].join(", ");
  return [`${ident(by)} ${direction} NULLS LAST`, "_tw_source", ...place, values].join(", ");
}

/**
 * Places in the order of collection: keys of files are `attempts/<id of the attempt>/<n>-<name>`,
 * and ids ascend with time.
 */
function placeTerms(direction: "ASC" | "DESC"): string[] {
  return [
    "regexp_extract(_tw_file, '^(.*/)', 1)",
    "try_cast(regexp_extract(_tw_file, '([0-9]+)-[^/]*$', 1) AS BIGINT)",
    "_tw_file",
    "_tw_row",
    "_tw_offset",
  ].map((term) => `${term} ${direction} NULLS LAST`);
}
