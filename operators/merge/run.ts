/** @module The body of `merge`. */
import type { ColumnLineage, FileRef, TableRef } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import type { OperatorRun } from "../../src/sdk/operator.ts";
import { columnLineage } from "../table/inputs.ts";
import { refusal } from "../table/refusal.ts";
import { provenanceList, tableRows } from "../table/rows.ts";
import { ident, literals } from "../table/sql.ts";
import { checkColumns, checkSchemas } from "./check.ts";
import { type MergeParams, ruleText } from "./params.ts";
import { type MergePlan, planMerge, rankedTable } from "./plan.ts";
import { refuseRows } from "./refuse_rows.ts";

/** Merge. Throws INVALID for tables of different schemas, CORRUPT for files with other rows. */
export const run: OperatorRun<MergeParams, { from: TableRef[] }, TableRef> = async (
  { params, inputs: { from }, ctx },
) => {
  checkSchemas(from);
  checkColumns(from[0].schema, params);
  warnOfUnnamed(ctx, from, params);
  const schema = { ...from[0].schema, key: params.key };
  const selects = await Promise.all(from.map((table) => tableRows(ctx, { ...table, schema })));
  const earlier = await earlierLosers(ctx, from);
  const rows = selects.map((select) => `(${select})`).join("\nUNION ALL\n");
  const plan = planMerge({ rows, earlier, schema, params });

  const { total, refused } = await countRows(ctx, plan, from);
  const quarantine = refused === 0 ? [] : await refuseRows(ctx, plan, { schema, key: params.key });
  await ctx.engine.run(plan.rank);
  const merged = await write(ctx, plan.winners, "merged.parquet");
  const lost = await write(ctx, plan.losers, "lineage.parquet");
  const won = await ctx.engine.run(plan.wonBySource, { rowsMax: 10_000 });
  await ctx.engine.run(`DROP TABLE ${rankedTable}`);

  const out = merged.rows!;
  const output: TableRef = {
    kind: "table",
    schema,
    files: [merged],
    rows: out,
    sources: unique(from.flatMap(({ sources }) => sources)),
    inputs: unique(from.flatMap(({ inputs }) => inputs)),
    lineage: lost.rows === 0 ? [] : [lost],
    provenance: [],
    columns: mergedColumns(from, params),
  };
  return {
    kind: "done",
    output,
    effects: {
      accounting: {
        in: total,
        generated: 0,
        out,
        quarantined: refused,
        mergedAway: total - refused - out,
        filtered: 0,
      },
      quarantine,
      metrics: {
        tables: from.length,
        wonBySource: Object.fromEntries(won.rows.map(([source, n]) => [String(source), n])),
      },
    },
  };
};

/** A source without a place in an order is allowed, but rarely meant. */
function warnOfUnnamed(ctx: TaskContext, from: TableRef[], { resolve, fields }: MergeParams): void {
  const sources = unique(from.flatMap((table) => table.sources));
  for (const [where, mode] of [["resolve", resolve] as const, ...Object.entries(fields)]) {
    if (!("priority" in mode)) continue;
    const unnamed = sources.filter((source) => !mode.priority.includes(source));
    if (unnamed.length === 0) continue;
    ctx.log.warn(`Sources that the priority does not name come after those that it does`, {
      where,
      unnamed,
      priority: mode.priority,
    });
  }
}

/** What lost in merges before this one. */
async function earlierLosers(ctx: TaskContext, from: TableRef[]): Promise<string | null> {
  const files = from.flatMap(({ lineage }) => lineage);
  if (files.length === 0) return null;
  const paths = await Promise.all(files.map((file) => ctx.files.open(file)));
  const columns = from[0].schema.columns.map(({ name }) => ident(name)).join(", ");
  return `SELECT ${columns}, ${provenanceList()}, _tw_rank ` +
    `FROM read_parquet(${literals(paths)}, union_by_name = true)`;
}

async function countRows(
  ctx: TaskContext,
  plan: MergePlan,
  from: TableRef[],
): Promise<{ total: number; refused: number }> {
  const { rows: [[total, refused]] } = await ctx.engine.run(plan.count, { rowsMax: 1 });
  const told = from.reduce((sum, { rows }) => sum + rows, 0);
  if (Number(total) !== told) {
    throw refusal(
      "CORRUPT",
      `Cannot merge: the files of the ${from.length} tables hold ${total} rows, not ${told}`,
    );
  }
  return { total: told, refused: Number(refused) };
}

async function write(ctx: TaskContext, sql: string, name: string): Promise<FileRef> {
  const path = `${ctx.workDir}/${name}`;
  const { rowsChanged } = await ctx.engine.run(sql, { to: { path, format: "parquet" } });
  return await ctx.files.put(path, {
    name,
    mediaType: "application/vnd.apache.parquet",
    rows: rowsChanged,
  });
}

/** A key's column carries the rule of the row. */
function mergedColumns(from: TableRef[], { resolve, fields }: MergeParams): ColumnLineage[] {
  const before = from.map(columnLineage);
  return from[0].schema.columns.map(({ name }) => {
    const inputs = new Map(
      before.flatMap((columns) => columns.find(({ column }) => column === name)?.inputs ?? [])
        .map((input) => [JSON.stringify([input.dataset, input.column]), input]),
    );
    return {
      column: name,
      inputs: [...inputs].sort(([a], [b]) => a < b ? -1 : 1).map(([, input]) => input),
      transformation: ruleText(fields[name] ?? resolve),
    };
  });
}

function unique(texts: string[]): string[] {
  return [...new Set(texts)].sort();
}
