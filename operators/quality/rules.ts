/** @module Rules as SQL: for each row, does it fail? */
import { AppError } from "../../src/model/errors.ts";
import type { TableSchema } from "../../src/model/data.ts";
import { columnType } from "../table/column_type.ts";
import { ident, literal } from "../table/sql.ts";
import { deskParts } from "./desk_rules.ts";
import { isTableRule, type RowRuleParams, type Rule } from "./params.ts";

/** A rule on rows, made ready. */
export interface RowRule {
  name: string;
  kind: string;
  severity: RowRuleParams["severity"];
  /** The one column that it is about, if it is one. */
  column: string | null;
  /** SQL that is true for a row that fails, over the base relation. */
  fails: string;
  /** Columns of the base relation that `fails` needs: windows. */
  windows: Record<string, string>;
  /** Columns that the windows need, made in a relation below them. */
  inner: Record<string, string>;
  /** Says what is wrong, for people. */
  reason: string;
}

/** The row rules. Throws INVALID when one names a column that the table has not. */
export function rowRules(rules: readonly Rule[], schema: TableSchema, now: Date): RowRule[] {
  return rules.filter((rule) => !isTableRule(rule))
    .map((rule, index) => rowRule(rule, index, schema, now));
}

/** What the schema itself asks for: columns that may not be null are not. */
export function schemaRules({ columns }: TableSchema): RowRule[] {
  const required = columns.filter(({ nullable }) => !nullable).map(({ name }) => name);
  if (required.length === 0) return [];
  return [{
    name: "schema",
    kind: "not_null",
    severity: "quarantine",
    column: null,
    fails: required.map((name) => `${ident(name)} IS NULL`).join(" OR "),
    windows: {},
    inner: {},
    reason: `One of ${required.join(", ")} is null, and may not be`,
  }];
}

function rowRule(
  rule: RowRuleParams,
  index: number,
  schema: TableSchema,
  now: Date,
): RowRule {
  const has = columnsFor(rule, schema);
  const window = `_tw_rule_${index}`;
  const { fails, windows = {}, inner = {}, reason, columns } = parts(rule, {
    has,
    window,
    schema,
    now,
  });
  return {
    name: rule.name ?? [rule.rule, ...columns].join(" "),
    kind: rule.rule,
    severity: rule.severity,
    column: columns.length === 1 ? columns[0] : null,
    fails,
    windows,
    inner,
    reason,
  };
}

/** Names of columns in SQL, for a rule; throws INVALID for one that the table has not. */
export function columnsFor(rule: Rule, { columns }: TableSchema): (name: string) => string {
  return (name) => {
    if (columns.some((column) => column.name === name)) return ident(name);
    throw new AppError(
      "INVALID",
      `Cannot check rule "${rule.name ?? rule.rule}": the table has no column "${name}", only ` +
        columns.map((column) => column.name).join(", "),
    );
  };
}

/** A rule as SQL. */
export interface Parts {
  fails: string;
  windows?: Record<string, string>;
  inner?: Record<string, string>;
  reason: string;
  columns: string[];
}

/** What a rule is made for. */
export interface Scope {
  /** The column in SQL; throws INVALID when the table has none. */
  has(name: string): string;
  /** Name for a window of its own. */
  window: string;
  schema: TableSchema;
  now: Date;
}

function parts(rule: RowRuleParams, scope: Scope): Parts {
  switch (rule.rule) {
    case "not_null": {
      const fails = rule.columns.map((name) => `${scope.has(name)} IS NULL`).join(" OR ");
      return { fails, columns: rule.columns, reason: `${rule.columns.join(" or ")} is null` };
    }
    case "unique":
      return uniqueParts(rule, scope);
    case "range":
      return rangeParts(rule, scope);
    case "regex":
      return {
        fails: `NOT regexp_full_match(${scope.has(rule.column)}::VARCHAR, ${
          literal(rule.pattern)
        })`,
        columns: [rule.column],
        reason: `${rule.column} does not match ${rule.pattern}`,
      };
    case "in_set": {
      const values = rule.values.map((value) => bound(value, rule.column, scope)).join(", ");
      return {
        fails: `${scope.has(rule.column)} NOT IN (${values})`,
        columns: [rule.column],
        reason: `${rule.column} is none of ${rule.values.slice(0, 20).join(", ")}`,
      };
    }
    case "length":
      return lengthParts(rule, scope);
    case "ohlc":
      return ohlcParts(rule, scope);
    case "monotonic":
      return monotonicParts(rule, scope);
    case "sql":
      return {
        fails: `NOT (\n${rule.expression}\n)`,
        columns: [],
        reason: `it does not meet ${rule.expression}`,
      };
    default:
      return deskParts(rule, scope);
  }
}

function uniqueParts({ columns }: Extract<Rule, { rule: "unique" }>, scope: Scope): Parts {
  const names = columns.map(scope.has);
  return {
    fails: `${scope.window} > 1 AND ${names.map((name) => `${name} IS NOT NULL`).join(" AND ")}`,
    windows: {
      [scope.window]: `row_number() OVER (PARTITION BY ${names.join(", ")} ` +
        `ORDER BY _tw_source, _tw_file, _tw_row)`,
    },
    columns,
    reason: `an earlier row has the same ${columns.join(", ")}`,
  };
}

function rangeParts({ column, min, max }: Extract<Rule, { rule: "range" }>, scope: Scope): Parts {
  const name = scope.has(column);
  const tests = [
    ...(min === undefined ? [] : [`${name} < ${bound(min, column, scope)}`]),
    ...(max === undefined ? [] : [`${name} > ${bound(max, column, scope)}`]),
  ];
  if (tests.length === 0) {
    throw new AppError("INVALID", `Cannot check the range of ${column}: it has no bound`);
  }
  return {
    fails: tests.join(" OR "),
    columns: [column],
    reason: `${column} is not between ${min ?? "-∞"} and ${max ?? "∞"}`,
  };
}

function lengthParts({ column, min, max }: Extract<Rule, { rule: "length" }>, scope: Scope): Parts {
  const length = `length(${scope.has(column)}::VARCHAR)`;
  return {
    fails: `${length} < ${min ?? 0}${max === undefined ? "" : ` OR ${length} > ${max}`}`,
    columns: [column],
    reason: `${column} does not have ${min ?? 0} to ${max ?? "any number of"} characters`,
  };
}

function ohlcParts(rule: Extract<Rule, { rule: "ohlc" }>, scope: Scope): Parts {
  const columns = [rule.open, rule.high, rule.low, rule.close];
  const [open, high, low, close] = columns.map(scope.has);
  return {
    fails: `coalesce(${low} > ${high}, false) OR coalesce(${open} > ${high}, false) ` +
      `OR coalesce(${close} > ${high}, false) OR coalesce(${open} < ${low}, false) ` +
      `OR coalesce(${close} < ${low}, false) OR coalesce(${low} < 0, false)`,
    columns,
    reason: `open and close are not between low and high`,
  };
}

function monotonicParts(rule: Extract<Rule, { rule: "monotonic" }>, scope: Scope): Parts {
  const { column, by, order, strictly } = rule;
  const name = scope.has(column);
  const partition = by.length > 0 ? `PARTITION BY ${by.map(scope.has).join(", ")} ` : "";
  const ordered = [...order.map(scope.has), "_tw_source", "_tw_file", "_tw_row"].join(", ");
  return {
    fails: `${name} ${strictly ? "<=" : "<"} ${scope.window}`,
    windows: { [scope.window]: `lag(${name}) OVER (${partition}ORDER BY ${ordered})` },
    columns: [column],
    reason: `${column} ${strictly ? "does not rise" : "falls"} in the order of ${order.join(", ")}`,
  };
}

/** A constant to compare a column with: exact, never through the column's own scale. */
function bound(value: string | number | boolean, column: string, { schema }: Scope): string {
  const { type } = schema.columns.find(({ name }) => name === column)!;
  const { kind, sql } = columnType(type);
  const isNumber = kind === "integer" || kind === "decimal" || kind === "float";
  if (!isNumber) return `${literal(String(value))}::${sql}`;
  if (/^-?\d+(\.\d+)?$/.test(String(value))) return String(value);
  if (Number.isFinite(Number(value)) && String(value).trim() !== "") {
    return `${literal(String(value))}::DOUBLE`;
  }
  throw new AppError("INVALID", `Cannot compare column "${column}" with ${JSON.stringify(value)}`);
}
