/**
 * @module Copies records of JSON to delimited text with every value as it stands in the document, so
 * that no number goes through a double on its way into SQL.
 */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall } from "../format.ts";
import { ByteSource } from "./byte_source.ts";
import { FieldError, fieldsOf, type RawJson, textOf, valueAt } from "./fields.ts";
import { type BadLine, documentRecords, type JsonRecord, lineRecords } from "./records.ts";
import { recordBytesMax } from "./scanner.ts";

/** What was staged. */
export interface StagedJson {
  path: string;
  rows: number;
  /** Columns c0, c1, …: names of fields, pointers as they were asked for, the key's name. */
  columns: string[];
  /** Longest line, in bytes at most. */
  lineBytesMax: number;
  /** Fields that came up later; they are members of the JSON object in the last column. */
  late: string[];
}

/** Records from which the columns are learned. */
const LEARN_RECORDS = 1000;
const COLUMNS_MAX = 5000;
const FLUSH_CHARS = 1 << 20;

/** Stage the records of a file. Throws CORRUPT when it is no JSON. */
export async function stageJson(call: ReadCall, isLines: boolean): Promise<StagedJson> {
  const path = call.tempPath("staged.csv");
  using input = Deno.openSync(call.file.path);
  using output = await Deno.open(path, { write: true, createNew: true });
  const stager = new Stager(call, output);
  for (const record of recordsOf(call, input, isLines)) {
    if ("why" in record) await stager.refuseLine(record);
    else await stager.add(record);
  }
  await stager.finish();
  if (isLines && stager.rows === 0 && stager.refused > 0) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${call.file.name} as lines of JSON: none of its ${stager.refused} lines is one`,
    );
  }
  return {
    path,
    rows: stager.rows,
    columns: stager.columns,
    lineBytesMax: stager.lineBytesMax,
    late: stager.late,
  };
}

function recordsOf(
  { file, options }: ReadCall,
  input: Deno.FsFile,
  isLines: boolean,
): Iterable<JsonRecord | BadLine> {
  const source = new ByteSource((into) => input.readSync(into));
  skipMark(source);
  if (isLines) return lineRecords(source, recordBytesMax);
  return documentRecords(source, {
    pointer: options.records,
    name: file.name,
    isMap: options.recordKey !== undefined,
  });
}

function skipMark(source: ByteSource): void {
  for (const byte of [0xef, 0xbb, 0xbf]) {
    if (source.peek() !== byte) return;
    source.skip();
  }
}

/** Texts of a record's fields. */
type Fields = Map<string, string | null>;

class Stager {
  readonly #call: ReadCall;
  readonly #output: Deno.FsFile;
  #learning: { record: JsonRecord; fields: Fields }[] | null = [];
  #columns: string[] = [];
  #index = new Map<string, number>();
  #late = new Set<string>();
  #pending: string[] = [];
  #pendingChars = 0;
  rows = 0;
  refused = 0;
  lineBytesMax = 0;

  constructor(call: ReadCall, output: Deno.FsFile) {
    this.#call = call;
    this.#output = output;
    for (const pointer of call.options.pointers) this.#addColumn(pointer);
    if (call.options.recordKey !== undefined) this.#addColumn(call.options.recordKey);
  }

  get columns(): string[] {
    return this.#columns;
  }

  get late(): string[] {
    return [...this.#late];
  }

  async add(record: JsonRecord): Promise<void> {
    let fields: Fields;
    try {
      fields = this.#fieldsOf(record);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      return await this.#refuse(record, error.rule, error.message, record.json);
    }
    if (!this.#learning) return await this.#write(record, fields);
    for (const name of fields.keys()) this.#addColumn(name);
    this.#learning.push({ record, fields });
    if (this.#learning.length === LEARN_RECORDS) await this.#endLearning();
  }

  async refuseLine({ row, offset, bytes, why }: BadLine): Promise<void> {
    await this.#refuse({ row, offset }, "json", why, new TextDecoder().decode(bytes));
  }

  async finish(): Promise<void> {
    await this.#endLearning();
    await this.#flush();
  }

  #fieldsOf({ json, key }: JsonRecord): Fields {
    const fields: Fields = fieldsOf(json);
    // A text that cannot be one is refused here, with its record.
    for (const [name, value] of fields) fields.set(name, textOf(value as RawJson));
    for (const pointer of this.#call.options.pointers) {
      const value = valueAt(json, pointer);
      if (value !== undefined) fields.set(pointer, textOf(value));
    }
    const { recordKey } = this.#call.options;
    if (recordKey !== undefined && key !== undefined) fields.set(recordKey, key);
    return fields;
  }

  #addColumn(name: string): void {
    if (this.#index.has(name)) return;
    if (this.#columns.length === COLUMNS_MAX) throw this.#tooMany();
    this.#index.set(name, this.#columns.length);
    this.#columns.push(name);
  }

  async #endLearning(): Promise<void> {
    const learned = this.#learning ?? [];
    this.#learning = null;
    for (const { record, fields } of learned) await this.#write(record, fields);
  }

  async #write(record: JsonRecord, fields: Fields): Promise<void> {
    const cells: (string | null)[] = new Array(this.#columns.length).fill(null);
    let late: Record<string, string> | null = null;
    for (const [name, text] of fields) {
      const at = this.#index.get(name);
      if (at !== undefined) cells[at] = text;
      else if (text !== null) {
        late ??= Object.create(null) as Record<string, string>;
        late[name] = text;
        this.#late.add(name);
        if (this.#late.size > COLUMNS_MAX) throw this.#tooMany();
      }
    }
    const all = [...cells, late && JSON.stringify(late)];
    const line = `${record.row},${record.offset},${record.bytes},${all.map(cell).join(",")}\n`;
    this.rows++;
    // A UTF-16 unit is at most three bytes of UTF-8.
    this.lineBytesMax = Math.max(this.lineBytesMax, 3 * line.length);
    this.#pending.push(line);
    this.#pendingChars += line.length;
    if (this.#pendingChars >= FLUSH_CHARS) await this.#flush();
  }

  async #refuse(
    { row, offset }: { row: number; offset: number },
    rule: string,
    why: string,
    raw: string,
  ): Promise<void> {
    this.refused++;
    await this.#call.refuse({
      file: this.#call.file.name,
      row,
      offset: this.#call.file.isAsCollected ? offset : null,
      column: null,
      rule,
      reason: `Record ${row} is refused: ${why}`,
      raw,
    });
  }

  async #flush(): Promise<void> {
    this.#call.signal.throwIfAborted();
    let bytes = new TextEncoder().encode(this.#pending.join(""));
    this.#pending = [];
    this.#pendingChars = 0;
    while (bytes.length > 0) bytes = bytes.subarray(await this.#output.write(bytes));
  }

  #tooMany(): AppError {
    return new AppError(
      "CORRUPT",
      `Cannot read ${this.#call.file.name}: its records have more than ${COLUMNS_MAX} different ` +
        `fields; if the fields are keys of records, name them with "recordKey"`,
    );
  }
}

/** Null is nothing, an empty text is two quotes. */
function cell(text: string | null): string {
  if (text === null) return "";
  if (text === "" || /[",\r\n]/.test(text)) return `"${text.replaceAll('"', '""')}"`;
  return text;
}
