/** @module What changed between two schemas of a dataset, and whether its readers can go on. */
import type { TableSchema } from "./data.ts";

/** One difference. */
export interface SchemaChange {
  kind: "added" | "removed" | "retyped" | "nullable" | "required" | "moved" | "key";
  /** Null for the key. */
  column: string | null;
  /** Type, or key; null for what was not there. */
  before: string | null;
  after: string | null;
  /** A reader that was written for the schema before may fail, or take a value for another. */
  isBreaking: boolean;
}

/** Digits behind the second. */
const stamps = ["TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS"];
const signed = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"];
const unsigned = ["UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"];

/** All differences, in the order of the columns. */
export function schemaChanges(before: TableSchema, after: TableSchema): SchemaChange[] {
  const old = new Map(before.columns.map((column) => [column.name, column]));
  const now = new Map(after.columns.map((column) => [column.name, column]));
  const changes: SchemaChange[] = [];
  for (const { name, type, nullable } of after.columns) {
    const was = old.get(name);
    if (!was) {
      changes.push({ kind: "added", column: name, before: null, after: type, isBreaking: false });
      continue;
    }
    const both = { column: name, before: was.type, after: type };
    if (was.type !== type) {
      changes.push({ ...both, kind: "retyped", isBreaking: !isWider(was.type, type) });
    }
    if (was.nullable && !nullable) changes.push({ ...both, kind: "required", isBreaking: false });
    if (!was.nullable && nullable) changes.push({ ...both, kind: "nullable", isBreaking: true });
  }
  for (const { name, type } of before.columns) {
    if (now.has(name)) continue;
    changes.push({ kind: "removed", column: name, before: type, after: null, isBreaking: true });
  }
  const key = (schema: TableSchema) => schema.key.join(", ");
  if (key(before) !== key(after)) {
    const [was, is] = [key(before), key(after)];
    changes.push({ kind: "key", column: null, before: was, after: is, isBreaking: true });
  }
  if (changes.length === 0) changes.push(...moved(before, after));
  return changes;
}

/** May a dataset go on with this schema without breaking its readers? */
export function isCompatible(before: TableSchema, after: TableSchema): boolean {
  return schemaChanges(before, after).every(({ isBreaking }) => !isBreaking);
}

/** The same columns in another order: readers go by name. */
function moved(before: TableSchema, after: TableSchema): SchemaChange[] {
  return after.columns.flatMap(({ name, type }, i) =>
    before.columns[i].name === name
      ? []
      : [{ kind: "moved" as const, column: name, before: type, after: type, isBreaking: false }]
  );
}

/** Does each value of the one type have its equal in the other, of the same kind? */
function isWider(before: string, after: string): boolean {
  for (const list of [stamps, signed, unsigned]) {
    const [from, to] = [list.indexOf(before), list.indexOf(after)];
    // Nanoseconds reach from 1677 to 2262 only.
    if (from >= 0 && to >= 0) return to >= from && after !== "TIMESTAMP_NS";
  }
  if (before === "FLOAT" && after === "DOUBLE") return true;
  const [from, to] = [decimalOf(before), decimalOf(after)];
  if (from === null || to === null) return false;
  return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
}

function decimalOf(type: string): { precision: number; scale: number } | null {
  const match = type.match(/^DECIMAL\((\d+),(\d+)\)$/);
  return match ? { precision: Number(match[1]), scale: Number(match[2]) } : null;
}
