/** @module Rules on a table as a whole. */
import type { TableSchema } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { literals } from "../table/sql.ts";
import { isTableRule, type Rule, type TableRuleParams } from "./params.ts";
import { columnsFor } from "./rules.ts";

/** What is wrong with a table. */
export interface TableFinding {
  severity: "warn" | "block";
  why: string;
}

const EXAMPLES = 5;

/** Findings of all rules on the table. Throws INVALID when one names a column that it has not. */
export async function tableFindings(
  ctx: TaskContext,
  base: string,
  schema: TableSchema,
  rules: readonly Rule[],
  rows: number,
): Promise<TableFinding[]> {
  const findings: TableFinding[] = [];
  for (const rule of rules) {
    if (!isTableRule(rule)) continue;
    const why = await finding(ctx, base, schema, rule, rows);
    if (why !== null) {
      findings.push({ severity: rule.severity, why: rule.name ? `${rule.name}: ${why}` : why });
    }
  }
  return findings;
}

async function finding(
  ctx: TaskContext,
  base: string,
  schema: TableSchema,
  rule: TableRuleParams,
  rows: number,
): Promise<string | null> {
  const has = columnsFor(rule, schema);
  if (rule.rule === "row_count") {
    const { min = 0, max = Infinity } = rule;
    return rows < min || rows > max ? `it has ${rows} rows, not ${min} to ${max}` : null;
  }
  if (rule.rule === "freshness") return await staleness(ctx, base, has(rule.column), rule);
  const isCurve = rule.rule === "curve_shape";
  const value = isCurve ? `${has(rule.tenor)}::VARCHAR` : `${has(rule.column)}::DATE::VARCHAR`;
  const wanted = isCurve ? rule.tenors : rule.dates;
  const groups = rule.by.map(has);
  const all = wanted
    ? `SELECT unnest(${literals(wanted)}) AS value`
    : `SELECT DISTINCT ${value} AS value FROM (${base}) WHERE ${value} IS NOT NULL`;
  const keys = groups.length > 0 ? groups.join(", ") : "true";
  const { rows: missing } = await ctx.engine.run(
    `WITH base AS (SELECT ${
      keys === "true" ? "true AS k" : `[${groups.map((g) => `${g}::VARCHAR`).join(", ")}] AS k`
    }, ` +
      `${value} AS value FROM (${base})), ` +
      `wanted AS (SELECT k, value FROM (SELECT DISTINCT k FROM base), (${all})) ` +
      `SELECT k::VARCHAR, value, count(*) OVER () FROM wanted ANTI JOIN base USING (k, value) ` +
      `ORDER BY value, k LIMIT ${EXAMPLES}`,
    { rowsMax: EXAMPLES },
  );
  if (missing.length === 0) return null;
  const shown = missing.map(([key, one]) => groups.length > 0 ? `${one} of ${key}` : String(one));
  const what = isCurve ? "tenors" : "sessions";
  return `${missing[0][2]} ${what} are missing: ${shown.join(", ")}` +
    (Number(missing[0][2]) > EXAMPLES ? ", …" : "");
}

async function staleness(
  ctx: TaskContext,
  base: string,
  column: string,
  { withinMinutes, column: name }: Extract<TableRuleParams, { rule: "freshness" }>,
): Promise<string | null> {
  const { rows: [[newest, ms]] } = await ctx.engine.run(
    `SELECT max(${column})::VARCHAR, epoch_ms(max(${column})::TIMESTAMP) FROM (${base})`,
    { rowsMax: 1 },
  );
  if (newest === null) return `it has no ${name}`;
  const minutes = (ctx.clock.now().getTime() - Number(ms)) / 60_000;
  if (minutes <= withinMinutes) return null;
  return `its newest ${name}, ${newest}, is ${Math.floor(minutes)} minutes old, more than ` +
    `${withinMinutes}`;
}
