/** @module What is published, as SQL: the rows, and the lineage beside them. */
import type { TableSchema } from "../../src/model/data.ts";
import { provenanceList } from "../table/rows.ts";
import { ident, literal, literals } from "../table/sql.ts";

/** The table's own columns, in one order: by the key, or without one by the rows' places. */
export function dataSelect(rows: string, schema: TableSchema): string {
  return `SELECT ${columnsOf(schema)} FROM (${rows}) ORDER BY ${orderOf(schema)}`;
}

/** Rows of the lineage file; see {@link ./mod.ts#publish}. `lost`: paths of merges' lineage. */
export function lineageSelect(
  rows: string,
  lost: readonly string[],
  { schema, rule, rules }: {
    schema: TableSchema;
    rule: string | null;
    rules: Readonly<Record<string, string>>;
  },
): string {
  const all = `${columnsOf(schema)}, ${provenanceList()}`;
  const why = rule === null ? "NULL::VARCHAR" : literal(rule);
  const own = Object.entries(rules).map(([name, text]) => `${literal(name)}: ${literal(text)}`);
  const mapType = "MAP(VARCHAR, VARCHAR)";
  const whyOwn = own.length === 0 ? `NULL::${mapType}` : `MAP {${own.join(", ")}}`;
  const published = `SELECT ${all}, 0::BIGINT AS _tw_rank, ${why} AS _tw_rule, ` +
    `${whyOwn} AS _tw_rules FROM (${rows})`;
  const parts = [published];
  if (lost.length > 0) {
    // Rows may have left the table since it was merged.
    const same = schema.key.map((name) => `p.${ident(name)} = l.${ident(name)}`).join(" AND ");
    parts.push(
      `SELECT ${all}, _tw_rank, NULL::VARCHAR AS _tw_rule, NULL::${mapType} AS _tw_rules FROM read_parquet(${
        literals(lost)
      }, union_by_name = true) l SEMI JOIN (${rows}) p ON ${same || "true"}`,
    );
  }
  return `SELECT * FROM (${parts.join("\nUNION ALL\n")}) ORDER BY ${orderOf(schema, "_tw_rank")}`;
}

function columnsOf({ columns }: TableSchema): string {
  return columns.map(({ name }) => ident(name)).join(", ");
}

/** Places tell equal keys and rows without a key apart, so that equal tables are equal files. */
function orderOf(schema: TableSchema, ...then: string[]): string {
  const places = ["_tw_source", "_tw_file", "_tw_row", "_tw_offset"];
  const tie = `hash(${columnsOf(schema)})`;
  const terms = schema.key.length > 0 ? [...schema.key.map(ident), ...then] : then;
  // A key is unique: of the data nothing needs to be told apart behind it.
  return schema.key.length > 0 && then.length === 0
    ? terms.join(", ")
    : [...terms, ...places, tie].join(", ");
}
