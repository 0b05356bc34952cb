/**
 * @module Copies records of JSON to delimited text with every value as it stands in the document, so
 * that no number goes through a double on its way into SQL.
 */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall } from "../format.ts";
import { ByteWriter } from "../byte_writer.ts";
import { type RawJson, textOf, valueAt } from "./fields.ts";
import { FieldError, FieldNames, halfCharacter, RecordReader } from "./record_reader.ts";
import {
  type BadLine,
  DocumentWalk,
  lineRecords,
  type RecordPlace,
  type RecordSink,
} from "./records.ts";
import { kinds } from "./value_reader.ts";
import { Window } from "./window.ts";
import type { JsonTable } from "./table.ts";

/** What was staged. */
export interface StagedJson {
  path: string;
  rows: number;
  /** Columns c0, c1, …: those of {@link JsonTable.extras}, then names of fields. */
  columns: string[];
  /** Longest line, in bytes at most. */
  lineBytesMax: number;
  /** Fields that came up later; they are members of the JSON object in the last column. */
  late: string[];
}

/** Records from which the columns are learned. */
const LEARN_RECORDS = 1000;
/** Different fields of a file. */
export const fieldsMax = 5000;
const FLUSH_BYTES = 1 << 20;

const decoder = new TextDecoder();

/** Names of the fields of the first records, and which kinds their values are (bits of `kinds`). */
export interface Learned {
  fields: FieldNames;
  kinds: number[];
  records: number;
  /** The first record as it is written. */
  first: string;
}

/** Read the first records. Throws CORRUPT when the document is broken there. */
export function learnFields(call: ReadCall, table: JsonTable): Learned {
  const fields = new FieldNames(fieldsMax);
  for (const name of table.header ?? []) fields.numberOf(name);
  const seen: number[] = [];
  const records = new RecordReader(fields, table.header !== null);
  let count = 0;
  let first = "";
  const sink: RecordSink = {
    record({ start, end }) {
      if (count++ === 0) first = decoder.decode(records.reader.buffer.subarray(start, end));
      for (let i = 0; i < records.count; i++) {
        seen[records.numbers[i]] = (seen[records.numbers[i]] ?? 0) | 1 << records.kinds[i];
      }
      if (records.wrong?.rule === "fields") throw tooManyFields(call.file.name);
    },
    badLine() {
      count++;
    },
  };
  using input = Deno.openSync(table.file.path);
  const walk = walkRecords(call, table, input, { records, sink, windowBytes: 1 << 16 });
  for (const _ of walk) if (count >= LEARN_RECORDS) break;
  return { fields, kinds: fields.names.map((_, i) => seen[i] ?? 0), records: count, first };
}

/** Walk over the records of the table. */
export function walkRecords(
  { file }: ReadCall,
  table: Pick<JsonTable, "at">,
  input: Deno.FsFile,
  { records, sink, windowBytes }: {
    records: RecordReader;
    sink: RecordSink;
    windowBytes?: number;
  },
): Generator<void> {
  const window = new Window(records.reader, {
    read: (into) => input.readSync(into),
    name: file.name,
    bytes: windowBytes,
  });
  if (table.at === null) return lineRecords(window, { records, sink });
  return new DocumentWalk(window, { records, at: table.at, sink }).run(file.name);
}

/** Stage the records of a file. Throws CORRUPT when it is no JSON. */
export async function stageJson(
  call: ReadCall,
  table: JsonTable,
  { fields }: Learned,
  rowsMax = Infinity,
): Promise<StagedJson> {
  const path = call.tempPath("staged.csv");
  using input = Deno.openSync(table.file.path);
  using output = await Deno.open(path, { write: true, createNew: true });
  const stager = new Stager(call, table, fields);
  const walk = walkRecords(call, table, input, { records: stager.records, sink: stager });
  for (const _ of walk) {
    await stager.settle(output, FLUSH_BYTES);
    if (stager.rows >= rowsMax) break;
  }
  await stager.settle(output, 0);
  if (table.at === null && stager.rows === 0 && stager.refused > 0) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${call.file.name} as lines of JSON: none of its ${stager.refused} lines is one`,
    );
  }
  return {
    path,
    rows: stager.rows,
    columns: [...table.extras.map(({ name }) => name), ...stager.learned],
    lineBytesMax: stager.lineBytesMax,
    late: stager.late,
  };
}

class Stager implements RecordSink {
  readonly records: RecordReader;
  readonly #call: ReadCall;
  readonly #table: JsonTable;
  readonly #writer = new ByteWriter();
  /** Field of the record by column; -1 for none. */
  readonly #fieldOf: Int32Array;
  readonly #columns: number;
  readonly #jsonFields: ReadonlySet<string>;
  #refusals: Parameters<ReadCall["refuse"]>[0][] = [];
  #late = new Set<string>();
  readonly learned: string[];
  rows = 0;
  refused = 0;
  lineBytesMax = 0;

  constructor(call: ReadCall, table: JsonTable, fields: FieldNames) {
    this.#call = call;
    this.#table = table;
    this.learned = [...fields.names];
    this.#columns = this.learned.length;
    this.#jsonFields = new Set(call.options.jsonFields ?? []);
    this.#fieldOf = new Int32Array(this.#columns).fill(-1);
    this.records = new RecordReader(fields, table.header !== null);
  }

  get late(): string[] {
    return [...this.#late];
  }

  record(place: RecordPlace): void {
    const { records } = this;
    if (records.wrong) return this.#refuseRecord(place, records.wrong);
    const writer = this.#writer;
    const before = writer.length;
    writer.number(place.row);
    writer.byte(0x2c);
    writer.number(place.offset);
    writer.byte(0x2c);
    writer.number(place.end - place.start);
    try {
      this.#extras(place);
      this.#cells();
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      writer.length = before;
      return this.#refuseRecord(place, error);
    }
    writer.byte(0x0a);
    this.rows++;
    const bytes = writer.length - before;
    if (bytes > this.lineBytesMax) this.lineBytesMax = bytes;
  }

  badLine({ row, offset, bytes, why }: BadLine): void {
    this.#refuse({ row, offset }, "json", why, decoder.decode(bytes));
  }

  /** Write what waits, when it is more than `bytes`, and hand out what was refused. */
  async settle(output: Deno.FsFile, bytes: number): Promise<void> {
    this.#call.signal.throwIfAborted();
    for (const row of this.#refusals.splice(0)) await this.#call.refuse(row);
    if (this.#writer.length > bytes) await this.#writer.flush(output);
  }

  #extras(place: RecordPlace): void {
    const { extras } = this.#table;
    if (extras.length === 0) return;
    const buffer = this.records.reader.buffer;
    let json: string | null = null;
    for (const extra of extras) {
      this.#writer.byte(0x2c);
      let text: string | null;
      if (extra.kind === "key") text = place.key;
      else if (extra.kind === "parent") text = extra.textOf(place.matches);
      else {
        json ??= decoder.decode(buffer.subarray(place.start, place.end));
        const value = valueAt(json, extra.name);
        text = value === undefined ? null : textOf(value as RawJson);
      }
      if (text !== null) this.#writer.text(text);
    }
  }

  #cells(): void {
    const { records } = this;
    const fieldOf = this.#fieldOf;
    const columns = this.#columns;
    let isLate = false;
    for (let i = 0; i < records.count; i++) {
      const number = records.numbers[i];
      if (number < columns) fieldOf[number] = i;
      else isLate = true;
    }
    try {
      for (let column = 0; column < columns; column++) {
        this.#writer.byte(0x2c);
        if (fieldOf[column] >= 0) this.#cell(fieldOf[column]);
      }
    } finally {
      for (let i = 0; i < records.count; i++) {
        if (records.numbers[i] < columns) fieldOf[records.numbers[i]] = -1;
      }
    }
    this.#writer.byte(0x2c);
    if (isLate) this.#lateCell();
  }

  /** Null is nothing, an empty text is two quotes. */
  #cell(i: number): void {
    const { reader, starts, ends, kinds: found, marks } = this.records;
    const kind = found[i];
    if (kind === kinds.null) return;
    const { buffer } = reader;
    if (kind === kinds.string && !this.#isJson(i)) {
      if (marks[i] & 1) this.#writer.text(this.#text(i)!);
      else this.#writer.quoted(buffer, starts[i] + 1, ends[i] - 1);
    } else if (kind >= kinds.object || kind === kinds.string) {
      if (marks[i] & 2) this.#writer.text(this.#text(i)!);
      else this.#writer.quoted(buffer, starts[i], ends[i]);
    } else this.#writer.copy(buffer, starts[i], ends[i]);
  }

  #isJson(i: number): boolean {
    const { numbers, fields } = this.records;
    return this.#jsonFields.size > 0 && this.#jsonFields.has(fields.names[numbers[i]]);
  }

  /** A field as text: what is nested, without blanks between its values. */
  #text(i: number): string | null {
    const { reader, starts, ends, kinds: found, marks } = this.records;
    const json = decoder.decode(reader.buffer.subarray(starts[i], ends[i]));
    if (found[i] === kinds.null) return null;
    if (found[i] !== kinds.string || this.#isJson(i)) {
      return marks[i] & 2 ? withoutBlanks(json) : json;
    }
    const text: string = JSON.parse(json);
    if (!text.isWellFormed()) throw new FieldError("encoding", halfCharacter);
    return text;
  }

  #lateCell(): void {
    const { records } = this;
    const late: Record<string, string> = Object.create(null);
    let isAny = false;
    for (let i = 0; i < records.count; i++) {
      if (records.numbers[i] < this.#columns) continue;
      const text = this.#text(i);
      if (text === null) continue;
      const name = records.fields.names[records.numbers[i]];
      late[name] = text;
      isAny = true;
      this.#late.add(name);
    }
    if (isAny) this.#writer.text(JSON.stringify(late));
  }

  #refuseRecord({ row, offset, start, end }: RecordPlace, wrong: FieldError): void {
    if (wrong.rule === "fields" && this.#table.header === null) {
      throw tooManyFields(this.#call.file.name);
    }
    const raw = decoder.decode(this.records.reader.buffer.subarray(start, end));
    this.#refuse({ row, offset }, wrong.rule, wrong.message, raw);
  }

  #refuse(
    { row, offset }: { row: number; offset: number },
    rule: string,
    why: string,
    raw: string,
  ): void {
    this.refused++;
    const { file } = this.#table;
    this.#refusals.push({
      file: file.name,
      row,
      offset: file.isAsCollected ? offset : null,
      column: null,
      rule,
      reason: `Record ${row} is refused: ${why}`,
      raw,
    });
  }
}

/** JSON text without the blanks that mean nothing; digits and texts as they are. */
export function withoutBlanks(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, "$1");
}

function tooManyFields(name: string): AppError {
  return new AppError(
    "CORRUPT",
    `Cannot read ${name}: its records have more than ${fieldsMax} different ` +
      `fields; if the fields are keys of records, name them with "recordKey"`,
  );
}
