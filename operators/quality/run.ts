/** @module Runs `quality`. */
import { basename, dirname, join } from "node:path";
import { AppError } from "../../src/model/errors.ts";
import type { TableRef, TableSchema } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { FinalError, type OperatorRun } from "../../src/sdk/operator.ts";
import { QuarantineWriter } from "../table/quarantine.ts";
import { provenanceList, rowsOfFiles } from "../table/rows.ts";
import { ident, literal } from "../table/sql.ts";
import type { QualityParams } from "./params.ts";
import { collectWrongCodes } from "./references.ts";
import { type RowRule, rowRules, schemaRules } from "./rules.ts";
import { tableFindings } from "./table_rules.ts";

/** Figures of a table, as they go into the attempt's metrics. */
export type QualityFigures = {
  rows: number;
  /** 0 to 1: completeness times the share of rows without an error. */
  score: number;
  completeness: number;
  errorRate: number;
  columns: Record<string, number>;
  rules: { name: string; severity: string; failed: number }[];
};

const PAGE_ROWS = 10_000;

/** Body of {@link ./mod.ts#quality}. */
export const run: OperatorRun<QualityParams, { from: TableRef }, TableRef> = async (
  { params, inputs: { from }, ctx },
) => {
  const paths = await Promise.all(from.files.map((file) => ctx.files.open(file)));
  await checkFormat(ctx, from, paths);
  const relation = await rowsOfFiles(ctx, from, paths);
  await collectWrongCodes(ctx, relation, params.rules, from.schema);
  const rules = [
    ...schemaRules(from.schema),
    ...rowRules(params.rules, from.schema, ctx.clock.now()),
  ];
  const base = baseRelation(relation, rules);
  const figures = await measure(ctx, base, from.schema, rules, params);
  const table = await tableFindings(ctx, base, from.schema, params.rules, figures.rows);
  for (const { why } of table.filter(({ severity }) => severity === "warn")) ctx.log.warn(why);
  const misses = [
    ...missedBounds(figures, rules, params),
    ...table.filter(({ severity }) => severity === "block").map(({ why }) => why),
  ];
  if (misses.length > 0) {
    const message = `The table ${from.schema.name} is not good enough: ${misses.join("; ")}`;
    if (params.onFail === "fail") throw new FinalError(message);
    ctx.log.warn(message);
  }
  const removing = rules.filter(({ severity }, i) =>
    severity !== "warn" && figures.rules[i].failed > 0
  );
  const warnings = table.filter(({ severity }) => severity === "warn").map(({ why }) => why);
  const metrics = { quality: { ...figures, misses, warnings } };
  if (removing.length === 0) {
    return { kind: "done", output: from, effects: { accounting: kept(from.rows), metrics } };
  }
  const { output, refused } = await takeOut(ctx, from, base, removing);
  return {
    kind: "done",
    output,
    effects: {
      accounting: { ...kept(output.rows), in: from.rows, quarantined: refused.rows },
      quarantine: [refused],
      metrics,
    },
  };
};

function kept(rows: number) {
  return { in: rows, generated: 0, out: rows, quarantined: 0, mergedAway: 0, filtered: 0 };
}

/** The files are what the table says: Parquet, with its columns and types, and its rows. */
async function checkFormat(ctx: TaskContext, table: TableRef, paths: string[]): Promise<void> {
  let rows = 0;
  for (const [i, path] of paths.entries()) {
    const answer = await ctx.engine.run(
      `SELECT num_rows FROM parquet_file_metadata(${literal(path)})`,
      { rowsMax: 1 },
    );
    rows += Number(answer.rows[0][0]);
    const { columns } = await ctx.engine.run(`SELECT * FROM read_parquet(${literal(path)})`);
    const found = new Set(columns.map(({ name }) => name));
    const missing = table.schema.columns.filter(({ name }) => !found.has(name));
    if (missing.length > 0) {
      throw new FinalError(
        `File ${table.files[i].name ?? table.files[i].key} of table ${table.schema.name} has no ` +
          `column ${missing.map(({ name }) => name).join(", ")}`,
      );
    }
  }
  if (rows !== table.rows) {
    throw new FinalError(
      `Table ${table.schema.name} should have ${table.rows} rows, its files have ${rows}`,
    );
  }
}

function baseRelation(rows: string, rules: readonly RowRule[]): string {
  const inner = withColumns(rows, rules.map((rule) => rule.inner));
  return withColumns(inner, rules.map((rule) => rule.windows));
}

function withColumns(rows: string, columns: readonly Readonly<Record<string, string>>[]): string {
  const all = columns.flatMap((one) =>
    Object.entries(one).map(([name, sql]) => `${sql} AS ${name}`)
  );
  return all.length === 0 ? rows : `SELECT *, ${all.join(", ")} FROM (${rows})`;
}

async function measure(
  ctx: TaskContext,
  base: string,
  { columns }: TableSchema,
  rules: readonly RowRule[],
  { completenessColumns }: QualityParams,
): Promise<QualityFigures> {
  const counted = completenessColumns ?? columns.map(({ name }) => name);
  const unknown = counted.find((name) => !columns.some((column) => column.name === name));
  if (unknown !== undefined) {
    throw new AppError("INVALID", `Cannot measure completeness: there is no column "${unknown}"`);
  }
  const errors = rules.filter(({ severity }) => severity !== "warn")
    .map(({ fails }) => `coalesce(${fails}, false)`);
  const { rows: [figures] } = await ctx.engine.run(
    `SELECT ${
      [
        "count(*)",
        errors.length === 0 ? "0" : `count_if(${errors.join(" OR ")})`,
        ...counted.map((name) => `count(${ident(name)})`),
        ...rules.map(({ fails }) => `count_if(${fails})`),
      ].join(",\n")
    } FROM (${base})`,
    { rowsMax: 1 },
  );
  const [rows, failing, ...counts] = figures.map(Number);
  const share = (part: number, all: number) => all === 0 ? 1 : part / all;
  const present = counts.slice(0, counted.length);
  const completeness = share(present.reduce((a, b) => a + b, 0), rows * counted.length);
  const errorRate = rows === 0 ? 0 : failing / rows;
  return {
    rows,
    score: completeness * (1 - errorRate),
    completeness,
    errorRate,
    columns: Object.fromEntries(counted.map((name, i) => [name, share(present[i], rows)])),
    rules: rules.map(({ name, severity }, i) => ({
      name,
      severity,
      failed: counts[counted.length + i],
    })),
  };
}

function missedBounds(
  figures: QualityFigures,
  rules: readonly RowRule[],
  { completenessMin, errorRateMax }: QualityParams,
): string[] {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  const misses: string[] = [];
  if (figures.completeness < completenessMin) {
    const worst = Object.entries(figures.columns).toSorted((a, b) => a[1] - b[1])[0];
    misses.push(
      `completeness is ${percent(figures.completeness)}, below ${percent(completenessMin)} ` +
        `(worst: ${worst[0]}, ${percent(worst[1])})`,
    );
  }
  if (figures.errorRate > errorRateMax) {
    misses.push(`${percent(figures.errorRate)} of its rows fail, above ${percent(errorRateMax)}`);
  }
  for (const [i, { name, severity }] of rules.entries()) {
    const { failed } = figures.rules[i];
    if (severity === "block" && failed > 0) misses.push(`${failed} rows fail rule "${name}"`);
  }
  return misses;
}

/** Write the table without the rows that fail, and those to quarantine by their first rule. */
async function takeOut(ctx: TaskContext, from: TableRef, base: string, rules: RowRule[]) {
  const dir = await Deno.makeTempDir({ dir: ctx.workDir, prefix: "quality-" });
  const any = rules.map(({ fails }) => `coalesce(${fails}, false)`).join(" OR ");
  const columns = from.schema.columns.map(({ name }) => ident(name)).join(", ");
  const path = join(dir, "good.parquet");
  const { rowsChanged: rows } = await ctx.engine.run(
    `SELECT ${columns}, ${provenanceList()} FROM (${base}) WHERE NOT (${any})`,
    { to: { path, format: "parquet" } },
  );
  const quarantine = new QuarantineWriter(join(dir, "quarantine.ndjson"));
  await refuse(ctx, quarantine, { base, any, rules, schema: from.schema });
  const refused = await quarantine.finish(ctx, {
    dataset: from.schema.name,
    source: from.sources.join(", "),
  });
  const files = rows === 0 ? [] : [
    await ctx.files.put(path, {
      name: `${from.schema.name}.parquet`,
      mediaType: "application/vnd.apache.parquet",
      rows,
    }),
  ];
  return { output: { ...from, files, rows, provenance: [] }, refused: refused! };
}

async function refuse(
  ctx: TaskContext,
  quarantine: QuarantineWriter,
  { base, any, rules, schema }: {
    base: string;
    any: string;
    rules: RowRule[];
    schema: TableSchema;
  },
): Promise<void> {
  const first = rules.map(({ fails }, i) => `WHEN coalesce(${fails}, false) THEN ${i}`).join(" ");
  const members = schema.columns.map(({ name }) => `${literal(name)}, ${ident(name)}::VARCHAR`);
  const table = `refused_${basename(dirname(quarantine.path)).replace(/\W/g, "_")}`;
  await ctx.engine.run(
    `CREATE TEMP TABLE ${table} AS SELECT row_number() OVER () AS n, _tw_file, _tw_row, ` +
      `_tw_offset, CASE ${first} END AS rule, json_object(${members.join(", ")})::VARCHAR AS raw ` +
      `FROM (${base}) WHERE ${any}`,
  );
  for (let after = 0;; after += PAGE_ROWS) {
    ctx.signal.throwIfAborted();
    const { rows } = await ctx.engine.run(
      `SELECT * FROM ${table} WHERE n > ? AND n <= ? ORDER BY n`,
      { params: [after, after + PAGE_ROWS], rowsMax: PAGE_ROWS },
    );
    for (const [, file, row, offset, rule, raw] of rows) {
      const { name, column, reason } = rules[rule as number];
      await quarantine.add({
        file: (file ?? "") as string,
        row: row === null ? null : Number(row),
        offset: offset === null ? null : Number(offset),
        column,
        rule: name,
        reason: `Rule "${name}": ${reason}`,
        raw: raw as string,
      });
    }
    if (rows.length < PAGE_ROWS) break;
  }
  await ctx.engine.run(`DROP TABLE ${table}`);
}
