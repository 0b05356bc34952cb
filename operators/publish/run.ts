/** @module The body of `publish`. */
import type {
  ColumnLineage,
  FileRef,
  PublishIntent,
  TableRef,
  TableSchema,
} from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import type { OperatorRun } from "../../src/sdk/operator.ts";
import { columnLineage, tableInputs } from "../table/inputs.ts";
import { refusal } from "../table/refusal.ts";
import { tableRows } from "../table/rows.ts";
import { checkKey } from "./check_key.ts";
import { checkSchema } from "./check_schema.ts";
import type { Published, PublishParams } from "./mod.ts";
import { dataSelect, lineageSelect } from "./select.ts";

/** Publish. Throws CONFLICT for a key that is not unique, INVALID for an empty table. */
export const run: OperatorRun<PublishParams, { from: TableRef }, Published> = async (
  { params: { dataset, allowEmpty, ...params }, inputs: { from }, ctx },
) => {
  const partition = params.partition ?? ctx.interval.date;
  if (from.rows === 0 && !allowEmpty) {
    throw refusal(
      "INVALID",
      `Cannot publish "${dataset}"[${partition}]: the table "${from.schema.name}" has no rows; ` +
        `allowEmpty: true publishes it all the same`,
    );
  }
  if (params.compatibility === "compatible") await checkSchema(ctx, dataset, from.schema);
  const rows = await tableRows(ctx, from);
  await checkKey(ctx, rows, { schema: from.schema, dataset, partition });
  const lost = await Promise.all(from.lineage.map((file) => ctx.files.open(file)));
  const data = await write(ctx, dataSelect(rows, from.schema), "data.parquet");
  if (data.rows !== from.rows) {
    throw refusal(
      "CORRUPT",
      `Cannot publish "${dataset}"[${partition}]: its files hold ${data.rows} rows, ` +
        `not ${from.rows}`,
    );
  }
  const columns = columnLineage(from);
  const lineage = await write(
    ctx,
    lineageSelect(rows, lost, { schema: from.schema, ...rulesOf(columns, from.schema) }),
    "lineage.parquet",
  );
  const intent: PublishIntent = {
    dataset,
    partition,
    kind: "table",
    schema: from.schema,
    files: [data],
    lineageFiles: [lineage],
    rows: from.rows,
    inputs: tableInputs(from),
    columns,
    metrics: { sources: from.sources, bytes: data.bytes, lineageBytes: lineage.bytes },
  };
  ctx.log.info(`Publishing ${from.rows} rows as "${dataset}"[${partition}]`, {
    bytes: data.bytes,
    sha256: data.sha256,
  });
  return {
    kind: "done",
    output: {
      dataset,
      partition,
      rows: from.rows,
      bytes: data.bytes,
      sha256: data.sha256,
      sources: from.sources,
    },
    effects: {
      accounting: {
        in: from.rows,
        generated: 0,
        out: from.rows,
        quarantined: 0,
        mergedAway: 0,
        filtered: 0,
      },
      publish: [intent],
      metrics: { bytes: data.bytes, lineageBytes: lineage.bytes },
    },
  };
};

async function write(ctx: TaskContext, sql: string, name: string): Promise<FileRef> {
  const path = `${ctx.workDir}/${name}`;
  const { rowsChanged } = await ctx.engine.run(sql, {
    to: { path, format: "parquet", compression: "zstd" },
  });
  return await ctx.files.put(path, {
    name,
    mediaType: "application/vnd.apache.parquet",
    rows: rowsChanged,
  });
}

/** Merges say their rule at the columns of the key, and at columns that have one of their own. */
function rulesOf(
  columns: ColumnLineage[],
  { key }: TableSchema,
): { rule: string | null; rules: Record<string, string> } {
  const merged = columns.filter(({ transformation }) => transformation.startsWith("merge: "));
  const rule = merged.find(({ column }) => key.includes(column))?.transformation ?? null;
  const own = merged.filter(({ transformation }) => transformation !== rule);
  return {
    rule,
    rules: Object.fromEntries(own.map(({ column, transformation }) => [column, transformation])),
  };
}
