/**
 * @module Lines of JSON read by the engine itself, while the same bytes are looked at here: its reader
 * is several times as fast and lenient, so what it would bend must not be in the file. It takes
 * trailing commas, NaN, and any number through a double, and leaves out fields that it was not told.
 */
import { ident, literal } from "../../../table/sql.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { RecordReader } from "./record_reader.ts";
import { isOfKind, LineTemplate, type TemplateKind } from "./line_template.ts";
import { nextLine } from "./records.ts";
import type { Learned } from "./stage.ts";
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

/** The lines as the engine reads them; null where the first ones say that it would bend them. */
export function fastLines(
  call: ReadCall,
  table: JsonTable,
  learned: Learned,
  sample: (rowsMax: number | null) => Promise<string>,
): RowSource | null {
  const types = typesOf(learned);
  const { names } = learned.fields;
  if (table.at !== null || table.extras.length > 0 || types === null || types.length === 0) {
    return null;
  }
  // The engine's names do not know case; those that were made up here are not in the file.
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) return null;
  if (names.some((name, i) => name !== learned.fields.own[i])) return null;
  // Texts of these keep their quotes.
  if (call.options.jsonFields?.some((name) => names.includes(name))) return null;
  // A number that means null is a text of its own, which the engine does not keep.
  if (call.options.nullTokens.some((token) => /^(-?[\d.eE+-]+|true|false)$/.test(token))) {
    return null;
  }
  const columns = names.map((name, i) => `${literal(name)}: '${types[i]}'`).join(", ");
  const selected = names.map((name, i) => `${ident(name)} AS c${i}`).join(", ");
  return {
    columns: names.map((name, i) => ({ name, type: types[i] })),
    relation: `SELECT ${selected} FROM read_json(${literal(table.file.path)}, ` +
      `format = 'newline_delimited', records = 'true', compression = 'uncompressed', ` +
      `columns = {${columns}})`,
    position: "implied",
    leftOut: () => Promise.resolve(0),
    isTyped: false,
    hasNulls: false,
    blobs: "base64",
    hasShortNumbers: true,
    isGuess: true,
    sample,
    check: (signal) => countPlain(table, learned, types, signal),
  };
}

function typesOf({ kinds: seen }: Learned): FastType[] | null {
  const types: FastType[] = [];
  for (const bits of seen) {
    switch (bits & ~(1 << kinds.null)) {
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
  { file }: JsonTable,
  { fields }: Learned,
  types: readonly FastType[],
  signal: AbortSignal,
): Promise<number | null> {
  using input = await Deno.open(file.path);
  const records = new RecordReader(fields);
  const { reader } = records;
  const window = new Window(reader, {
    read: (into) => input.readSync(into),
    name: file.name,
  });
  if (window.at > 0) return null;
  window.fill();
  const columns = types.map((type, i) => ({ name: fields.own[i], kind: templateKinds[type] }));
  const first = reader.buffer.subarray(0, Math.min(reader.end, 1 << 16));
  const template = new LineTemplate(columns, new TextDecoder().decode(first).trimStart());
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
