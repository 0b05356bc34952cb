/** @module Pieces of the lists that the REST API reads: conditions, order, patterns. */
import type { PendingQuery, Row } from "postgres";
import type { Sql } from "./database.ts";

/** A piece of a statement. */
export type Fragment = PendingQuery<Row[]>;

/** A page of a list. */
export interface Page {
  limit: number;
  offset: number;
  /** Names of fields, `-` before one for descending. */
  orderBy: readonly string[];
}

/** Rows that a list counts one by one; of more the planner's estimate has to do. */
export const COUNTED_ROWS_MAX = 100_000;

/**
 * How many rows `select 1 <rest>` gives: exact up to {@link COUNTED_ROWS_MAX}. Beyond that it is what
 * the planner expects, and at least one more: counting millions would take seconds for each page.
 */
export async function countRows(sql: Sql, rest: Fragment): Promise<number> {
  const [{ counted }] = await sql<{ counted: number }[]>`
    select count(*)::int as counted from (
      select 1 ${rest} limit ${COUNTED_ROWS_MAX + 1}) counted_rows`;
  if (counted <= COUNTED_ROWS_MAX) return counted;
  const [row] = await sql`explain (format json) select 1 ${rest}`;
  const [{ Plan: plan }] = Object.values(row)[0] as { Plan: { "Plan Rows": number } }[];
  return Math.max(counted, plan["Plan Rows"]);
}

/** Rows of a page, and how many there are in all. */
export interface Listed<T> {
  items: T[];
  total: number;
}

/** Bounds of a value; what is left out bounds nothing. */
export interface Bounds {
  gte?: Date | null;
  gt?: Date | null;
  lte?: Date | null;
  lt?: Date | null;
}

/** `where a and b`, or nothing. */
export function where(sql: Sql, conditions: readonly (Fragment | null)[]): Fragment {
  const given = conditions.filter((condition) => condition !== null);
  if (given.length === 0) return sql``;
  return given.slice(1).reduce(
    (all, condition) => sql`${all} and ${condition}`,
    sql`where ${given[0]}`,
  );
}

/**
 * `order by …` over the columns that the fields stand for; `last` makes the order total. Nulls come
 * last both ways; a column without nulls is written so that its index serves.
 */
export function orderBy(
  sql: Sql,
  fields: readonly string[],
  columns: Readonly<Record<string, Fragment | { nullable: Fragment }>>,
  last: Fragment,
): Fragment {
  const parts = fields.map((field) => {
    const descending = field.startsWith("-");
    const column = columns[descending ? field.slice(1) : field];
    if ("nullable" in column) {
      return descending ? sql`${column.nullable} desc nulls last` : sql`${column.nullable}`;
    }
    return descending ? sql`${column} desc` : sql`${column}`;
  });
  const all = parts.slice(1).reduce((sum, part) => sql`${sum}, ${part}`, parts[0]);
  return parts.length > 0 ? sql`order by ${all}, ${last}` : sql`order by ${last}`;
}

/** Conditions of bounds on a column. */
export function within(sql: Sql, column: Fragment, bounds: Bounds | undefined): Fragment[] {
  if (!bounds) return [];
  return [
    bounds.gte ? sql`${column} >= ${bounds.gte}` : null,
    bounds.gt ? sql`${column} > ${bounds.gt}` : null,
    bounds.lte ? sql`${column} <= ${bounds.lte}` : null,
    bounds.lt ? sql`${column} < ${bounds.lt}` : null,
  ].filter((condition) => condition !== null);
}

/** `column = any(values)`, or nothing where none are given. */
export function oneOf(
  sql: Sql,
  column: Fragment,
  values: readonly string[] | null | undefined,
): Fragment | null {
  return values ? sql`${column} = any(${[...values]})` : null;
}

/** Airflow's patterns: part of the text whatever its case, `%` and `_` free, `|` or, `~` all. */
export function matches(sql: Sql, column: Fragment, pattern: string | undefined): Fragment | null {
  const terms = termsOf(pattern);
  return terms && sql`${column} ilike any(${terms.map((term) => `%${term}%`)})`;
}

/** Beginnings of the text, `|` or. */
export function startsWith(
  sql: Sql,
  column: Fragment,
  prefix: string | undefined,
): Fragment | null {
  const terms = termsOf(prefix);
  return terms &&
    sql`exists (select from unnest(${terms}::text[]) p where starts_with(${column}, p))`;
}

function termsOf(pattern: string | undefined): string[] | null {
  return pattern === undefined || pattern === "" || pattern === "~" ? null : pattern.split("|");
}
