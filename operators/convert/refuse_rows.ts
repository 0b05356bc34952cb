/** @module Rows that were read and do not fit: what is wrong with each, and its raw text. */
import type { EngineValue } from "../../src/contract/child.ts";
import { piiOfName } from "../pii/column.ts";
import type { ReadCall } from "./formats/format.ts";
import type { ConversionPlan, ConversionSql } from "./select.ts";

const PAGE_ROWS = 10_000;
const RAW_BYTES_MAX = 1_000_000;

/** Refuse every row that is not exact; how many, and because of which targets. */
export async function refuseRows(
  { engine, file, refuse, signal, tempPath }: Omit<ReadCall, "isCareful">,
  plan: ConversionPlan,
  sql: ConversionSql,
): Promise<{ misfits: number; misfitTargets: number[] }> {
  const table = `refused_${tempPath("").replace(/\W/g, "_")}`;
  await engine.run(
    `CREATE TEMP TABLE ${table} AS SELECT _tw_row, _tw_offset, _tw_at, _tw_bytes, ` +
      `${sql.culprit} AS culprit, ${sql.culpritText} AS culprit_text, ${sql.rowText} AS row_text ` +
      `FROM (${sql.base}) WHERE CASE WHEN ${sql.fast} THEN false ELSE NOT (${sql.exact}) END`,
  );
  using raw = await Deno.open(file.path);
  const targets = new Set<number>();
  let misfits = 0;
  let after = 0;
  while (true) {
    signal.throwIfAborted();
    const { rows } = await engine.run(
      `SELECT * FROM ${table} WHERE _tw_row > ? ORDER BY _tw_row LIMIT ${PAGE_ROWS}`,
      { params: [after], rowsMax: PAGE_ROWS },
    );
    const places = rows.length > 0 && plan.source.locate
      ? await plan.source.locate(rows.map(([row]) => Number(row)))
      : null;
    for (const [row, ownOffset, ownAt, ownBytes, culprit, text, rowText] of rows) {
      const place = places?.get(Number(row));
      const at = place?.offset ?? ownAt;
      const bytes = place?.bytes ?? ownBytes;
      const offset = file.isAsCollected ? place?.offset ?? ownOffset : ownOffset;
      const problem = problemOf(plan, culprit as number, text as string | null);
      if (culprit as number >= 0) targets.add(culprit as number);
      await refuse({
        file: file.name,
        row: Number(row),
        offset: offset === null ? null : Number(offset),
        ...problem,
        raw: await rawText(raw, at, bytes) ?? (rowText as string),
      });
    }
    misfits += rows.length;
    if (rows.length < PAGE_ROWS) break;
    after = Number(rows[rows.length - 1][0]);
  }
  await engine.run(`DROP TABLE ${table}`);
  return { misfits, misfitTargets: [...targets] };
}

async function rawText(
  file: Deno.FsFile,
  at: EngineValue,
  bytes: EngineValue,
): Promise<string | null> {
  if (at === null || bytes === null) return null;
  const raw = new Uint8Array(Math.min(Number(bytes), RAW_BYTES_MAX));
  await file.seek(Number(at), Deno.SeekMode.Start);
  let length = 0;
  while (length < raw.length) {
    const read = await file.read(raw.subarray(length));
    if (read === null) break;
    length += read;
  }
  return new TextDecoder().decode(raw.subarray(0, length));
}

function problemOf(
  { targets, extras, source }: ConversionPlan,
  culprit: number,
  text: string | null,
): { column: string; rule: string; reason: string } {
  if (culprit < 0) {
    const { name } = source.columns[extras[-1 - culprit]];
    return {
      column: name,
      rule: "new_column",
      reason: `Column "${name}" is not in the schema, and holds ${
        piiOfName(name) === null ? quoted(text) : HIDDEN
      }`,
    };
  }
  const { name, type, origin, privacy } = targets[culprit];
  if (origin.kind === "missing") {
    return { column: name, rule: "missing_column", reason: `The file has no column "${name}"` };
  }
  if (text === null) {
    return { column: name, rule: "not_null", reason: `Column "${name}" is null and may not be` };
  }
  return {
    column: name,
    rule: "type",
    reason: `Column "${name}" holds ${
      privacy ? HIDDEN : quoted(text)
    }, which ${type.sql} cannot hold exactly`,
  };
}

/** Personal data is in the raw text alone, for those who may see it. */
const HIDDEN = '"***"';

function quoted(text: string | null): string {
  const shown = text ?? "";
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 80)}…` : shown);
}
