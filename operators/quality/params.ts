/** @module Parameters of `quality`. */
import { z } from "zod";
import { deskRowRules, deskTableRules } from "./desk_params.ts";
import { common, tableCommon } from "./rule_params.ts";

const Columns = z.array(z.string()).min(1);
const Bound = z.union([z.number(), z.string()]).optional();

/** A rule. Nulls pass every rule but not_null. */
export const Rule = z.discriminatedUnion("rule", [
  z.object({ rule: z.literal("not_null"), columns: Columns, ...common }),
  z.object({ rule: z.literal("unique"), columns: Columns, ...common }).meta({
    doc: "Of rows that are equal in these columns, all but the first fail",
  }),
  z.object({ rule: z.literal("range"), column: z.string(), min: Bound, max: Bound, ...common })
    .meta({ doc: "Bounds belong to the range; write exact ones as strings" }),
  z.object({ rule: z.literal("regex"), column: z.string(), pattern: z.string(), ...common }).meta({
    doc: "The whole text matches (RE2)",
  }),
  z.object({
    rule: z.literal("in_set"),
    column: z.string(),
    values: z.array(z.union([z.string(), z.number(), z.boolean()])).min(1),
    ...common,
  }),
  z.object({
    rule: z.literal("length"),
    column: z.string(),
    min: z.int().min(0).optional(),
    max: z.int().min(0).optional(),
    ...common,
  }),
  z.object({
    rule: z.literal("ohlc"),
    open: z.string().default("open"),
    high: z.string().default("high"),
    low: z.string().default("low"),
    close: z.string().default("close"),
    ...common,
  }).meta({ doc: "low ≤ open, close ≤ high, and none below zero" }),
  z.object({
    rule: z.literal("monotonic"),
    column: z.string(),
    by: z.array(z.string()).default([]),
    order: z.array(z.string()).min(1),
    strictly: z.boolean().default(false),
    ...common,
  }).meta({ doc: "Within rows equal in `by`, in this order, the column never falls" }),
  z.object({ rule: z.literal("sql"), expression: z.string().min(1), ...common }).meta({
    doc: "A condition that good rows meet",
    example: "volume >= 0 OR venue = 'OTC'",
  }),
  z.object({
    rule: z.literal("row_count"),
    min: z.int().min(0).optional(),
    max: z.int().min(0).optional(),
    ...tableCommon,
  }).meta({ doc: "Of the whole table: outside, it is not good enough" }),
  ...deskRowRules,
  ...deskTableRules,
]);
/** See {@link Rule}. */
export type Rule = z.infer<typeof Rule>;
/** One on single rows. */
export type RowRuleParams = Exclude<Rule, { rule: TableRuleParams["rule"] }>;
/** One on the table as a whole. */
export type TableRuleParams = Extract<
  Rule,
  { rule: "row_count" | "missing_session" | "freshness" | "curve_shape" }
>;

const tableRules: ReadonlySet<string> = new Set(
  ["row_count", "missing_session", "freshness", "curve_shape"] satisfies TableRuleParams["rule"][],
);

/** Is it a rule on the table as a whole? */
export function isTableRule(rule: Rule): rule is TableRuleParams {
  return tableRules.has(rule.rule);
}

/** Parameters of {@link ./mod.ts#quality}. */
export const QualityParams = z.object({
  completenessMin: z.number().min(0).max(1).default(0.95).meta({
    doc: "Share of cells that are not null, over the columns below",
  }),
  completenessColumns: z.array(z.string()).optional().meta({
    doc: "Columns that count for completeness; left out, all of them",
  }),
  errorRateMax: z.number().min(0).max(1).default(0.01).meta({
    doc: "Share of rows that fail a rule with severity quarantine or block",
  }),
  rules: z.array(Rule).max(200).default([]),
  onFail: z.enum(["fail", "warn"]).default("fail").meta({
    doc: "A bound is missed: fail the task, so that nothing downstream runs, or only say so",
  }),
});
/** See {@link QualityParams}. */
export type QualityParams = z.infer<typeof QualityParams>;
