/** @module The SELECT that writes rows as plain Parquet, for formats that are written in TypeScript. */
import { ident } from "../../table/sql.ts";
import type { WriteColumn } from "./format.ts";

/** A SELECT of the columns as plain Parquet can hold them, for {@link ./plain_rows.ts#plainRows}. */
export function plainSelect(relation: string, columns: readonly WriteColumn[]): string {
  const selected = columns.map(({ name, type }) => {
    const column = ident(name);
    return type === "TIME_NS" ? `epoch_ns(${column}) AS ${column}` : column;
  });
  return `SELECT ${selected.join(", ")} FROM (${relation})`;
}

/** Which of the timestamps of nanoseconds in a type have a zone. */
export function zonesOf(type: string): boolean[] {
  return [...type.matchAll(/"(?:[^"]|"")*"|\bTIMESTAMP_NS( WITH TIME ZONE)?/g)]
    .filter(([text]) => !text.startsWith('"'))
    .map(([, zone]) => zone !== undefined);
}
