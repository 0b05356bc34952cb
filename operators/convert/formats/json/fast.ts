/**
 * @module Lines of JSON read by the engine itself, while the same bytes are looked at here: its reader
 * is several times as fast and lenient, so what it would bend must not be in the file. It takes
 * trailing commas, NaN, and any number through a double, and leaves out fields that it was not told.
 */
import { ident, literal } from "../../../table/sql.ts";
import type { ReadCall, RowSource, SourceFile } from "../format.ts";
import { ByteWriter } from "../byte_writer.ts";
import { RecordReader } from "./record_reader.ts";
import { isOfKind, LineTemplate, type TemplateKind } from "./line_template.ts";
import { nextLine, type RecordSink } from "./records.ts";
import { type Learned, walkRecords } from "./stage.ts";
import type { JsonTable } from "./table.ts";
import { kinds } from "./value_reader.ts";
import { Window } from "./window.ts";

/** A column by what its values are in the first records; null always goes with it. */
type FastType = "VARCHAR" | "BIGINT" | "DOUBLE" | "BOOLEAN";

const templateKinds = {
  VARCHAR: "string",
  BIGINT: "integer",
  DOUBLE: "decimal",
  BOOLEAN: "boolean",
} as const satisfies Record<FastType, TemplateKind>;

/** What the engine is told of lines. */
export interface FastPlan {
  types: readonly FastType[];
  columns: readonly { name: string; kind: TemplateKind }[];
  template: LineTemplate;
}

/** How the engine is to read the records; null where the first ones say that it would bend them. */
export function fastPlan(call: ReadCall, table: JsonTable, learned: Learned): FastPlan | null {
  const isFloat = new Set(call.options.floatFields ?? []);
  const types = typesOf(learned, isFloat);
  const { names, own } = learned.fields;
  if (table.extras.length > 0 || table.header !== null) return null;
  if (types === null || types.length === 0) return null;
  // Records that are arrays have no names for the engine.
  if (!learned.first.trimStart().startsWith("{")) return null;
  // The engine's names do not know case; those that were made up here are not in the file.
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) return null;
  if (names.some((name, i) => name !== own[i])) return null;
  // Texts of these keep their quotes.
  if (call.options.jsonFields?.some((name) => names.includes(name))) return null;
  // A number that means null is a text of its own, which the engine does not keep.
  if (call.options.nullTokens.some((token) => /^(-?[\d.eE+-]+|true|false)$/.test(token))) {
    return null;
  }
  const columns = types.map((type, i) => ({
    name: own[i],
    kind: type === "DOUBLE" && isFloat.has(names[i]) ? "float" as const : templateKinds[type],
  }));
  return { types, columns, template: new LineTemplate(columns, learned.first) };
}

/** Lines of a file as the engine reads them; `declaredRows` where they were looked at before. */
export function fastLines(
  { file, plan: { types, columns, template }, learned, sample, declaredRows }: {
    file: SourceFile;
    plan: FastPlan;
    learned: Learned;
    sample(rowsMax: number | null): Promise<string>;
    declaredRows?: number;
  },
): RowSource {
  const { names } = learned.fields;
  const told = types.map((type, i) => `${literal(names[i])}: '${type}'`).join(", ");
  const selected = types.map((_, i) => `${ident(names[i])} AS c${i}`).join(", ");
  return {
    columns: types.map((type, i) => ({ name: names[i], type })),
    relation: `SELECT ${selected} FROM read_json(${literal(file.path)}, ` +
      `format = 'newline_delimited', records = 'true', compression = 'uncompressed', ` +
      `columns = {${told}})`,
    position: "implied",
    leftOut: () => Promise.resolve(0),
    declaredRows,
    isTyped: false,
    hasNulls: false,
    blobs: "base64",
    hasShortNumbers: true,
    isGuess: true,
    sample,
    check: declaredRows === undefined
      ? (signal) => countPlain(file, learned, { columns, template }, signal)
      : undefined,
  };
}

/**
 * The records of a document as lines, which the engine reads by several processors where it reads a
 * document by one. Null when one of them is not as the engine would have it.
 */
export async function linesOfDocument(
  call: ReadCall,
  table: JsonTable,
  learned: Learned,
  { columns, template }: FastPlan,
): Promise<{ file: SourceFile; rows: number } | null> {
  const path = call.tempPath("ndjson");
  using input = await Deno.open(table.file.path);
  using output = await Deno.open(path, { write: true, createNew: true });
  const records = new RecordReader(learned.fields);
  const writer = new ByteWriter();
  const isOfOneLine = !/[\r\n]/.test(learned.first);
  let view: DataView = new DataView(new ArrayBuffer(0));
  let rows = 0;
  let bytes = 0;
  let isPlain = true;
  const sink: RecordSink = {
    pass(buffer, at, end) {
      if (!isOfOneLine) return -1;
      if (view.buffer !== buffer.buffer) view = new DataView(buffer.buffer);
      const past = template.match(buffer, view, at, end);
      if (past < 0) return -1;
      rows++;
      writer.copy(buffer, at, past);
      writer.byte(0x0a);
      return past;
    },
    record() {
      rows++;
      if (isPlainRecord(records, columns)) writeFields(records, writer);
      else isPlain = false;
    },
  };
  for (const _ of walkRecords(call, table, input, { records, sink })) {
    call.signal.throwIfAborted();
    if (!isPlain) break;
    bytes += writer.length;
    await writer.flush(output);
  }
  bytes += writer.length;
  await writer.flush(output);
  if (!isPlain) {
    await Deno.remove(path);
    return null;
  }
  return { file: { ...table.file, path, bytes, isAsCollected: false }, rows };
}

/** The record without blanks, on one line. */
function writeFields(records: RecordReader, writer: ByteWriter): void {
  const { reader: { buffer }, fields, numbers, starts, ends, count } = records;
  writer.byte(0x7b);
  for (let i = 0; i < count; i++) {
    if (i > 0) writer.byte(0x2c);
    const name = fields.written[numbers[i]];
    writer.copy(name, 0, name.length);
    writer.byte(0x3a);
    writer.copy(buffer, starts[i], ends[i]);
  }
  writer.byte(0x7d);
  writer.byte(0x0a);
}

function typesOf(
  { kinds: seen, fields }: Learned,
  isFloat: ReadonlySet<string>,
): FastType[] | null {
  const types: FastType[] = [];
  const numbers = 1 << kinds.integer | 1 << kinds.decimal | 1 << kinds.exponent;
  for (const [i, bits] of seen.entries()) {
    const found = bits & ~(1 << kinds.null);
    if (isFloat.has(fields.names[i]) && found !== 0 && (found & ~numbers) === 0) {
      types.push("DOUBLE");
      continue;
    }
    switch (found) {
      case 1 << kinds.string:
        types.push("VARCHAR");
        break;
      case 1 << kinds.integer:
        types.push("BIGINT");
        break;
      case 1 << kinds.decimal:
      case 1 << kinds.integer | 1 << kinds.decimal:
        types.push("DOUBLE");
        break;
      case 1 << kinds.boolean:
        types.push("BOOLEAN");
        break;
      default:
        return null;
    }
  }
  return types;
}

/** How many records there are; null when one of them is not as the engine would have it. */
async function countPlain(
  file: SourceFile,
  { fields }: Learned,
  { columns, template }: Pick<FastPlan, "columns" | "template">,
  signal: AbortSignal,
): Promise<number | null> {
  using input = await Deno.open(file.path);
  const records = new RecordReader(fields);
  const window = new Window(records.reader, {
    read: (into) => input.readSync(into),
    name: file.name,
  });
  if (window.at > 0) return null;
  let isPlain = true;
  let other = 0;
  const sink = {
    record() {
      other++;
      if (!isPlainRecord(records, columns)) isPlain = false;
    },
    badLine() {
      isPlain = false;
    },
  };
  let rows = 0;
  while (isPlain && !signal.aborted) {
    rows += matchLines(window, template);
    // Here is a line of another kind, or one whose end is not in the window.
    const isMore = nextLine(window, { records, sink, row: rows + other });
    if (!isMore) return isPlain ? rows + other : null;
    // The engine's answers must get through.
    await Promise.resolve();
  }
  return null;
}

/** Go past lines that the template knows; how many. */
function matchLines(window: Window, template: LineTemplate): number {
  const { buffer, end } = window.reader;
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  let { at } = window;
  let rows = 0;
  while (true) {
    let past = template.match(buffer, view, at, end);
    if (past > 0 && buffer[past] === 0x0d) past++;
    if (past < 0 || past >= end || buffer[past] !== 0x0a) break;
    at = past + 1;
    rows++;
  }
  window.at = at;
  return rows;
}

function isPlainRecord(
  records: RecordReader,
  columns: readonly { kind: TemplateKind }[],
): boolean {
  if (records.kind !== kinds.object || records.wrong !== null) return false;
  const { buffer } = records.reader;
  for (let i = 0; i < records.count; i++) {
    const column = columns[records.numbers[i]];
    const place = {
      buffer,
      found: records.kinds[i],
      start: records.starts[i],
      end: records.ends[i],
    };
    if (column === undefined || !isOfKind(column.kind, place)) return false;
  }
  return true;
}
