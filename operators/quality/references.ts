/** @module Codes that are none: each different text of a column is looked at once. */
import type { TableSchema } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import {
  isBic,
  isCurrency,
  isCusip,
  isFigi,
  isIban,
  isIsin,
  isLei,
  isSedol,
} from "../convert/inference/check_digits.ts";
import { countryCodes, marketCodes } from "../convert/inference/codes.ts";
import { ident, literals } from "../table/sql.ts";
import { type DeskRule, wrongCodes } from "./desk_rules.ts";
import type { Rule } from "./params.ts";

type Reference = Extract<DeskRule, { rule: "reference" }>;

const countries = new Set(countryCodes);
const markets = new Set(marketCodes);
const tests: Record<Reference["kind"], (text: string) => boolean> = {
  isin: isIsin,
  cusip: isCusip,
  sedol: isSedol,
  figi: isFigi,
  lei: isLei,
  iban: isIban,
  bic: isBic,
  currency: isCurrency,
  country: (text) => countries.has(text),
  mic: (text) => markets.has(text),
};

const PAGE_ROWS = 10_000;

/** Fill a table with the wrong codes of each such rule; see {@link wrongCodes}. */
export async function collectWrongCodes(
  ctx: TaskContext,
  relation: string,
  rules: readonly Rule[],
  { columns }: TableSchema,
): Promise<void> {
  for (const rule of rules) {
    // A column that is not there is said where the rule is made.
    if (rule.rule !== "reference" || !columns.some(({ name }) => name === rule.column)) continue;
    await collect(ctx, relation, rule);
  }
}

async function collect(ctx: TaskContext, relation: string, rule: Reference): Promise<void> {
  const name = ident(rule.column);
  const wrong = wrongCodes(rule);
  const isCode = tests[rule.kind];
  await ctx.engine.run(`CREATE OR REPLACE TEMP TABLE ${wrong} (code VARCHAR)`);
  for (let after: string | null = null;;) {
    ctx.signal.throwIfAborted();
    const page = await ctx.engine.run(
      `SELECT DISTINCT ${name}::VARCHAR AS code FROM (${relation}) WHERE ${name} IS NOT NULL` +
        `${after === null ? "" : ` AND ${name}::VARCHAR > ?`} ORDER BY code LIMIT ${PAGE_ROWS}`,
      { params: after === null ? [] : [after], rowsMax: PAGE_ROWS },
    );
    const codes = page.rows.map(([code]) => code as string);
    const bad = codes.filter((code) => !isCode(code));
    if (bad.length > 0) {
      await ctx.engine.run(`INSERT INTO ${wrong} SELECT unnest(${literals(bad)})`);
    }
    if (codes.length < PAGE_ROWS) return;
    after = codes[codes.length - 1];
  }
}
