/**
 * @module Rows as JSON, by one encoding for every type, so that they come back as they were:
 *
 * - integers of any size and decimals: numbers, digit by digit;
 * - floats: the shortest number that is the same float; NaN, Infinity and -Infinity: strings;
 * - dates, times and timestamps: ISO 8601 with all digits of the second; instants with Z;
 * - bytes: base64 strings;
 * - lists: arrays; structs: objects with all their fields; maps: arrays of objects with key and value;
 * - JSON columns: the JSON itself; null: null.
 */
import { columnType, textOfColumn } from "../../../table/column_type.ts";
import { ident, literal } from "../../../table/sql.ts";
import type { WriteColumn } from "../format.ts";
import { nestedJson, typeTree } from "./nested.ts";

/** The SELECT of one text of JSON a row. */
export function jsonLines(relation: string, columns: readonly WriteColumn[]): string {
  const members = columns.map(({ name, type }) =>
    `${literal(`${JSON.stringify(name)}:`)} || coalesce(${jsonOf(ident(name), type)}, 'null')`
  );
  return `SELECT '{' || ${members.join(" || ',' || ")} || '}' AS line FROM (${relation})`;
}

/** The JSON text of the expression `v`; null where it is null. */
function jsonOf(v: string, type: string): string {
  const { kind } = columnType(type);
  switch (kind) {
    case "integer":
    case "decimal":
    case "boolean":
    case "json":
      return `(${v})::VARCHAR`;
    case "float":
      return `CASE WHEN isfinite(${v}) THEN (${v})::VARCHAR WHEN isnan(${v}) THEN '"NaN"' ` +
        `WHEN ${v} > 0 THEN '"Infinity"' WHEN ${v} < 0 THEN '"-Infinity"' END`;
    case "nested": {
      const tree = typeTree(type);
      return tree ? nestedJson(tree, v, jsonOf) : `to_json(${v})::VARCHAR`;
    }
    case "blob":
      return `'"' || to_base64(${v}) || '"'`;
    case "timestamp":
      return `'"' || ${isoText(textOfColumn(v, type))} || '"'`;
    default:
      return `to_json(${textOfColumn(v, type)})::VARCHAR`;
  }
}

/** ISO 8601; years that it does not have stay as the engine writes them. */
function isoText(text: string): string {
  return `CASE WHEN (${text})[11] = ' ' AND (${text})[12] <> '(' ` +
    `THEN regexp_replace(replace(${text}, ' ', 'T'), '\\+00(:00)?$', 'Z') ELSE ${text} END`;
}
