/** @module Do the tables fit each other, and the rules them? */
import type { Column, TableRef, TableSchema } from "../../src/model/data.ts";
import { refusal } from "../table/refusal.ts";
import type { MergeParams } from "./params.ts";

/** Throws INVALID unless all have the same columns; their order may differ. */
export function checkSchemas(from: readonly TableRef[]): void {
  const [first, ...others] = from;
  for (const [i, other] of others.entries()) {
    const problem = difference(first.schema, other.schema);
    if (problem === null) continue;
    throw refusal(
      "INVALID",
      `Cannot merge table ${
        i + 2
      } ("${other.schema.name}") with table 1 ("${first.schema.name}"): ` +
        `${problem}; all must have the same columns`,
    );
  }
}

function difference(a: TableSchema, b: TableSchema): string | null {
  const find = (schema: TableSchema, name: string) =>
    schema.columns.find((column) => column.name === name);
  for (const column of a.columns) {
    const same = find(b, column.name);
    if (!same) return `it has no column "${column.name}"`;
    if (same.type !== column.type || same.nullable !== column.nullable) {
      return `its column "${column.name}" is ${typeOf(same)}, not ${typeOf(column)}`;
    }
  }
  const extra = b.columns.find(({ name }) => !find(a, name));
  return extra ? `it also has a column "${extra.name}"` : null;
}

function typeOf({ type, nullable }: Column): string {
  return nullable ? type : `${type} NOT NULL`;
}

/** Throws INVALID for a parameter that names a column which the table has not. */
export function checkColumns(schema: TableSchema, { key, resolve, fields }: MergeParams): void {
  const has = new Set(schema.columns.map(({ name }) => name));
  const check = (name: unknown, where: string) => {
    if (typeof name !== "string" || has.has(name)) return;
    throw refusal(
      "INVALID",
      `Cannot merge "${schema.name}": ${where} names the column "${name}"; it has ` +
        [...has].join(", "),
    );
  };
  for (const name of key) check(name, "key");
  for (const name of Object.keys(fields)) check(name, "fields");
  for (const [where, mode] of [["resolve", resolve] as const, ...Object.entries(fields)]) {
    if ("lastWriteWins" in mode) check(mode.lastWriteWins, where);
    if ("firstWriteWins" in mode) check(mode.firstWriteWins, where);
  }
}
