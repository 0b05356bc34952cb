/** @module Texts of columns from all over the files, for inference. */
import { hasCode } from "../../../src/model/errors.ts";
import { literals } from "../../table/sql.ts";
import type { OpenFile } from "../convert_files.ts";
import type { RowSource } from "../formats/format.ts";
import type { ConvertParams } from "../params.ts";
import type { TaskContext } from "../../../src/sdk/context.ts";
import { hasLines, spreadLines } from "./spread.ts";

/** Rows that inference looks at, of all files together. */
export const sampleRows = 10_000;
const ROWS_OF_FILE_MIN = 1_000;
/** Texts of all columns of a file together: wide tables are looked at in fewer rows. */
const TEXTS_MAX = 1_000_000;
/** Longer texts are looked at from their beginning, except JSON, which counts whole. */
const CHARS_MAX = 256;
const COLUMNS_AT_ONCE = 8;

/** Texts of one column in the files that are not typed. */
export interface SampledColumn {
  texts: Map<string, number>;
  /** Those among the first rows, which surely are rows. */
  head: Map<string, number>;
  nulls: number;
}

/** Samples by column; a column that no file has as text has none. */
export async function sampleColumns(
  open: readonly OpenFile[],
  names: readonly string[],
  params: ConvertParams,
  engine: TaskContext["engine"],
  isWanted: (source: RowSource, index: number) => boolean = isText,
): Promise<Map<string, SampledColumn>> {
  const found = new Map<string, SampledColumn>();
  const rows = Math.max(ROWS_OF_FILE_MIN, Math.ceil(sampleRows / Math.max(1, open.length)));
  for (const file of open) {
    const columns = textsOf(file, names, params, isWanted);
    if (columns.length === 0) continue;
    const fewer = Math.max(ROWS_OF_FILE_MIN, Math.floor(TEXTS_MAX / columns.length));
    await sampleFile(file, columns, { rows: Math.min(rows, fewer), engine, found });
  }
  return found;
}

/** Has the column texts whose type is to be found out? */
export function isText({ isTyped, columns }: RowSource, index: number): boolean {
  return !isTyped || columns[index].isLoose === true;
}

/** Names and SQL of the columns of a file that are texts. */
export function textsOf(
  { source, plan }: OpenFile,
  names: readonly string[],
  { nullTokens }: ConvertParams,
  isWanted: (source: RowSource, index: number) => boolean = isText,
): { name: string; sql: string }[] {
  return plan.targets.flatMap(({ name, origin }) => {
    if (!names.includes(name) || origin.kind !== "column") return [];
    if (!isWanted(source, origin.index)) return [];
    const text = `c${origin.index}`;
    if (source.hasNulls || nullTokens.length === 0) return [{ name, sql: text }];
    const sql = `CASE WHEN list_contains(${
      literals(nullTokens)
    }, ${text}) THEN NULL ELSE ${text} END`;
    return [{ name, sql }];
  });
}

async function sampleFile(
  file: OpenFile,
  columns: readonly { name: string; sql: string }[],
  { rows, engine, found }: {
    rows: number;
    engine: TaskContext["engine"];
    found: Map<string, SampledColumn>;
  },
): Promise<void> {
  const { relation, headRows } = await spreadRelation(file, rows);
  const table = `sample_${file.read.tempPath("").replace(/\W/g, "_")}`;
  const clipped = columns.map(({ sql }, i) =>
    `CASE WHEN strlen(${sql}) <= ${CHARS_MAX} THEN ${sql} ` +
    `WHEN ${sql}[1] IN ('{', '[') AND json_valid(${sql}) THEN '{}' ` +
    `ELSE left(${sql}, ${CHARS_MAX}) END AS x${i}`
  );
  await engine.run(`CREATE TEMP TABLE ${table} AS SELECT ${clipped.join(", ")} FROM (${relation})`);
  for (let from = 0; from < columns.length; from += COLUMNS_AT_ONCE) {
    const group = columns.slice(from, from + COLUMNS_AT_ONCE);
    const parts = group.map((_, i) =>
      `SELECT ${i} AS i, x${from + i} AS x, count(*) AS n, ` +
      `count_if(rowid < ${headRows}) AS head, min(rowid) AS first FROM ${table} GROUP BY 2`
    );
    const answer = await engine.run(
      `SELECT i, x, n, head FROM (${parts.join(" UNION ALL ")}) ORDER BY i, first`,
      { rowsMax: COLUMNS_AT_ONCE * sampleRows },
    );
    for (const [i, text, count, head] of answer.rows) {
      const { name } = group[Number(i)];
      if (!found.has(name)) found.set(name, { texts: new Map(), head: new Map(), nulls: 0 });
      const column = found.get(name)!;
      if (text === null) column.nulls += Number(count);
      else {
        addTo(column.texts, text as string, Number(count));
        if (Number(head) > 0) addTo(column.head, text as string, Number(head));
      }
    }
  }
  await engine.run(`DROP TABLE ${table}`);
}

/** Add to the count of a text. */
export function addTo(texts: Map<string, number>, text: string, count: number): void {
  texts.set(text, (texts.get(text) ?? 0) + count);
}

/**
 * Rows from all over a file. Of a large file of lines that the engine reads itself, pieces are cut
 * out at line ends; a piece may begin inside of a quoted text, so only the head is sure to be rows.
 */
async function spreadRelation(
  file: OpenFile,
  rows: number,
): Promise<{ relation: string; headRows: number }> {
  const { source, format, read } = file;
  const first = async () => {
    const own = await source.sample?.(rows) ?? source.relation;
    return { relation: `SELECT * FROM (${own}) LIMIT ${rows}`, headRows: rows };
  };
  if (source.position === "carried") {
    if ((source.declaredRows ?? 0) <= rows) return await first();
    const sampled = `SELECT * FROM (${source.relation}) USING SAMPLE reservoir(${rows} ROWS) ` +
      `REPEATABLE (1)`;
    return { relation: sampled, headRows: rows };
  }
  if (!hasLines(format.name)) return await first();
  const spread = await spreadLines(read.file, rows, read.tempPath);
  if (spread === null) return await first();
  const { delimiter, quote, header, skipLines, escape, comment } = source.dialect ?? {};
  try {
    const pieces = await format.read({
      ...read,
      file: { ...read.file, ...spread.file },
      options: {
        ...read.options,
        ...{ delimiter, quote, header, skipLines },
        csv: { footer: "find", ...read.options.csv, escape, comment },
      },
      refuse: () => Promise.resolve(),
      // The texts as they stand in the file.
      isCareful: source.sample !== undefined,
    });
    const isSame = pieces.columns.length === source.columns.length &&
      pieces.columns.every(({ name }, i) => name === source.columns[i].name);
    if (!isSame) return await first();
    return {
      relation: `SELECT * FROM (${pieces.relation}) LIMIT ${2 * rows}`,
      headRows: spread.headRows,
    };
  } catch (error) {
    if (hasCode(error, "CORRUPT") || hasCode(error, "INVALID")) return await first();
    throw error;
  }
}
