/** @module Delimited text as rows: by the engine itself, or from a copy that was made with care. */
import { AppError, hasCode } from "../../../../src/model/errors.ts";
import { literal, literals } from "../../../table/sql.ts";
import type { ReadCall, RowSource } from "../format.ts";
import type { Dialect } from "./dialect.ts";
import { countProblem } from "./footer.ts";
import { hasOverlong } from "./overlong.ts";
import { stateOf } from "./sample.ts";
import { locateRecords, stageCsv } from "./stage.ts";
import type { Table } from "./table.ts";
import { sampleRecords } from "./tokenize.ts";

const COMPARED_ROWS = 50;
const COMPARED_COLUMNS = 100;

/**
 * The engine reads the file itself. It leaves out records that have not the right columns. Null when
 * it would not read the first records as they are meant.
 */
export async function fastSource(call: ReadCall, table: Table): Promise<RowSource | null> {
  const { dialect, footer } = table;
  if (!isPlain(dialect) || (footer !== null && !footer.isNarrow)) return null;
  const { file, options, engine, tempPath } = call;
  const id = tempPath("").replace(/^.*\//, "").replace(/\W/g, "_");
  const rejects = `rejects_${id}`;
  const names = dialect.columns.map((_, i) => `c${i}`);
  const relation = `SELECT ${names.join(", ")} FROM ${
    readCsv(file.path, {
      dialect,
      columns: names.map((name) => [name, "VARCHAR"]),
      nullTokens: options.nullTokens,
      more: [
        "header = false",
        `skip = ${dialect.skipLines + dialect.headerLines}`,
        "store_rejects = true",
        `rejects_table = '${rejects}'`,
        `rejects_scan = 'scan_${rejects}'`,
        "rejects_limit = 0",
      ],
    })
  }`;
  const source: RowSource = {
    ...described(table),
    relation,
    position: "implied",
    async leftOut() {
      await refuseChange(call, table);
      const { rows } = await engine.run(
        `SELECT count(DISTINCT line_byte_position) FROM ${rejects} ` +
          `WHERE line_byte_position < ${table.end ?? Number.MAX_SAFE_INTEGER}`,
        { rowsMax: 1 },
      );
      return rows[0][0] as number;
    },
    checkRows: (rows) => checkCount(call, table, rows),
    headerTexts: dialect.header && dialect.headerLines === 1 ? dialect.columns : undefined,
    isShifted: () => hasOverlong(file.path, table, call.signal),
    isQuoted: dialect.quote !== "",
  };
  if (!await isReadAsMeant(call, source, table)) return null;
  const nowhere = ["_tw_offset", "_tw_at", "_tw_bytes"].map((name) => `NULL::BIGINT AS ${name}`);
  const numbered: RowSource = {
    ...source,
    position: "carried",
    relation: `SELECT *, row_number() OVER () AS _tw_row, ${nowhere.join(", ")} FROM (${relation})`,
    locate: (rows) => locateRecords(call, table, rows),
  };
  return { ...source, numbered };
}

/** Rows of a copy of all good records, each with its position; the others are refused. */
export async function carefulSource(call: ReadCall, table: Table): Promise<RowSource> {
  const staged = await stageCsv(call, table);
  await refuseChange(call, table);
  checkCount(call, table, staged.records);
  const names = table.dialect.columns.map((_, i) => `c${i}`);
  const position: [string, string][] = [
    ["_tw_row", "BIGINT"],
    ["_tw_offset", "BIGINT"],
    ["_tw_bytes", "BIGINT"],
  ];
  const relation = `SELECT ${names.join(", ")}, _tw_row, ${
    call.file.isAsCollected ? "_tw_offset" : "NULL::BIGINT AS _tw_offset"
  }, _tw_offset AS _tw_at, _tw_bytes FROM ${
    readCsv(staged.path, {
      dialect: staged.dialect,
      columns: [...position, ...names.map((name): [string, string] => [name, "VARCHAR"])],
      nullTokens: call.options.nullTokens,
      more: ["header = false", "new_line = '\\n'"],
    })
  }`;
  return {
    ...described(table),
    relation,
    position: "carried",
    leftOut: () => Promise.resolve(0),
    declaredRows: staged.rows,
  };
}

function described({ dialect, footer }: Table) {
  const { delimiter, quote, escape, header, newLine, skipLines, comment } = dialect;
  return {
    columns: dialect.columns.map((name) => ({ name, type: "VARCHAR" })),
    isTyped: false,
    hasNulls: true,
    dialect: {
      delimiter,
      quote,
      escape,
      header,
      newLine,
      skipLines,
      comment,
      footer: footer?.text.slice(0, 1000) ?? "",
    },
  };
}

/** Is it a dialect that the engine has? */
function isPlain({ delimiter, escape, newLine, isPadded, isMerged, comment }: Dialect): boolean {
  return escape === "doubled" && newLine !== "mixed" && !isPadded && !isMerged && comment === "" &&
    new TextEncoder().encode(delimiter).length <= 4;
}

/** The engine and the sample must agree on the first records, up to the first that is none. */
async function isReadAsMeant(call: ReadCall, source: RowSource, table: Table): Promise<boolean> {
  const { dialect, records } = table;
  const lines = new RegExp(
    `^(?:[^\\n\\r]*(?:\\r\\n|\\n|\\r)){${dialect.skipLines + dialect.headerLines}}`,
  );
  const body = records.slice(records.match(lines)?.[0].length ?? 0);
  const found = sampleRecords(body, dialect, COMPARED_ROWS)
    .filter(({ end }) => end < body.length || records.length === table.state.bytes);
  const bad = found.findIndex(({ cells, isBroken }) =>
    isBroken || cells.length !== dialect.columns.length
  );
  const expected = bad < 0 ? found : found.slice(0, bad);
  const nulls = new Set(["", ...call.options.nullTokens]);
  const columns = [...dialect.columns.keys()];
  const compared = [...new Set([...columns.slice(0, COMPARED_COLUMNS), ...columns.slice(-10)])];
  try {
    const { rows } = await call.engine.run(
      `SELECT ${compared.map((column) => `c${column}`).join(", ")} FROM (${source.relation}) ` +
        `LIMIT ${COMPARED_ROWS}`,
      { rowsMax: COMPARED_ROWS },
    );
    return expected.every(({ cells }, i) =>
      rows[i] !== undefined &&
      compared.every((column, j) =>
        rows[i][j] === null ? nulls.has(cells[column]) : rows[i][j] === cells[column]
      )
    );
  } catch (error) {
    if (hasCode(error, "INVALID")) return false;
    throw error;
  }
}

function readCsv(
  path: string,
  { dialect, columns, nullTokens, more }: {
    dialect: Pick<Dialect, "delimiter" | "quote">;
    columns: [string, string][];
    nullTokens: string[];
    more: string[];
  },
): string {
  const struct = columns.map(([name, type]) => `${literal(name)}: ${literal(type)}`).join(", ");
  return `read_csv(${literal(path)}, ${
    [
      "auto_detect = false",
      `columns = {${struct}}`,
      `delim = ${literal(dialect.delimiter)}`,
      `quote = ${literal(dialect.quote)}`,
      `escape = ${literal(dialect.quote)}`,
      "comment = ''",
      `nullstr = ${literals([...new Set(["", ...nullTokens])])}`,
      "allow_quoted_nulls = false",
      "strict_mode = true",
      ...more,
    ].join(", ")
  })`;
}

/** Throws CORRUPT when the file's trailer counts other rows than there are. */
function checkCount({ file }: ReadCall, { rowCount }: Table, rows: number): void {
  const problem = rowCount && countProblem(rowCount, rows);
  if (!problem) return;
  throw new AppError(
    "CORRUPT",
    `Cannot convert ${file.name}: ${problem}; if it is not a count of rows, say ` +
      `csv: { footer: "none" }`,
  );
}

/** Throws CORRUPT when the file is not as it was when its dialect was told. */
async function refuseChange({ file }: ReadCall, { state }: Table): Promise<void> {
  const now = await stateOf(file.path);
  if (now.bytes === state.bytes && now.changedAtMs === state.changedAtMs) return;
  throw new AppError(
    "CORRUPT",
    `Cannot convert ${file.name}: it changed while it was read, from ${state.bytes} bytes to ` +
      `${now.bytes}; read it when it is whole`,
  );
}
