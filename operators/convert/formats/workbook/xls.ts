/** @module Workbooks of Excel 5 to 2003: xls. */
import { RecordReader } from "./binary_record.ts";
import {
  cellKind,
  LockedError,
  type Sheet,
  type SheetRow,
  type Workbook,
  WorkbookError,
} from "./book.ts";
import { type CellValue, errorNames, numberValue } from "./cells.ts";
import { CompoundFile } from "./cfb.ts";
import { findEncoding, type TextReader } from "../../prepare/encodings.ts";
import { builtInParts, partsOfCode } from "./number_formats.ts";
import type { TimeParts } from "./serials.ts";
import { record, recordsFrom, TextReader as LongText, type XlsRecord } from "./xls_records.ts";

/** What the workbook says of all its sheets. */
interface Globals {
  isBiff8: boolean;
  is1904: boolean;
  decoder: TextReader;
  texts: string[];
  styles: (TimeParts | null)[];
  sheets: { name: string; isHidden: boolean; at: number }[];
}

const BIFF8 = 0x600;
const WORKSHEET = 0;
/** Rows that may come in another order than theirs. */
const WINDOW_ROWS = 256;
const COLUMNS_MAX = 256;

/** Open a workbook. Throws WorkbookError, and LockedError for one behind a password. */
export async function openXls(path: string): Promise<Workbook> {
  const stream = await readStream(path);
  const globals = readGlobals(stream);
  const sheets = globals.sheets.map(({ name, isHidden, at }): Sheet => ({
    name,
    isHidden,
    weight: countCells(stream, at),
    rows: (signal) => rowsOf(stream, { globals, at, signal }),
  }));
  return { sheets, [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function readStream(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const compound = new CompoundFile(file);
  const stream = compound.stream("Workbook", "Book");
  if (stream) return stream;
  if (compound.stream("EncryptedPackage", "EncryptionInfo")) {
    throw new LockedError("it is behind a password: save it without one");
  }
  throw new WorkbookError("it is a compound file without a workbook in it");
}

function readGlobals(stream: Uint8Array): Globals {
  const globals: Globals = {
    isBiff8: true,
    is1904: false,
    decoder: new TextDecoder("windows-1252"),
    texts: [],
    styles: [],
    sheets: [],
  };
  const codes = new Map<number, TimeParts | null>();
  const formats: number[] = [];
  let isFirst = true;
  for (const found of recordsFrom(stream, 0)) {
    const reader = new RecordReader(found.bytes);
    if (isFirst && found.type !== record.begin) {
      throw new WorkbookError(`its stream begins with a record of the type ${found.type}`);
    }
    isFirst = false;
    switch (found.type) {
      case record.begin:
        globals.isBiff8 = reader.u16() === BIFF8;
        break;
      case record.password:
        throw new LockedError("it is behind a password: save it without one");
      case record.is1904:
        globals.is1904 = reader.u16() === 1;
        break;
      case record.codePage:
        globals.decoder = decoderOf(reader.u16());
        break;
      case record.format:
        codes.set(reader.u16(), partsOfCode(textAt(found, 2, globals, globals.isBiff8 ? 2 : 1)));
        break;
      case record.style:
        reader.u16();
        formats.push(reader.u16());
        break;
      case record.sharedTexts:
        globals.texts = sharedTexts(found);
        break;
      case record.sheet:
        addSheet(found, globals);
    }
    if (found.type === record.end) break;
  }
  globals.styles = formats.map((id) => codes.has(id) ? codes.get(id)! : builtInParts(id));
  return globals;
}

function addSheet(found: XlsRecord, globals: Globals): void {
  const reader = new RecordReader(found.bytes);
  const at = reader.u32();
  const isHidden = (reader.u8() & 3) !== 0;
  if (reader.u8() !== WORKSHEET) return;
  const name = textAt(found, 6, globals, 1).replaceAll("\0", "");
  globals.sheets.push({ name, isHidden, at });
}

function textAt(
  found: XlsRecord,
  at: number,
  { isBiff8, decoder }: Pick<Globals, "isBiff8" | "decoder">,
  lengthBytes: 1 | 2,
): string {
  if (isBiff8) return new LongText(found, at).text(lengthBytes);
  const reader = new RecordReader(found.bytes, at);
  const length = lengthBytes === 1 ? reader.u8() : reader.u16();
  return decoder.decode(reader.bytes(Math.min(length, reader.left)));
}

/** The count in front of the texts may be wrong: they end where they end. */
function sharedTexts(found: XlsRecord): string[] {
  const reader = new LongText(found, 8);
  const texts: string[] = [];
  const count = new RecordReader(found.bytes, 4).u32();
  while (texts.length < count && !reader.isAtEnd) texts.push(reader.text(2));
  return texts;
}

/** Code pages whose names are none of theirs. */
const pageNames: Readonly<Record<number, string>> = {
  367: "windows-1252",
  1200: "utf-16le",
  10_000: "macintosh",
  10_006: "macgreek",
  10_007: "x-mac-cyrillic",
  10_029: "maccenteuro",
  10_081: "macturkish",
  32_768: "macintosh",
  32_769: "windows-1252",
  65_001: "utf-8",
};

function decoderOf(page: number): TextReader {
  const found = findEncoding(pageNames[page] ?? `cp${page}`) ?? findEncoding(`windows-${page}`);
  if (!found) throw new WorkbookError(`its texts are in the code page ${page}, which is unknown`);
  return found.decoder(false);
}

const cellTypes: ReadonlySet<number> = new Set([
  record.formula,
  record.numbers,
  record.richLabel,
  record.sharedLabel,
  record.number,
  record.label,
  record.booleanOrError,
  record.shortNumber,
]);

function countCells(stream: Uint8Array, at: number): number {
  let cells = 0;
  for (const { type, bytes } of sheetRecords(stream, at)) {
    if (type === record.numbers) cells += Math.floor(bytes.length / 6);
    else if (cellTypes.has(type)) cells++;
  }
  return cells;
}

/** Records of one sheet, without those of charts in it. */
function* sheetRecords(stream: Uint8Array, at: number): Generator<XlsRecord> {
  if (at >= stream.length) throw new WorkbookError(`a sheet lies behind the end, at byte ${at}`);
  let depth = 0;
  for (const found of recordsFrom(stream, at)) {
    if (found.type === record.begin) depth++;
    if (found.type === record.end && --depth <= 0) return;
    if (depth <= 1) yield found;
  }
}

async function* rowsOf(
  stream: Uint8Array,
  { globals, at, signal }: { globals: Globals; at: number; signal: AbortSignal },
): AsyncGenerator<SheetRow[]> {
  const rows = new Map<number, SheetRow>();
  let formula: { row: number; column: number } | null = null;
  const set = (row: number, column: number, value: CellValue | null) => {
    if (value === null) return;
    let found = rows.get(row);
    if (!found) rows.set(row, found = { number: row + 1, cells: [], kinds: [] });
    found.cells[column] = value.text;
    found.kinds[column] = value.kind;
  };
  for (const found of sheetRecords(stream, at)) {
    if (rows.size > 2 * WINDOW_ROWS) {
      signal.throwIfAborted();
      yield take(rows, WINDOW_ROWS);
    }
    if (found.type === record.formulaText && formula) {
      const text = textAt(found, 0, globals, 2);
      set(formula.row, formula.column, { text, kind: cellKind.text });
      formula = null;
    } else if (cellTypes.has(found.type)) {
      const cells = cellsOf(found, globals);
      formula = cells.isTextBehind ? cells : null;
      cells.values.forEach((value, i) => set(cells.row, cells.column + i, value));
    }
  }
  yield take(rows, 0);
}

/** The first rows, but for so many. */
function take(rows: Map<number, SheetRow>, kept: number): SheetRow[] {
  const numbers = [...rows.keys()].sort((a, b) => a - b).slice(0, Math.max(0, rows.size - kept));
  return numbers.map((number) => {
    const row = rows.get(number)!;
    rows.delete(number);
    return row;
  });
}

interface Cells {
  row: number;
  column: number;
  values: (CellValue | null)[];
  /** A formula whose text is in a record behind. */
  isTextBehind: boolean;
}

function cellsOf(found: XlsRecord, globals: Globals): Cells {
  const reader = new RecordReader(found.bytes);
  const row = reader.u16();
  const column = reader.u16();
  if (column >= COLUMNS_MAX) {
    throw new WorkbookError(`a cell at byte ${found.at} of its stream is in column ${column + 1}`);
  }
  const at = { row, column, isTextBehind: false };
  if (found.type === record.numbers) {
    const values: CellValue[] = [];
    while (reader.left >= 8 && column + values.length < COLUMNS_MAX) {
      values.push(numberOf(reader.u16(), reader.rk(), globals));
    }
    return { ...at, values };
  }
  const style = reader.u16();
  if (found.type === record.formula) return { ...at, ...formulaOf(reader, style, globals) };
  return { ...at, values: [cellOf(found, { reader, style, globals })] };
}

function cellOf(
  found: XlsRecord,
  { reader, style, globals }: { reader: RecordReader; style: number; globals: Globals },
): CellValue {
  switch (found.type) {
    case record.number:
      return numberOf(style, reader.f64(), globals);
    case record.shortNumber:
      return numberOf(style, reader.rk(), globals);
    case record.booleanOrError:
      return booleanOrError(reader.u8(), reader.u8() !== 0);
    case record.sharedLabel: {
      const index = reader.u32();
      const text = globals.texts[index];
      if (text === undefined) {
        throw new WorkbookError(
          `a cell at byte ${found.at} of its stream refers to the shared text ${index} of ` +
            `${globals.texts.length}`,
        );
      }
      return { text, kind: cellKind.text };
    }
    default:
      return { text: textAt(found, 6, globals, 2), kind: cellKind.text };
  }
}

/** The value that a formula had when the workbook was saved. */
function formulaOf(
  reader: RecordReader,
  style: number,
  globals: Globals,
): Pick<Cells, "values" | "isTextBehind"> {
  const raw = reader.bytes(8);
  if (raw[6] !== 0xff || raw[7] !== 0xff) {
    return { values: [numberOf(style, new RecordReader(raw).f64(), globals)], isTextBehind: false };
  }
  if (raw[0] === 0) return { values: [null], isTextBehind: true };
  if (raw[0] === 3) return { values: [{ text: "", kind: cellKind.text }], isTextBehind: false };
  return { values: [booleanOrError(raw[2], raw[0] === 2)], isTextBehind: false };
}

function booleanOrError(value: number, isError: boolean): CellValue {
  return isError
    ? { text: errorNames[value] ?? "#UNKNOWN!", kind: cellKind.error }
    : { text: value === 0 ? "false" : "true", kind: cellKind.boolean };
}

function numberOf(style: number, number: number, { styles, is1904 }: Globals): CellValue {
  return numberValue(number, styles[style] ?? null, is1904);
}
