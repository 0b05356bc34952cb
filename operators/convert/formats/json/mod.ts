/** @module JSON documents and lines of JSON. */
import { AppError } from "../../../../src/model/errors.ts";
import { literal } from "../../../table/sql.ts";
import { type Format, isMarkup, type ReadCall, type RowSource } from "../format.ts";
import { jsonLines } from "./write.ts";
import { type Learned, learnFields, type StagedJson, stageJson } from "./stage.ts";
import { fastLines, fastPlan, linesOfDocument } from "./fast.ts";
import { spreadLines } from "../../inference/spread.ts";
import { documentTable, type JsonTable, lineTable } from "./table.ts";

/** One JSON document; its records are an array, a map or one object somewhere in it. */
export const json: Format = {
  name: "json",
  extensions: ["json"],
  mediaType: "application/json",
  content: "text",
  recognise(head, name) {
    const text = begin(head);
    const isNamed = /\.json(\.\w{2,4})?$/i.test(name);
    // A document may be a text, a number or a word alone: hardly a file that is not named so.
    if (!/^[[{]/.test(text)) return isNamed && head.length < 65_536 && isJson(text) ? 0.8 : 0;
    // Whole on its first line, and more to come: no document, whatever it is called.
    if (isLines(text.split("\n"))) return 0.5;
    return isNamed ? 0.95 : 0.85;
  },
  read: (call) => readJson(call, false),
  write: (relation, columns) => ({
    sql: jsonLines(relation, columns),
    to: {
      format: "text",
      text: { header: false, quote: false, prefix: "[\n", newLine: ",\n", suffix: "\n]\n" },
    },
  }),
};

/** One JSON object a line. */
export const ndjson: Format = {
  name: "ndjson",
  extensions: ["ndjson", "jsonl"],
  mediaType: "application/x-ndjson",
  content: "text",
  keepsBadBytes: true,
  recognise(head, name) {
    const lines = begin(head).split("\n");
    if (lines.length > 2 && lines.slice(0, 2).every((line) => /^"/.test(line) && isJson(line))) {
      // So is a table of one column in quotes, with the same values.
      return 0.35;
    }
    if (!/^[[{]/.test(lines[0])) return 0;
    if (/\.(ndjson|jsonl)(\.gz)?$/i.test(name)) return 0.97;
    if (lines.length < 2) return 0.4;
    if (isLines(lines)) return 0.9;
    return lines[0][0] === "{" && isJson(lines[0]) && /^\s*$/.test(lines[1]) ? 0.9 : 0;
  },
  read: (call) => readJson(call, true),
  write: (relation, columns) => ({
    sql: jsonLines(relation, columns),
    to: { format: "text", text: { header: false, quote: false } },
  }),
};

/** A whole object on the first line, and another one begins on the next. */
function isLines(lines: readonly string[]): boolean {
  return lines.length > 1 && lines[0][0] === "{" && /^\s*\{/.test(lines[1]) && isJson(lines[0]);
}

/** Read JSON: one document, or one value a line. */
export async function readJson(call: ReadCall, isLines: boolean): Promise<RowSource> {
  const { file } = call;
  if (isMarkup(await headOf(file.path))) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as JSON: it begins like XML or HTML`,
    );
  }
  const table = isLines ? lineTable(call) : await documentTable(call);
  const learned = learnFields(call, table);
  const fast = call.isCareful ? null : await readFast(call, table, learned);
  return fast ?? stagedSource(table, await stageJson(call, table, learned));
}

/** Shorter documents are read as fast with care. */
const FAST_DOCUMENT_BYTES_MIN = 4 * 1024 * 1024;

async function readFast(
  call: ReadCall,
  table: JsonTable,
  learned: Learned,
): Promise<RowSource | null> {
  const plan = fastPlan(call, table, learned);
  const quiet = { ...call, refuse: () => Promise.resolve() };
  if (plan === null) return null;
  if (table.at === null) {
    const sample = async (rowsMax: number | null) =>
      stagedSource(table, await stageJson(quiet, table, learned, rowsMax ?? Infinity)).relation;
    return fastLines({ file: table.file, plan, learned, sample });
  }
  if (table.file.bytes < FAST_DOCUMENT_BYTES_MIN) return null;
  const lines = await linesOfDocument(call, table, learned, plan);
  if (lines === null) return null;
  const { file, rows } = lines;
  const sample = async (rowsMax: number | null) => {
    // As rows from all over a document that was read with care.
    const spread = rowsMax === null ? null : await spreadLines(file, rowsMax, call.tempPath);
    const asLines = { ...table, at: null, file: { ...file, ...spread?.file } };
    const staged = await stageJson(
      quiet,
      asLines,
      learned,
      spread ? Infinity : rowsMax ?? Infinity,
    );
    return stagedSource(asLines, staged).relation;
  };
  return fastLines({ file, plan, learned, sample, declaredRows: rows });
}

function stagedSource({ file }: JsonTable, staged: StagedJson): RowSource {
  // Records without a single field are rows all the same.
  if (staged.columns.length + staged.late.length === 0) staged.late.push("value");
  const names = staged.columns.map((_, i) => `c${i}`);
  const late = staged.late.map((name, i) =>
    `json_extract_string(_tw_late, ${literal(pointerTo(name))}) AS c${names.length + i}`
  );
  const columns = [
    ...["_tw_row", "_tw_offset", "_tw_bytes"].map((name) => `'${name}': 'BIGINT'`),
    ...[...names, "_tw_late"].map((name) => `'${name}': 'VARCHAR'`),
  ];
  const offset = file.isAsCollected ? "_tw_offset" : "NULL::BIGINT AS _tw_offset";
  return {
    columns: [...staged.columns, ...staged.late].map((name) => ({ name, type: "VARCHAR" })),
    relation:
      `SELECT ${
        [...names, ...late, "_tw_row", offset, "_tw_offset AS _tw_at", "_tw_bytes"].join(", ")
      } FROM read_csv(${literal(staged.path)}, auto_detect = false, columns = {${
        columns.join(", ")
      }}, header = false, delim = ',', quote = '"', escape = '"', comment = '', nullstr = '', ` +
      `allow_quoted_nulls = false, new_line = '\\n'${lineLimits(staged.lineBytesMax)})`,
    position: "carried",
    leftOut: () => Promise.resolve(0),
    declaredRows: staged.rows,
    isTyped: false,
    hasNulls: false,
    blobs: "base64",
  };
}

/** The engine's buffers are many times its longest line: longer ones only where they are needed. */
function lineLimits(bytes: number): string {
  if (bytes < 2_000_000) return "";
  return `, max_line_size = ${bytes + 1}, buffer_size = ${2 * (bytes + 1)}`;
}

function pointerTo(name: string): string {
  return `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function begin(head: Uint8Array): string {
  return new TextDecoder().decode(head).trimStart();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function headOf(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const head = new Uint8Array(512);
  return head.subarray(0, await file.read(head) ?? 0);
}
