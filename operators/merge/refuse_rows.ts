/** @module Rows without a whole key. */
import type { EngineValue } from "../../src/contract/child.ts";
import type { Quarantine, TableSchema } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { QuarantineWriter } from "../table/quarantine.ts";
import type { MergePlan } from "./plan.ts";

const PAGE_ROWS = 10_000;
const refusedTable = "_tw_merge_refused";

/** Quarantine them, one file for each source. */
export async function refuseRows(
  ctx: TaskContext,
  plan: MergePlan,
  { schema, key }: { schema: TableSchema; key: string[] },
): Promise<Quarantine[]> {
  await ctx.engine.run(
    `CREATE OR REPLACE TEMP TABLE ${refusedTable} AS SELECT *, row_number() OVER (` +
      `ORDER BY _tw_source, _tw_file, _tw_row, _tw_offset) AS _tw_at FROM (${plan.refused})`,
  );
  const writers = new Map<string, QuarantineWriter>();
  for (let after = 0;; after += PAGE_ROWS) {
    ctx.signal.throwIfAborted();
    const { columns, rows } = await ctx.engine.run(
      `SELECT * EXCLUDE (_tw_at) FROM ${refusedTable} WHERE _tw_at > ? AND _tw_at <= ? ` +
        `ORDER BY _tw_at`,
      { params: [after, after + PAGE_ROWS], rowsMax: PAGE_ROWS },
    );
    for (const [source, file, row, offset, ...values] of rows) {
      const names = columns.slice(4).map(({ name }) => name);
      const record = Object.fromEntries(names.map((name, i) => [name, values[i]]));
      const column = key.find((name) => record[name] === null)!;
      await writerOf(writers, ctx, String(source)).add({
        file: String(file),
        row: whole(row),
        offset: whole(offset),
        column,
        rule: "key_null",
        reason: `Column "${column}" of the key is null: the row cannot be told from others`,
        raw: JSON.stringify(record),
      });
    }
    if (rows.length < PAGE_ROWS) break;
  }
  await ctx.engine.run(`DROP TABLE ${refusedTable}`);
  const kept: Quarantine[] = [];
  for (const [source, writer] of writers) {
    const quarantine = await writer.finish(ctx, { dataset: schema.name, source });
    if (quarantine) kept.push(quarantine);
  }
  return kept;
}

function writerOf(
  writers: Map<string, QuarantineWriter>,
  { workDir }: TaskContext,
  source: string,
): QuarantineWriter {
  const found = writers.get(source) ?? new QuarantineWriter(
    `${workDir}/refused-${writers.size}.ndjson`,
  );
  writers.set(source, found);
  return found;
}

function whole(value: EngineValue): number | null {
  return value === null ? null : Number(value);
}
