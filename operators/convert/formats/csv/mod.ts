/** @module Delimited text: CSV and TSV. */
import { AppError } from "../../../../src/model/errors.ts";
import { ident, literal, literals } from "../../../table/sql.ts";
import { type Format, isMarkup, type ReadCall, type RowSource } from "../format.ts";
import { detectDialect, type Dialect, headRecords } from "./dialect.ts";
import { locateRecords, stageCsv } from "./stage.ts";

const HEAD_BYTES = 256 * 1024;

/** Comma-separated values, or with another delimiter that is told or found. */
export const csv: Format = delimited({
  name: "csv",
  extensions: ["csv", "txt"],
  mediaType: "text/csv",
  delimiter: ",",
});

/** Tab-separated values. */
export const tsv: Format = delimited({
  name: "tsv",
  extensions: ["tsv", "tab"],
  mediaType: "text/tab-separated-values",
  delimiter: "\t",
});

function delimited(
  { name, extensions, mediaType, delimiter }:
    & Pick<Format, "name" | "extensions" | "mediaType">
    & { delimiter: string },
): Format {
  return {
    name,
    extensions,
    mediaType,
    content: "text",
    keepsBadBytes: true,
    recognise: (head, fileName) => recognise(head, fileName, { extensions, delimiter }),
    read: (call) =>
      readDelimited({
        ...call,
        options: name === "tsv"
          ? { ...call.options, delimiter: call.options.delimiter ?? "\t" }
          : call.options,
      }),
    write: (relation, columns) => ({
      sql: `SELECT ${columns.map(({ name }) => ident(name)).join(", ")} FROM (${relation})`,
      to: { format: "text", text: { delimiter, header: true } },
    }),
  };
}

function recognise(
  head: Uint8Array,
  fileName: string,
  { extensions, delimiter }: { extensions: readonly string[]; delimiter: string },
): number {
  if (head.includes(0) || isMarkup(head)) return 0;
  const isNamed = extensions.some((extension) => fileName.toLowerCase().endsWith(`.${extension}`));
  const text = new TextDecoder().decode(head.subarray(0, 16 * 1024));
  if (/^\s*[{[]/.test(text)) return 0.05;
  const dialect = detectDialect(text, { skipLines: 0, knownColumns: [] });
  if (dialect === null) return isNamed ? 0.5 : 0;
  if (dialect.columns.length === 1) return isNamed ? 0.6 : 0.1;
  if (delimiter === "\t") return dialect.delimiter === "\t" ? 0.8 : 0;
  return isNamed ? 0.9 : 0.7;
}

async function readDelimited(call: ReadCall): Promise<RowSource> {
  const { file, options } = call;
  const head = await headOf(file.path);
  if (isMarkup(head)) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as delimited text: it begins like XML or HTML, ` +
        `${JSON.stringify(new TextDecoder().decode(head.subarray(0, 40)))}`,
    );
  }
  const dialect = detectDialect(new TextDecoder().decode(head), options);
  if (dialect === null) {
    throw new AppError("CORRUPT", `Cannot read ${file.name} as delimited text: it has no line`);
  }
  return call.isCareful ? await carefulSource(call, dialect) : fastSource(call, dialect);
}

/** The engine reads the file itself. It leaves out records that have not the right columns. */
function fastSource(call: ReadCall, dialect: Dialect): RowSource {
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
        `header = ${dialect.header}`,
        `skip = ${dialect.skipLines}`,
        "store_rejects = true",
        `rejects_table = '${rejects}'`,
        `rejects_scan = 'scan_${rejects}'`,
        "rejects_limit = 0",
      ],
    })
  }`;
  const source: RowSource = {
    columns: dialect.columns.map((name) => ({ name, type: "VARCHAR" })),
    relation,
    position: "implied",
    async leftOut() {
      const { rows } = await engine.run(
        `SELECT count(DISTINCT line_byte_position) FROM ${rejects}`,
        { rowsMax: 1 },
      );
      return rows[0][0] as number;
    },
    isTyped: false,
    hasNulls: true,
    isQuoted: dialect.quote !== "",
    dialect,
  };
  const nowhere = ["_tw_offset", "_tw_at", "_tw_bytes"].map((name) => `NULL::BIGINT AS ${name}`);
  const numbered: RowSource = {
    ...source,
    position: "carried",
    relation: `SELECT *, row_number() OVER () AS _tw_row, ${nowhere.join(", ")} FROM (${relation})`,
    locate: (rows) => locateRecords(call, dialect, rows),
  };
  return { ...source, numbered };
}

async function carefulSource(call: ReadCall, dialect: Dialect): Promise<RowSource> {
  const staged = await stageCsv(call, dialect);
  const names = dialect.columns.map((_, i) => `c${i}`);
  const position: [string, string][] = [
    ["_tw_row", "BIGINT"],
    ["_tw_offset", "BIGINT"],
    ["_tw_bytes", "BIGINT"],
  ];
  const relation = `SELECT ${names.join(", ")}, _tw_row, ${
    call.file.isAsCollected ? "_tw_offset" : "NULL::BIGINT AS _tw_offset"
  }, _tw_offset AS _tw_at, _tw_bytes FROM ${
    readCsv(staged.path, {
      dialect: { ...dialect, newLine: dialect.newLine === "\r" ? "\n" : dialect.newLine },
      columns: [...position, ...names.map((name): [string, string] => [name, "VARCHAR"])],
      nullTokens: call.options.nullTokens,
      more: ["header = false", "new_line = '\\n'"],
    })
  }`;
  return {
    columns: dialect.columns.map((name) => ({ name, type: "VARCHAR" })),
    relation,
    position: "carried",
    leftOut: () => Promise.resolve(0),
    declaredRows: staged.rows,
    isTyped: false,
    hasNulls: true,
    dialect,
  };
}

function readCsv(
  path: string,
  { dialect, columns, nullTokens, more }: {
    dialect: Dialect;
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

async function headOf(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const head = new Uint8Array(HEAD_BYTES);
  let length = 0;
  while (length < head.length) {
    const read = await file.read(head.subarray(length));
    if (read === null) break;
    length += read;
  }
  const hasMark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  return head.subarray(hasMark ? 3 : 0, length);
}

/** First records of a delimited text, for people. */
export function previewRecords(head: Uint8Array, dialect: Dialect): string[][] {
  return headRecords(new TextDecoder().decode(head), dialect);
}
